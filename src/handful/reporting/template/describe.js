// What is said of an item, beside the pointer and when it is picked.
const nameOf = (index) => (index === NONE ? "no label" : report.classes[index]);

function dot(colour) {
  const spot = make("span", { className: "dot" });
  spot.style.setProperty("--c", colour);
  return spot;
}

function picture(items, row, size) {
  const { width, height } = report.map;
  const sharp = Math.min(devicePixelRatio || 1, 2);
  const scale = size / Math.max(width, height);
  const still = make("canvas", {
    width: Math.round(width * scale * sharp),
    height: Math.round(height * scale * sharp),
  });
  still.style.width = width * scale + "px";
  drawPicture(still.getContext("2d"), items, row, 0, 0, size * sharp);
  return still;
}

function look(items, row, size) {
  if (!items.isSampled(row)) return [];
  if (items.sheets) return [picture(items, row, size)];
  return [make("div", { className: "snippet", innerHTML: items.cards[items.at(row)] })];
}

function describe(items, row, size) {
  const { points } = items;
  const label = points.label[row];
  const name = make("span", { className: "name" }, dot(theme.ofClass(label)), nameOf(label));
  const sure = label === NONE ? "" : ` ${percent(items.confidence(row))}, ${SOURCES[points.source[row]]}`;
  const lines = [make("div", {}, name, sure)];
  const second = points.second ? points.second[row] : NONE;
  if (second !== NONE && points.source[row] === 2) lines.push(make("div", { textContent: "or " + nameOf(second) }));
  const truth = points.truth ? points.truth[row] : NONE;
  if (truth !== NONE && label !== NONE) {
    const wrong = { className: "wrong", textContent: "wrong: the truth is " + nameOf(truth) };
    lines.push(make("div", truth === label ? { textContent: "right" } : wrong));
  }
  const id = make("span", { className: "id", textContent: items.ids[row] });
  return make("div", { className: "thing" }, ...look(items, row, size), ...lines, id);
}

function describeWithNeighbours(items, row) {
  const seen = items.sheets ? items.neighbours(row).filter(items.isSampled) : [];
  if (!seen.length) return [describe(items, row, 112)];
  const stills = seen.map((other) => {
    const still = picture(items, other, 44);
    still.title = nameOf(items.points.label[other]);
    still.style.setProperty("--c", theme.ofClass(items.points.label[other]));
    return still;
  });
  const heading = make("div", { className: "soft", textContent: "Nearest to it" });
  return [describe(items, row, 112), heading, make("div", { className: "near" }, ...stills)];
}
