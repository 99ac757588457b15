/** Files of training with one bit changed, anywhere, are refused. */
import { describe, expect, test } from "vitest";
import { lora } from "../../adapters/index.ts";
import { adapt, defineModel, input } from "../../compiler/index.ts";
import { linear } from "../../models/layers.ts";
import { mean, mul, sub } from "../../ops/index.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { createTrainingSession } from "../../runtime/training/session.ts";
import { type Weights, writeSafetensors } from "../../runtime/weights/index.ts";
import { adamW, compileTraining } from "../../training/index.ts";
import { randomNumbers as numbers } from "../../verify/ops/evaluate.ts";
import { floats } from "../support/training-file.ts";
import { flipBit, openBytes, randomNumbers, readAll, refusal } from "../support/weights-files.ts";

const model = adapt(
  defineModel({
    name: "layer",
    build: (p) => ({ y: linear(p.at("a"), input("x", "f32", [2, 4]), 4, 4) }),
  }),
  lora({ rank: 1 }),
);
const plan = compileTraining(model, {
  target: "reference",
  loss: ({ y }) => {
    const off = sub(y!, input("target", "f32", [2, 4]));
    return { square: mean(mul(off, off)) };
  },
  optimiser: adamW(),
});
const base = await openBytes(
  writeSafetensors(
    new Map([
      ["a.weight", floats(numbers(16, 1), [4, 4])],
      ["a.bias", floats(numbers(4, 2), [4])],
    ]),
  ),
);
const begin = (resume?: Weights) =>
  createTrainingSession(plan, referenceDevice(), {
    weights: base,
    rate: 0.1,
    ...(resume ? { resume } : {}),
  });

const session = await begin();
for (let i = 0; i < 3; i++) await session.step({ x: numbers(8, i), target: numbers(8, 9) });

const kinds = {
  checkpoint: {
    bytes: await session.save(),
    use: async (file: Weights) => void (await begin(file)),
  },
  "adapter's file": {
    bytes: await session.saveAdapter(),
    use: async (file: Weights) => (await begin()).loadAdapter(file),
  },
};

describe.each(Object.entries(kinds))("a %s", (_, { bytes, use }) => {
  test("is used as it was written", async () => use(await openBytes(bytes)));

  test("is refused with any one bit changed, and names the file", async () => {
    const header = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const random = randomNumbers(5);
    // One bit of every byte of the header, and some hundreds of all.
    const bits = Array.from({ length: header }, (_, at) => 8 * at + random(8));
    for (let i = 0; i < 300; i++) bits.push(random(8 * bytes.byteLength));
    for (const bit of bits) {
      const error = await refusal(async () => use(await openBytes(flipBit(bytes, bit))));
      expect(error.details.where, `bit ${bit}`).toContain("crafted");
      if (bit >= 8 * header) expect(error.details.where).toContain('crafted, tensor "');
    }
  }, 60_000);

  test("keeps what it says where another program writes it anew", async () => {
    const file = await openBytes(bytes);
    await use(await openBytes(writeSafetensors(await readAll(file), file.metadata)));
  });
});
