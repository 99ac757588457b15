/** `inarch plan`: memory that running and training take, known before anything runs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { lora } from "../../adapters/index.ts";
import type { LoadedModel } from "../../build/load-model.ts";
import { planTraining, type TrainingRequest } from "../../cli/plan-training.ts";
import {
  adapt,
  compile,
  defaultProfile,
  defineModel,
  input,
  traceProgram,
} from "../../compiler/index.ts";
import { formatBytes, parseBytes } from "../../diagnostics/bytes.ts";
import { linear, parseSamConfig, type SamConfig, samModel } from "../../models/index.ts";
import { buildPackage, inarch } from "../support/command-line.ts";
import { tinySam } from "../support/sam-small.ts";
import { refusal } from "../support/weights-files.ts";

beforeAll(buildPackage);

const mlp = join("examples", "01-mlp.graph.ts");
const nano = ["sam", "--config", join("test", "fixtures", "sam_nano.config.json")];

describe("sizes", () => {
  test.each([
    ["1GiB", 2 ** 30],
    ["512MiB", 512 * 2 ** 20],
    ["4GB", 4e9],
    ["1.5 gib", 1.5 * 2 ** 30],
    ["2G", 2 ** 31],
    ["4096", 4096],
  ])("%s is %s bytes", (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  test.each(["", "GiB", "-1GiB", "1XB", "0", "1e9", "0.1B", "99999999TiB"])(
    "E503 for %j",
    async (text) => {
      const { code, details } = await refusal(() => parseBytes(text));
      expect([code, details.message]).toEqual(["E503", `--budget cannot be "${text}"`]);
    },
  );

  test.each([
    [12, "12 bytes"],
    [1536, "1.5 KiB"],
    [2 ** 30 - 2 ** 20, "1023.0 MiB"],
    [2 ** 31, "2.00 GiB"],
  ])("%s bytes are shown as %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

/** Many cells and few channels: activations outweigh parameters, as in a model of usual size. */
const config: SamConfig = {
  ...tinySam,
  imageSize: 96,
  embedDim: 16,
  depth: 3,
  globalAttnIndexes: [1],
  windowSize: 7,
  numMultimaskOutputs: 0,
};
const loaded: LoadedModel = { model: samModel(config), file: undefined };
const request: TrainingRequest = {
  loaded,
  programs: [],
  dims: {},
  profile: defaultProfile,
  method: "lora",
  budget: undefined,
};

describe("training", () => {
  const whole = planTraining(request);

  test("a budget lowers the peak below it, by activations alone", () => {
    const budget = Math.floor(0.9 * whole.bytes.total);
    const tight = planTraining({ ...request, budget });
    expect(tight.bytes.total).toBeLessThanOrEqual(budget);
    expect(tight.recomputed).toBeGreaterThan(0);
    const { activations: _activations, total: _total, ...rest } = whole.bytes;
    expect(tight.bytes).toMatchObject(rest);
  });

  test("parameters are counted, and each takes four bytes at least", () => {
    const { parameters, bytes } = whole;
    expect(parameters.trained).toBeGreaterThan(3 * (16 * 3 + 3 * 48));
    expect(bytes.trained).toBeGreaterThanOrEqual(4 * parameters.trained);
    expect(bytes.frozen).toBeGreaterThanOrEqual(4 * (parameters.all - parameters.trained));
  });

  test("E140 says what would fit", async () => {
    const { code, details } = await refusal(() => planTraining({ ...request, budget: 100_000 }));
    expect(code).toBe("E140");
    expect(details.message).toMatch(/^training sam does not fit in 0\.1 MiB \(100000 bytes\): /);
    expect(details.help).toMatch(/^a budget of \d+MiB would do; a smaller batch/);
  });
});

describe("training a model of one's own", () => {
  const base = defineModel({
    name: "two-programs",
    programs: {
      one: (p) => ({ y: linear(p.at("layer"), input("x", "f32", [8, 16]), 16, 12) }),
      other: () => ({ y: input("x", "f32", [2]) }),
    },
  });
  const model = adapt(base, lora({ rank: 2 }), { where: "layer" });
  const { method: _method, ...plain } = { ...request, loaded: { model, file: undefined } };

  test("takes its own adapters, its first program and a loss that needs little", () => {
    const { parameters, method, loss, program } = planTraining(plain);
    expect({ parameters, method, loss, program }).toEqual({
      parameters: { trained: 2 * (16 + 12), all: 2 * (16 + 12) + 16 * 12 + 12 },
      method: undefined,
      loss: "mean square error of the outputs",
      program: "one",
    });
  });

  test("an optimiser with one moment takes less than one with two", () => {
    const [sgd, adamW] = [planTraining({ ...plain, optimiser: "sgd" }), planTraining(plain)];
    expect(sgd.bytes.optimiser).toBeLessThan(adamW.bytes.optimiser);
  });

  test.each([
    ["E503", { programs: ["one", "other"] }, "leave --program other out"],
    ["E503", { method: "lora" }, "leave --method out"],
    ["E111", { programs: ["three"] }, "its programs are one, other"],
    ["E141", { budget: -1 }, "give a positive number of bytes"],
  ])("%s for %j", async (expected, more, help) => {
    const { code, details } = await refusal(() => planTraining({ ...plain, ...more }));
    expect([code, details.help]).toEqual([expected, expect.stringContaining(help)]);
  });
});

describe("on the command line", () => {
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

  test.each([
    ["E140", ["plan", ...nano, "--budget", "1KiB"]],
    ["E133", ["plan", mlp, "--train"]],
    ["E503", ["plan", mlp, "--method", "lora"]],
  ])("%s for inarch %j", async (expected, args) => {
    const { code, stdout } = await inarch([...args, "--json"]);
    expect([code, JSON.parse(stdout).error.code]).toEqual([1, expected]);
  });
});
