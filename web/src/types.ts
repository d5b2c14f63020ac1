// What the server of `handful review` says and is told. Rows are 0..N-1; class indices follow `Run.classes`.

export type Kind = "image" | "text" | "audio" | "series" | "video" | "table";

export interface ClassOf {
  name: string;
  count_given: number;
  count: number;
  colours: [light: string, dark: string];
}

export interface Progress {
  expected_accuracy: number | null;
  low: number | null;
  high: number | null;
  asked_confidence: number;
  below: number;
  decisions: number;
  enough: boolean;
  enough_why: string;
  more: { labels: number; expected_accuracy: number }[];
}

export interface Audit {
  done: number;
  right: number;
  low: number;
  high: number;
}

export interface Run {
  name: string;
  kind: Kind;
  items: number;
  person: string;
  classes: ClassOf[];
  counts: { given: number; reviewed: number; propagated: number; unreached: number };
  progress: Progress;
  audit: Audit | null;
  conflicts: number; // items on which people differ
  has_map: boolean;
  busy: boolean;
}

/** What is said instead of a run while it is made; `share` of the present step, null where it is not known. */
export interface Preparing {
  name: string;
  preparing: { words: string; share: number | null };
}

export type Content =
  | { type: "image"; url: string }
  | { type: "text"; text: string; words?: { word: string; weight: number }[] }
  | { type: "audio"; url: string; wave: number[] }
  | { type: "series"; channels: (number | null)[][]; names?: string[] }
  | { type: "video"; url: string; mime?: string }
  | { type: "table"; cells: { column: string; value: unknown; odd: number }[] }
  | { type: "missing"; why: string };

export interface Brief {
  row: number;
  id: string;
  label: string | null;
  confidence: number | null;
  source: string;
  content: Content;
}

export interface Neighbour {
  row: number;
  id: string;
  label: string;
  share: number;
  content: Content;
}

export interface Item extends Brief {
  margin: number | null;
  runner_up: string | null;
  given: string | null;
  flagged: boolean;
  why: Neighbour[];
  group: number[];
}

export type Action = "label" | "accept" | "reject" | "flag" | "skip";

export interface Decision {
  number: number;
  when: string;
  who: string;
  rows: number[];
  action: Action;
  label: string | null;
  before: (string | null)[];
  undone: boolean;
}

export interface Ask {
  rows: number[];
  action: Action;
  label?: string;
  seen?: number[];
  key: string;
}

export interface Group {
  rows: number[];
  label: string | null;
  why: string;
}

export type Order = "suggest" | "unsure" | "class" | "issues" | "conflicts" | "random";

export interface Queue {
  order: string;
  rows: number[];
  why: string;
}
