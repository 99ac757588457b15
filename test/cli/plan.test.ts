/** `inarch plan`: memory that running and training take, on the command line. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { compile, traceProgram } from "../../compiler/index.ts";
import { deviceProfile } from "../../compiler/profile.ts";
import { parseSamConfig, samModel } from "../../models/index.ts";
import { processor } from "../../runtime/devices/cpu.ts";
import { buildPackage, inarch } from "../support/command-line.ts";

beforeAll(buildPackage);

const mlp = join("examples", "01-mlp.graph.ts");
const nano = ["sam", "--config", join("test", "fixtures", "sam_nano.config.json")];

test("a training step of a SAM, with all that its memory is for", async () => {
  const { code, stdout, stderr } = await inarch(["plan", ...nano, "--train", "--method", "lora"]);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(stdout).toContain("training sam, program segment\n  lora, adamW, structure loss\n");
  for (const what of ["frozen base", "gradients", "optimiser", "activations", "at the peak"])
    expect(stdout).toMatch(new RegExp(`${what} +[\\d.]+ [KM]iB`));
  const [steps, kernels] = /\n {2}steps +(\d+)\n {2}different kernels +(\d+)\n$/
    .exec(stdout)!
    .slice(1)
    .map(Number);
  expect(kernels).toBeLessThan(steps!);
});

test("the programs by themselves, as JSON: what the compiled plans have", async () => {
  const { stdout } = await inarch(["plan", ...nano, "--json", "--program", "encode"]);
  const { programs } = JSON.parse(stdout);
  const fromFile = parseSamConfig(readFileSync(nano[2]!, "utf8"));
  const plan = compile(traceProgram(samModel(fromFile), "encode"));
  const total = plan.buffers.reduce((sum, b) => sum + b.bytes, 0);
  const [steps, kernels] = [plan.steps.length, plan.kernels.length];
  expect(Object.keys(programs)).toEqual(["encode"]);
  expect(programs.encode).toMatchObject({ total, steps, kernels });
});

test("the processor's plans, by the limits of its device", async () => {
  const { stdout } = await inarch(["plan", ...nano, "--json", "--target", "wasm"]);
  const { programs } = JSON.parse(stdout);
  const model = samModel(parseSamConfig(readFileSync(nano[2]!, "utf8")));
  for (const [name, { total, kernels }] of Object.entries<{ total: number; kernels: number }>(
    programs,
  )) {
    const profile = deviceProfile(processor);
    const plan = compile(traceProgram(model, name), { target: "wasm", profile });
    expect(total).toBe(plan.buffers.reduce((sum, b) => sum + b.bytes, 0));
    expect(kernels).toBe(plan.kernels.length);
  }
  const trained = await inarch(["plan", ...nano, "--json", "--train", "--target", "wasm"]);
  const webgpu = await inarch(["plan", ...nano, "--json", "--train"]);
  expect(JSON.parse(trained.stdout).steps).not.toBe(JSON.parse(webgpu.stdout).steps);
});

test("weights in bf16 take half of what they took, run or frozen in training", async () => {
  const weightsOf = async (...more: readonly string[]) => {
    const run = await inarch(["plan", ...nano, "--program", "encode", "--json", ...more]);
    const trained = await inarch(["plan", ...nano, "--train", "--json", ...more]);
    const { programs } = JSON.parse(run.stdout);
    return [programs.encode.weights, JSON.parse(trained.stdout).bytes.frozen];
  };
  const [plain, narrow] = [await weightsOf(), await weightsOf("--weight-format", "bf16")];
  for (const [i, bytes] of narrow.entries()) {
    // Tensors of a small model are small, and each begins at a multiple of 256 bytes.
    expect(bytes / plain[i]).toBeGreaterThanOrEqual(0.5);
    expect(bytes / plain[i]).toBeLessThan(0.6);
  }
  const { stdout } = await inarch(["show", ...nano, "--stage", "wgsl", "--weight-format", "bf16"]);
  expect(stdout).toMatch(/array<vec2<u32>>/);
});

test.each([
  ["E140", ["plan", ...nano, "--budget", "1KiB"]],
  ["E133", ["plan", mlp, "--train"]],
  ["E503", ["plan", mlp, "--method", "lora"]],
  ["E503", ["plan", mlp, "--train", "--method", "lora"]],
  ["E503", ["plan", ...nano, "--train", "--program", "segment", "--program", "encode"]],
])("%s for inarch %j", async (expected, args) => {
  const { code, stdout } = await inarch([...args, "--json"]);
  expect([code, JSON.parse(stdout).error.code]).toEqual([1, expected]);
});
