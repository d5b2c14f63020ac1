// Which key does what. Letters that command are never the key of a class, so the two cannot clash.

export interface Command {
  keys: string[]; // as KeyboardEvent.key says them
  shown: string; // as the sheet shows them
  name: string;
  does: string;
}

export const COMMANDS: Command[] = [
  { keys: ["a"], shown: "a", name: "accept", does: "Accept the label shown" },
  { keys: ["x"], shown: "x", name: "reject", does: "Reject the label shown" },
  { keys: ["c"], shown: "c", name: "choose", does: "Choose or make a class by typing its name" },
  { keys: [" "], shown: "space", name: "skip", does: "Skip this item" },
  { keys: ["Backspace"], shown: "backspace", name: "undo", does: "Undo your last decision" },
  { keys: ["f"], shown: "f", name: "flag", does: "Flag for someone to look at" },
  { keys: ["j", "ArrowDown", "ArrowRight"], shown: "j ↓ →", name: "next", does: "Next item, nothing decided" },
  { keys: ["k", "ArrowUp", "ArrowLeft"], shown: "k ↑ ←", name: "previous", does: "Previous item" },
  { keys: ["Enter"], shown: "enter", name: "play", does: "Play or stop sound and clips" },
  { keys: ["/"], shown: "/", name: "search", does: "Search ids, texts and classes" },
  { keys: ["g"], shown: "g", name: "map", does: "Map of all items, large or small" },
  { keys: ["?"], shown: "?", name: "sheet", does: "This sheet" },
  { keys: ["Escape"], shown: "esc", name: "close", does: "Close what is open, drop the selection" },
];

const DIGITS = "123456789";
const COMMAND_LETTERS = new Set(COMMANDS.flatMap(({ keys }) => keys).filter((key) => /^[a-z]$/.test(key)));
export const FREE_LETTERS = [..."abcdefghijklmnopqrstuvwxyz"].filter((letter) => !COMMAND_LETTERS.has(letter));

/** Return the name of the command a key gives, if any. */
export function commandOf(key: string): string | undefined {
  return COMMANDS.find(({ keys }) => keys.includes(key))?.name;
}

/** Return the key of each class, "" beyond those there are. A class named by one digit or free letter has that key;
 *  the others take 1 to 9 in order, then a free letter of their name, then any. Keys given do not change when classes
 *  are added at the end. */
export function classKeys(names: string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const own = name.toLowerCase();
    const letters = [...own].filter((letter) => FREE_LETTERS.includes(letter));
    const wishes = [
      ...(/^[0-9]$/.test(own) || FREE_LETTERS.includes(own) ? [own] : []),
      ...DIGITS,
      ...letters,
      ...FREE_LETTERS,
    ];
    const key = wishes.find((wish) => !taken.has(wish)) ?? "";
    taken.add(key);
    return key;
  });
}
