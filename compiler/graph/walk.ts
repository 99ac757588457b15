/** Walks over graphs with a stack of their own: a deep model must not overflow the call stack. */
import type { Node } from "./tensor.ts";

/** Visits nodes that are not done yet, each after all that it comes after; `visit` makes it done. */
export function inputsFirst(
  nodes: readonly Node[],
  before: (node: Node) => readonly Node[],
  isDone: (node: Node) => boolean,
  visit: (node: Node) => void,
): void {
  for (const one of nodes) {
    const stack: { readonly node: Node; ready: boolean }[] = [{ node: one, ready: false }];
    for (let top = stack.pop(); top; top = stack.pop()) {
      const { node, ready } = top;
      if (isDone(node)) continue;
      const missing = ready ? [] : before(node).filter((x) => !isDone(x));
      if (missing.length === 0) visit(node);
      else
        stack.push(
          { node, ready: true },
          ...missing.toReversed().map((x) => ({ node: x, ready: false })),
        );
    }
  }
}
