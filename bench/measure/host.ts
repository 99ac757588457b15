/**
 * The process of one system: opens contestants that it is told of by name, runs them when asked, one
 * after another. Started by processes.ts.
 */
import { findComparison } from "../problems/index.ts";
import { openHere } from "./local.ts";
import type { Handle, Timing } from "./rounds.ts";

/** `key` names what was opened; requests about it follow. */
export type Request =
  | {
      readonly kind: "open";
      readonly key: number;
      readonly comparison: string;
      readonly contestant: string;
    }
  | { readonly kind: "run" | "result" | "close"; readonly key: number };

export type Reply =
  | {
      readonly kind: "done";
      readonly timing?: Timing;
      readonly result?: Float32Array;
      readonly facts?: string | undefined;
    }
  | { readonly kind: "failed"; readonly reason: string };

const handles = new Map<number, Handle>();

process.on("message", (request: Request) => {
  answer(request).then(
    (reply) => process.send!(reply),
    (cause) => process.send!({ kind: "failed", reason: String(cause?.message ?? cause) }),
  );
});
// The parent is gone: nobody will ask any more.
process.on("disconnect", () => process.exit());

async function answer(request: Request): Promise<Reply> {
  if (request.kind === "open") {
    const { comparison, contestant } = request;
    const { contestants, checks = [] } = findComparison(comparison)!;
    const found = [...contestants, ...checks].find((c) => c.name === contestant)!;
    const handle = await openHere(found);
    handles.set(request.key, handle);
    return { kind: "done", facts: handle.facts };
  }
  const handle = handles.get(request.key)!;
  switch (request.kind) {
    case "run":
      return { kind: "done", timing: await handle.run() };
    case "result":
      return { kind: "done", result: await handle.result() };
    case "close":
      await handle.close();
      return { kind: "done" };
  }
}
