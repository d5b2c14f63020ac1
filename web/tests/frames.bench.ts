// A frame of the map at a million points: `npx vitest bench --run`. Prints the processor's time, which holds on a busy
// machine, beside the clock's.

import { bench } from "vitest";
import { fit, pan, zoom } from "../src/map/camera";
import { Painter } from "../src/map/paint";
import { layOut } from "../src/map/points";

interface Usage {
  user: number; // microseconds
  system: number;
}
declare const process: { cpuUsage: (before?: Usage) => Usage };

const COUNT = 1_000_000;
const FRAMES = 60;

function gaussian(): number {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

const centres = Array.from({ length: 60 }, () => [8000 + 50000 * Math.random(), 8000 + 50000 * Math.random()]);
const labels = Int16Array.from({ length: COUNT }, () => Math.floor(60 * Math.random()));
const place = (axis: number) => (_: unknown, row: number) =>
  Math.max(0, Math.min(65535, centres[labels[row]][axis] + 2500 * gaussian()));
const points = layOut(Uint16Array.from({ length: COUNT }, place(0)), Uint16Array.from({ length: COUNT }, place(1)));
const colours = Uint32Array.from({ length: 61 }, () => Math.floor(0xffffff * Math.random()));

for (const [name, width, height] of [["small map", 300, 420], ["large map", 850, 700]] as const) {
  for (const closer of [1, 4]) {
    const painter = new Painter();
    const pixels = new Uint32Array(width * height);
    let camera = zoom(fit(width, height), closer);
    let used = 0;
    let frames = 0;
    bench(
      `${name}, ${closer} x`,
      () => {
        const before = process.cpuUsage();
        camera = pan(camera, frames % 2 ? 7 : -7, 3 * Math.sign(0.5 - (frames % 2)));
        painter.paint(pixels, camera, points, { codes: labels, first: -1, colours });
        const { user, system } = process.cpuUsage(before);
        used += (user + system) / 1000;
        if (++frames % FRAMES === 0) console.log(`${name}, ${closer} x: processor ${(used / frames).toFixed(1)} ms a frame`);
      },
      { iterations: FRAMES, time: 0, warmupIterations: 5, warmupTime: 0 },
    );
  }
}
