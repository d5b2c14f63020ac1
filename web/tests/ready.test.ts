import { expect, test } from "vitest";
import { Refused } from "../src/state/server";
import { whenReady } from "../src/state/ready";
import type { Preparing, Run } from "../src/types";

const run = { name: "photos", items: 3 } as Run;
const waiting: Preparing = { name: "photos", preparing: { words: "Reading photos", share: null } };
const soon = () => Promise.resolve();

function answers(...told: (Run | Preparing | Error)[]): () => Promise<Run | Preparing> {
  return () => {
    const next = told.shift()!;
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
  };
}

test("the run is waited for, across the moment in which no server answers", async () => {
  const heard: Preparing[] = [];
  const cut = new Refused("The server does not answer.", 0);
  expect(await whenReady((one) => heard.push(one), answers(waiting, waiting, cut, run), soon)).toBe(run);
  expect(heard).toEqual([waiting, waiting]);
});

test("a refusal is the last word, and so is silence from the start", async () => {
  const ended = new Refused("access has ended", 401);
  await expect(whenReady(() => undefined, answers(waiting, ended), soon)).rejects.toBe(ended);
  const silence = new Refused("The server does not answer.", 0);
  await expect(whenReady(() => undefined, answers(silence), soon)).rejects.toBe(silence);
});
