// What the page and its worker tell each other.

import type { Decision, Run } from "../types";
import type { Camera } from "./camera";
import type { Box } from "./points";

export type Mode = "label" | "confidence" | "source";

export interface Colours {
  mode: Mode;
  table: Uint32Array; // 0xRRGGBB; for labels the first is of no label
  paper: string;
  ink: string;
}

export type ToWorker =
  | { type: "open"; items: number; hasMap: boolean }
  | { type: "canvas"; canvas: OffscreenCanvas }
  | { type: "camera"; camera: Camera }
  | { type: "colours"; colours: Colours }
  | { type: "mark"; rows: ArrayLike<number>; labels: ArrayLike<number> } // what a person just decided, before the server answers
  | { type: "pick"; x: number; y: number; reach: number }
  | { type: "locate"; rows: ArrayLike<number> }
  | { type: "lasso"; polygon: Float64Array };

export type FromWorker =
  | { type: "opened"; version: number; box: Box | null }
  | { type: "failed"; why: string; status: number }
  | { type: "answered"; version: number; changed: number }
  | { type: "painted"; version: number; milliseconds: number }
  | { type: "picked"; row: number }
  | { type: "located"; rows: ArrayLike<number>; places: Uint16Array; labels: Int16Array }
  | { type: "selected"; rows: Uint32Array }
  | { type: "run"; run: Run }
  | { type: "decision"; decision: Decision }
  | { type: "busy"; busy: boolean }
  | { type: "connected"; connected: boolean };
