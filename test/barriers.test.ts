/**
 * Every barrier of every kernel is needed: without any one of them the reference device objects.
 * So is the device not blind, and no kernel waits for nothing.
 */
import { describe, expect, test } from "vitest";
import { compileStages } from "../compiler/compile.ts";
import type { Kernel, Stmt } from "../compiler/kernel/ir.ts";
import type { Plan } from "../compiler/plan.ts";
import { reference } from "../compiler/targets/reference/index.ts";
import { referenceDevice } from "../runtime/devices/reference.ts";
import { createSession } from "../runtime/session.ts";
import type { Arrays } from "./evaluate.ts";
import { subjects } from "./walker/programs.ts";

const programs = subjects
  .filter(({ op }) => op?.kind === "kernel")
  .flatMap(({ name, examples, claims }) =>
    examples.map((example, i) => ({ name: `${name}: ${claims[i]}`, example })),
  );

describe.each(programs)("$name", ({ example }) => {
  test("no barrier can be left out", async () => {
    const { graph, arrays } = example();
    const { kernels, plan } = compileStages(graph, { target: "reference" });
    for (const [step, { kernel }] of kernels.entries())
      for (let n = 0; n < countBarriers(kernel.body); n++) {
        const broken = { ...kernel, body: withoutBarrier(kernel.body, n) };
        await expect(
          run(replaced(plan, step, broken), arrays),
          `${kernel.name} without barrier ${n}`,
        ).rejects.toThrow(/E450/);
      }
  });
});

async function run(plan: Plan, arrays: Arrays): Promise<void> {
  const session = await createSession(plan, referenceDevice());
  await session.run(
    Object.fromEntries(
      plan.inputs.map(({ name, dtype }) => {
        const values = [...arrays[name]!];
        return [name, dtype === "f32" ? Float32Array.from(values) : values];
      }),
    ),
  );
}

function replaced(plan: Plan, step: number, kernel: Kernel): Plan {
  const number = plan.steps[step]!.kernel;
  const source = reference.print(kernel, () => false);
  return {
    ...plan,
    kernels: plan.kernels.map((k, i) => (i === number ? { ...k, source } : k)),
  };
}

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
