// What moves above the painted map: the item shown, the point under the pointer, the lasso, and a cross for those who
// use keys.

import type { Camera } from "./camera";

export interface Drawn {
  lasso: number[]; // places
  here: [number, number] | null; // the place of the item shown
  hover: [number, number] | null;
  cross: boolean;
}

/** Return the pixel of a place. */
export function pixel(camera: Camera, x: number, y: number): [number, number] {
  return [x * camera.scale + camera.left, y * camera.scale + camera.top];
}

/** Draw on a sheet of the camera's size; `ratio`: its pixels in one of the page. */
export function drawSheet(sheet: HTMLCanvasElement, camera: Camera, ratio: number, dark: boolean, drawn: Drawn): void {
  const pen = sheet.getContext("2d");
  if (!pen) return;
  sheet.width = camera.width;
  sheet.height = camera.height;
  const [ink, paper] = dark ? ["#e8eaee", "#15171b"] : ["#1a1d22", "#ffffff"];
  const stroke = (path: Path2D, width: number) => {
    pen.lineJoin = "round";
    for (const [wide, style] of [[width + 3, paper], [width, ink]] as const) {
      pen.lineWidth = wide * ratio;
      pen.strokeStyle = style;
      pen.stroke(path);
    }
  };
  const { lasso, here, hover, cross } = drawn;
  if (lasso.length > 2) {
    const path = new Path2D();
    for (let at = 0; at < lasso.length; at += 2) path.lineTo(...pixel(camera, lasso[at], lasso[at + 1]));
    path.closePath();
    pen.fillStyle = dark ? "rgb(255 255 255 / 8%)" : "rgb(0 0 0 / 6%)";
    pen.fill(path);
    stroke(path, 1.5);
  }
  for (const [place, radius] of [[here, 8], [hover, 6]] as const) {
    if (!place) continue;
    const path = new Path2D();
    path.arc(...pixel(camera, ...place), radius * ratio, 0, 2 * Math.PI);
    stroke(path, 2);
  }
  if (cross) {
    const [x, y, arm] = [camera.width / 2, camera.height / 2, 7 * ratio];
    stroke(new Path2D(`M${x - arm} ${y}H${x + arm}M${x} ${y - arm}V${y + arm}`), 1.5);
  }
}
