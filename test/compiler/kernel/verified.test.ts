/** What the compiler makes is verified: op samples and SAM's programs in every form, when asked. */
import { describe, expect, test } from "vitest";
import { type CompileOptions, compile, compiling } from "../../../compiler/compile.ts";
import { portable } from "../../../compiler/forms/form.ts";
import { type Graph, graphOf } from "../../../compiler/graph/graph.ts";
import { traceProgram } from "../../../compiler/graph/model.ts";
import { input } from "../../../compiler/graph/sources.ts";
import { apply } from "../../../compiler/graph/tensor.ts";
import type { Kernel } from "../../../compiler/kernel/ir.ts";
import { unverified, verifying } from "../../../compiler/kernel/verify.ts";
import type { KernelOp } from "../../../compiler/op-kit.ts";
import type { PlanKernel } from "../../../compiler/plan.ts";
import { defaultProfile, type Profile } from "../../../compiler/profile.ts";
import { finish } from "../../../compiler/turns.ts";
import { samModel, samPresets } from "../../../models/index.ts";
import { findOps } from "../../../verify/ops/programs.ts";

interface Kind {
  readonly name: string;
  readonly options: CompileOptions;
  /** Whether a kernel is of the kind: a plan of SAM's has some. */
  readonly isOne: (kernel: PlanKernel) => boolean;
}

const profile = (more: Partial<Profile>): CompileOptions => ({
  profile: { ...defaultProfile, rolled: false, ...more },
});

const kinds: readonly Kind[] = [
  { name: "workgroup memory", options: {}, isOne: (k) => k.sharedBytes > 0 },
  {
    name: "subgroups of 8",
    options: profile({ subgroup: 8, slowBarriers: true }),
    isOne: (k) => k.subgroup === 8,
  },
  {
    name: "reductions over subgroups",
    options: profile({ reduces: true }),
    isOne: (k) => k.reduces === true,
  },
  {
    name: "fragments",
    options: {
      precision: "mixed",
      ...profile({
        half: true,
        matrices: {
          ...{ width: 32, widths: "fixed" },
          products: [{ operand: "f16", rows: 16, columns: 16, depth: 16 }],
        },
      }),
    },
    isOne: (k) => k.matrices !== undefined,
  },
  {
    name: "weights that are read from words",
    options: { weightFormat: "bf16" },
    isOne: (k) => k.params.some((p) => p.scalar === "packed-bf16"),
  },
];

describe.each(kinds)("every kernel is verified: $name", ({ options, isOne }) => {
  const compiled = (graph: Graph) => unverified(() => compile(graph, { ...options, verify: true }));

  test("the samples of every op", async () => {
    for (const { examples } of (await findOps()).subjects)
      for (const example of examples) expect(() => compiled(example().graph)).not.toThrow();
  });

  test.each(["encode", "decode"])("%s of SAM ViT-B", (program) => {
    const { kernels } = compiled(traceProgram(samModel(samPresets.vit_b), program));
    expect(kernels.some(isOne)).toBe(true);
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
    const asking = (verify: boolean) => () => unverified(() => compile(broken, { verify }));
    expect(asking(true)).toThrow("after lowering, kernel copy");
    expect(asking(false)).not.toThrow();
  });

  function* afterPause() {
    yield;
    return yield* compiling(broken, {});
  }

  test("is found in what asked for it alone, while compilations take turns", () =>
    unverified(() => {
      const checked = verifying(afterPause());
      checked.next();
      expect(() => compile(broken)).not.toThrow();
      expect(() => finish(checked)).toThrow("after lowering, kernel copy");
    }));

  test("is not there if it does not", () => {
    expect(() => compile(graphWith(copying((kernel) => kernel)))).not.toThrow();
  });
});
