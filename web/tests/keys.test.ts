import { expect, test } from "vitest";
import { classKeys, COMMANDS, commandOf, FREE_LETTERS } from "../src/keys";

test("no key commands twice and none commands and names a class", () => {
  const commanding = COMMANDS.flatMap(({ keys }) => keys);
  expect(new Set(commanding).size).toBe(commanding.length);
  for (const letter of FREE_LETTERS) expect(commandOf(letter)).toBeUndefined();
  expect(commandOf("a")).toBe("accept");
});

test("classes take 1 to 9, then a letter of their name", () => {
  const names = Array.from({ length: 9 }, (_, at) => `class ${at}`);
  expect(classKeys([...names, "dog", "deer", "aaa"])).toEqual([..."123456789", "d", "e", "b"]);
});

test("a class named by one digit or free letter has that key", () => {
  expect(classKeys(["0", "1", "5", "b"])).toEqual(["0", "1", "5", "b"]);
  expect(classKeys(["a", "x"])).toEqual(["1", "2"]); // these letters command
});

test("classes keep their keys when others are added, and no two share one", () => {
  const names = Array.from({ length: 60 }, (_, at) => `name ${at}`);
  const all = classKeys(names);
  for (const count of [1, 9, 10, 30]) expect(classKeys(names.slice(0, count))).toEqual(all.slice(0, count));
  const given = all.filter(Boolean);
  expect(given.length).toBe(9 + FREE_LETTERS.length);
  expect(new Set(given).size).toBe(given.length);
});
