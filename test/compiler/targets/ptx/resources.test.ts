/** ptxas accepts what is printed, and what kernels take of a GPU. Where it is missing `support/nvcc.ts` says so. */
import { describe, expect, test } from "vitest";
import { compile, traceProgram } from "../../../../compiler/index.ts";
import { defaultProfile } from "../../../../compiler/profile.ts";
import { samModel, samPresets } from "../../../../models/index.ts";
import { kernelText } from "../../../../runtime/devices/device.ts";
import { findOps } from "../../../../verify/ops/programs.ts";
import { assembled, hasPtxas } from "../../../support/nvcc.ts";

const model = samModel({ ...samPresets.vit_b, imageSize: 224, depth: 3, globalAttnIndexes: [1] });

describe.each(["sm_80", "sm_90a"])("%s", (arch) => {
  test.each(Object.keys(model.programs))("%s takes no stack", (program) => {
    const { kernels } = compile(traceProgram(model, program), { target: "ptx" });
    const found = assembled(kernels.map(kernelText), arch);
    expect(found.map(({ name }) => name).sort()).toEqual(
      hasPtxas ? kernels.map(({ entry }) => entry).sort() : [],
    );
    const most = (of: "stack" | "spilled" | "registers") =>
      Math.max(0, ...found.map((kernel) => kernel[of]));
    // For sm_80 ptxas keeps two registers of five products there, so that more blocks have room.
    expect(most("stack")).toBeLessThanOrEqual(arch === "sm_80" ? 8 : 0);
    expect(most("spilled")).toBeLessThanOrEqual(arch === "sm_80" ? 8 : 0);
    // The more registers, the fewer blocks a multiprocessor holds: it has 65536.
    expect(most("registers")).toBeLessThanOrEqual(96);
  });
});

test("every op's samples are accepted, with subgroups and without", async () => {
  const { subjects } = await findOps();
  const texts = new Set<string>();
  for (const { examples } of subjects)
    for (const make of examples.slice(-1))
      for (const options of [{}, { profile: defaultProfile, policy: "unfused" }] as const)
        for (const kernel of compile(make().graph, { target: "ptx", ...options }).kernels)
          texts.add(kernelText(kernel).replace(` ${kernel.entry}(`, ` kernel_${texts.size}(`));
  const found = assembled([...texts], "sm_80");
  expect(found).toHaveLength(hasPtxas ? texts.size : 0);
});
