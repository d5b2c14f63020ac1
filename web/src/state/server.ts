// The server's answers over HTTP, and its refusals as errors with the sentence it gave.

import { ENDED } from "../words";

export class Refused extends Error {
  constructor(
    message: string,
    readonly status: number, // 0: no answer came
  ) {
    super(message);
  }
}

/** Ask for JSON. */
export function get<T>(path: string): Promise<T> {
  return call<T>(path, {});
}

/** Send JSON and return the JSON that comes back. */
export function send<T>(method: "POST" | "PATCH", path: string, body: unknown): Promise<T> {
  return call<T>(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

async function call<T>(path: string, options: RequestInit): Promise<T> {
  let reply: Response;
  try {
    reply = await fetch(path, options);
  } catch {
    throw new Refused("The server does not answer.", 0);
  }
  if (reply.ok) return (await reply.json()) as T;
  throw new Refused(await sentence(reply), reply.status);
}

async function sentence(reply: Response): Promise<string> {
  if (reply.status === 401) return ENDED;
  try {
    const { error } = (await reply.json()) as { error?: unknown };
    if (typeof error === "string") return error;
  } catch {
    // not JSON: the status has to do
  }
  return `The server answered ${reply.status}.`;
}
