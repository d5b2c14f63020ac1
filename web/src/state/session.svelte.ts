// What the person sees and does: the run, the line of items, the item shown, decisions and the selection.

import { classKeys } from "../keys";
import type { Action, Ask, Decision, Item, Order, Preparing, Queue, Run } from "../types";
import { counted, percent } from "../words";
import { Atlas } from "./atlas";
import { Items } from "./items";
import { Outbox } from "./outbox";
import { whenReady } from "./ready";
import { get, Refused, send } from "./server";

export type Overlay = "" | "sheet" | "choose" | "search" | "files";
export type Line = Order | "audit" | "found";

const AHEAD = 4; // items fetched before they are shown
const READY = 3; // of these stay in the line when its order changes: they are here, and keys may come fast
const KEPT_BEHIND = 100; // items one can go back to
const SETTLED = 400; // milliseconds a label has to stand before it can be accepted
const AUDITED = 50; // items of a check by chance

export class Session {
  run = $state.raw<Run | null>(null);
  preparing = $state.raw<Preparing | null>(null);
  keys = $derived(classKeys(this.run?.classes.map(({ name }) => name) ?? []));
  line = $state<Line>("suggest");
  ofClass = $state("");
  why = $state("");
  rows = $state.raw<number[]>([]);
  at = $state(0);
  item = $state.raw<Item | null>(null);
  decisions = $state.raw<Decision[]>([]);
  conflicts = $state.raw<Decision[]>([]);
  selection = $state.raw<number[]>([]);
  selectionWhy = $state("");
  overlay = $state<Overlay>("");
  mapLarge = $state(false);
  opened = $state(false);
  failure = $state("");
  trouble = $state("");
  notice = $state("");
  said = $state(""); // for screen readers
  waiting = $state(0);
  connected = $state(true);
  blind = $derived(this.line === "audit"); // the guess would sway the check
  playing = $state(0); // counts presses of the key that plays
  decided = $state(0); // by this page
  renewed = $state(0); // counts answers that lists should follow
  readonly atlas = new Atlas();
  private readonly items = new Items();
  private readonly outbox = new Outbox((waiting, trouble) => {
    this.waiting = waiting;
    this.trouble = trouble;
  });
  private done = new Set<number>();
  private changedAt = 0; // when the label of the item shown last changed under the person's eyes
  private refill = 0;
  private mapAsked = false;

  get row(): number {
    return this.rows[this.at] ?? -1;
  }

  async open(): Promise<void> {
    this.listen();
    try {
      const run = await whenReady((waiting) => {
        this.preparing = waiting;
        document.title = `${waiting.name} · handful`;
      });
      this.preparing = null;
      this.take(run);
      this.mapAsked = run.has_map;
      this.atlas.tell({ type: "open", items: run.items, hasMap: run.has_map });
      const [, { decisions }] = await Promise.all([
        this.show("suggest"),
        get<{ decisions: Decision[] }>("/api/decisions?n=10"),
      ]);
      this.decisions = decisions;
    } catch (error) {
      this.failure = (error as Error).message;
    }
  }

  private listen(): void {
    this.atlas.on("opened", () => {
      this.opened = true;
      this.openMap();
    });
    this.atlas.on("failed", ({ why }) => (this.failure = why));
    this.atlas.on("run", ({ run }) => this.take(run));
    this.atlas.on("busy", ({ busy }) => this.run && (this.run = { ...this.run, busy }));
    this.atlas.on("connected", ({ connected }) => {
      this.connected = connected;
      if (connected) this.failure = "";
    });
    this.atlas.on("decision", ({ decision }) => this.record(decision));
    this.atlas.on("answered", () => {
      this.items.growOld();
      void this.look();
      clearTimeout(this.refill);
      this.refill = window.setTimeout(() => void this.refresh(), 250);
    });
  }

  private take(run: Run): void {
    this.run = { ...this.run, ...run }; // the event tells all alike, so it does not say who this person is
    document.title = `${run.name} · handful`;
    this.openMap();
  }

  /** Open the map that came after the items were opened, or while they were. */
  private openMap(): void {
    if (!this.run?.has_map || this.mapAsked || !this.opened) return;
    this.mapAsked = true;
    this.atlas.tell({ type: "open", items: this.run.items, hasMap: true });
  }

  /** Start a line of items: an order of the server's, or rows that were found. */
  async show(line: Line, rows?: number[], why = ""): Promise<void> {
    this.line = line;
    this.selection = [];
    const queue = rows ? { rows, why } : await this.ask(line);
    this.rows = queue.rows;
    this.why = queue.why;
    this.at = 0;
    await this.look();
  }

  private ask(line: Line): Promise<Queue> {
    const named = line === "class" ? `&class=${encodeURIComponent(this.ofClass)}` : "";
    return get<Queue>(`/api/queue?order=${line}${named}&n=50`);
  }

  /** Fill the line behind the next item anew: a decision may have changed what is worth asking. */
  private async refresh(): Promise<void> {
    const line = this.line;
    this.renewed++;
    if (line === "audit" || line === "found") return;
    try {
      const fresh = await this.ask(line);
      if (this.line !== line) return;
      const start = Math.max(0, this.at - KEPT_BEHIND);
      const kept = this.rows.slice(start, this.at + 1 + READY);
      const known = new Set([...kept.slice(this.at - start), ...this.done]);
      this.at -= start;
      this.rows = [...kept, ...fresh.rows.filter((row) => !known.has(row))];
      this.why = fresh.why;
      if (!this.item) await this.look();
      this.fetchAhead();
    } catch (error) {
      this.report(error);
    }
  }

  /** Show the item in front: at once where it is here, then with its present answer. */
  private async look(): Promise<void> {
    const row = this.row;
    if (row < 0) {
      this.item = null;
      return;
    }
    const here = this.items.peek(row);
    if (here && this.item?.row !== row) this.put(here);
    this.fetchAhead();
    try {
      const item = await this.items.fetch(row);
      if (this.row === row) this.put(item);
    } catch (error) {
      this.report(error);
    }
  }

  private put(item: Item): void {
    const before = this.item;
    if (before === item) return;
    this.changedAt = before?.row === item.row && before.label !== item.label ? performance.now() : 0;
    this.item = item;
    if (before?.row !== item.row) this.say(item);
  }

  private say({ row, label, confidence }: Item): void {
    const guess = this.blind ? "" : label === null ? ", no label yet" : `, ${label}, ${percent(confidence)}`;
    this.said = `Item ${row + 1}${guess}`;
  }

  private fetchAhead(): void {
    for (const row of this.rows.slice(this.at + 1, this.at + 1 + AHEAD)) void this.items.fetch(row).catch(() => undefined);
  }

  /** Move along the line without deciding. */
  move(steps: number): void {
    this.goTo(this.at + steps);
  }

  goTo(at: number): void {
    if (this.selection.length) this.selection = [];
    this.at = Math.max(0, Math.min(this.rows.length, at));
    void this.look();
  }

  /** Bring one row to the front of the line. */
  visit(row: number): void {
    const found = this.rows.indexOf(row, this.at);
    if (found >= 0) return this.goTo(found);
    this.rows = [...this.rows.slice(0, this.at), row, ...this.rows.slice(this.at)];
    this.goTo(this.at);
  }

  select(rows: number[], why: string): void {
    this.selection = rows;
    this.selectionWhy = why;
    if (rows.length) this.said = `${counted(rows.length, "item")} selected`;
  }

  /** Decide on the selection, or on the item shown, and go on. */
  decide(action: Action, label?: string): void {
    const bulk = this.selection.length > 0;
    const rows = bulk ? this.selection : this.item ? [this.item.row] : [];
    if (!rows.length || !this.run) return;
    if (action === "accept" && !bulk && !this.canAccept()) return;
    const shown = !bulk && this.item ? this.item.label : null;
    const named = action === "accept" && !bulk ? (shown ?? undefined) : label;
    void this.commit({ rows, action, label: named, key: freshKey() }, shown);
    if (bulk) this.selection = [];
    else if (action !== "flag") this.move(1);
  }

  private canAccept(): boolean {
    if (this.blind || !this.item?.label) {
      this.tellPerson(this.blind ? "Choose the class you see: the guess is hidden in a check." : "No label to accept yet.");
      return false;
    }
    if (performance.now() - this.changedAt > SETTLED) return true;
    this.tellPerson(`The label just changed to ${this.item.label}: press again to accept it.`);
    return false;
  }

  private async commit(ask: Ask, shown: string | null): Promise<void> {
    if (ask.action !== "skip") for (const row of ask.rows) this.done.add(row);
    this.decided++;
    try {
      ask.seen = await this.markEarly(ask, shown);
      const reply = await this.outbox.put(() =>
        send<{ decisions: Decision[]; conflicts: Decision[] }>("POST", "/api/decisions", ask),
      );
      reply.decisions.forEach((decision) => this.record(decision));
      this.conflicts = [...this.conflicts, ...reply.conflicts];
    } catch (error) {
      for (const row of ask.rows) this.done.delete(row);
      this.report(error);
    }
  }

  /** Colour what was decided before the server answers, and return the classes the person saw. */
  private async markEarly(ask: Ask, shown: string | null): Promise<number[]> {
    const one = ask.rows.length === 1;
    const seen = one
      ? [this.indexOf(shown)]
      : Array.from((await this.atlas.ask({ type: "locate", rows: ask.rows }, "located")).labels);
    const chosen = this.indexOf(ask.label ?? null);
    if (ask.action === "accept") this.atlas.tell({ type: "mark", rows: ask.rows, labels: one ? [chosen] : seen });
    if (ask.action === "label" && chosen >= 0)
      this.atlas.tell({ type: "mark", rows: ask.rows, labels: new Int16Array(ask.rows.length).fill(chosen) });
    return seen;
  }

  private indexOf(name: string | null): number {
    return this.run?.classes.findIndex((known) => known.name === name) ?? -1;
  }

  /** Make a class where it is new and give it. */
  async label(name: string): Promise<void> {
    if (!this.run) return;
    if (this.indexOf(name) >= 0) return this.decide("label", name);
    try {
      const { classes } = await send<{ classes: Run["classes"] }>("POST", "/api/classes", { name });
      this.take({ ...this.run, classes });
      this.decide("label", name);
    } catch (error) {
      this.report(error);
    }
  }

  /** Take a decision back, the last of this person's when none is named, and show its item again. */
  async undo(number?: number): Promise<void> {
    const last = this.decisions.find((one) => !one.undone && (number ? one.number === number : one.who === this.run?.person));
    const back = last?.rows.length === 1 ? last.rows[0] : -1;
    if (back >= 0 && this.rows[this.at - 1] === back) this.move(-1);
    try {
      const { undone } = await this.outbox.put(() =>
        send<{ undone: Decision }>("POST", "/api/undo", number ? { number } : {}),
      );
      this.record(undone);
      for (const row of undone.rows) this.done.delete(row);
      if (undone.rows.length === 1 && this.row !== undone.rows[0]) this.visit(undone.rows[0]);
      this.said = `Undone: ${undone.label ?? undone.action}`;
    } catch (error) {
      this.report(error);
    }
  }

  /** Change the label of a decision that was made. */
  async amend(number: number, label: string): Promise<void> {
    try {
      const reply = await this.outbox.put(() =>
        send<Decision | { decision: Decision }>("PATCH", `/api/decisions/${number}`, { label }),
      );
      this.record("decision" in reply ? reply.decision : reply);
    } catch (error) {
      this.report(error);
    }
  }

  /** Settle a conflict: another's label is taken over, or this person's stands. */
  settle(conflict: Decision, takeTheirs: boolean): void {
    this.conflicts = this.conflicts.filter((one) => one !== conflict);
    if (!takeTheirs || conflict.label === null) return;
    void this.commit({ rows: conflict.rows, action: "label", label: conflict.label, key: freshKey() }, null);
  }

  private record(decision: Decision): void {
    const others = this.decisions.filter(({ number }) => number !== decision.number);
    this.decisions = [decision, ...others].sort((one, other) => other.number - one.number).slice(0, 10);
  }

  /** Draw random items whose labels the person then gives without seeing the guess. */
  async audit(): Promise<void> {
    try {
      const { rows } = await send<{ rows: number[] }>("POST", "/api/audit", { n: AUDITED });
      await this.show("audit", rows, "Drawn by chance. The guess is hidden so that it cannot sway you.");
    } catch (error) {
      this.report(error);
    }
  }

  async search(words: string): Promise<{ rows: number[]; why: string }> {
    return get(`/api/search?q=${encodeURIComponent(words)}`);
  }

  /** Say something that goes away by itself. */
  tellPerson(words: string): void {
    this.notice = words;
    this.said = words;
    setTimeout(() => this.notice === words && (this.notice = ""), 6000);
  }

  report(error: unknown): void {
    if (error instanceof Refused && error.status === 0) this.trouble = error.message;
    else this.tellPerson((error as Error).message);
  }
}

/** Return a key that no other decision has; crypto.randomUUID is missing on plain HTTP beyond this machine. */
function freshKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
