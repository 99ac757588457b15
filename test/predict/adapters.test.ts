/** A SAM goes on with another adapter: its picture is encoded again, and it predicts as one that was loaded with it. */
import { expect, test } from "vitest";
import { lora } from "../../adapters/index.ts";
import { adapt, compile, type Plan, traceProgram } from "../../compiler/index.ts";
import { hashedTensor, hashedWeights } from "../../models/sam/hashed.ts";
import { samModel } from "../../models/sam/program.ts";
import { createSamPredictor } from "../../predict/sam.ts";
import { image } from "../../predict/vision/index.ts";
import { cpuDevice } from "../../runtime/devices/cpu.ts";
import { useAdapter } from "../../runtime/switching.ts";
import { adapterMetadata } from "../../runtime/weights/adapter-file.ts";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import { randomNumbers } from "../../verify/ops/evaluate.ts";
import { tinySam } from "../support/sam-small.ts";
import { floats } from "../support/training-file.ts";
import { openBytes } from "../support/weights-files.ts";

const adapted = adapt(samModel(tinySam), lora({ rank: 2, alpha: 6 }), {
  where: ["image_encoder.blocks.*.attn.qkv", "mask_decoder.**.q_proj"],
});
const planOf = (program: string, dims = {}): Plan =>
  compile(traceProgram(adapted, program, dims), { target: "wasm" });
const encode = planOf("encode");
const decoders = new Map([8, 32].map((tokens) => [tokens, planOf("decode", { tokens })]));
const plans = { encode, buckets: [8, 32], decode: (tokens: number) => decoders.get(tokens)! };

/** Numbers for every parameter that the adapter makes. */
function fileOf(seed: string) {
  const all = [encode, decoders.get(8)!];
  const own = new Map(
    all
      .flatMap(({ parameters }) => parameters)
      .filter(({ name }) => name.includes("lora_"))
      .map(({ name, shape }) => [name, floats(hashedTensor(seed, name, shape), shape)]),
  );
  const [first, second] = all.map(({ adapters }) => adapters![0]!);
  const places = [...first!.places, ...second!.places];
  const about = adapterMetadata("sam", new Map(), [{ ...first!, places }], [...own.keys()]);
  return openBytes(writeSafetensors(own, about));
}

const [a, b] = [await fileOf("a"), await fileOf("b")];
const weights = hashedWeights(tinySam, "test");
const picture = image(45, 31, Uint8Array.from(randomNumbers(45 * 31 * 3, 1, [0, 255])));
const click = { points: [[7, 9]] } as const;
const many = { points: Array.from({ length: 12 }, (_, i) => [3 * i, 2 * i] as const) };

const predictor = (adapter: typeof a) =>
  createSamPredictor({ plans, weights, adapter, device: cpuDevice({ threads: 1 }) });

async function wanted(adapter: typeof a) {
  const sam = await predictor(adapter);
  await sam.setImage(picture);
  const results = [await sam.predict(click), await sam.predict(many)];
  await sam.close();
  return results;
}

test("on the picture that it has, with decoders that were there before and with a new one", async () => {
  const [withA, withB] = [await wanted(a), await wanted(b)];
  expect(withA[0]).not.toEqual(withB[0]);
  const sam = await predictor(a);
  await sam.setImage(picture);
  expect(await sam.predict(click)).toEqual(withA[0]);
  const using = useAdapter(sam, Promise.resolve(b));
  expect(await sam.predict(click)).toEqual(withB[0]);
  await using;
  expect(await sam.predict(many)).toEqual(withB[1]);
  await useAdapter(sam, a);
  expect([await sam.predict(click), await sam.predict(many)]).toEqual(withA);
  await useAdapter(sam, b);
  await sam.restore(cpuDevice({ threads: 1 }));
  expect(await sam.predict(many)).toEqual(withB[1]);
  await sam.close();
});

test("an abort while the picture is encoded leaves the adapter before, and its embedding", async () => {
  const [before] = await wanted(a);
  const device = cpuDevice({ threads: 1 });
  const controller = new AbortController();
  const on = {
    ...device,
    // The encoder is read when it has run.
    read(...given: Parameters<typeof device.read>) {
      if (isUsing) controller.abort(new RangeError("enough"));
      return device.read(...given);
    },
  };
  let isUsing = false;
  const sam = await createSamPredictor({ plans, weights, adapter: a, device: on });
  await sam.setImage(picture);
  await sam.predict(click);
  isUsing = true;
  await expect(useAdapter(sam, b, { signal: controller.signal })).rejects.toThrow("enough");
  isUsing = false;
  expect(await sam.predict(click)).toEqual(before);
  await sam.close();
});
