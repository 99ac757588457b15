/**
 * Printed PTX of kernels for any device, interpreted: samples have the oracles' values, every barrier is needed, and
 * the device of the tests notices where one is missing.
 */
import { describe, expect, test } from "vitest";
import { compile, graphOf, input, type Tensor } from "../../../../compiler/index.ts";
import type { Plan } from "../../../../compiler/plan.ts";
import { defaultProfile } from "../../../../compiler/profile.ts";
import { neg } from "../../../../ops/index.ts";
import { kernelText } from "../../../../runtime/devices/device.ts";
import { evaluate } from "../../../../verify/ops/evaluate.ts";
import { unequal } from "../../../../verify/ops/faults.ts";
import { findOps } from "../../../../verify/ops/programs.ts";
import { ptxDevice } from "../../../support/ptx-device.ts";
import { runPlan } from "../../../support/run-plan.ts";

const { subjects } = await findOps();
const programs = subjects
  .filter(({ op }) => op?.kind === "kernel")
  .flatMap(({ name, examples, claims }) =>
    examples.map((example, i) => ({ name: `${name}: ${claims[i]}`, example })),
  );

/** The plan once for each barrier of its kernels, each time without that one. */
const withoutBarriers = (plan: Plan): Plan[] =>
  plan.kernels.flatMap((kernel, number) => {
    const parts = kernelText(kernel).split("  bar.sync 0;\n");
    return parts.slice(1).map((_, n) => {
      const source = `${parts.slice(0, n + 1).join("  bar.sync 0;\n")}${parts.slice(n + 1).join("  bar.sync 0;\n")}`;
      const kernels = plan.kernels.map((k, i) => (i === number ? { ...k, source } : k));
      return { ...plan, kernels };
    });
  });

describe.each(programs)("$name", ({ example }) => {
  test("has its values, and no barrier can be left out", async () => {
    const made = example();
    const { graph, arrays } = made;
    const plan = compile(graph, { target: "ptx", profile: defaultProfile });
    const got = await runPlan(plan, arrays, ptxDevice("backwards"));
    expect(unequal(made, got, await evaluate(graph, arrays))).toBe(undefined);
    for (const [n, broken] of withoutBarriers(plan).entries())
      await expect(
        runPlan(broken, arrays, ptxDevice(n % 2 === 0 ? "forwards" : "backwards")),
        `barrier ${n}`,
      ).rejects.toThrow(/race/);
  });
});

/** A plan of one kernel of two threads whose statements are others. */
function written(statements: string): Plan {
  const tensor = neg(input("x", "f32", [64])) as Tensor;
  const plan = compile(graphOf([{ name: "y", tensor }]), { target: "ptx" });
  const [kernel] = plan.kernels;
  const head = kernelText(kernel!)
    .split("{")[0]!
    .replace(/maxntid \d+/, "maxntid 33");
  const source = `${head}{
    .shared .align 16 .b8 shared0[16];
    .reg .b32 %r<4>;
    .reg .pred %p<2>;
    .reg .b64 %rd<4>;
    ld.param.u64 %rd0, [param1];
    mov.u32 %r0, %tid.x;
    setp.lt.u32 %p0, %r0, 32;
    ${statements}
    ret;\n}\n`;
  return { ...plan, kernels: [{ ...kernel!, source }] };
}

test.each([
  ["a word is outside", "st.global.b32 [%rd0+256], %r0;", /outside/],
  ["a word is not at its place", "st.global.b32 [%rd0+2], %r0;", /no place/],
  ["shared memory is smaller", "st.shared.b32 [%r0], %r0;", /no place/],
  ["a barrier is not for all", "@!%p0 bra L0;\nbar.sync 0;\nL0:", /do not reach a barrier/],
  [
    "a warp lacks a thread",
    "setp.lt.u32 %p1, %r0, 5;\n@!%p1 bra L0;\nshfl.sync.bfly.b32 %r1, %r0, 1, 31, 0xffffffff;\nL0:",
    /without a thread/,
  ],
  [
    "a mask names threads that are not there",
    "shfl.sync.bfly.b32 %r1, %r0, 1, 31, 0xffffffff;",
    /exchanges among/,
  ],
  ["an instruction is none", "add.f17 %r0, %r0, %r0;", /no PTX that inarch prints/],
])("the device says that %s", async (_name, statements, says) => {
  const run = runPlan(written(statements), { x: new Array(64).fill(1) }, ptxDevice());
  await expect(run).rejects.toThrow(says);
});
