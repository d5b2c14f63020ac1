// The colours of the page's two schemes, and the ways to colour the points of the map.
const dark = matchMedia("(prefers-color-scheme: dark)");
const printing = matchMedia("print");
const isDark = () => dark.matches && !printing.matches;
const theme = {
  paper: () => (isDark() ? "#15171b" : "#ffffff"),
  ink: () => (isDark() ? "#e8eaee" : "#1a1d22"),
  none: () => (isDark() ? "#7b828d" : "#8b919b"),
  good: () => (isDark() ? "#4a9cd6" : "#2f80b9"),
  bad: () => (isDark() ? "#f1873f" : "#d55e00"),
  reviewed: () => (isDark() ? "#b48ae0" : "#7b3fb5"),
  unsure: () => (isDark() ? ["#f1873f", "#8d8a86", "#58b2f0"] : ["#d55e00", "#b9b6b1", "#0a5a93"]),
  ofClass: (index) => (index === NONE ? theme.none() : (isDark() ? report.dark : report.light)[index]),
};

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

// From orange for a guess over grey to blue for a sure label: told apart by everyone, and seen on either paper.
function ramp(share) {
  const stops = theme.unsure().map(rgb);
  const [from, to, part] = share < 0.5 ? [stops[0], stops[1], share * 2] : [stops[1], stops[2], share * 2 - 1];
  const mixed = from.map((value, at) => Math.round(value + (to[at] - value) * part));
  return "#" + mixed.map((value) => value.toString(16).padStart(2, "0")).join("");
}

const SOURCES = ["no label", "given", "propagated", "reviewed"];

function byClass(array, words, title, unnamed) {
  return {
    words,
    title,
    groups: [...report.classes.keys(), NONE],
    of: (row) => array[row],
    name: (group) => (group === NONE ? unnamed : report.classes[group]),
    colour: theme.ofClass,
    named: true,
  };
}

function byConfidence(items) {
  const none = 10;
  return {
    words: "confidence",
    title: "Confidence",
    groups: [...Array(11).keys()],
    of: (row) => (items.points.label[row] === NONE ? none : Math.min(9, Math.floor(items.confidence(row) * 10))),
    name: (group) => (group === none ? "no label" : `${group * 10} to ${group * 10 + 10}%`),
    colour: (group) => (group === none ? theme.none() : ramp((group + 0.5) / 10)),
  };
}

function bySource(points) {
  return {
    words: "source",
    title: "Source",
    groups: [1, 3, 2, 0],
    of: (row) => (points.label[row] === NONE ? 0 : points.source[row]),
    name: (group) => SOURCES[group],
    colour: (group) => [theme.none, theme.bad, theme.good, theme.reviewed][group](),
  };
}

function byVerdict(points) {
  const unknown = (row) => points.truth[row] === NONE || points.label[row] === NONE;
  return {
    words: "right or wrong",
    title: "Against the truth",
    groups: [0, 1, 2],
    of: (row) => (unknown(row) ? 2 : Number(points.truth[row] !== points.label[row])),
    name: (group) => ["right", "wrong", "not known"][group],
    colour: (group) => [theme.good, theme.bad, theme.none][group](),
  };
}

// The ways by name. Each parts the points into groups and gives every group a name and a colour.
function waysToColour(items) {
  const { points } = items;
  const ways = {
    label: byClass(points.label, "label", "Classes", "no label"),
    confidence: byConfidence(items),
    source: bySource(points),
  };
  if (points.truth) {
    ways.right = byVerdict(points);
    ways.truth = byClass(points.truth, "truth", "True classes", "not known");
  }
  for (const way of Object.values(ways)) {
    way.group = Uint16Array.from({ length: items.n }, (_, row) => way.of(row));
    way.sizes = new Map();
    for (const group of way.group) way.sizes.set(group, (way.sizes.get(group) ?? 0) + 1);
    way.groups = way.groups.filter((group) => way.sizes.has(group));
  }
  return ways;
}
