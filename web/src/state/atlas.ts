// The page's side of the worker that holds all items' answer and paints the map.

import type { FromWorker, ToWorker } from "../map/messages";

type Heard = { [T in FromWorker["type"]]?: ((message: Extract<FromWorker, { type: T }>) => void)[] };

export class Atlas {
  private worker = new Worker(new URL("../map/worker.ts", import.meta.url), { type: "module", name: "map" });
  private heard: Heard = {};
  private asking = new Map<FromWorker["type"], ((message: FromWorker) => void)[]>(); // first asked, first answered

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      this.asking.get(data.type)?.shift()?.(data);
      for (const hear of this.heard[data.type] ?? []) (hear as (message: FromWorker) => void)(data);
    };
  }

  tell(message: ToWorker, transfer: Transferable[] = []): void {
    this.worker.postMessage(message, transfer);
  }

  /** Call `hear` at each message of a type; the function that comes back ends it. */
  on<T extends FromWorker["type"]>(type: T, hear: (message: Extract<FromWorker, { type: T }>) => void): () => void {
    const list = ((this.heard[type] as unknown) ??= []) as (typeof hear)[];
    list.push(hear);
    return () => list.splice(list.indexOf(hear), 1);
  }

  /** Send a question and return its answer; questions of one type are answered in order. */
  ask<T extends FromWorker["type"]>(message: ToWorker, type: T): Promise<Extract<FromWorker, { type: T }>> {
    return new Promise((answer) => {
      const line = this.asking.get(type) ?? [];
      line.push(answer as (message: FromWorker) => void);
      this.asking.set(type, line);
      this.tell(message);
    });
  }
}
