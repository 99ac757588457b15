/** Which numbers, equal in all threads, are held as vectors. */
import type { Expr, Kernel, Stmt } from "./ir.ts";
import { withArguments, withParts } from "./parts.ts";
import type { Shapes } from "./shapes.ts";

/**
 * Names of numbers that are only used together with what differs among threads: held as vectors, no use has
 * to make one. Variables are not among them.
 */
export function usedAsVectors(kernel: Kernel, shapes: Shapes): ReadonlySet<string> {
  const [found, others] = [new Set<string>(), new Set<string>()];
  const read = (e: Expr): Expr => {
    if (e.kind === "call" && shapes.of(e).kind === "vector") {
      for (const x of e.args)
        if (x.kind === "ref" && x.type === "f32") found.add(x.name);
        else read(x);
      return e;
    }
    if (e.kind === "ref") others.add(e.name);
    return withArguments(e, read);
  };
  const visit = (body: readonly Stmt[]): readonly Stmt[] =>
    body.map((s) => {
      if (s.kind === "var") others.add(s.name);
      return withParts(s, read, visit);
    });
  visit(kernel.body);
  return new Set([...found].filter((name) => !others.has(name)));
}
