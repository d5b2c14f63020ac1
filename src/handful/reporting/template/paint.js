// Draws the map. Points are blended into one image by hand, so that 100,000 of them follow the pointer.
function makePainter(canvas, items, camera, state) {
  const { n, points } = items;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const order = shuffled(n);
  // Points are as large as the ground they stand on allows: the share of 128 x 128 cells that hold any.
  const cell = (row) => ((points.place[2 * row] >> 9) << 7) | (points.place[2 * row + 1] >> 9);
  const room = Math.sqrt(new Set(order.map(cell)).size / 128 ** 2 / n);
  const radius = () =>
    Math.min(6, Math.max(n > 20000 ? 1 : 1.6, 0.62 * room * camera.unit() * camera.scale ** -0.35));

  function paintPoints(image, way) {
    const [pixels, wide, high] = [image.data, image.width, image.height];
    const { reach, cover } = disc(radius() * camera.ratio);
    const strength = n > 3000 ? 0.8 : 0.9;
    const steps = cover.map(([x, y, share]) => [4 * (y * wide + x), share * strength]);
    const colours = new Map(way.groups.map((group) => [group, rgb(way.colour(group))]));
    const size = (camera.unit() * camera.ratio) / 65535;
    const left = camera.toX(0) * camera.ratio;
    const top = camera.toY(0) * camera.ratio;
    const draw = (row, group, weight) => {
      const x = Math.round(left + points.place[2 * row] * size);
      const y = Math.round(top + points.place[2 * row + 1] * size);
      if (x < reach || y < reach || x >= wide - reach || y >= high - reach) return;
      const [red, green, blue] = colours.get(group);
      const base = 4 * (y * wide + x);
      for (const [step, share] of steps) {
        const at = base + step;
        const part = share * weight;
        pixels[at] += (red - pixels[at]) * part;
        pixels[at + 1] += (green - pixels[at + 1]) * part;
        pixels[at + 2] += (blue - pixels[at + 2]) * part;
      }
    };
    const stressed = state.emphasis;
    for (const faded of stressed === null ? [false] : [true, false]) {
      for (const row of order) {
        const group = way.group[row];
        if (state.off.has(group) || (stressed !== null && (group !== stressed) !== faded)) continue;
        draw(row, group, faded ? 0.16 : 1);
      }
    }
  }

  function ring(row, size, line) {
    pen.beginPath();
    pen.arc(camera.x(row), camera.y(row), size, 0, 2 * Math.PI);
    for (const [width, colour] of [[line + 2.5, theme.paper()], [line, theme.ink()]]) {
      pen.lineWidth = width;
      pen.strokeStyle = colour;
      pen.stroke();
    }
  }

  function paintByHand(way) {
    if (items.byHand.length > 2000 && camera.scale < 4) return; // they would cover the map
    const size = items.byHand.length > 200 ? 3.5 : 5;
    for (const row of items.byHand) {
      const [x, y] = [camera.x(row), camera.y(row)];
      if (state.off.has(way.group[row]) || !camera.sees(x, y, 9)) continue;
      pen.beginPath();
      pen.arc(x, y, size, 0, 2 * Math.PI);
      pen.fillStyle = way.colour(way.group[row]);
      pen.fill();
      ring(row, size, 1.6);
    }
  }

  function paintNames(way) {
    pen.font = "600 12.5px system-ui, sans-serif";
    Object.assign(pen, { textAlign: "center", textBaseline: "middle", lineJoin: "round", lineWidth: 4 });
    const taken = [];
    const largest = [...way.groups].sort((a, b) => way.sizes.get(b) - way.sizes.get(a)).slice(0, 60);
    for (const group of largest) {
      if (group === NONE || state.off.has(group)) continue;
      way.anchors ??= new Map();
      if (!way.anchors.has(group)) way.anchors.set(group, densest(points.place, way.group, group));
      const [x, y] = [camera.toX(way.anchors.get(group)[0]), camera.toY(way.anchors.get(group)[1])];
      const name = way.name(group);
      const text = name.length > 24 ? name.slice(0, 23) + "…" : name;
      const half = pen.measureText(text).width / 2 + 4;
      const hits = taken.some((box) => Math.abs(box.x - x) < box.half + half && Math.abs(box.y - y) < 16);
      if (hits || x < half || x > camera.width - half || y < 10 || y > camera.height - 10) continue;
      taken.push({ x, y, half });
      pen.globalAlpha = state.emphasis === null || state.emphasis === group ? 1 : 0.35;
      pen.strokeStyle = theme.paper();
      pen.strokeText(text, x, y);
      pen.fillStyle = theme.ink();
      pen.fillText(text, x, y);
    }
    pen.globalAlpha = 1;
  }

  function paintPictures(way) {
    const cell = 40;
    const taken = new Set();
    for (const row of items.sample) {
      const [x, y] = [camera.x(row), camera.y(row)];
      if (state.off.has(way.group[row]) || !camera.sees(x, y)) continue;
      const [column, line] = [Math.floor(x / cell), Math.floor(y / cell)];
      if (taken.has(column + "," + line)) continue;
      taken.add(column + "," + line);
      pen.fillStyle = way.colour(way.group[row]);
      pen.fillRect(column * cell + 1, line * cell + 1, cell - 2, cell - 2);
      drawPicture(pen, items, row, column * cell + 3, line * cell + 3, cell - 6);
    }
  }

  function paintNeighbours(row) {
    pen.beginPath();
    for (const other of items.neighbours(row)) {
      pen.moveTo(camera.x(row), camera.y(row));
      pen.lineTo(camera.x(other), camera.y(other));
    }
    pen.lineWidth = 1;
    pen.strokeStyle = theme.ink();
    pen.stroke();
  }

  return function paint() {
    if (!camera.width) return;
    const way = state.way;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.fillStyle = theme.paper();
    pen.fillRect(0, 0, canvas.width, canvas.height);
    if (!state.pictures) {
      const image = pen.getImageData(0, 0, canvas.width, canvas.height);
      paintPoints(image, way);
      pen.putImageData(image, 0, 0);
    }
    pen.setTransform(camera.ratio, 0, 0, camera.ratio, 0, 0);
    if (state.pictures) paintPictures(way);
    else paintByHand(way);
    const marked = [state.picked, state.hover].filter((row) => row >= 0);
    if (marked.length) paintNeighbours(marked.at(-1));
    if (way.named && !state.pictures) paintNames(way);
    for (const row of marked) ring(row, radius() + 4, 2);
  };
}

// Rows in an order in which no class hides another, the same each time.
function shuffled(n) {
  const order = Uint32Array.from({ length: n }, (_, at) => at);
  for (let at = n - 1, seed = 1; at > 0; at--) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const other = seed % (at + 1);
    [order[at], order[other]] = [order[other], order[at]];
  }
  return order;
}

// How much of each pixel around its middle a disc covers.
function disc(size) {
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

// The middle of the fullest of 16 x 16 cells of a group: where its name can stand.
function densest(place, groups, wanted) {
  const cells = new Map();
  for (let row = 0; row < groups.length; row++) {
    if (groups[row] !== wanted) continue;
    const key = (place[2 * row] >> 12) * 16 + (place[2 * row + 1] >> 12);
    const cell = cells.get(key) ?? { count: 0, x: 0, y: 0 };
    cells.set(key, { count: cell.count + 1, x: cell.x + place[2 * row], y: cell.y + place[2 * row + 1] });
  }
  const fullest = [...cells.values()].reduce((a, b) => (b.count > a.count ? b : a));
  return [fullest.x / fullest.count / 65535, fullest.y / fullest.count / 65535];
}

// One picture from its sheet, its longer side `size` long.
function drawPicture(pen, items, row, x, y, size) {
  const { across, cell, width, height } = report.map;
  const at = items.at(row);
  const inside = at % (across * across);
  const scale = size / Math.max(width, height);
  const [left, top] = [(inside % across) * cell, Math.floor(inside / across) * cell];
  pen.imageSmoothingEnabled = Math.max(width, height) > 40 || scale < 1.3;
  const sheet = items.sheets[Math.floor(at / (across * across))];
  pen.drawImage(sheet, left, top, width, height, x, y, width * scale, height * scale);
}
