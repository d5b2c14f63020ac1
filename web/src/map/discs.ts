// Smooth round points, for when few are in sight and for those a person labelled.

import type { Answer } from "./answer";
import { GIVEN, REVIEWED } from "./answer";
import { seen, type Camera } from "./camera";
import type { Palette } from "./paint";
import { eachStretch, type Points } from "./points";

export const FEW = 6000; // points in sight that are drawn as discs
const MOST_MARKED = 1500; // labelled points in sight that are ringed; more would cover the map
const TURN = 2 * Math.PI;

type Pen = OffscreenCanvasRenderingContext2D;

/** Draw all points in sight as discs, a path a colour. */
export function drawDiscs(pen: Pen, camera: Camera, points: Points, palette: Palette, visible: number): void {
  const radius = Math.max(1.6, Math.min(5, 0.2 * Math.sqrt((camera.width * camera.height) / Math.max(visible, 1))));
  const paths = new Map<number, Path2D>();
  eachStretch(points, seen(camera), (from, to) => {
    for (let slot = from; slot < to; slot++) {
      const colour = palette.colours[palette.codes[slot] - palette.first];
      let path = paths.get(colour);
      if (!path) paths.set(colour, (path = new Path2D()));
      addDisc(path, camera, points, slot, radius);
    }
  });
  pen.globalAlpha = 0.85;
  for (const [colour, path] of paths) {
    pen.fillStyle = css(colour);
    pen.fill(path);
  }
  pen.globalAlpha = 1;
}

/** Return the slots that a person labelled. */
export function labelledSlots(answer: Answer): number[] {
  const slots: number[] = [];
  for (let slot = 0; slot < answer.source.length; slot++)
    if (answer.source[slot] === GIVEN || answer.source[slot] === REVIEWED) slots.push(slot);
  return slots;
}

/** Ring the labelled points in sight, unless there are so many that rings would hide the map. */
export function drawLabelled(
  pen: Pen,
  camera: Camera,
  points: Points,
  palette: Palette,
  slots: number[],
  paper: string,
  ink: string,
): void {
  const box = seen(camera);
  const shown = slots.filter(
    (slot) =>
      points.x[slot] >= box.left && points.x[slot] <= box.right && points.y[slot] >= box.top && points.y[slot] <= box.bottom,
  );
  if (shown.length > MOST_MARKED) return;
  const radius = shown.length > 200 ? 3 : 4.5;
  for (const [width, style] of [[5, paper], [2.4, ink]] as const) {
    const path = new Path2D();
    for (const slot of shown) addDisc(path, camera, points, slot, radius);
    pen.lineWidth = width;
    pen.strokeStyle = style;
    pen.stroke(path);
  }
  for (const slot of shown) {
    const path = new Path2D();
    addDisc(path, camera, points, slot, radius);
    pen.fillStyle = css(palette.colours[palette.codes[slot] - palette.first]);
    pen.fill(path);
  }
}

function addDisc(path: Path2D, camera: Camera, { x, y }: Points, slot: number, radius: number): void {
  const column = x[slot] * camera.scale + camera.left;
  const line = y[slot] * camera.scale + camera.top;
  path.moveTo(column + radius, line);
  path.arc(column, line, radius, 0, TURN);
}

function css(colour: number): string {
  return `#${colour.toString(16).padStart(6, "0")}`;
}
