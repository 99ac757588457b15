/** Kernels with one barrier less: what the reference device must object to. */
import type { Kernel, Stmt } from "../../compiler/kernel/ir.ts";
import type { Plan } from "../../compiler/plan.ts";
import { reference } from "../../compiler/targets/reference/index.ts";

/** The plan once for each barrier of the kernel of a step, each time without that barrier. */
export const withoutBarriers = (plan: Plan, step: number, kernel: Kernel): Plan[] =>
  Array.from({ length: countBarriers(kernel.body) }, (_, n) => {
    const broken = { ...kernel, body: withoutBarrier(kernel.body, n) };
    const source = reference.print(broken, () => false);
    const number = plan.steps[step]!.kernel;
    return {
      ...plan,
      kernels: plan.kernels.map((k, i) => (i === number ? { ...k, source } : k)),
    };
  });

const inside = (s: Stmt): readonly Stmt[] => (s.kind === "for" || s.kind === "if" ? s.body : []);

function countBarriers(body: readonly Stmt[]): number {
  return body.reduce((sum, s) => sum + (s.kind === "barrier" ? 1 : countBarriers(inside(s))), 0);
}

/** The statements without barrier number `n` of them, in order of the text. */
function withoutBarrier(body: readonly Stmt[], n: number): Stmt[] {
  let seen = 0;
  const visit = (block: readonly Stmt[]): Stmt[] =>
    block.flatMap((s): Stmt[] => {
      if (s.kind === "barrier") return seen++ === n ? [] : [s];
      return s.kind === "for" || s.kind === "if" ? [{ ...s, body: visit(s.body) }] : [s];
    });
  return visit(body);
}
