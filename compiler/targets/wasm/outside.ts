/**
 * What loops would compute anew in every round: quotients and remainders of what does not change in a loop are
 * named before it. Divisions are long for processors, and not every engine moves them out of loops.
 */
import type { Expr, Kernel, Stmt } from "../../kernel/ir.ts";
import { keyOf } from "../../kernel/keys.ts";
import { namesIn, withArguments, withParts } from "../../kernel/parts.ts";
import { hasBarrier } from "../../kernel/regions.ts";
import { lanes } from "./writer.ts";

type For = Extract<Stmt, { kind: "for" }>;

/** The same kernel with such values outside of its loops. */
export function outsideLoops(kernel: Kernel): Kernel {
  const threads = kernel.threads.reduce((a, b) => a * b);
  // Where vectors take turns names are kept in memory.
  if (threads > lanes && kernel.body.some(hasBarrier)) return kernel;
  let named = 0;
  const block = (body: readonly Stmt[]): readonly Stmt[] =>
    body.flatMap((s): readonly Stmt[] => {
      if (s.kind !== "for") return [withParts(s, (e) => e, block)];
      const { before, loop } = split(s, () => `outside.${named++}`);
      return [...before, { ...loop, body: block(loop.body) }];
    });
  return { ...kernel, body: block(kernel.body) };
}

/** A loop, and what is to be named before it. */
function split(loop: For, name: () => string): { before: readonly Stmt[]; loop: For } {
  const inside = new Set([loop.name, ...namesIn(loop.body)]);
  const before = new Map<string, Extract<Stmt, { kind: "let" }>>();
  const facts = new Map<Expr, Facts>();
  const take = (e: Expr): Expr => {
    const { isFixed, isLong } = factsOf(e, inside, facts);
    if (!isFixed || !isLong) return withArguments(e, take);
    const key = `${e.type} ${keyOf(e)}`;
    const known = before.get(key) ?? { kind: "let", name: name(), value: e };
    before.set(key, known);
    return { kind: "ref", type: e.type, name: known.name, mutable: false };
  };
  const block = (body: readonly Stmt[]): readonly Stmt[] =>
    body.map((s) => withParts(s, take, block));
  const body = block(loop.body);
  return { before: [...before.values()], loop: { ...loop, body } };
}

interface Facts {
  /** It has one value in all rounds, and reads no memory. */
  readonly isFixed: boolean;
  /** It divides. */
  readonly isLong: boolean;
}

function factsOf(e: Expr, inside: ReadonlySet<string>, known: Map<Expr, Facts>): Facts {
  const before = known.get(e);
  if (before) return before;
  const of = (x: Expr) => factsOf(x, inside, known);
  const facts = ((): Facts => {
    switch (e.kind) {
      case "lit":
      case "id":
      case "lane":
        return { isFixed: true, isLong: false };
      case "ref":
        return { isFixed: !e.mutable && !inside.has(e.name), isLong: false };
      case "cast":
        return of(e.arg);
      case "call": {
        const all = e.args.map(of);
        const divides = e.type === "u32" && (e.fn === "div" || e.fn === "mod");
        return {
          isFixed: all.every((x) => x.isFixed),
          isLong: divides || all.some((x) => x.isLong),
        };
      }
      default:
        return { isFixed: false, isLong: false };
    }
  })();
  known.set(e, facts);
  return facts;
}
