/**
 * Every barrier of every kernel is needed: without any one of them the reference device objects.
 * So is the device not blind, and no kernel waits for nothing.
 */
import { describe, expect, test } from "vitest";
import { compileStages } from "../../compiler/compile.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { findOps } from "../../verify/ops/programs.ts";
import { runPlan } from "../support/run-plan.ts";
import { withoutBarriers } from "../support/without-barriers.ts";

const { subjects } = await findOps();

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
      for (const [n, broken] of withoutBarriers(plan, step, kernel).entries())
        await expect(
          runPlan(broken, arrays, referenceDevice()),
          `${kernel.name} without barrier ${n}`,
        ).rejects.toThrow(/E450/);
  });
});
