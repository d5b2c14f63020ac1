// Points of the map, laid out for a loop that runs over all of them in milliseconds: sorted by the cell of a
// 256 x 256 grid they stand in, so that writes into the picture stay close together, what is out of sight is left out
// cell by cell, and the point under the pointer is found among a few.

export const SIDE = 256; // cells along each axis
export const GRID = 65536; // places along each axis
const SHIFT = 8; // a place's cell is its upper byte

export interface Points {
  count: number;
  x: Uint16Array; // [N] places, in the order of slots
  y: Uint16Array;
  rows: Uint32Array; // [N] the row in each slot
  slots: Uint32Array; // [N] the slot of each row
  starts: Uint32Array; // [SIDE * SIDE + 1] first slot of each cell
}

/** Lay out places given by row. Rows of one cell lie in a random order that is the same each time, so that the colour
 *  of a crowded pixel is a fair draw of the points in it. */
export function layOut(x: Uint16Array, y: Uint16Array): Points {
  const count = x.length;
  const starts = new Uint32Array(SIDE * SIDE + 1);
  for (let row = 0; row < count; row++) starts[cellOf(x[row], y[row]) + 1]++;
  for (let cell = 0; cell < SIDE * SIDE; cell++) starts[cell + 1] += starts[cell];
  const next = starts.slice(0, -1);
  const rows = new Uint32Array(count);
  const order = shuffled(count);
  for (let at = 0; at < count; at++) {
    const row = order[at];
    rows[next[cellOf(x[row], y[row])]++] = row;
  }
  const points: Points = { count, x: new Uint16Array(count), y: new Uint16Array(count), rows, slots: order, starts };
  for (let slot = 0; slot < count; slot++) {
    const row = rows[slot];
    points.x[slot] = x[row];
    points.y[slot] = y[row];
    points.slots[row] = slot; // the shuffle is no longer needed: its memory becomes the way back
  }
  return points;
}

export function cellOf(x: number, y: number): number {
  return ((y >> SHIFT) << SHIFT) | (x >> SHIFT);
}

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Call `visit` with the first slot and the one after the last of each stretch of cells that meets `box`. */
export function eachStretch(points: Points, box: Box, visit: (from: number, to: number) => void): void {
  const cell = (place: number) => Math.min(SIDE - 1, Math.max(0, Math.floor(place / SIDE)));
  if (box.right < 0 || box.bottom < 0 || box.left >= GRID || box.top >= GRID) return;
  for (let line = cell(box.top); line <= cell(box.bottom); line++) {
    const from = points.starts[line * SIDE + cell(box.left)];
    const to = points.starts[line * SIDE + cell(box.right) + 1];
    if (to > from) visit(from, to);
  }
}

/** Return how many points stand in cells that meet `box`. */
export function countIn(points: Points, box: Box): number {
  let count = 0;
  eachStretch(points, box, (from, to) => (count += to - from));
  return count;
}

/** Return the row nearest to a place within `reach` places, or -1. */
export function nearest(points: Points, x: number, y: number, reach: number): number {
  let best = reach * reach;
  let row = -1;
  eachStretch(points, { left: x - reach, top: y - reach, right: x + reach, bottom: y + reach }, (from, to) => {
    for (let slot = from; slot < to; slot++) {
      const gap = (points.x[slot] - x) ** 2 + (points.y[slot] - y) ** 2;
      if (gap <= best) {
        best = gap;
        row = points.rows[slot];
      }
    }
  });
  return row;
}

/** Return the rows inside a polygon of places [x0, y0, x1, y1, ...], by the even-odd rule. */
export function inside(points: Points, polygon: ArrayLike<number>): Uint32Array {
  const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (let at = 0; at < polygon.length; at += 2) {
    box.left = Math.min(box.left, polygon[at]);
    box.right = Math.max(box.right, polygon[at]);
    box.top = Math.min(box.top, polygon[at + 1]);
    box.bottom = Math.max(box.bottom, polygon[at + 1]);
  }
  const found: number[] = [];
  eachStretch(points, box, (from, to) => {
    for (let slot = from; slot < to; slot++)
      if (encloses(polygon, points.x[slot], points.y[slot])) found.push(points.rows[slot]);
  });
  return Uint32Array.from(found).sort();
}

function encloses(polygon: ArrayLike<number>, x: number, y: number): boolean {
  let within = false;
  for (let at = 0, last = polygon.length - 2; at < polygon.length; last = at, at += 2) {
    const [ax, ay, bx, by] = [polygon[at], polygon[at + 1], polygon[last], polygon[last + 1]];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) within = !within;
  }
  return within;
}

function shuffled(count: number): Uint32Array {
  const order = new Uint32Array(count);
  let seed = 1;
  for (let at = 0; at < count; at++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const other = Math.floor((seed / 4294967296) * (at + 1));
    order[at] = order[other];
    order[other] = at;
  }
  return order;
}
