/** A lowering is one file and its line in the list: all ops that are tile programs then have forms of it. */
import { describe, expect, test, vi } from "vitest";
import { compileStages } from "../../../compiler/compile.ts";
import type { KernelOp } from "../../../compiler/op-kit.ts";
import { evaluate, runOnReference } from "../../../verify/ops/evaluate.ts";
import { unequal } from "../../../verify/ops/faults.ts";
import { findOps } from "../../../verify/ops/programs.ts";

vi.mock(import("../../../compiler/tile/lowerings.ts"), async (original) => {
  const { rowLowering } = await import("../../support/row-lowering.ts");
  const { lowerings } = await original();
  return { lowerings: [rowLowering, ...lowerings] };
});

/** The name of the lowering that is added. */
const added = "rows";

const { subjects } = await findOps();
const tiled = subjects.filter(
  ({ op }) => op?.kind === "kernel" && (op as KernelOp).forms.some(({ name }) => name === added),
);

test("matmul, attention and its gradients are tile programs", () => {
  expect(tiled.map(({ op }) => op!.name).sort()).toEqual([
    ...["attention", "attentionKeyValueGradient", "attentionQueryGradient", "matmul"],
  ]);
});

describe.each(tiled)("a lowering of one file computes $name:", ({ op, examples, claims }) => {
  test.each(examples.map((make, i) => [claims[i]!, make()] as const))("%s", async (_, example) => {
    const { graph, arrays } = example;
    const { regions } = compileStages(graph, { policy: "unfused" }).fusion;
    const made = regions.filter(({ anchor }) => anchor.op.name === op!.name);
    expect(made.map(({ variant }) => variant!.form)).toEqual(made.map(() => added));
    const wanted = await evaluate(graph, arrays);
    for (const policy of ["fused", "unfused"] as const)
      expect(unequal(example, await runOnReference(graph, arrays, { policy }), wanted)).toBe(
        undefined,
      );
  });
});
