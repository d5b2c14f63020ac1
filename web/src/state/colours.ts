// Colours of classes and of the map's other scales, for light and for dark paper.

import type { Mode } from "../map/messages";
import type { ClassOf } from "../types";

const NONE = ["#a3a9b3", "#5d646f"];
const FADED = ["#e4e6ea", "#2a2e35"];
const SOURCES = [
  ["#56a0d3", "#3d7fb0"], // propagated
  ["#d55e00", "#f1873f"], // given
  ["#009e73", "#3fbf97"], // reviewed
  ["#a3a9b3", "#5d646f"], // unreached
];
const RAMP = [
  ["#d55e00", "#c9bfae", "#0072b2"], // from unsure to sure
  ["#f1873f", "#6b6862", "#5db3ec"],
];

/** Return the colour of a class by its name. */
export function classColour(classes: ClassOf[], name: string | null, dark: boolean): string {
  const found = classes.find((one) => one.name === name);
  return found ? found.colours[Number(dark)] : NONE[Number(dark)];
}

/** Return the table of a mode: for labels one colour a class after that of none, with all but `alone` faded. */
export function tableOf(mode: Mode, classes: ClassOf[], dark: boolean, alone: string | null): Uint32Array {
  const side = Number(dark);
  if (mode === "source") return Uint32Array.from(SOURCES, (pair) => number(pair[side]));
  if (mode === "confidence") return ramp(RAMP[side]);
  const names: (string | null)[] = [null, ...classes.map(({ name }) => name)];
  return Uint32Array.from(names, (name) =>
    number(alone !== null && name !== alone ? FADED[side] : classColour(classes, name, dark)),
  );
}

/** Return what a legend says of a mode that is not by class. */
export function legendOf(mode: "confidence" | "source", dark: boolean): { name: string; colour: string }[] {
  if (mode === "source")
    return ["propagated", "given", "reviewed", "not reached"].map((name, at) => ({ name, colour: SOURCES[at][Number(dark)] }));
  return RAMP[Number(dark)].map((colour, at) => ({ name: ["unsure", "", "sure"][at], colour }));
}

function ramp(stops: string[]): Uint32Array {
  const parts = stops.map(number);
  return Uint32Array.from({ length: 256 }, (_, step) => {
    const place = (step / 255) * (parts.length - 1);
    const at = Math.min(Math.floor(place), parts.length - 2);
    const share = place - at;
    const mix = (shift: number) =>
      Math.round(((parts[at] >> shift) & 255) * (1 - share) + ((parts[at + 1] >> shift) & 255) * share);
    return (mix(16) << 16) | (mix(8) << 8) | mix(0);
  });
}

function number(hex: string): number {
  return parseInt(hex.slice(1), 16);
}
