// Sends what a person decided, one after the other, and again until the server has it.

import { Refused } from "./server";

const FIRST_WAIT = 400; // milliseconds before the first resend
const LONGEST_WAIT = 8000;

export class Outbox {
  private line: Promise<unknown> = Promise.resolve();
  waiting = 0;

  /** `changed` hears how many wait and, while the server does not answer, why. */
  constructor(
    private readonly changed: (waiting: number, trouble: string) => void,
    private readonly pause: (milliseconds: number) => Promise<void> = (wait) => new Promise((go) => setTimeout(go, wait)),
  ) {}

  /** Do `send` once all before it are done, again while no answer or a server's own failure comes; a refusal rejects. */
  put<T>(send: () => Promise<T>): Promise<T> {
    this.changed(++this.waiting, "");
    const sent = this.line.then(() => this.insist(send));
    this.line = sent.catch(() => undefined);
    const done = () => this.changed(--this.waiting, "");
    sent.then(done, done);
    return sent;
  }

  private async insist<T>(send: () => Promise<T>): Promise<T> {
    for (let wait = FIRST_WAIT; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
      try {
        return await send();
      } catch (error) {
        if (!(error instanceof Refused) || refuses(error.status)) throw error;
        this.changed(this.waiting, error.message);
        await this.pause(wait);
      }
    }
  }
}

/** Whether an answer is the last word; after 401 whoever opens the server's new address has access again. */
function refuses(status: number): boolean {
  return status >= 400 && status < 500 && status !== 401;
}
