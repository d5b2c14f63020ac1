// The answer for all items as small integers, and the differences that keep it current.

import type { Points } from "./points";

export const PROPAGATED = 0;
export const GIVEN = 1;
export const REVIEWED = 2;
export const UNREACHED = 3;

/** Class (-1: none), confidence (0..255) and source of each item, in the order of the map's slots. */
export interface Answer {
  version: number;
  label: Int16Array;
  confidence: Uint8Array;
  source: Uint8Array;
}

/** What changed, by row. */
export interface Difference extends Answer {
  rows: Uint32Array;
}

/** Read the whole answer of N items as /api/answer sends it. */
export function readAnswer(bytes: ArrayBuffer, items: number, version: number): Answer {
  if (bytes.byteLength !== 4 * items)
    throw new Error(`The answer has ${bytes.byteLength} bytes for ${items} items; four for each were expected.`);
  return {
    version,
    label: new Int16Array(bytes, 0, items),
    confidence: new Uint8Array(bytes, 2 * items, items),
    source: new Uint8Array(bytes, 3 * items, items),
  };
}

/** Read a difference: version, count, then rows, classes, confidences and sources of what changed. */
export function readDifference(encoded: string): Difference {
  const bytes = fromBase64(encoded);
  const head = new DataView(bytes.buffer);
  const count = head.getUint32(4, true);
  if (bytes.byteLength !== 8 + 8 * count)
    throw new Error(`A difference of ${count} rows has ${bytes.byteLength} bytes; ${8 + 8 * count} were expected.`);
  return {
    version: head.getUint32(0, true),
    rows: new Uint32Array(bytes.buffer, 8, count),
    label: new Int16Array(bytes.buffer, 8 + 4 * count, count),
    confidence: new Uint8Array(bytes.buffer, 8 + 6 * count, count),
    source: new Uint8Array(bytes.buffer, 8 + 7 * count, count),
  };
}

function fromBase64(encoded: string): Uint8Array<ArrayBuffer> {
  const native = (Uint8Array as unknown as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }).fromBase64;
  if (native) return native.call(Uint8Array, encoded);
  const text = atob(encoded);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** Put an answer by row into the order of slots. */
export function bySlot(answer: Answer, points: Points): Answer {
  const { rows, count } = points;
  const label = new Int16Array(count);
  const confidence = new Uint8Array(count);
  const source = new Uint8Array(count);
  for (let slot = 0; slot < count; slot++) {
    const row = rows[slot];
    label[slot] = answer.label[row];
    confidence[slot] = answer.confidence[row];
    source[slot] = answer.source[row];
  }
  return { version: answer.version, label, confidence, source };
}

/** Write a difference into an answer in the order of slots. */
export function apply(difference: Difference, answer: Answer, points: Points): void {
  const { rows, label, confidence, source } = difference;
  for (let at = 0; at < rows.length; at++) {
    const slot = points.slots[rows[at]];
    answer.label[slot] = label[at];
    answer.confidence[slot] = confidence[at];
    answer.source[slot] = source[at];
  }
  answer.version = difference.version;
}
