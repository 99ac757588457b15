/** A part of a run: items, one after another, in a process that another one watches. */
import { writeSync } from "node:fs";
import type { Finding, Signal } from "./lines.ts";

/** Whole sizes for a GPU; a software device takes minutes for one of them, and gets little ones. */
export type Scale = "full" | "small";

export interface Setting {
  readonly scale: Scale;
  /** The folder of the results: what one part leaves there another may read. */
  readonly out: string;
  tell(finding: Finding): void;
}

export interface Item {
  readonly name: string;
  run(): Promise<void> | void;
}

export interface Part {
  readonly name: string;
  /** What it finds out, for the list of parts. */
  readonly about: string;
  /** Seconds that the whole part and one of its items may take, on a GPU and on a software device. */
  readonly seconds: Readonly<Record<Scale, readonly [part: number, item: number]>>;
  items(setting: Setting): Promise<readonly Item[]>;
}

/** On a software device the first items alone: it compiles for minutes. Says what is left out. */
export function firstOf(
  items: readonly Item[],
  count: number,
  { scale, tell }: Setting,
): readonly Item[] {
  if (scale === "full") return items;
  const reason = "a software device compiles for minutes";
  for (const { name } of items.slice(count)) tell({ type: "left out", what: name, reason });
  return items.slice(0, count);
}

const say = (said: Finding | Signal) => {
  // Written at once: a crash must not lose what was found before it.
  writeSync(1, `${JSON.stringify(said)}\n`);
};

/** Runs a part's items from number `skip` on, in this process. What an item throws is its result. */
export async function runPart(
  part: Part,
  { scale, out, skip }: { readonly scale: Scale; readonly out: string; readonly skip: number },
): Promise<void> {
  // What is said of the list is said once, by the first process.
  let silent = skip > 0;
  const tell = (finding: Finding) => {
    if (!silent) say(finding);
  };
  const items = await part.items({ scale, out, tell });
  silent = false;
  say({ type: "items", names: items.map(({ name }) => name) });
  for (const { name, run } of items.slice(skip)) {
    say({ type: "begin", item: name });
    try {
      await run();
    } catch (cause) {
      const words = cause instanceof Error ? cause.message : String(cause);
      say({ type: "check", what: name, passed: false, found: words.split("\n")[0]! });
    }
    say({ type: "end", item: name });
  }
}
