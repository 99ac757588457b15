/** A step in parts, of micro-steps and of ranks, is the step of the whole batch. */
import { describe, expect, test } from "vitest";
import { lora } from "../../adapters/index.ts";
import { adapt, defineModel, input, type Tensor } from "../../compiler/index.ts";
import { linear } from "../../models/layers.ts";
import { add, mean, mul, reshape, slice, sum } from "../../ops/index.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import type { Inputs } from "../../runtime/inputs.ts";
import type { Reducer } from "../../runtime/training/reducer.ts";
import {
  balancedBce,
  bce,
  classDice,
  classMasks,
  cosineNormals,
  createTrainer,
  crossEntropy,
  dice,
  focal,
  iou,
  l1Depth,
  setTerms,
  sgd,
  structureLoss,
  type TrainerOptions,
  wholeBatch,
  wholeTotal,
} from "../../training/index.ts";
import { ranksInProcess } from "../support/ranks.ts";
import { refusal } from "../support/weights-files.ts";
import { weightsOf } from "../support/weights-of.ts";

const [batch, classes, side] = [4, 3, 4];
const pixels = side * side;
const image = (n: number) => input("image", "f32", [n, pixels]);

/** Logits f32 [n, classes, side, side], and a name for each of two queries. */
const model = adapt(
  defineModel({
    name: "maps",
    dims: { batch },
    build(p, { batch: n }) {
      const x = mul(image(n!), 0.1);
      const all = mul(linear(p.at("maps"), x, pixels, classes * pixels), 1e-3);
      const named = mul(linear(p.at("names"), x, pixels, 2 * (classes + 1)), 1e-2);
      return {
        logits: reshape(all, [n!, classes, side, side]),
        named: reshape(named, [n!, 2, classes + 1]),
      };
    },
  }),
  lora({ rank: 2, dropout: 0.4 }),
  { where: ["maps", "names"], train: ["**"] },
);

const weights = await weightsOf({
  "maps.weight": [classes * pixels, pixels],
  "maps.bias": [classes * pixels],
  "names.weight": [2 * (classes + 1), pixels],
  "names.bias": [2 * (classes + 1)],
});

/** What pictures have: of each another part counts, and of the last nothing. */
const waves = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(seed * 31 + 7 * i + 0.1 * i * i));
const counted = (i: number) => i % pixels < [15, 3, 8, 0][Math.floor(i / pixels)]!;
const all = {
  image: waves(batch * pixels, 1),
  mask: waves(batch * classes * pixels, 2).map((v, i) =>
    Number(v > [0.9, -0.5, 0.2, 0][Math.floor(i / (classes * pixels))]!),
  ),
  weight: waves(batch * pixels, 3).map((v, i) => (counted(i) ? 1 + v : 0)),
  labels: Int32Array.from(waves(batch * pixels, 4), (v, i) =>
    counted(i) ? Math.floor(1.499 * (v + 1)) : -1,
  ),
  depth: waves(batch * pixels, 5).map((v, i) => (counted(i) ? 2 + v : 0)),
  normals: waves(batch * 3 * pixels, 6).map((_, i) =>
    counted((i % pixels) + pixels * Math.floor(i / (3 * pixels))) && i % (3 * pixels) < pixels
      ? 1
      : 0,
  ),
};

type Maps = Readonly<Record<string, Tensor<"f32">>>;

const of = (n: number, channels: number, name: string) =>
  input(name, "f32", [n, channels, side, side]) as Tensor<"f32">;
const masks = (
  loss: (logits: Tensor, target: Tensor, options: { weight?: Tensor }) => Tensor<"f32">,
  isWeighted = true,
) => ({
  names: ["image", "mask", ...(isWeighted ? ["weight"] : [])],
  loss({ logits }: Maps) {
    const n = logits!.shape[0]!;
    const weight = isWeighted ? { weight: of(n, 1, "weight") } : {};
    return { one: loss(logits!, of(n, classes, "mask"), weight) };
  },
});
const labels = (n: number) => input("labels", "i32", [n, side, side]) as Tensor;

const losses = {
  bce: masks(bce),
  dice: masks(dice),
  focal: masks(focal),
  iou: masks(iou),
  structureLoss: masks(structureLoss),
  balancedBce: masks(balancedBce),
  "balancedBce of all pixels": masks(balancedBce, false),
  crossEntropy: {
    names: ["image", "labels"],
    loss: ({ logits }: Maps) => ({ one: crossEntropy(logits!, labels(logits!.shape[0]!)) }),
  },
  classDice: {
    names: ["image", "labels"],
    loss: ({ logits }: Maps) => ({ one: classDice(logits!, labels(logits!.shape[0]!)) }),
  },
  l1Depth: {
    names: ["image", "depth"],
    loss: ({ logits }: Maps) => ({
      one: l1Depth(mean(logits!, 1, "keep") as Tensor, of(logits!.shape[0]!, 1, "depth")),
    }),
  },
  cosineNormals: {
    names: ["image", "normals"],
    loss: ({ logits }: Maps) => ({
      one: cosineNormals(add(logits!, 0.3) as Tensor, of(logits!.shape[0]!, 3, "normals")),
    }),
  },
  setTerms: {
    names: ["image", "labels", "weight"],
    loss({ logits, named }: Maps) {
      const n = logits!.shape[0]!;
      // Two queries, and up to three objects.
      const maps = { classes: named!, masks: reshape(mul(logits!, 1), logits!.shape) as Tensor };
      const two = { ...maps, masks: firstTwo(maps.masks) };
      return setTerms(two, { ...classMasks(labels(n), classes), weight: of(n, 1, "weight") });
    },
  },
} as const;

const firstTwo = (maps: Tensor) => slice(maps, [[], [0, 2]]) as Tensor;

type LossName = keyof typeof losses;

const part = (name: LossName, first: number, count: number): Inputs =>
  Object.fromEntries(
    losses[name].names.map((key) => {
      const values = all[key as keyof typeof all];
      const each = values.length / batch;
      return [key, values.slice(first * each, (first + count) * each)];
    }),
  );

/** Two steps of a rank: what they report, and what the adapter's parameters are then. */
async function steps(name: LossName, micro: number, ranks: number, reducer?: Reducer) {
  const count = batch / (micro * ranks);
  const options: TrainerOptions = {
    ...{ device: referenceDevice(), weights, rate: 0.5, seed: 3, clip: 100 },
    ...{ loss: losses[name].loss, optimiser: sgd(), dims: { batch: count }, micro, ranks },
    ...(reducer ? { reducer } : {}),
  };
  const session = await createTrainer(model, options);
  const mine = Array.from({ length: micro }, (_, i) =>
    part(name, ((reducer?.rank ?? 0) * micro + i) * count, count),
  );
  const reports = [await session.step(...mine), await session.step(...mine)];
  // They begin as zeros: what they are is what the steps changed.
  const names = session.plan.tensors
    .map((tensor) => tensor.name)
    .filter((one) => one.endsWith("lora_B"));
  const parameters: number[] = [];
  for (const one of names) parameters.push(...(await session.parameter(one)));
  await session.close();
  return { reports, parameters };
}

const together = async (name: LossName, micro: number, ranks: number) => {
  const reducers = ranks === 1 ? [undefined] : ranksInProcess(ranks);
  return Promise.all(reducers.map((reducer) => steps(name, micro, ranks, reducer)));
};

describe("a step of one batch is that of its parts", () => {
  test.each(Object.keys(losses) as LossName[])("%s", async (name) => {
    const [whole] = await together(name, 1, 1);
    for (const [micro, ranks] of [
      [2, 1],
      [2, 2],
    ] as const) {
      const [first, ...others] = await together(name, micro, ranks);
      for (const other of others) expect(other).toEqual(first);
      for (const [i, report] of first!.reports.entries()) {
        const expected = whole!.reports[i]!;
        expect(Math.abs(report.loss / expected.loss - 1)).toBeLessThan(1e-6);
        expect(Math.abs(report.norm / expected.norm - 1)).toBeLessThan(1e-5);
      }
      const largest = Math.max(...whole!.parameters.map(Math.abs));
      const away = first!.parameters.map((value, i) => Math.abs(value - whole!.parameters[i]!));
      expect(Math.max(...away)).toBeLessThan(2e-6 * largest);
    }
  });
});

describe("sums over the whole batch", () => {
  const one = (loss: TrainerOptions["loss"], ranks = 1) =>
    createTrainer(model, {
      ...{ device: referenceDevice(), weights, rate: 1, optimiser: sgd(), micro: 2, ranks },
      ...{ loss, dims: { batch: 1 } },
    });

  test("of inputs and of predictions are told to every part, and the loss is of all", async () => {
    const session = await one(({ logits }) => {
      const n = sum(of(1, classes, "mask")) as Tensor;
      return { inputs: wholeTotal(n), logits: wholeBatch(mean(logits!)) };
    });
    const [first, second] = [0, 1].map((i) => part("bce", i, 1));
    const masked = (values: Inputs) => ({ image: values.image!, mask: values.mask! });
    const { terms, loss } = await session.step(masked(first!), masked(second!));
    const total = [first!, second!].flatMap(({ mask }) => [...(mask as Float32Array)]);
    expect(terms.inputs).toBe(total.reduce((a, b) => a + b, 0));
    expect(loss).toBeCloseTo(terms.inputs! + terms.logits!, 5);
    await session.close();
  });

  test("E619: one of another, and E620: ranks without a reducer", async () => {
    const twice = await refusal(() =>
      one(({ logits }) => ({ one: wholeBatch(mul(wholeBatch(mean(logits!)), 2) as Tensor) })),
    );
    expect(twice.code).toBe("E619");
    const alone = await refusal(() => one(losses.bce.loss, 2));
    expect(`${alone.code} ${alone.details.message}`).toBe(
      "E620 maps is compiled for 2 ranks, and there is 1",
    );
  });
});
