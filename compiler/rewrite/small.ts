/**
 * Small kernels become element ops, which can melt into what reads them. Whether one does is the
 * fuser's decision; one that does not is a map, a thread for each element.
 */
import { fingerprint, identity } from "../graph/fingerprint.ts";
import { apply, type Node, show } from "../graph/tensor.ts";
import type { ElementOp, KernelOp, Rule } from "../op.ts";

/** Above this much work a kernel is never dearer than computing elements anew. */
const most = 2 ** 13;

/** By result; undefined: the result has no small form. */
type Forms = readonly (ElementOp | undefined)[];

/**
 * The rule for one graph. Equal nodes get the same small form, one object: regions that compute the
 * same then have one signature, and share a kernel.
 */
export function smallForms(): Rule {
  const known = new Map<string, Forms>();
  const formsOf = (node: Node): Forms => {
    const key = keyOf(node);
    const forms = known.get(key) ?? makeForms(node);
    known.set(key, forms);
    return forms;
  };
  return {
    name: "small kernels melt",
    apply({ results, isRead }) {
      const { node } = results[0]!;
      if (!isSmall(node)) return undefined;
      const forms = formsOf(node);
      if (results.some((t, i) => isRead(t) && !forms[i])) return undefined;
      return results.map((t, i) => (isRead(t) ? apply(forms[i]!, node.inputs, node.attrs)[0]! : t));
    },
  };
}

const inputTypes = (node: Node) => node.inputs.map((x) => x.type);

function isSmall(node: Node): boolean {
  if (node.op.kind !== "kernel") return false;
  const { small, work } = node.op as KernelOp;
  return small !== undefined && work(inputTypes(node), node.attrs) <= most;
}

const keyOf = (node: Node): string =>
  `${identity(node.op)} ${inputTypes(node).map(show).join()} ${fingerprint(node.attrs)}`;

function makeForms(node: Node): Forms {
  const { small } = node.op as KernelOp;
  return node.types.map((_, i) => small!(inputTypes(node), node.attrs, i));
}
