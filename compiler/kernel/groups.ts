/** How the workgroups of a kernel are numbered. */
import type { Expr, Kernel, Stmt } from "./ir.ts";
import { namesIn, withArguments, withParts } from "./parts.ts";

/**
 * The same kernel with at most `most` workgroups along each axis. Where a kernel has more, all of them are
 * numbered in one sequence, which is folded over the axes: each computes from its number the coordinates
 * that it had, and those behind the last one do nothing. So kernels are written without a thought of it.
 */
export function foldGroups(kernel: Kernel, most: number): Kernel {
  const { groups } = kernel;
  if (groups.every((n) => n <= most)) return kernel;
  const count = groups.reduce((a, b) => a * b);
  const layers = Math.ceil(count / most ** 2);
  const rows = Math.ceil(count / (layers * most));
  const width = Math.ceil(count / (layers * rows));
  const folded = [width, rows, layers] as const;

  const named = new Set(namesIn(kernel.body));
  for (const { name } of [...kernel.params, ...kernel.scratch, ...kernel.fragments])
    named.add(name);
  const declared: Stmt[] = [];
  const declare = (hint: string, value: Expr): Expr => {
    const name = unused(hint, named);
    declared.push({ kind: "let", name, value });
    return { kind: "ref", type: "u32", name, mutable: false };
  };
  const number = declare("group", numberIn(folded));
  const sizes = [1, groups[0], groups[0] * groups[1]];
  const coordinates = groups.map((n, axis) => {
    const outer = quotient("div", number, sizes[axis]!);
    return declare(
      `group_${"xyz"[axis]}`,
      axis === groups.findLastIndex((m) => m > 1) ? outer : quotient("mod", outer, n),
    );
  });
  const [first, ...others] = declared;
  const body = replaced(kernel.body, coordinates);
  const exists = call("bool", "lt", number, literal(count));
  const inside: Stmt = { kind: "if", cond: exists, body: [...others, ...body] };
  return { ...kernel, groups: folded, body: [first!, inside] };
}

/** The number of a workgroup in a sequence that is folded. */
function numberIn([width, rows, layers]: Kernel["groups"]): Expr {
  const id = (axis: 0 | 1 | 2): Expr => ({ kind: "id", type: "u32", of: "group", axis });
  const row =
    layers === 1 ? id(1) : call("u32", "add", call("u32", "mul", id(2), literal(rows)), id(1));
  return rows * layers === 1
    ? id(0)
    : call("u32", "add", call("u32", "mul", row, literal(width)), id(0));
}

/** The body with other coordinates of its workgroup. */
function replaced(body: readonly Stmt[], coordinates: readonly Expr[]): readonly Stmt[] {
  const expr = (e: Expr): Expr =>
    e.kind === "id" && e.of === "group" ? coordinates[e.axis]! : withArguments(e, expr);
  const block = (inner: readonly Stmt[]): readonly Stmt[] =>
    inner.map((s) => withParts(s, expr, block));
  return block(body);
}

const literal = (value: number): Expr => ({ kind: "lit", type: "u32", value });

const call = (
  type: "u32" | "bool",
  fn: "add" | "mul" | "div" | "mod" | "lt",
  ...args: readonly Expr[]
): Expr => ({ kind: "call", type, fn, args });

const quotient = (fn: "div" | "mod", of: Expr, by: number): Expr => {
  if (by === 1) return fn === "div" ? of : literal(0);
  return call("u32", fn, of, literal(by));
};

function unused(hint: string, named: Set<string>): string {
  let name = hint;
  for (let n = 1; named.has(name); n++) name = `${hint}_${n}`;
  named.add(name);
  return name;
}
