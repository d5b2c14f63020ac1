import { expect, test } from "vitest";
import { matches } from "../src/panels/matches";
import { Outbox } from "../src/state/outbox";
import { Refused } from "../src/state/server";
import { ago, counted, percent, short, stretches } from "../src/words";

test("words that count are marked as whole words in either case, and nothing is lost", () => {
  const text = "Oil and oily OIL (oil)";
  const parts = stretches(text, [{ word: "oil", weight: 0.9 }]);
  expect(parts.map(({ text }) => text).join("")).toBe(text);
  expect(parts.filter(({ weight }) => weight).map(({ text }) => text)).toEqual(["Oil", "OIL", "oil"]);
});

test("words with signs of their own are taken as they are", () => {
  const parts = stretches("costs $9.99 or c++", [{ word: "c++", weight: 1 }, { word: "9.99", weight: 1 }]);
  expect(parts.filter(({ weight }) => weight).map(({ text }) => text)).toEqual(["9.99", "c++"]);
});

test("shares, counts and times read as people say them", () => {
  expect([percent(0.934, 1), percent(0.5), percent(0.999), percent(null), percent(NaN)]).toEqual(["93.4 %", "50 %", "99.9 %", "–", "–"]);
  expect([counted(1, "item"), counted(1204, "item")]).toEqual(["1 item", "1,204 items"]);
  expect(ago("2026-01-01T00:00:00Z", Date.parse("2026-01-01T02:10:00Z"))).toBe("2 h");
  expect(short("abcdefghij", 5)).toBe("ab…ij");
  expect(short("👩👩👩", 3)).toBe("👩👩👩");
});

test("typed letters find names that begin with them before names that hold them", () => {
  expect(matches(["scatter", "fat cat", "cat", "category", "dog"], "cat")).toEqual(["cat", "category", "fat cat", "scatter"]);
  expect(matches(["a", "b"], "")).toEqual(["a", "b"]);
});

test("decisions are sent in order, again while the server is away, and a refusal is told", async () => {
  const sent: number[] = [];
  const troubles: string[] = [];
  const outbox = new Outbox((_, trouble) => trouble && troubles.push(trouble), async () => undefined);
  let away = 3;
  const first = outbox.put(async () => {
    if (away-- > 0) throw new Refused("The server does not answer.", away === 1 ? 401 : 0);
    sent.push(1);
  });
  const refused = outbox.put(async () => {
    throw new Refused("No such class.", 400);
  });
  const last = outbox.put(async () => sent.push(3));
  await expect(refused).rejects.toThrow("No such class.");
  await Promise.all([first, last]);
  expect(sent).toEqual([1, 3]);
  expect(troubles.length).toBe(3);
  expect(outbox.waiting).toBe(0);
});
