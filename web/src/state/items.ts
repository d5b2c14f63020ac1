// Items fetched ahead, with their pictures decoded, so that the next one is there when a key is pressed.

import type { Brief, Item } from "../types";
import { get } from "./server";

const KEPT = 80;

export class Items {
  private kept = new Map<number, { item: Item; fresh: boolean }>();
  private coming = new Map<number, Promise<Item>>();
  private age = 0; // of the answer
  private pictures = new Map<string, HTMLImageElement>();

  /** Return an item that is here already, even when its answer may have moved on. */
  peek(row: number): Item | undefined {
    return this.kept.get(row)?.item;
  }

  /** Return an item with its present answer. */
  fetch(row: number): Promise<Item> {
    const kept = this.kept.get(row);
    if (kept?.fresh) return Promise.resolve(kept.item);
    let coming = this.coming.get(row);
    if (!coming) {
      const asked = this.age;
      coming = get<Item>(`/api/items/${row}`).then((item) => this.keep(item, asked === this.age));
      this.coming.set(row, coming);
      const came = coming;
      const end = () => this.coming.get(row) === came && this.coming.delete(row);
      coming.then(end, end);
    }
    return coming;
  }

  /** The answer changed: what is here may be shown, and is asked again. */
  growOld(): void {
    this.age++;
    for (const kept of this.kept.values()) kept.fresh = false;
    this.coming.clear();
  }

  private async keep(item: Item, fresh: boolean): Promise<Item> {
    await this.warm(item);
    this.kept.delete(item.row);
    this.kept.set(item.row, { item, fresh });
    for (const row of this.kept.keys()) {
      if (this.kept.size <= KEPT) break;
      this.kept.delete(row);
    }
    return item;
  }

  private async warm({ content }: Item): Promise<void> {
    if (content.type !== "image" || this.pictures.has(content.url)) return;
    const picture = new Image();
    picture.src = content.url;
    this.pictures.set(content.url, picture);
    for (const url of this.pictures.keys()) {
      if (this.pictures.size <= KEPT) break;
      this.pictures.delete(url);
    }
    await picture.decode().catch(() => undefined); // a picture that cannot be read is said where it is shown
  }
}

/** Return short forms of rows, at most 200 a request. */
export async function briefs(rows: number[]): Promise<Brief[]> {
  const parts: Promise<{ items: Brief[] }>[] = [];
  for (let from = 0; from < rows.length; from += 200)
    parts.push(get(`/api/items?rows=${rows.slice(from, from + 200).join(",")}`));
  return (await Promise.all(parts)).flatMap(({ items }) => items);
}
