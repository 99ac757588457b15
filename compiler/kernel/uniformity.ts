/**
 * Who has the same value for certain: all threads of a workgroup, those of each subgroup, or a thread
 * by itself. Barriers stand where all threads of a workgroup get; reductions, broadcasts, shuffles and
 * fragments where all of a subgroup do.
 */
import type { Buffer, Expr, Kernel, Stmt } from "./ir.ts";

/** The threads that share a value, or a way through the branches of a kernel. */
export type Sharers = "workgroup" | "subgroup" | "thread";

/** The most first. */
const order: readonly Sharers[] = ["workgroup", "subgroup", "thread"];

/** Whether all threads of `asked` share what is shared by `sharers`. */
export const reach = (sharers: Sharers, asked: Sharers): boolean =>
  order.indexOf(sharers) <= order.indexOf(asked);

/** Who shares what is made of several values. */
export const common = (...all: readonly Sharers[]): Sharers =>
  all.reduce((a, b) => (reach(a, b) ? b : a), "workgroup");

/** Tells of a kernel's expressions by which threads their values are shared. */
export function sharersOf(kernel: Kernel): (e: Expr) => Sharers {
  const named = new Map<string, Sharers>();
  const [x, y, z] = kernel.threads;
  const ofSubgroup = x * y * z === kernel.subgroup ? "workgroup" : "subgroup";
  const of = (e: Expr): Sharers => {
    switch (e.kind) {
      case "lit":
        return "workgroup";
      case "ref":
        return named.get(e.name) ?? "workgroup";
      case "id":
        if (e.of === "group" || e.of === "subgroups") return "workgroup";
        return e.of === "subgroup" || e.of === "members" ? ofSubgroup : "thread";
      case "lane":
      case "shuffle":
        return "thread";
      case "broadcast":
      case "reduce":
        return ofSubgroup;
      case "call":
        return common(...e.args.map(of));
      case "cast":
        return of(e.arg);
      case "load":
        return ofLoad(e.from, e.index);
    }
  };
  // What threads write may change between one thread's look and another's.
  const ofLoad = (from: Buffer, index: Expr): Sharers =>
    from.space === "global" && !from.writable ? of(index) : "thread";

  let isSettled = false;
  const note = (name: string, sharers: Sharers): void => {
    const before = named.get(name) ?? "workgroup";
    if (reach(sharers, before)) return;
    named.set(name, sharers);
    isSettled = false;
  };
  const visit = (body: readonly Stmt[], within: Sharers): void => {
    for (const s of body) {
      if (s.kind === "let" || s.kind === "var") note(s.name, of(s.value));
      else if (s.kind === "set") note(s.name, common(within, of(s.value)));
      else if (s.kind === "load4") for (const n of s.names) note(n, ofLoad(s.from, s.index));
      else if (s.kind === "fragment-elements") for (const n of s.names) note(n, "thread");
      else if (s.kind === "for") visit(s.body, within);
      else if (s.kind === "if") visit(s.body, common(within, of(s.cond)));
    }
  };
  // What a loop sets is read at its beginning the next time.
  while (!isSettled) {
    isSettled = true;
    visit(kernel.body, "workgroup");
  }
  return of;
}
