/** What the compiler makes is verified: op samples and SAM's programs in every form, when asked. */

import { describe, expect, test } from "vitest";
import { compile } from "../../../compiler/compile.ts";
import { portable } from "../../../compiler/forms/form.ts";
import { type Graph, graphOf } from "../../../compiler/graph/graph.ts";
import { traceProgram } from "../../../compiler/graph/model.ts";
import { input } from "../../../compiler/graph/sources.ts";
import { apply } from "../../../compiler/graph/tensor.ts";
import type { Kernel } from "../../../compiler/kernel/ir.ts";
import { unverified } from "../../../compiler/kernel/verify.ts";
import type { KernelOp } from "../../../compiler/op-kit.ts";
import { defaultProfile, type Profile } from "../../../compiler/profile.ts";
import { samModel, samPresets } from "../../../models/index.ts";
import { findOps } from "../../../verify/ops/programs.ts";

const profiles: readonly Profile[] = [
  defaultProfile,
  { ...defaultProfile, name: "subgroups of 8", subgroup: 8, half: true },
  { ...defaultProfile, name: "reductions", reduces: true, rolled: false },
  {
    ...{ ...defaultProfile, name: "fragments", half: true, reduces: true, rolled: false },
    matrices: {
      ...{ width: 32, widths: "fixed" },
      products: [{ operand: "f16", rows: 16, columns: 16, depth: 16 }],
    },
  },
];

describe.each(profiles)("every kernel is verified for the profile $name:", (profile) => {
  const expectVerified = (graph: Graph) => {
    const mixed = profile.half ? ({ precision: "mixed" } as const) : {};
    const compiling = () => compile(graph, { profile, verify: true, ...mixed });
    expect(() => unverified(compiling)).not.toThrow();
  };

  test("the samples of every op", async () => {
    for (const { examples } of (await findOps()).subjects)
      for (const example of examples) expectVerified(example().graph);
  });

  test.each(["encode", "decode"])("%s of SAM ViT-B", (program) => {
    expectVerified(traceProgram(samModel(samPresets.vit_b), program));
  });
});

/** An op that copies; `change` is what it does to its kernel once that is built. */
const copying = (change: (kernel: Kernel) => Kernel): KernelOp => ({
  name: "copy",
  kind: "kernel",
  type: ([x]) => [x!],
  forms: [
    portable({
      reads: () => 1,
      kernel({ k, inputs: [x], outputs: [y] }) {
        const at = k.thread(0, 4);
        y!.put(x!.at(at), at);
        return change(k.finish("copy", [4, 1, 1], [1, 1, 1]));
      },
    }),
  ],
  oracle: ([x]) => [x!.data],
  work: () => 0,
  tests: { samples: [{ inputs: [1], call: (x) => x!, outputs: [1] }] },
});

describe("a kernel that an op breaks", () => {
  const graphWith = (op: KernelOp) =>
    graphOf([{ name: "y", tensor: apply(op, [input("x", "f32", [4])], {})[0]! }]);
  const broken = graphWith(copying((kernel) => ({ ...kernel, body: [...kernel.body].reverse() })));

  test("is E900, with the pass, the kernel and the statement", () => {
    expect(() => compile(broken)).toThrow(
      "after lowering, kernel copy: x_1 is read, but not declared before\ncopy[thread.x] = x_1;",
    );
  });

  test("is found where that is asked for", () => {
    const compiling = (verify: boolean) => () => unverified(() => compile(broken, { verify }));
    expect(compiling(true)).toThrow("after lowering, kernel copy");
    expect(compiling(false)).not.toThrow();
  });

  test("is not there if it does not", () => {
    expect(() => compile(graphWith(copying((kernel) => kernel)))).not.toThrow();
  });
});
