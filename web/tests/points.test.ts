import { expect, test } from "vitest";
import { apply, bySlot, readDifference } from "../src/map/answer";
import { fit, pan, placeAt, seen, zoom } from "../src/map/camera";
import { dotSize, Painter } from "../src/map/paint";
import { countIn, inside, layOut, nearest } from "../src/map/points";

function random(count: number, seed = 1): Uint16Array {
  return Uint16Array.from({ length: count }, () => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return seed >> 15;
  });
}

const COUNT = 5000;
const [x, y] = [random(COUNT, 1), random(COUNT, 2)];
const points = layOut(x, y);

test("each row has one slot and its own place", () => {
  expect(new Set(points.rows).size).toBe(COUNT);
  for (let row = 0; row < COUNT; row++) {
    expect(points.rows[points.slots[row]]).toBe(row);
    expect([points.x[points.slots[row]], points.y[points.slots[row]]]).toEqual([x[row], y[row]]);
  }
});

test("the nearest row is that of a search through all", () => {
  for (const [px, py] of [[100, 100], [30000, 20000], [65535, 0]]) {
    const gaps = Array.from(x, (_, row) => (x[row] - px) ** 2 + (y[row] - py) ** 2);
    const best = Math.min(...gaps);
    const found = nearest(points, px, py, 70000);
    expect(gaps[found]).toBe(best);
  }
  expect(nearest(points, -50000, -50000, 10)).toBe(-1);
});

test("a lasso takes the rows inside, of a polygon with a notch too", () => {
  const square = [10000, 10000, 40000, 10000, 40000, 40000, 10000, 40000];
  const expected = [...x.keys()].filter((row) => x[row] > 10000 && x[row] < 40000 && y[row] > 10000 && y[row] < 40000);
  expect(Array.from(inside(points, square))).toEqual(expected);
  const notched = [10000, 10000, 40000, 10000, 40000, 40000, 25000, 10001, 10000, 40000];
  const kept = Array.from(inside(points, notched));
  expect(kept.length).toBeGreaterThan(0);
  expect(kept.length).toBeLessThan(expected.length);
  expect(Array.from(inside(points, [0, 0]))).toEqual([]);
});

test("cells in sight hold at least the points in sight", () => {
  const box = { left: 1000, top: 2000, right: 9000, bottom: 30000 };
  const true_ = [...x.keys()].filter((row) => x[row] >= 1000 && x[row] <= 9000 && y[row] >= 2000 && y[row] <= 30000);
  expect(countIn(points, box)).toBeGreaterThanOrEqual(true_.length);
  expect(countIn(points, { left: 0, top: 0, right: 65536, bottom: 65536 })).toBe(COUNT);
});

function encode(version: number, rows: number[], labels: number[], confidence: number[], source: number[]): string {
  const bytes = new Uint8Array(8 + 8 * rows.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, version, true);
  view.setUint32(4, rows.length, true);
  rows.forEach((row, at) => view.setUint32(8 + 4 * at, row, true));
  labels.forEach((label, at) => view.setInt16(8 + 4 * rows.length + 2 * at, label, true));
  bytes.set(confidence, 8 + 6 * rows.length);
  bytes.set(source, 8 + 7 * rows.length);
  return btoa(String.fromCharCode(...bytes));
}

test("a difference changes the rows it names and no other", () => {
  const answer = bySlot(
    { version: 1, label: new Int16Array(COUNT).fill(3), confidence: new Uint8Array(COUNT), source: new Uint8Array(COUNT) },
    points,
  );
  apply(readDifference(encode(2, [7, 4999], [-1, 300], [9, 255], [3, 2])), answer, points);
  const at = (row: number) => [answer.label[points.slots[row]], answer.confidence[points.slots[row]], answer.source[points.slots[row]]];
  expect(at(7)).toEqual([-1, 9, 3]);
  expect(at(4999)).toEqual([300, 255, 2]);
  expect(at(8)).toEqual([3, 0, 0]);
  expect(answer.version).toBe(2);
});

test("a difference that is cut short is refused", () => {
  const whole = atob(encode(2, [1, 2], [0, 0], [0, 0], [0, 0]));
  expect(() => readDifference(btoa(whole.slice(0, -1)))).toThrow("23 bytes; 24 were expected");
});

test("what is under the pointer stays there when zooming, and dragging moves it along", () => {
  const camera = fit(800, 600);
  const near = zoom(camera, 3, 200, 100);
  expect(placeAt(near, 200, 100)[0]).toBeCloseTo(placeAt(camera, 200, 100)[0], 6);
  const moved = pan(camera, 10, -20);
  expect(placeAt(moved, 210, 80)[0]).toBeCloseTo(placeAt(camera, 200, 100)[0], 6);
  expect(seen(camera).top).toBeLessThan(0); // all is seen, with a margin
});

test("a crowded pixel has the mean of its points' colours", () => {
  const same = layOut(Uint16Array.of(100, 100), Uint16Array.of(100, 100));
  const camera = { width: 4, height: 4, scale: 1, left: -99, top: -99 };
  const pixels = new Uint32Array(16);
  const palette = { codes: Int16Array.of(-1, 0), first: -1, colours: Uint32Array.of(0xff0000, 0x0000fe) };
  expect(dotSize(2, camera)).toBe(1);
  new Painter().paint(pixels, camera, same, palette);
  const [red, green, blue, alpha] = new Uint8Array(pixels.buffer, 4 * 5, 4);
  expect([red, green, blue]).toEqual([127, 0, 127]);
  expect(alpha).toBeGreaterThan(100);
  expect(pixels.filter(Boolean).length).toBe(1);
});

test("more points on a pixel than it counts do not spill into its colour", () => {
  const many = 1000;
  const stack = layOut(new Uint16Array(many).fill(5), new Uint16Array(many).fill(5));
  const pixels = new Uint32Array(100);
  const palette = { codes: new Uint8Array(many), first: 0, colours: Uint32Array.of(0xfffefd) };
  new Painter().paint(pixels, { width: 10, height: 10, scale: 1, left: 0, top: 0 }, stack, palette);
  expect(Array.from(new Uint8Array(pixels.buffer, 4 * 55, 4))).toEqual([255, 254, 253, 255]);
});
