/**
 * Four loads side by side become one. A kernel that reads elements 4i, 4i + 1, 4i + 2, 4i + 3 of a
 * tensor in one block reads them with a single wide load, whatever view led there. Stores of four
 * neighbours are wide from the start (`Builder.storeWide`), and become four where they cannot be.
 *
 * A tensor is read or written in fours throughout or not at all: then it is simply declared as an array
 * of vectors, and no element is ever picked out of one by a dynamic index.
 */
import type { Buffer, Expr, Stmt } from "./ir.ts";
import { sumOf, type Value } from "./value.ts";

/** A load whose place in a group of four is known. */
export interface Aligned {
  /** Equal for the four loads of a group. */
  readonly key: string;
  /** Which of the four. */
  readonly lane: number;
  /** The element index of the group's first. */
  readonly index: Expr;
}

/** The place of an element in its group of four, 0 to 3, where its index tells it for certain. */
export function laneOf(at: Value): number | undefined {
  const { constant, terms } = sumOf(at);
  return terms.every((t) => (t.factor * t.atom.divisor) % 4 === 0) ? constant % 4 : undefined;
}

type Let = Extract<Stmt, { kind: "let" }>;
type Load = Extract<Expr, { kind: "load" }>;

export function vectorise(
  body: readonly Stmt[],
  aligned: ReadonlyMap<Expr, Aligned>,
): { body: readonly Stmt[]; vectors: ReadonlySet<Buffer> } {
  const groups: Let[][] = [];
  const grouped = new Set<Expr>();
  findGroups(body, aligned, (group) => {
    groups.push(group);
    for (const s of group) grouped.add(s.value);
  });
  const statements = everyStatement(body);
  const written = statements.flatMap((s) =>
    s.kind === "store4" && s.to.space === "global" ? [s.to] : [],
  );
  const vectors = new Set([...groups.map((g) => (g[0]!.value as Load).from), ...written]);
  const spoil = (e: Expr) => {
    if (e.kind === "load" && !grouped.has(e)) vectors.delete(e.from);
  };
  for (const b of vectors) if (b.size % 4 !== 0) vectors.delete(b);
  visitExprs(body, spoil);
  for (const s of statements) {
    if (s.kind === "fragment-load") vectors.delete(s.from);
    if (s.kind === "fragment-store" || s.kind === "store") vectors.delete(s.to);
    if (s.kind === "copy") vectors.delete(s.from);
  }
  const leaders = new Map<Stmt, Let[]>();
  const followers = new Set<Stmt>();
  for (const group of groups) {
    if (!vectors.has((group[0]!.value as Load).from)) continue;
    const inOrder = [...group].sort(
      (a, b) => aligned.get(a.value)!.lane - aligned.get(b.value)!.lane,
    );
    leaders.set(group[0]!, inOrder);
    for (const s of group.slice(1)) followers.add(s);
  }
  const rewritten = rewrite(body, leaders, followers, aligned);
  const isNarrow = (to: Buffer) => to.space === "global" && !vectors.has(to);
  return { body: written.some(isNarrow) ? narrowed(rewritten, isNarrow) : rewritten, vectors };
}

/** The statements with wide stores to some buffers taken apart. */
function narrowed(body: readonly Stmt[], isNarrow: (to: Buffer) => boolean): Stmt[] {
  return body.flatMap((s): Stmt[] => {
    if (s.kind === "for" || s.kind === "if") return [{ ...s, body: narrowed(s.body, isNarrow) }];
    if (s.kind !== "store4" || !isNarrow(s.to)) return [s];
    const number = (value: number): Expr => ({ kind: "lit", type: "u32", value });
    const first: Expr = { kind: "call", type: "u32", fn: "mul", args: [s.index, number(4)] };
    return s.values.map((value, j): Stmt => {
      const index: Expr = { kind: "call", type: "u32", fn: "add", args: [first, number(j)] };
      return { kind: "store", to: s.to, index, value };
    });
  });
}

/** Groups of four lets of one block that load the four lanes of one aligned place. */
function findGroups(
  body: readonly Stmt[],
  aligned: ReadonlyMap<Expr, Aligned>,
  found: (group: Let[]) => void,
): void {
  const open = new Map<string, Let[]>();
  for (const s of body) {
    if (s.kind === "for" || s.kind === "if") findGroups(s.body, aligned, found);
    if (s.kind !== "let" || s.value.kind !== "load") continue;
    const place = aligned.get(s.value);
    if (!place) continue;
    const key = `${s.value.from.name}|${place.key}`;
    const group = open.get(key) ?? [];
    group.push(s);
    open.set(key, group);
  }
  for (const group of open.values()) {
    const lanes = new Set(group.map((s) => aligned.get(s.value)!.lane));
    if (group.length === 4 && lanes.size === 4) found(group);
  }
}

function rewrite(
  body: readonly Stmt[],
  leaders: ReadonlyMap<Stmt, readonly Let[]>,
  followers: ReadonlySet<Stmt>,
  aligned: ReadonlyMap<Expr, Aligned>,
): Stmt[] {
  return body.flatMap((s): Stmt[] => {
    if (followers.has(s)) return [];
    if (s.kind === "for" || s.kind === "if")
      return [{ ...s, body: rewrite(s.body, leaders, followers, aligned) }];
    const group = leaders.get(s);
    if (!group) return [s];
    const names = group.map((g) => g.name);
    const { from } = group[0]!.value as Load;
    const first = aligned.get(group[0]!.value)!.index;
    const four: Expr = { kind: "lit", type: "u32", value: 4 };
    const index: Expr = { kind: "call", type: "u32", fn: "div", args: [first, four] };
    return [{ kind: "load4", names, from, index }];
  });
}

/** Those inside loops and conditions included. */
const everyStatement = (body: readonly Stmt[]): Stmt[] =>
  body.flatMap((s) => (s.kind === "for" || s.kind === "if" ? [s, ...everyStatement(s.body)] : [s]));

/** Calls `visit` for every expression of a body, parts included. */
export function visitExprs(body: readonly Stmt[], visit: (e: Expr) => void): void {
  const inside = (e: Expr): void => {
    visit(e);
    if (e.kind === "call") e.args.forEach(inside);
    else if (e.kind === "load") inside(e.index);
    else if ("arg" in e) inside(e.arg);
  };
  for (const s of body) {
    switch (s.kind) {
      case "let":
      case "var":
      case "set":
        inside(s.value);
        break;
      case "store":
        inside(s.index);
        inside(s.value);
        break;
      case "load4":
      case "fragment-load":
      case "fragment-store":
        inside(s.index);
        break;
      case "store4":
        inside(s.index);
        s.values.forEach(inside);
        break;
      case "copy":
        inside(s.index);
        inside(s.at);
        inside(s.when);
        break;
      case "for":
        visitExprs(s.body, visit);
        break;
      case "if":
        inside(s.cond);
        visitExprs(s.body, visit);
        break;
      case "barrier":
      case "fragment-zero":
      case "fragment-multiply":
      case "fragment-elements":
      case "copy-group":
      case "copy-wait":
        break;
    }
  }
}
