// Holds the answer of all items, listens to the server and paints the map, away from the page's own thread.

import { apply, bySlot, readAnswer, readDifference, REVIEWED, type Answer, type Difference } from "./answer";
import { seen, type Camera } from "./camera";
import { drawDiscs, drawLabelled, FEW, labelledSlots } from "./discs";
import type { Colours, FromWorker, ToWorker } from "./messages";
import { ENDED } from "../words";
import { Painter, type Palette } from "./paint";
import { countIn, inside, layOut, nearest, type Box, type Points } from "./points";

let points: Points | null = null;
let mapped = false; // places are known
let answer: Answer | null = null;
let labelled: number[] = [];
let classes = 0; // classes in the answer; the page may not have given all a colour yet
let waiting: Difference[] = []; // came before the whole answer did
let canvas: OffscreenCanvas | null = null;
let pen: OffscreenCanvasRenderingContext2D | null = null;
let image: ImageData | null = null;
let camera: Camera | null = null;
let colours: Colours | null = null;
let asked = false; // a frame is due
let listening = false;
let cut = false; // the stream was, so differences may have been missed
const painter = new Painter();
const RETRY = 3000; // milliseconds
const UNKNOWN = 0x8b919b; // the colour of a class that has none yet

const tell = (message: FromWorker, transfer: Transferable[] = []) => postMessage(message, { transfer });

addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  switch (data.type) {
    case "open":
      void open(data.items, data.hasMap);
      break;
    case "canvas":
      canvas = data.canvas;
      pen = canvas.getContext("2d");
      paintSoon();
      break;
    case "camera":
      camera = data.camera;
      paintSoon();
      break;
    case "colours":
      colours = data.colours;
      paintSoon();
      break;
    case "mark":
      mark(data.rows, data.labels);
      break;
    case "pick":
      tell({ type: "picked", row: points && mapped ? nearest(points, data.x, data.y, data.reach) : -1 });
      break;
    case "locate":
      locate(data.rows);
      break;
    case "lasso": {
      const rows = points && mapped ? inside(points, data.polygon) : new Uint32Array(0);
      tell({ type: "selected", rows }, [rows.buffer]);
      break;
    }
  }
});

/** Fetch the answer and, where there is one, the map; called again when the map is made later. */
async function open(items: number, hasMap: boolean): Promise<void> {
  if (!listening) listen(items);
  listening = true;
  try {
    const [map, whole] = await Promise.all([hasMap ? bytesOf("/api/map") : null, fetchAnswer(items)]);
    mapped = map !== null;
    points = layOut(...(map ? places(map.bytes, items) : nowhere(items)));
    takeWhole(whole);
    tell({ type: "opened", version: whole.version, box: map ? extent(points) : null });
  } catch (error) {
    tell({ type: "failed", why: (error as Error).message, status: (error as { status?: number }).status ?? 0 });
  }
}

async function bytesOf(path: string): Promise<{ bytes: ArrayBuffer; version: number }> {
  const reply = await fetch(path);
  if (!reply.ok) throw Object.assign(new Error(`${path}: the server answered ${reply.status}.`), { status: reply.status });
  return { bytes: await reply.arrayBuffer(), version: Number(reply.headers.get("X-Answer-Version") ?? 0) };
}

async function fetchAnswer(items: number): Promise<Answer> {
  const { bytes, version } = await bytesOf("/api/answer");
  return readAnswer(bytes, items, version);
}

function places(bytes: ArrayBuffer, items: number): [Uint16Array, Uint16Array] {
  return [new Uint16Array(bytes, 0, items), new Uint16Array(bytes, 2 * items, items)];
}

function nowhere(items: number): [Uint16Array, Uint16Array] {
  return [new Uint16Array(items), new Uint16Array(items)];
}

function extent({ x, y, count }: Points): Box {
  const box = { left: 65535, top: 65535, right: 0, bottom: 0 };
  for (let slot = 0; slot < count; slot++) {
    if (x[slot] < box.left) box.left = x[slot];
    if (x[slot] > box.right) box.right = x[slot];
    if (y[slot] < box.top) box.top = y[slot];
    if (y[slot] > box.bottom) box.bottom = y[slot];
  }
  return count ? box : { left: 0, top: 0, right: 65535, bottom: 65535 };
}

function takeWhole(whole: Answer): void {
  answer = bySlot(whole, points!);
  for (const difference of waiting) if (difference.version > whole.version) apply(difference, answer, points!);
  waiting = [];
  labelled = labelledSlots(answer);
  know(whole.label);
  paintSoon();
}

function know(labels: ArrayLike<number>): void {
  for (let at = 0; at < labels.length; at++) if (labels[at] >= classes) classes = labels[at] + 1;
}

function listen(items: number): void {
  const events = new EventSource("/api/events");
  events.addEventListener("open", () => {
    tell({ type: "connected", connected: true });
    if (!cut || !points) return;
    cut = false; // what was missed is in the whole answer
    void fetchAnswer(items).then((whole) => {
      takeWhole(whole);
      tell({ type: "answered", version: whole.version, changed: items });
    });
  });
  events.addEventListener("error", () => {
    cut = true;
    tell({ type: "connected", connected: false });
    if (events.readyState !== EventSource.CLOSED) return;
    void tellRefusal(); // after one a browser gives up, but the server may come back
    setTimeout(() => listen(items), RETRY);
  });
  events.addEventListener("answer", ({ data }) => take(readDifference(data)));
  events.addEventListener("run", ({ data }) => tell({ type: "run", run: JSON.parse(data) }));
  events.addEventListener("decision", ({ data }) => tell({ type: "decision", decision: JSON.parse(data) }));
  events.addEventListener("busy", ({ data }) => tell({ type: "busy", busy: JSON.parse(data).busy }));
}

async function tellRefusal(): Promise<void> {
  try {
    const { status } = await fetch("/api/run");
    if (status === 401) tell({ type: "failed", why: ENDED, status });
  } catch {
    // not there: the page says so already
  }
}

function take(difference: Difference): void {
  if (!answer || !points) {
    waiting.push(difference);
    return;
  }
  if (difference.version <= answer.version) return;
  apply(difference, answer, points);
  labelled = labelledSlots(answer);
  know(difference.label);
  paintSoon();
  tell({ type: "answered", version: difference.version, changed: difference.rows.length });
}

function mark(rows: ArrayLike<number>, labels: ArrayLike<number>): void {
  if (!answer || !points) return;
  for (let at = 0; at < rows.length; at++) {
    const slot = points.slots[rows[at]];
    answer.label[slot] = labels[at];
    answer.confidence[slot] = 255;
    answer.source[slot] = REVIEWED;
  }
  know(labels);
  labelled = labelledSlots(answer);
  paintSoon();
}

function locate(rows: ArrayLike<number>): void {
  if (!points || !answer) return;
  const places = new Uint16Array(2 * rows.length);
  const labels = new Int16Array(rows.length);
  for (let at = 0; at < rows.length; at++) {
    const slot = points.slots[rows[at]];
    places[2 * at] = points.x[slot];
    places[2 * at + 1] = points.y[slot];
    labels[at] = answer.label[slot];
  }
  tell({ type: "located", rows, places, labels });
}

function paintSoon(): void {
  if (asked) return;
  asked = true;
  requestAnimationFrame(paint);
}

function paint(): void {
  asked = false;
  if (!canvas || !pen || !camera || !points || !mapped || !answer || !colours) return;
  const started = performance.now();
  const { width, height } = camera;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
    image = null;
  }
  const palette = paletteOf(answer, colours);
  const visible = countIn(points, seen(camera));
  if (visible <= FEW) {
    pen.clearRect(0, 0, width, height);
    drawDiscs(pen, camera, points, palette, visible);
  } else {
    image ??= new ImageData(width, height);
    painter.paint(new Uint32Array(image.data.buffer), camera, points, palette);
    pen.putImageData(image, 0, 0);
  }
  drawLabelled(pen, camera, points, palette, labelled, colours.paper, colours.ink);
  tell({ type: "painted", version: answer.version, milliseconds: performance.now() - started });
}

function paletteOf({ label, confidence, source }: Answer, { mode, table }: Colours): Palette {
  if (mode === "label") return { codes: label, first: -1, colours: withRoom(table, classes + 1) };
  return { codes: mode === "confidence" ? confidence : source, first: 0, colours: table };
}

function withRoom(table: Uint32Array, length: number): Uint32Array {
  if (table.length >= length) return table;
  const longer = new Uint32Array(length).fill(UNKNOWN);
  longer.set(table);
  return longer;
}
