// Waits for the run where the server is still making it.

import type { Preparing, Run } from "../types";
import { get, Refused } from "./server";

const PAUSE = 700; // milliseconds between questions

/** Return the run once it is there; `tell` hears how far it is. */
export async function whenReady(
  tell: (waiting: Preparing) => void,
  ask: () => Promise<Run | Preparing> = () => get("/api/run"),
  pause: () => Promise<void> = () => new Promise((go) => setTimeout(go, PAUSE)),
): Promise<Run> {
  let told = false;
  for (;;) {
    try {
      const found = await ask();
      if (!("preparing" in found)) return found;
      tell(found);
      told = true;
    } catch (error) {
      // Between the two there is a moment without an answer.
      if (!told || !(error instanceof Refused) || error.status !== 0) throw error;
    }
    await pause();
  }
}
