// The map: points drawn by hand into one image, so that 100,000 of them follow the pointer.
(async () => {
  const NONE = 65535;
  const packed = report.map;
  const classes = report.classes;

  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  async function unpack(text) {
    const stream = new Blob([bytes(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream).arrayBuffer();
  }
  async function unpackJson(text) {
    return JSON.parse(new TextDecoder().decode(await unpack(text)));
  }
  async function unpackArrays(part) {
    const types = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, int32: Int32Array };
    const buffer = await unpack(part.data);
    let offset = 0;
    return Object.fromEntries(
      part.fields.map(({ name, type, length }) => {
        const array = new types[type](buffer, offset, length);
        offset += array.byteLength;
        return [name, array];
      }),
    );
  }
  const loadImage = (source) =>
    new Promise((resolve, reject) => {
      const image = new Image();
      image.onload = () => resolve(image);
      image.onerror = reject;
      image.src = source;
    });

  if (typeof DecompressionStream === "undefined") {
    byId("map-failed").hidden = false;
    byId("map-failed").textContent =
      "This browser cannot unpack the map. Chrome and Edge 80, Firefox 113, Safari 16.4 and later can.";
    return;
  }

  const points = await unpackArrays(packed.points);
  const ids = await unpackJson(packed.ids);
  const n = ids.length;
  const sample = packed.sample ? await unpackArrays(packed.sample) : { row: [] };
  const sampled = new Map(Array.from(sample.row, (row, at) => [row, at]));
  const nears = sample.near ? sample.near.length / sample.row.length : 0;
  const cards = packed.cards ? await unpackJson(packed.cards) : null;
  const sheets = packed.sheets ? await Promise.all(packed.sheets.map(loadImage)) : null;

  const canvas = byId("canvas");
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const printing = matchMedia("print");
  const view = { scale: 1, x: 0.5, y: 0.5 }; // the middle of the view in map units, and the zoom over "all"
  const state = { by: "label", off: new Set(), emphasis: null, hover: -1, picked: -1, mosaic: false };
  const isDark = () => dark.matches && !printing.matches;

  // Colours -----------------------------------------------------------------------------------------------------
  const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const mix = (from, to, share) => from.map((value, at) => Math.round(value + (to[at] - value) * share));
  const grey = () => (isDark() ? "#7b828d" : "#8b919b");
  const good = () => (isDark() ? "#4a9cd6" : "#2f80b9");
  const bad = () => (isDark() ? "#f1873f" : "#d55e00");
  const ofClass = (index) => (index === NONE ? grey() : (isDark() ? report.dark : report.light)[index]);
  function ramp(share) {
    const stops = [bad(), isDark() ? "#8d8a86" : "#b9b6b1", isDark() ? "#58b2f0" : "#0a5a93"].map(rgb);
    return share < 0.5 ? mix(stops[0], stops[1], share * 2) : mix(stops[1], stops[2], share * 2 - 1);
  }

  // Ways to colour: for each a number of groups, the group of a point, and the name and colour of a group. --------
  const confidence = (row) => points.confidence[row] / 65535;
  const classWay = (array) => ({
    title: "Classes",
    groups: [...classes.keys(), NONE],
    of: (row) => array[row],
    name: (group) => (group === NONE ? "no label" : classes[group]),
    colour: ofClass,
    labels: true,
  });
  const sources = ["no label", "given", "propagated", "reviewed"];
  const ways = {
    label: { ...classWay(points.label), words: "label" },
    confidence: {
      words: "confidence",
      title: "Confidence",
      groups: [...Array(11).keys()],
      of: (row) => (points.label[row] === NONE ? 10 : Math.min(9, Math.floor(confidence(row) * 10))),
      name: (group) => (group === 10 ? "no label" : `${group * 10} to ${group * 10 + 10}%`),
      colour: (group) =>
        group === 10 ? grey() : "#" + ramp((group + 0.5) / 10).map((v) => v.toString(16).padStart(2, "0")).join(""),
    },
    source: {
      words: "source",
      title: "Source",
      groups: [1, 3, 2, 0],
      of: (row) => points.source[row],
      name: (group) => sources[group],
      colour: (group) => [grey(), bad(), good(), isDark() ? "#b48ae0" : "#7b3fb5"][group],
    },
  };
  if (points.truth) {
    const verdict = (row) =>
      points.truth[row] === NONE || points.label[row] === NONE ? 2 : Number(points.truth[row] !== points.label[row]);
    ways.right = {
      words: "right or wrong",
      title: "Against the truth",
      groups: [0, 1, 2],
      of: verdict,
      name: (group) => ["right", "wrong", "not known"][group],
      colour: (group) => [good(), bad(), grey()][group],
    };
    ways.truth = { ...classWay(points.truth), words: "truth", title: "True classes" };
    ways.truth.name = (group) => (group === NONE ? "not known" : classes[group]);
  }
  for (const way of Object.values(ways)) {
    way.group = Uint16Array.from({ length: n }, (_, row) => way.of(row));
    way.sizes = new Map();
    for (const group of way.group) way.sizes.set(group, (way.sizes.get(group) ?? 0) + 1);
    way.groups = way.groups.filter((group) => way.sizes.has(group));
  }
  const way = () => ways[state.by];
  const visible = (row) => !state.off.has(way().group[row]);

  // Geometry ----------------------------------------------------------------------------------------------------
  let width = 0;
  let height = 0;
  let ratio = 1;
  const extent = (axis) => {
    let low = 65535;
    let high = 0;
    for (let row = 0; row < n; row++) {
      const at = points.place[2 * row + axis];
      low = Math.min(low, at);
      high = Math.max(high, at);
    }
    return [low / 65535, Math.max(high / 65535, low / 65535 + 1e-4)];
  };
  const [lowX, highX] = extent(0);
  const [lowY, highY] = extent(1);
  const unit = () => view.scale * Math.min((width - 56) / (highX - lowX), (height - 56) / (highY - lowY));
  const screenX = (row) => (points.place[2 * row] / 65535 - view.x) * unit() + width / 2;
  const screenY = (row) => (points.place[2 * row + 1] / 65535 - view.y) * unit() + height / 2;
  function fit() {
    Object.assign(view, { scale: 1, x: (lowX + highX) / 2, y: (lowY + highY) / 2 });
    redraw();
  }
  function zoomAt(factor, x = width / 2, y = height / 2) {
    const scale = Math.min(200, Math.max(0.5, view.scale * factor));
    const change = scale / view.scale;
    view.x += ((x - width / 2) / unit()) * (1 - 1 / change);
    view.y += ((y - height / 2) / unit()) * (1 - 1 / change);
    view.scale = scale;
    redraw();
  }
  function pan(x, y) {
    view.x = Math.min(highX, Math.max(lowX, view.x - x / unit()));
    view.y = Math.min(highY, Math.max(lowY, view.y - y / unit()));
    redraw();
  }
  const order = Uint32Array.from({ length: n }, (_, at) => at);
  for (let at = n - 1, seed = 1; at > 0; at--) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0; // shuffled once, so that no class hides another
    const other = seed % (at + 1);
    [order[at], order[other]] = [order[other], order[at]];
  }

  // Points are as large as the ground they stand on allows: the share of 128 x 128 cells that hold any.
  const ground = new Set(order.map((row) => ((points.place[2 * row] >> 9) << 7) | (points.place[2 * row + 1] >> 9))).size;
  const room = Math.sqrt(ground / 16384 / n);
  const radius = () => Math.min(6, Math.max(n > 20000 ? 1 : 1.6, 0.62 * room * unit() * view.scale ** -0.35));

  // Drawing -----------------------------------------------------------------------------------------------------
  function disc(size) {
    // How much of each pixel a disc covers: offsets and shares, for discs that start anywhere on a pixel's corner.
    const reach = Math.ceil(size + 1);
    const cover = [];
    for (let y = -reach; y <= reach; y++) {
      for (let x = -reach; x <= reach; x++) {
        const share = Math.min(1, Math.max(0, size + 0.5 - Math.hypot(x, y)));
        if (share > 0) cover.push([x, y, share]);
      }
    }
    return { reach, cover };
  }

  function paintPoints(image, paper) {
    const pixels = image.data;
    const wide = image.width;
    const high = image.height;
    const current = way();
    const { reach, cover } = disc(radius() * ratio);
    const strength = n > 3000 ? 0.8 : 0.9;
    const colours = new Map(current.groups.map((group) => [group, rgb(current.colour(group))]));
    const steps = cover.map(([x, y, share]) => [4 * (y * wide + x), share * strength]);
    const size = unit() * ratio;
    const left = (width / 2) * ratio - view.x * size;
    const top = (height / 2) * ratio - view.y * size;
    for (let turn = 0; turn < 2; turn++) {
      if (turn === 0 && state.emphasis === null) continue;
      for (const row of order) {
        const group = current.group[row];
        if (state.off.has(group)) continue;
        const faded = state.emphasis !== null && group !== state.emphasis;
        if ((turn === 0) !== faded) continue; // with an emphasis the others go below
        const x = Math.round(left + (points.place[2 * row] / 65535) * size);
        const y = Math.round(top + (points.place[2 * row + 1] / 65535) * size);
        if (x < reach || y < reach || x >= wide - reach || y >= high - reach) continue;
        const [red, green, blue] = colours.get(group);
        const base = 4 * (y * wide + x);
        const weight = faded ? 0.16 : 1;
        for (const [step, share] of steps) {
          const at = base + step;
          const part = share * weight;
          pixels[at] += (red - pixels[at]) * part;
          pixels[at + 1] += (green - pixels[at + 1]) * part;
          pixels[at + 2] += (blue - pixels[at + 2]) * part;
        }
      }
    }
  }

  function ring(row, size, line, colour, halo) {
    const [x, y] = [screenX(row), screenY(row)];
    pen.beginPath();
    pen.arc(x, y, size, 0, 2 * Math.PI);
    pen.lineWidth = line + 2.5;
    pen.strokeStyle = halo;
    pen.stroke();
    pen.lineWidth = line;
    pen.strokeStyle = colour;
    pen.stroke();
  }

  const byHand = Uint32Array.from({ length: n }, (_, row) => row).filter((row) => points.source[row] % 2 === 1);
  function paintGiven(paper, ink) {
    if (byHand.length > 2000 && view.scale < 4) return; // they would cover the map
    const size = byHand.length > 200 ? 3.5 : 5;
    for (const row of byHand) {
      if (!visible(row)) continue;
      const [x, y] = [screenX(row), screenY(row)];
      if (x < -9 || y < -9 || x > width + 9 || y > height + 9) continue;
      pen.beginPath();
      pen.arc(x, y, size, 0, 2 * Math.PI);
      pen.fillStyle = way().colour(way().group[row]);
      pen.fill();
      ring(row, size, 1.6, ink, paper);
    }
  }

  function densest(group) {
    // The middle of the fullest cell of a group: where its name can stand.
    const cells = new Map();
    const current = way();
    for (let row = 0; row < n; row++) {
      if (current.group[row] !== group) continue;
      const key = (points.place[2 * row] >> 12) * 16 + (points.place[2 * row + 1] >> 12);
      cells.set(key, [...(cells.get(key) ?? []), row]);
    }
    const fullest = [...cells.values()].reduce((a, b) => (b.length > a.length ? b : a), []);
    const mean = (axis) => fullest.reduce((sum, row) => sum + points.place[2 * row + axis], 0) / fullest.length;
    return [mean(0) / 65535, mean(1) / 65535];
  }
  const anchors = new Map();
  function paintNames(paper, ink) {
    if (!way().labels || state.mosaic) return;
    pen.font = "600 12.5px system-ui, sans-serif";
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.lineJoin = "round";
    const taken = [];
    const largest = [...way().groups].sort((a, b) => way().sizes.get(b) - way().sizes.get(a)).slice(0, 60);
    for (const group of largest) {
      if (group === NONE || state.off.has(group)) continue;
      const key = state.by + group;
      if (!anchors.has(key)) anchors.set(key, densest(group));
      const [placeX, placeY] = anchors.get(key);
      const x = (placeX - view.x) * unit() + width / 2;
      const y = (placeY - view.y) * unit() + height / 2;
      const name = way().name(group);
      const text = name.length > 24 ? name.slice(0, 23) + "…" : name;
      const half = pen.measureText(text).width / 2 + 4;
      const hits = taken.some((box) => Math.abs(box.x - x) < box.half + half && Math.abs(box.y - y) < 16);
      if (hits || x < half || x > width - half || y < 10 || y > height - 10) continue;
      taken.push({ x, y, half });
      pen.globalAlpha = state.emphasis === null || state.emphasis === group ? 1 : 0.35;
      pen.lineWidth = 4;
      pen.strokeStyle = paper;
      pen.strokeText(text, x, y);
      pen.fillStyle = ink;
      pen.fillText(text, x, y);
      pen.globalAlpha = 1;
    }
  }

  function stamp(target, row, x, y, size) {
    const at = sampled.get(row);
    const each = packed.across * packed.across;
    const sheet = sheets[Math.floor(at / each)];
    const inside = at % each;
    const scale = size / Math.max(packed.width, packed.height);
    target.imageSmoothingEnabled = Math.max(packed.width, packed.height) * 1.3 > size || packed.width > 40;
    target.drawImage(
      sheet,
      (inside % packed.across) * packed.cell,
      Math.floor(inside / packed.across) * packed.cell,
      packed.width,
      packed.height,
      x,
      y,
      packed.width * scale,
      packed.height * scale,
    );
  }

  function paintMosaic() {
    const cell = 40;
    const taken = new Set();
    for (const row of sample.row) {
      if (!visible(row)) continue;
      const [x, y] = [screenX(row), screenY(row)];
      if (x < 0 || y < 0 || x > width || y > height) continue;
      const [column, line] = [Math.floor(x / cell), Math.floor(y / cell)];
      const key = column + "," + line;
      if (taken.has(key)) continue;
      taken.add(key);
      pen.fillStyle = way().colour(way().group[row]);
      pen.fillRect(column * cell + 1, line * cell + 1, cell - 2, cell - 2);
      stamp(pen, row, column * cell + 3, line * cell + 3, cell - 6);
    }
  }

  function paintNear(row, ink) {
    const found = neighbours(row);
    if (!found.length) return;
    pen.beginPath();
    for (const other of found) {
      pen.moveTo(screenX(row), screenY(row));
      pen.lineTo(screenX(other), screenY(other));
    }
    pen.lineWidth = 1;
    pen.strokeStyle = ink;
    pen.stroke();
  }
  function neighbours(row) {
    const at = sampled.get(row);
    if (at === undefined || !nears) return [];
    return Array.from(sample.near.subarray(at * nears, (at + 1) * nears)).filter((other) => other >= 0);
  }

  let waiting = false;
  function redraw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      paint();
    });
  }
  function paint() {
    if (!width) return;
    const paper = isDark() ? "#15171b" : "#ffffff";
    const ink = isDark() ? "#e8eaee" : "#1a1d22";
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.fillStyle = paper;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    if (!state.mosaic) {
      const image = pen.getImageData(0, 0, canvas.width, canvas.height);
      paintPoints(image, paper);
      pen.putImageData(image, 0, 0);
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (state.mosaic) paintMosaic();
    else paintGiven(paper, ink);
    const row = state.hover >= 0 ? state.hover : state.picked;
    if (row >= 0) paintNear(row, ink);
    paintNames(paper, ink);
    for (const marked of new Set([state.picked, state.hover])) {
      if (marked >= 0) ring(marked, radius() + 4, 2, ink, paper);
    }
  }
  function resize() {
    const box = canvas.getBoundingClientRect();
    if (!box.width) return;
    ratio = Math.min(devicePixelRatio || 1, 2);
    [width, height] = [box.width, box.height];
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    paint();
  }

  // What is said of an item ---------------------------------------------------------------------------------------
  function picture(row, size) {
    const sharp = Math.min(devicePixelRatio || 1, 2);
    const scale = size / Math.max(packed.width, packed.height);
    const still = make("canvas", {
      width: Math.round(packed.width * scale * sharp),
      height: Math.round(packed.height * scale * sharp),
    });
    still.style.width = packed.width * scale + "px";
    stamp(still.getContext("2d"), row, 0, 0, size * sharp);
    return still;
  }
  function describe(row, size) {
    const box = make("div", { className: "thing" });
    if (sampled.has(row) && sheets) box.append(picture(row, size));
    else if (sampled.has(row) && cards) box.append(make("div", { className: "snippet", innerHTML: cards[sampled.get(row)] }));
    const label = points.label[row];
    const spot = make("span", { className: "dot" });
    spot.style.setProperty("--c", ofClass(label));
    const name = make("span", { className: "name" }, spot, label === NONE ? "no label" : classes[label]);
    const line = make("div", {}, name);
    if (label !== NONE) line.append(` ${percent(confidence(row))}, ${sources[points.source[row]]}`);
    box.append(line);
    const second = points.second ? points.second[row] : NONE;
    if (second !== NONE && points.source[row] === 2) box.append(make("div", { textContent: "or " + classes[second] }));
    const truth = points.truth ? points.truth[row] : NONE;
    if (truth !== NONE && label !== NONE) {
      box.append(
        make("div", {
          className: truth === label ? "" : "wrong",
          textContent: truth === label ? "right" : "wrong: the truth is " + classes[truth],
        }),
      );
    }
    box.append(make("span", { className: "id", textContent: ids[row] }));
    return box;
  }
  function pick(row, { follow = false } = {}) {
    state.picked = row;
    const box = byId("picked");
    box.replaceChildren();
    if (row >= 0) {
      box.append(describe(row, 112));
      const seen = neighbours(row).filter((other) => sheets && sampled.has(other));
      if (seen.length) {
        const near = make("div", { className: "near" });
        for (const other of seen) {
          const still = picture(other, 44);
          still.title = points.label[other] === NONE ? "no label" : classes[points.label[other]];
          still.style.setProperty("--c", ofClass(points.label[other]));
          near.append(still);
        }
        box.append(make("div", { className: "soft", textContent: "Nearest to it" }), near);
      }
      if (follow) {
        view.scale = Math.max(view.scale, 4);
        view.x = points.place[2 * row] / 65535;
        view.y = points.place[2 * row + 1] / 65535;
      }
    }
    redraw();
  }

  // Pointer and keys ----------------------------------------------------------------------------------------------
  function nearest(x, y) {
    let best = 14 * 14;
    let found = -1;
    for (let row = 0; row < n; row++) {
      const gapX = screenX(row) - x;
      if (gapX > 14 || gapX < -14) continue;
      const gapY = screenY(row) - y;
      const square = gapX * gapX + gapY * gapY - (points.source[row] % 2) * 16; // the given ones lie on top
      if (square < best && visible(row)) {
        best = square;
        found = row;
      }
    }
    return found;
  }
  const tip = byId("tip");
  function hover(x, y) {
    const row = x === null ? -1 : nearest(x, y);
    if (row !== state.hover) {
      state.hover = row;
      tip.hidden = row < 0;
      if (row >= 0) tip.replaceChildren(describe(row, 112));
      redraw();
    }
    if (row >= 0) {
      const right = x + 18 + tip.offsetWidth > width ? x - 18 - tip.offsetWidth : x + 18;
      const below = Math.min(Math.max(6, y - 20), height - tip.offsetHeight - 6);
      tip.style.transform = `translate(${Math.max(4, right)}px,${Math.max(4, below)}px)`;
    }
  }
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const down = new Map();
  let moved = 0;
  canvas.addEventListener("pointerdown", (event) => {
    down.set(event.pointerId, place(event));
    canvas.setPointerCapture(event.pointerId);
    moved = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = place(event);
    const before = down.get(event.pointerId);
    if (!before) return event.pointerType === "mouse" ? hover(x, y) : undefined;
    moved += Math.hypot(x - before[0], y - before[1]);
    if (down.size === 1 && moved > 4) {
      hover(null);
      pan(x - before[0], y - before[1]);
    } else if (down.size === 2) {
      const [other] = [...down].filter(([id]) => id !== event.pointerId).map(([, spot]) => spot);
      const gap = (spot) => Math.hypot(spot[0] - other[0], spot[1] - other[1]) || 1;
      zoomAt(gap([x, y]) / gap(before), (x + other[0]) / 2, (y + other[1]) / 2);
    }
    down.set(event.pointerId, [x, y]);
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(kind, (event) => {
      const single = down.size === 1;
      down.delete(event.pointerId);
      if (kind === "pointerup" && single && moved <= 4) pick(nearest(...place(event)));
    });
  }
  canvas.addEventListener("pointerleave", () => hover(null));
  canvas.addEventListener("dblclick", (event) => zoomAt(2, ...place(event)));
  canvas.addEventListener(
    "wheel",
    (event) => {
      if (document.activeElement !== canvas && !event.ctrlKey && !event.metaKey) return; // the page scrolls on
      event.preventDefault();
      zoomAt(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0018)), ...place(event));
      hover(...place(event));
    },
    { passive: false },
  );
  canvas.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (moves[event.key]) pan(...moves[event.key]);
    else if (event.key === "+" || event.key === "=") zoomAt(1.4);
    else if (event.key === "-") zoomAt(1 / 1.4);
    else if (event.key === "0") fit();
    else if (event.key === "Escape") pick(-1);
    else return;
    event.preventDefault();
  });
  const zooms = { in: () => zoomAt(1.6), out: () => zoomAt(1 / 1.6), fit };
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", zooms[button.dataset.zoom]);
  }

  // Legend, colours, search -----------------------------------------------------------------------------------------
  function legend() {
    const list = byId("legend");
    byId("legend-title").textContent = way().title;
    list.replaceChildren(
      ...way().groups.map((group) => {
        const spot = make("span", { className: "dot" });
        spot.style.setProperty("--c", way().colour(group));
        const name = make("span", { className: "label", textContent: way().name(group), title: way().name(group) });
        const size = make("span", { className: "n", textContent: whole(way().sizes.get(group)) });
        const button = make("button", { type: "button", title: "Click: show or hide. Double click: only this." }, spot, name, size);
        button.setAttribute("aria-pressed", String(!state.off.has(group)));
        button.addEventListener("click", () => {
          if (!state.off.delete(group)) state.off.add(group);
          button.setAttribute("aria-pressed", String(!state.off.has(group)));
          redraw();
        });
        button.addEventListener("dblclick", () => switchAll((other) => other !== group));
        const stress = (on) => () => {
          state.emphasis = on && !state.off.has(group) ? group : null;
          redraw();
        };
        button.addEventListener("pointerenter", stress(true));
        button.addEventListener("pointerleave", stress(false));
        return make("li", {}, button);
      }),
    );
  }
  function switchAll(off) {
    state.off = new Set(way().groups.filter(off));
    legend();
    redraw();
  }
  byId("all").addEventListener("click", () => switchAll(() => false));
  byId("none").addEventListener("click", () => switchAll(() => true));
  for (const [key, { words }] of Object.entries(ways)) {
    const input = make("input", { type: "radio", name: "colour", value: key, checked: key === state.by });
    input.addEventListener("change", () => {
      Object.assign(state, { by: key, off: new Set(), emphasis: null });
      legend();
      redraw();
    });
    byId("colour").append(make("label", {}, input, words));
  }
  if (sheets) {
    document.querySelector(".mosaic").hidden = false;
    byId("mosaic").addEventListener("change", (event) => {
      state.mosaic = event.target.checked;
      redraw();
    });
  }
  let matches = [];
  let turn = 0;
  byId("query").addEventListener("input", (event) => {
    const wanted = event.target.value.trim().toLowerCase();
    matches = wanted ? [...ids.keys()].filter((row) => ids[row].toLowerCase().includes(wanted)) : [];
    const exact = matches.findIndex((row) => ids[row].toLowerCase() === wanted);
    turn = Math.max(exact, 0);
    step(wanted);
  });
  function step(wanted) {
    const all = packed.drawn < packed.total ? "not among the drawn items" : "no such id";
    byId("found").textContent = !wanted ? "" : matches.length ? `${whole(turn + 1)} of ${whole(matches.length)}` : all;
    if (matches.length) pick(matches[turn], { follow: true });
  }
  byId("find").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!matches.length) return;
    turn = (turn + 1) % matches.length;
    step(true);
  });
  const drawnRow = new Map(packed.featured.map(([row, at]) => [row, at]));
  for (const button of document.querySelectorAll(".card .name")) {
    const at = drawnRow.get(Number(button.dataset.row));
    if (at === undefined) {
      button.disabled = true;
      continue;
    }
    button.addEventListener("click", () => {
      pick(at, { follow: true });
      byId("map").scrollIntoView({ block: "start" });
      canvas.focus({ preventScroll: true });
    });
  }

  byId("hint").textContent = matchMedia("(hover: hover)").matches
    ? "Click into the map, then scroll to zoom; drag to move."
    : "Tap an item; pinch to zoom.";
  byId("atlas").hidden = false;
  legend();
  new ResizeObserver(resize).observe(canvas);
  for (const query of [dark, printing]) {
    query.addEventListener("change", () => {
      legend();
      paint();
    });
  }
  resize();
  fit();
})();
