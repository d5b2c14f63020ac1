// Paints the points of the map into a buffer of pixels by a plain loop: a million take a few milliseconds on one core.
//
// A pixel collects the sum of the colours of its first 255 points and their count in two 32-bit numbers, so one point
// costs two additions. Its colour is their mean, its strength grows with the logarithm of the count.

import { seen, type Camera } from "./camera";
import { countIn, eachStretch, type Points } from "./points";

export interface Palette {
  codes: Uint8Array | Int16Array; // [N] by slot
  first: number; // the code of the first colour
  colours: Uint32Array; // 0xRRGGBB
}

const FULL = 255; // points a pixel takes into account

/** Buffers of one picture size, kept between frames. */
export class Painter {
  private redBlue = new Uint32Array(0);
  private greenCount = new Uint32Array(0);

  /** Paint into `pixels` (0xAABBGGRR, width * height); what holds no point becomes transparent. */
  paint(pixels: Uint32Array, camera: Camera, points: Points, palette: Palette): void {
    this.clear(pixels.length);
    const box = seen(camera);
    const visible = countIn(points, box);
    const size = dotSize(visible, camera);
    const reach = size / camera.scale;
    const wider = { left: box.left - reach, top: box.top - reach, right: box.right + reach, bottom: box.bottom + reach };
    const [redBlue, green] = packed(palette.colours);
    const dot = offsets(size, camera.width);
    eachStretch(points, wider, (from, to) => {
      if (size === 1) this.addPixels(camera, points, palette, redBlue, green, from, to);
      else this.addDots(camera, points, palette, redBlue, green, dot, size, from, to);
    });
    this.resolve(pixels, strengths(size, visible / pixels.length));
  }

  private clear(length: number): void {
    if (this.redBlue.length === length) {
      this.redBlue.fill(0);
      this.greenCount.fill(0);
    } else {
      this.redBlue = new Uint32Array(length);
      this.greenCount = new Uint32Array(length);
    }
  }

  private addPixels(
    { scale, left, top, width, height }: Camera,
    { x, y }: Points,
    { codes, first }: Palette,
    redBlue: Uint32Array,
    green: Uint32Array,
    from: number,
    to: number,
  ): void {
    const [sums, counts] = [this.redBlue, this.greenCount];
    for (let slot = from; slot < to; slot++) {
      const column = (x[slot] * scale + left) | 0;
      const line = (y[slot] * scale + top) | 0;
      if (column >= width || line >= height || column < 0 || line < 0) continue;
      const pixel = line * width + column;
      const count = counts[pixel];
      if (count >>> 24 === FULL) continue;
      const colour = codes[slot] - first;
      sums[pixel] += redBlue[colour];
      counts[pixel] = count + green[colour];
    }
  }

  private addDots(
    { scale, left, top, width, height }: Camera,
    { x, y }: Points,
    { codes, first }: Palette,
    redBlue: Uint32Array,
    green: Uint32Array,
    dot: Int32Array,
    size: number,
    from: number,
    to: number,
  ): void {
    const [sums, counts] = [this.redBlue, this.greenCount];
    const half = size >> 1;
    for (let slot = from; slot < to; slot++) {
      const column = (x[slot] * scale + left) | 0;
      const line = (y[slot] * scale + top) | 0;
      if (column < half || line < half || column >= width - half || line >= height - half) continue;
      const pixel = line * width + column;
      const colour = codes[slot] - first;
      for (let at = 0; at < dot.length; at++) {
        const near = pixel + dot[at];
        const count = counts[near];
        if (count >>> 24 === FULL) continue;
        sums[near] += redBlue[colour];
        counts[near] = count + green[colour];
      }
    }
  }

  private resolve(pixels: Uint32Array, strength: Uint8Array): void {
    const [sums, counts] = [this.redBlue, this.greenCount];
    for (let pixel = 0; pixel < pixels.length; pixel++) {
      const packedCount = counts[pixel];
      if (packedCount === 0) {
        pixels[pixel] = 0;
        continue;
      }
      const count = packedCount >>> 24;
      const sum = sums[pixel];
      const red = ((sum >>> 16) / count) | 0;
      const blue = ((sum & 0xffff) / count) | 0;
      const green = ((packedCount & 0xffffff) / count) | 0;
      pixels[pixel] = (strength[count] << 24) | (blue << 16) | (green << 8) | red;
    }
  }
}

/** Return the side of a dot in pixels: small enough that the dots in sight would cover a sixth of the picture. */
export function dotSize(visible: number, { width, height }: Camera): number {
  return Math.max(1, Math.min(7, Math.floor(Math.sqrt((width * height) / Math.max(visible, 1) / 6))));
}

/** Return red and blue sums of 16 bits each, and green with the count of one above it, for each colour. */
function packed(colours: Uint32Array): [Uint32Array, Uint32Array] {
  const redBlue = colours.map((colour) => (((colour >>> 16) & 255) << 16) | (colour & 255));
  const green = colours.map((colour) => (1 << 24) | ((colour >>> 8) & 255));
  return [redBlue, green];
}

/** Return the steps from a dot's middle to each of its pixels. */
function offsets(size: number, width: number): Int32Array {
  const [before, radius] = [size >> 1, size / 2];
  const middle = (size - 1) / 2;
  const found: number[] = [];
  for (let down = 0; down < size; down++)
    for (let along = 0; along < size; along++)
      if (Math.hypot(down - middle, along - middle) <= radius) found.push((down - before) * width + along - before);
  return Int32Array.from(found);
}

/** Return the opacity (0..255) of a pixel by the count of its points: the fewer stand on a pixel of the picture, the
 *  stronger is one alone. */
function strengths(size: number, crowding: number): Uint8Array {
  const least = size > 1 ? 0.8 : Math.max(0.35, Math.min(0.8, 0.8 - 0.3 * crowding));
  return Uint8Array.from({ length: FULL + 1 }, (_, count) =>
    count ? Math.round(255 * (least + (1 - least) * Math.min(1, Math.log2(count) / 5))) : 0,
  );
}
