// The map: what the pointer, the keys, the legend and the search do.
async function startMap() {
  if (typeof DecompressionStream === "undefined") {
    throw new Error("this browser is too old: Chrome and Edge 85, Firefox 113, Safari 16.4 and later can show it");
  }
  const items = await unpackItems(report.map);
  const ways = waysToColour(items);
  const canvas = byId("canvas");
  const camera = makeCamera(items);
  const state = { way: ways.label, off: new Set(), emphasis: null, hover: -1, picked: -1, pictures: false };
  const paint = makePainter(canvas, items, camera, state);
  let waiting = false;
  const redraw = () => {
    if (!waiting) requestAnimationFrame(() => ((waiting = false), paint()));
    waiting = true;
  };
  const map = { items, ways, canvas, camera, state, redraw };
  map.pick = (row, { follow = false } = {}) => {
    state.picked = row;
    byId("picked").replaceChildren(...(row < 0 ? [] : describeWithNeighbours(items, row)));
    if (row >= 0 && follow) camera.follow(row);
    redraw();
  };

  byId("atlas").hidden = false;
  const legend = startLegend(map);
  startPointer(map);
  startKeys(map);
  startSearch(map);
  startGallery(map);
  if (items.sheets) {
    document.querySelector(".mosaic").hidden = false;
    byId("mosaic").addEventListener("change", (event) => {
      state.pictures = event.target.checked;
      redraw();
    });
  }
  const resize = () => {
    const box = canvas.getBoundingClientRect();
    const ratio = Math.min(devicePixelRatio || 1, 2);
    Object.assign(camera, { width: box.width, height: box.height, ratio });
    Object.assign(canvas, { width: Math.round(box.width * ratio), height: Math.round(box.height * ratio) });
    paint();
  };
  new ResizeObserver(resize).observe(canvas);
  for (const query of [dark, printing]) {
    query.addEventListener("change", () => {
      legend();
      paint();
    });
  }
  camera.fit();
  resize();
}

function startLegend({ ways, state, redraw }) {
  const list = byId("legend");
  const entry = (group) => {
    const name = state.way.name(group);
    const label = make("span", { className: "label", textContent: name, title: name });
    const size = make("span", { className: "n", textContent: whole(state.way.sizes.get(group)) });
    const title = "Click: show or hide. Double click: only this.";
    const button = make("button", { type: "button", title }, dot(state.way.colour(group)), label, size);
    const stress = (on) => {
      state.emphasis = on && !state.off.has(group) ? group : null;
      redraw();
    };
    button.setAttribute("aria-pressed", String(!state.off.has(group)));
    button.addEventListener("click", () => {
      if (!state.off.delete(group)) state.off.add(group);
      button.setAttribute("aria-pressed", String(!state.off.has(group)));
      stress(true);
    });
    button.addEventListener("dblclick", () => hide((other) => other !== group));
    button.addEventListener("pointerenter", () => stress(true));
    button.addEventListener("pointerleave", () => stress(false));
    return make("li", {}, button);
  };
  const show = () => {
    const part = report.map.drawn < report.map.total ? ", as drawn" : "";
    byId("legend-title").textContent = state.way.title + part;
    list.replaceChildren(...state.way.groups.map(entry));
  };
  const hide = (hidden) => {
    Object.assign(state, { off: new Set(state.way.groups.filter(hidden)), emphasis: null });
    show();
    redraw();
  };
  byId("all").addEventListener("click", () => hide(() => false));
  byId("none").addEventListener("click", () => hide(() => true));
  for (const [key, way] of Object.entries(ways)) {
    const input = make("input", { type: "radio", name: "colour", value: key, checked: way === state.way });
    input.addEventListener("change", () => {
      state.way = way;
      hide(() => false);
    });
    byId("colour").append(make("label", {}, input, way.words));
  }
  show();
  return show;
}

function startPointer({ items, canvas, camera, state, redraw, pick }) {
  const tip = byId("tip");
  const down = new Map(); // where each finger or button is
  let moved = 0;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const nearest = (x, y, reach = 14) => {
    let best = reach ** 2;
    let found = -1;
    for (let row = 0; row < items.n; row++) {
      const gapX = camera.x(row) - x;
      if (gapX > reach || gapX < -reach) continue;
      const above = items.points.source[row] % 2 === 1 ? 16 : 0; // labels by hand lie on top
      const square = gapX ** 2 + (camera.y(row) - y) ** 2 - above;
      if (square < best && !state.off.has(state.way.group[row])) [best, found] = [square, row];
    }
    return found;
  };
  const hover = (row, x, y) => {
    if (row !== state.hover) {
      state.hover = row;
      tip.hidden = row < 0;
      if (row >= 0) tip.replaceChildren(describe(items, row, 112));
      redraw();
    }
    if (row < 0) return;
    const left = x + 18 + tip.offsetWidth > camera.width ? x - 18 - tip.offsetWidth : x + 18;
    const top = Math.min(y - 20, camera.height - tip.offsetHeight - 6);
    tip.style.transform = `translate(${Math.max(4, left)}px,${Math.max(4, top)}px)`;
  };

  canvas.addEventListener("pointerdown", (event) => {
    down.set(event.pointerId, place(event));
    canvas.setPointerCapture(event.pointerId);
    moved = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = place(event);
    const before = down.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "mouse") hover(nearest(x, y), x, y);
      return;
    }
    moved += Math.hypot(x - before[0], y - before[1]);
    if (down.size === 1 && moved > 4) {
      hover(-1);
      camera.pan(x - before[0], y - before[1]);
    } else if (down.size === 2) {
      const [, other] = [...down].find(([id]) => id !== event.pointerId);
      const gap = (spot) => Math.hypot(spot[0] - other[0], spot[1] - other[1]) || 1;
      camera.zoom(gap([x, y]) / gap(before), (x + other[0]) / 2, (y + other[1]) / 2);
    }
    down.set(event.pointerId, [x, y]);
    redraw();
  });
  canvas.addEventListener("pointerup", (event) => {
    if (down.size === 1 && moved <= 4) pick(nearest(...place(event)));
    down.delete(event.pointerId);
  });
  canvas.addEventListener("pointercancel", (event) => down.delete(event.pointerId));
  canvas.addEventListener("pointerleave", () => hover(-1));
  canvas.addEventListener("dblclick", (event) => {
    camera.zoom(2, ...place(event));
    redraw();
  });
  const onWheel = (event) => {
    if (document.activeElement !== canvas && !event.ctrlKey && !event.metaKey) return; // the page scrolls on
    event.preventDefault();
    const [x, y] = place(event);
    camera.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0018)), x, y);
    hover(nearest(x, y), x, y);
    redraw();
  };
  canvas.addEventListener("wheel", onWheel, { passive: false });
  const mouse = matchMedia("(hover: hover)").matches;
  byId("hint").textContent = mouse
    ? "Click into the map, then scroll to zoom; drag to move."
    : "Tap an item; pinch to zoom.";
}

function startKeys({ canvas, camera, redraw, pick }) {
  const zoom = { in: () => camera.zoom(1.6), out: () => camera.zoom(1 / 1.6), fit: camera.fit };
  const keys = {
    ArrowLeft: () => camera.pan(60, 0),
    ArrowRight: () => camera.pan(-60, 0),
    ArrowUp: () => camera.pan(0, 60),
    ArrowDown: () => camera.pan(0, -60),
    "+": zoom.in,
    "=": zoom.in,
    "-": zoom.out,
    0: zoom.fit,
    Escape: () => pick(-1),
  };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    keys[event.key]();
    redraw();
    event.preventDefault();
  });
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => {
      zoom[button.dataset.zoom]();
      redraw();
    });
  }
}

function startSearch({ items, pick }) {
  const query = byId("query");
  let matches = [];
  let turn = 0;
  const show = () => {
    const none = report.map.drawn < report.map.total ? "not among the items drawn" : "no such id";
    const found = matches.length ? `${whole(turn + 1)} of ${whole(matches.length)}` : none;
    byId("found").textContent = query.value.trim() ? found : "";
    if (matches.length) pick(matches[turn], { follow: true });
  };
  query.addEventListener("input", () => {
    const wanted = query.value.trim().toLowerCase();
    const lower = (row) => items.ids[row].toLowerCase();
    matches = wanted ? Array.from(items.ids.keys()).filter((row) => lower(row).includes(wanted)) : [];
    turn = Math.max(0, matches.findIndex((row) => lower(row) === wanted));
    show();
  });
  byId("find").addEventListener("submit", (event) => {
    event.preventDefault();
    turn = (turn + 1) % Math.max(matches.length, 1);
    show();
  });
}

// A click on a gallery's label shows the item on the map.
function startGallery({ canvas, pick }) {
  const drawn = new Map(report.map.featured);
  for (const button of document.querySelectorAll(".card .name")) {
    const row = drawn.get(Number(button.dataset.row));
    button.disabled = row === undefined;
    button.addEventListener("click", () => {
      pick(row, { follow: true });
      byId("map").scrollIntoView({ block: "start" });
      canvas.focus({ preventScroll: true });
    });
  }
}

startMap().catch((error) => {
  byId("map-failed").hidden = false;
  byId("map-failed").textContent = `The map cannot be shown: ${error.message}.`;
  console.error(error);
});
