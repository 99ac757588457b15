/**
 * Small kernels become element ops, which can melt into what reads them. Whether one does is the
 * fuser's decision; one that does not is a map, a thread for each element.
 */
import { apply } from "../graph/tensor.ts";
import type { KernelOp, Rule } from "../op.ts";

/** Above this much work a kernel is never dearer than computing elements anew. */
const most = 2 ** 13;

export const small: Rule = {
  name: "small kernels melt",
  apply({ results, isRead }) {
    const { op, inputs, attrs } = results[0]!.node;
    if (op.kind !== "kernel") return undefined;
    const { small: smallOf, work } = op as KernelOp;
    const types = inputs.map((x) => x.type);
    if (!smallOf || work(types, attrs) > most) return undefined;
    const found = results.map((t, i) => (isRead(t) ? smallOf(types, attrs, i) : undefined));
    if (results.some((t, i) => isRead(t) && !found[i])) return undefined;
    return results.map((t, i) => (found[i] ? apply(found[i], inputs, attrs)[0]! : t));
  },
};
