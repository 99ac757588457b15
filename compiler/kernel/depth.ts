/** In which block a value can be computed. */
import type { Expr } from "./ir.ts";

/**
 * The depth of the outermost block that knows all that an expression needs; 0 is the kernel itself.
 * `depths` has that of each name. Loads stay inside the innermost `if`, at depth `guard`, which may guard
 * them; -1 if there is none.
 */
export function depthOf(e: Expr, depths: ReadonlyMap<string, number>, guard: number): number {
  switch (e.kind) {
    case "lit":
    case "id":
    case "lane":
      return 0;
    case "ref":
      return depths.get(e.name) ?? 0;
    case "call":
      return Math.max(0, ...e.args.map((a) => depthOf(a, depths, guard)));
    case "cast":
    case "broadcast":
    case "shuffle":
    case "reduce":
      return depthOf(e.arg, depths, guard);
    case "load":
      return Math.max(0, guard, depthOf(e.index, depths, guard));
  }
}
