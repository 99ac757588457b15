/** Going on from a checkpoint: with the setting that it was trained with, or not at all. */
import { describe, expect, test } from "vitest";
import { lora } from "../../adapters/index.ts";
import {
  adapt,
  compile,
  defineModel,
  input,
  type Model,
  type Tensor,
  traceProgram,
} from "../../compiler/index.ts";
import { linear } from "../../models/layers.ts";
import { abs, mean, mul, sub } from "../../ops/index.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { createSession } from "../../runtime/session.ts";
import { type Weights, writeSafetensors } from "../../runtime/weights/index.ts";
import {
  adamW,
  createTrainer,
  type Schedule,
  sgd,
  type TrainerOptions,
} from "../../training/index.ts";
import { randomNumbers } from "../../verify/ops/evaluate.ts";
import { floats } from "../support/training-file.ts";
import { openBytes, readAll, refusal } from "../support/weights-files.ts";

const model = defineModel({
  name: "layers",
  dims: { batch: 2 },
  programs: {
    forward: (p) => {
      const hidden = linear(p.at("a"), input("x", "f32", ["batch", 4]), 4, 4);
      return { y: linear(p.at("b"), hidden, 4, 4) };
    },
    half: (p) => ({ y: linear(p.at("a"), input("x", "f32", ["batch", 4]), 4, 4) }),
    third: (p) => ({ y: linear(p.at("c"), input("x", "f32", ["batch", 4]), 4, 4) }),
  },
});
const adapted = adapt(model, lora({ rank: 1 }), { where: ["a", "b"] });

const base = await openBytes(
  writeSafetensors(
    new Map(
      ["a", "b", "c"].flatMap((layer, i) => [
        [`${layer}.weight`, floats(randomNumbers(16, 2 * i), [4, 4])] as const,
        [`${layer}.bias`, floats(randomNumbers(4, 2 * i + 1), [4])] as const,
      ]),
    ),
  ),
);

type Outputs = Readonly<Record<string, Tensor<"f32">>>;
const off = ({ y }: Outputs) => sub(y!, input("target", "f32", ["batch", 4]));
const square = (outputs: Outputs) => {
  const difference = off(outputs);
  return { square: mean(mul(difference, difference)) };
};

const begin = (more: Partial<TrainerOptions> = {}, of: Model = adapted) =>
  createTrainer(of, {
    device: referenceDevice(),
    weights: base,
    program: "forward",
    loss: square,
    optimiser: adamW(),
    rate: 0.1,
    schedule: { kind: "cosine", steps: 20 },
    clip: 1,
    micro: 2,
    ...more,
  });

const batch = (i: number, rows = 2) => ({
  x: randomNumbers(4 * rows, i),
  target: randomNumbers(4 * rows, 99),
});

const session = await begin();
for (let i = 0; i < 3; i++) await session.step(batch(2 * i), batch(2 * i + 1));
const saved = await openBytes(await session.save());

/** The checkpoint with other lines of metadata, and without checksums. */
const restated = async (lines: Readonly<Record<string, string>>) =>
  openBytes(writeSafetensors(await readAll(saved), { ...saved.metadata, ...lines }));

const why = async (more: Partial<TrainerOptions>, resume: Weights = saved) => {
  const { code, details } = await refusal(() => begin({ resume, ...more }));
  return `${code} ${details.message}${details.help?.match(/accept: .*/)?.[0] ?? ""}`;
};

describe("a checkpoint", () => {
  test("is gone on from with the same setting, however its options are ordered", async () => {
    const second = await begin({ resume: saved, schedule: { steps: 20, kind: "cosine" } });
    expect(second.steps).toBe(3);
    expect(await second.save()).toEqual(await session.save());
  });

  const cases: readonly (readonly [name: string, more: Partial<TrainerOptions>, was: string])[] = [
    ["rate", { rate: 0.2 }, "rate was 0.1 and is 0.2"],
    [
      "schedule",
      { schedule: { kind: "constant" } },
      'schedule was {"kind":"cosine","steps":20} and',
    ],
    ["loss", { loss: (o) => ({ square: mean(abs(off(o))) }) }, "loss is another"],
    ["clip", { clip: 2 }, "clip was 1 and is 2"],
    ["micro", { micro: 1 }, "micro was 2 and is 1"],
    ["dims", { dims: { batch: 3 } }, 'dims was {"batch":2} and is {"batch":3}'],
    ["optimiser", { optimiser: adamW({ decay: 0.3 }) }, "optimiser was"],
    ["groups", { groups: [{ match: ["a.**"], rate: 2 }] }, "groups was [] and is"],
    ["noise", { noise: "given" }, 'noise was "drawn" and is "given"'],
    [
      "scaling",
      { scaling: { initial: 8, growth: 2, backoff: 0.5, interval: 9 } },
      "scaling was null",
    ],
  ];
  test.each(cases)(
    "of another %s is refused, and gone on from where that is accepted",
    async (name, more, was) => {
      const words = await why(more);
      expect(words).toContain(`E432 the checkpoint was trained otherwise: ${was}`);
      expect(words).toContain(`accept: ["${name}"]`);
      const second = await begin({ resume: saved, accept: [name], ...more });
      expect(second.steps).toBe(3);
      const rows = more.dims?.batch ?? 2;
      await second.step(...Array.from({ length: more.micro ?? 2 }, (_, i) => batch(i, rows)));
    },
  );

  test("names all that differs", async () => {
    expect(await why({ rate: 1, clip: 3 })).toMatch(
      /clip was 1 and is 3; rate was 0.1 and is 1accept: \["clip", "rate"\]/,
    );
    const { code, details } = await refusal(() => begin({ resume: saved, accept: ["rates"] }));
    expect([code, details.help]).toEqual(["E460", expect.stringContaining("write rate;")]);
  });

  test.each([
    ["step", "abc"],
    ["step", "-7"],
    ["step", "1.5"],
    ["step", "1e400"],
    ["step", "9007199254740993"],
    ["step", ""],
    ["step", "0x10"],
    ["step", "Infinity"],
    ["step", " 3"],
    ["settings", "["],
    ["settings", "[]"],
  ])("whose %s is %j is E462", async (field, text) => {
    expect(await why({}, await restated({ [field]: text }))).toContain(
      `E462 the checkpoint's ${field} is`,
    );
  });

  test.each(["{", "[]", '{"a.weight": 7}'])("whose base is %s is E437", async (text) => {
    expect(await why({}, await restated({ base: text }))).toContain('E437 "base" of the file');
  });

  test("that names a part of the base is E431", async () => {
    const { "a.weight": one } = JSON.parse(saved.metadata.base!);
    const part = await restated({ base: JSON.stringify({ "a.weight": one }) });
    expect(await why({}, part)).toContain(
      "E431 the checkpoint does not say what 3 frozen tensors were",
    );
    const none = await restated({ base: "{}" });
    expect(await why({}, none)).toContain("E431");
    // A program more reads more of the base.
    expect(await why({ programs: { third: {} } })).toContain("2 frozen tensors were");
    await begin({ resume: saved, programs: { third: {} }, accept: ["base"] });
  });

  test("with NaN in its parameters is E205", async () => {
    const tensors = await readAll(saved);
    new DataView(tensors.get("state.parameters")!.data.buffer).setFloat32(8, Number.NaN, true);
    const broken = await openBytes(writeSafetensors(tensors, saved.metadata));
    expect(await why({}, broken)).toContain("E205");
  });

  test("from before there were ranks is of one", async () => {
    const { ranks, ...before } = JSON.parse(saved.metadata.settings!);
    expect(ranks).toBe(1);
    await begin({ resume: await restated({ settings: JSON.stringify(before) }) });
  });

  test("that says no setting is E432", async () => {
    const { settings: _, ...metadata } = saved.metadata;
    const silent = await openBytes(writeSafetensors(await readAll(saved), metadata));
    expect(await why({}, silent)).toContain("E432 the checkpoint does not say with which rate");
  });
});

describe("a run in which everything trains", () => {
  const all = adapt(model, lora({ rank: 1 }), { train: ["**"] });
  test("is resumed, and its adapter is loaded and run", async () => {
    const first = await begin({ micro: 1 }, all);
    for (let i = 0; i < 2; i++) await first.step(batch(i));
    const checkpoint = await openBytes(await first.save());
    expect(checkpoint.metadata.base).toBe("{}");
    const second = await begin({ micro: 1, resume: checkpoint }, all);
    await first.step(batch(5));
    await second.step(batch(5));
    expect(await second.save()).toEqual(await first.save());

    const file = await openBytes(await first.saveAdapter());
    const third = await begin({ micro: 1, rate: 0 }, all);
    await third.loadAdapter(file);
    expect(await third.parameter("b.weight")).toEqual(await first.parameter("b.weight"));
    const plan = compile(traceProgram(all, "forward"), { name: "all", target: "reference" });
    const running = await createSession(plan, referenceDevice(), { weights: base, adapter: file });
    const evaluated = await begin({ micro: 1, programs: { forward: {} } }, all);
    await evaluated.loadAdapter(file);
    const { x } = batch(3);
    const { y } = await evaluated.run("forward", { x });
    const ran = await running.run({ x });
    for (const [i, value] of [...ran.y!].entries()) expect(value).toBeCloseTo(y![i]!, 5);
  });
});

describe("a rate", () => {
  test.each([Number.NaN, Number.POSITIVE_INFINITY, -0.1, 1e39, "0.1", undefined])(
    "of %s is refused",
    async (rate) => {
      const { code, message } = await refusal(() => begin({ rate: rate as number }));
      expect(code).toBe("E720");
      expect(message).toContain("rate");
    },
  );

  test("of a function is refused when its step comes, which changes nothing", async () => {
    const { createTrainingSession } = await import("../../runtime/training/session.ts");
    const rates = [0.1, Number.NaN, 0.1];
    const first = await createTrainingSession(session.plan, referenceDevice(), {
      weights: base,
      rate: (step) => rates.shift() ?? step,
    });
    await first.step(batch(0), batch(1));
    const before = await first.save();
    const { code, details } = await refusal(() => first.step(batch(2), batch(3)));
    expect([code, details.message]).toEqual(["E720", "the rate of step 1 is NaN"]);
    expect(await first.save()).toEqual(before);
    expect((await first.step(batch(2), batch(3))).step).toBe(1);
  });

  test("of a group is refused", async () => {
    const grouped = (rate: number) => begin({ groups: [{ match: ["**"], rate }] });
    for (const rate of [Number.NaN, -1, Number.POSITIVE_INFINITY])
      expect((await refusal(() => grouped(rate))).code).toBe("E720");
    expect(
      (await refusal(() => begin({ groups: [{ match: ["**"], decay: Number.NaN }] }))).code,
    ).toBe("E720");
  });

  test("is a number in every schedule", async () => {
    const steps = (schedule: Schedule) => refusal(() => begin({ schedule }));
    expect((await steps({ kind: "linear", steps: Number.NaN })).code).toBe("E720");
    expect(
      (await steps({ kind: "stepwise", every: 1, factor: Number.POSITIVE_INFINITY })).code,
    ).toBe("E720");
  });
});

test("a seed is a whole number", async () => {
  for (const seed of [Number.NaN, 1.5, Number.POSITIVE_INFINITY])
    expect((await refusal(() => begin({ seed }))).code).toBe("E720");
  await begin({ seed: -3, optimiser: sgd() });
});
