// Numbers and times as people say them.

/** What is said when the server no longer knows this page. */
export const ENDED = "This page's access has ended: open the address that handful review printed.";

/** Return a share as a percentage with as many digits as its size bears. */
export function percent(share: number | null | undefined, digits?: number): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return "–";
  const value = 100 * share;
  return `${value.toFixed(digits ?? (value > 99 && value < 100 ? 1 : 0))} %`;
}

/** Return a count with its thousands apart. */
export function count(value: number): string {
  return value.toLocaleString("en");
}

/** Return a count with its noun, in the plural where it is not one. */
export function counted(value: number, noun: string, plural = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : plural}`;
}

/** Return how long ago a moment was. */
export function ago(when: string, now = Date.now()): string {
  const seconds = Math.max(0, (now - Date.parse(when)) / 1000);
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 60) return "now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

/** Return text no longer than `limit` letters: the middle of a longer one is left out. */
export function short(text: string, limit = 60): string {
  const letters = [...text];
  if (letters.length <= limit) return text;
  const half = Math.floor((limit - 1) / 2);
  return `${letters.slice(0, half).join("")}…${letters.slice(-half).join("")}`;
}

/** A stretch of text and how much it counts, 0 for nothing. */
export interface Stretch {
  text: string;
  weight: number;
}

/** Cut a text where words that count stand, in either case, as whole words. */
export function stretches(text: string, words: { word: string; weight: number }[]): Stretch[] {
  const weights = new Map<string, number>();
  for (const { word, weight } of words) if (word && weight) weights.set(word.toLowerCase(), weight);
  if (!weights.size) return [{ text, weight: 0 }];
  const escaped = [...weights.keys()]
    .sort((one, other) => other.length - one.length)
    .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const found = new RegExp(`(?<![\\p{L}\\p{N}])(?:${escaped.join("|")})(?![\\p{L}\\p{N}])`, "giu");
  const parts: Stretch[] = [];
  let from = 0;
  for (const match of text.matchAll(found)) {
    if (match.index > from) parts.push({ text: text.slice(from, match.index), weight: 0 });
    parts.push({ text: match[0], weight: weights.get(match[0].toLowerCase()) ?? 0 });
    from = match.index + match[0].length;
  }
  if (from < text.length) parts.push({ text: text.slice(from), weight: 0 });
  return parts;
}
