/** What targets are given, and that Dawn accepts their text. */
import { describe, expect, test } from "vitest";
import { limitsOf } from "../../../cli/arguments/limits.ts";
import { compile, traceProgram } from "../../../compiler/index.ts";
import { defaultProfile } from "../../../compiler/profile.ts";
import { targetNamed, targets, usualProfile } from "../../../compiler/targets/find.ts";
import { samModel, samPresets } from "../../../models/index.ts";
import { kernelText } from "../../../runtime/devices/device.ts";
import { requestNullGpu } from "../../../runtime/node/index.ts";

const model = samModel({ ...samPresets.vit_b, imageSize: 224, depth: 3, globalAttnIndexes: [1] });
const programs = Object.keys(model.programs);

test("CUDA's kernels are never written for subgroups of another width", () => {
  const widths = [8, 32].map((subgroup) => {
    const profile = { ...defaultProfile, subgroup };
    const plan = compile(traceProgram(model, "decode"), { target: "cuda", profile });
    return Math.max(...plan.kernels.map((k) => k.subgroup));
  });
  expect(widths).toEqual([0, 32]);
});

test("CUDA is compiled for what its GPUs have unless limits are given", async () => {
  const profile = usualProfile(targetNamed("cuda"));
  expect(profile).toMatchObject({ rolled: false, reduces: true, subgroup: 32, half: true });
  expect(await limitsOf("default", "cuda")).toEqual({ profile, device: undefined });
  const plans = [{}, { profile }].map((options) =>
    compile(traceProgram(model, "decode"), { target: "cuda", ...options }),
  );
  expect(plans[0]).toEqual(plans[1]);
  expect((await limitsOf("default", "wgsl")).profile).toBe(defaultProfile);
});

test("one program, one target, one profile: one text", () => {
  for (const { name } of targets) {
    const build = () => JSON.stringify(compile(traceProgram(model, "encode"), { target: name }));
    expect(build()).toBe(build());
  }
});

test("E109: an unknown target is refused, and the known ones are named", () => {
  const graph = traceProgram(model, "decode");
  expect(() => compile(graph, { target: "wgls" })).toThrow(
    /E109.*no target "wgls".*did you mean wgsl\? the targets are c, cuda, ptx, reference, wasm, wgsl/s,
  );
  expect(() => compile(graph, { target: "constructor" })).toThrow(/E109/);
});

describe("Dawn accepts every kernel of SAM", () => {
  for (const program of programs)
    test.each([0, 4, 8, 32])(`${program}, subgroups of %i`, async (subgroup) => {
      const plan = compile(traceProgram(model, program), {
        profile: { ...defaultProfile, subgroup },
      });
      const gpu = await requestNullGpu();
      for (const kernel of plan.kernels) {
        gpu.device.pushErrorScope("validation");
        gpu.device.createShaderModule({ code: kernelText(kernel) });
        const error = await gpu.device.popErrorScope();
        expect(error?.message, `${kernel.name}\n${kernel.source}`).toBe(undefined);
      }
      gpu.destroy();
    });
});
