/** What targets are given, and that their text is accepted by those who compile it. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { compile, traceProgram } from "../../../compiler/index.ts";
import { defaultProfile } from "../../../compiler/profile.ts";
import { targets } from "../../../compiler/targets/find.ts";
import { samModel, samPresets } from "../../../models/index.ts";
import { kernelText } from "../../../runtime/devices/device.ts";
import { requestNullGpu } from "../../../runtime/node/index.ts";

const model = samModel({ ...samPresets.vit_b, imageSize: 224, depth: 3, globalAttnIndexes: [1] });
const programs = Object.keys(model.programs);
const folder = mkdtempSync(join(tmpdir(), "inarch-targets-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("CUDA's kernels are never written for subgroups of another width", () => {
  const widths = [8, 32].map((subgroup) => {
    const profile = { ...defaultProfile, subgroup };
    const plan = compile(traceProgram(model, "decode"), { target: "cuda", profile });
    return Math.max(...plan.kernels.map((k) => k.subgroup));
  });
  expect(widths).toEqual([0, 32]);
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
    /E109.*no target "wgls".*did you mean wgsl\? the targets are cuda, reference, wasm, wgsl/s,
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

const hasNvcc = spawnSync("nvcc", ["--version"]).status === 0;
if (!hasNvcc) console.warn("nvcc is missing: the CUDA text of SAM is not compiled");

describe("nvcc accepts every kernel of SAM", () => {
  // Where nvcc is missing this says so above, and checks the text's shape alone.
  test.each([0, 32])(
    "subgroups of %i, for sm_80 and sm_90",
    (subgroup) => {
      const profile = { ...defaultProfile, subgroup };
      const sources = programs.flatMap((program) =>
        compile(traceProgram(model, program), { target: "cuda", profile }).kernels.map((k, i) =>
          kernelText(k).replace(` ${k.entry}(`, ` ${program}_${i}_${k.entry}(`),
        ),
      );
      for (const source of sources) expect(source).toMatch(/^extern "C" /);
      if (!hasNvcc) return;
      const file = join(folder, `sam-${subgroup}.cu`);
      writeFileSync(file, sources.join("\n"));
      // Not optimised: what is asked is whether it compiles, for which one pass for both is enough.
      const archs = [80, 90].flatMap((n) => ["-gencode", `arch=compute_${n},code=sm_${n}`]);
      const quick = ["-Xcicc", "-O0", "-Xptxas", "-O0"];
      execFileSync("nvcc", [...archs, ...quick, "-fatbin", "-o", join(folder, "out"), file]);
    },
    600_000,
  );
});
