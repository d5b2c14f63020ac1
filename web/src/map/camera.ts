// Which part of the map is seen: from places (0..65535 along each axis) to pixels and back.

import { GRID, type Box } from "./points";

export interface Camera {
  width: number; // pixels of the picture
  height: number;
  scale: number; // pixels a place
  left: number; // pixel of place 0
  top: number;
}

const MARGIN = 0.04; // of the shorter side, around all points when all are seen
const CLOSEST = 400; // how much larger than when all is seen

/** Return the camera that sees all of `box` in a picture of this size. */
export function fit(width: number, height: number, box: Box = { left: 0, top: 0, right: GRID, bottom: GRID }): Camera {
  const room = 1 - 2 * MARGIN;
  const scale = Math.min((width * room) / (box.right - box.left || 1), (height * room) / (box.bottom - box.top || 1));
  return {
    width,
    height,
    scale,
    left: width / 2 - ((box.left + box.right) / 2) * scale,
    top: height / 2 - ((box.top + box.bottom) / 2) * scale,
  };
}

/** Return the camera after the picture was dragged by (x, y) pixels. */
export function pan(camera: Camera, x: number, y: number): Camera {
  const keep = (start: number, length: number) =>
    Math.min(length - length / 8, Math.max(length / 8 - GRID * camera.scale, start));
  return { ...camera, left: keep(camera.left + x, camera.width), top: keep(camera.top + y, camera.height) };
}

/** Return the camera `factor` times closer; what is under pixel (x, y) stays there. */
export function zoom(camera: Camera, factor: number, x = camera.width / 2, y = camera.height / 2): Camera {
  const whole = fit(camera.width, camera.height).scale;
  const scale = Math.min(whole * CLOSEST, Math.max(whole / 2, camera.scale * factor));
  const ratio = scale / camera.scale;
  return { ...camera, scale, left: x - (x - camera.left) * ratio, top: y - (y - camera.top) * ratio };
}

/** Return the camera of a picture whose size changed; the place in its middle stays there. */
export function resize(camera: Camera, width: number, height: number): Camera {
  const ratio = Math.min(width, height) / Math.min(camera.width, camera.height);
  return {
    width,
    height,
    scale: camera.scale * ratio,
    left: width / 2 - (camera.width / 2 - camera.left) * ratio,
    top: height / 2 - (camera.height / 2 - camera.top) * ratio,
  };
}

/** Return the camera moved so that a place is in the middle, no closer than it was. */
export function follow(camera: Camera, x: number, y: number): Camera {
  return { ...camera, left: camera.width / 2 - x * camera.scale, top: camera.height / 2 - y * camera.scale };
}

/** Return the place under a pixel. */
export function placeAt(camera: Camera, x: number, y: number): [number, number] {
  return [(x - camera.left) / camera.scale, (y - camera.top) / camera.scale];
}

/** Return the places that are seen. */
export function seen(camera: Camera): Box {
  const [left, top] = placeAt(camera, 0, 0);
  const [right, bottom] = placeAt(camera, camera.width, camera.height);
  return { left, top, right, bottom };
}
