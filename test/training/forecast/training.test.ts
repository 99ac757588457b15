/** The memory of a training step, known before anything runs. */
import { describe, expect, test } from "vitest";
import { lora } from "../../../adapters/index.ts";
import { adapt, defaultProfile, defineModel, input } from "../../../compiler/index.ts";
import { linear, type SamConfig, samModel } from "../../../models/index.ts";
import { planTraining, type TrainingRequest } from "../../../training/forecast/training.ts";
import { tinySam } from "../../support/sam-small.ts";
import { refusal } from "../../support/weights-files.ts";

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
const request: TrainingRequest = {
  model: samModel(config),
  dims: {},
  profile: defaultProfile,
  method: "lora",
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
  const { method: _method, ...plain } = { ...request, model };

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
    ["E503", { method: "lora" }, "leave the method out"],
    ["E111", { program: "three" }, "its programs are one, other"],
    ["E141", { budget: -1 }, "give a positive number of bytes"],
  ])("%s for %j", async (expected, more, help) => {
    const { code, details } = await refusal(() => planTraining({ ...plain, ...more }));
    expect([code, details.help]).toEqual([expected, expect.stringContaining(help)]);
  });
});

test("a SAM with adapters of its own trains these, by no method", async () => {
  const model = adapt(samModel(config), lora({ rank: 2 }), { where: "image_encoder.**.qkv" });
  const { method: _method, ...plain } = { ...request, model };
  const { method, program, parameters } = planTraining(plain);
  expect([method, program]).toEqual([undefined, "encode"]);
  expect(parameters.trained).toBe(3 * 2 * (16 + 3 * 16));
  expect((await refusal(() => planTraining({ ...plain, method: "lora" }))).code).toBe("E503");
});
