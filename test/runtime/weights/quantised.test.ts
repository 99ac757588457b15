/** Checkpoints of whole numbers: what bitsandbytes wrote is understood, the rest refused. */
import { describe, expect, test } from "vitest";
import { lora } from "../../../adapters/index.ts";
import { planWeights } from "../../../build/bundle-weights.ts";
import { compile } from "../../../compiler/compile.ts";
import { adapt, defineModel, input, traceProgram } from "../../../compiler/index.ts";
import { mergeAdapters } from "../../../merge/merge.ts";
import { linear } from "../../../models/layers.ts";
import { mean } from "../../../ops/index.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { createSession } from "../../../runtime/session.ts";
import {
  type TensorData,
  writeSafetensors,
  writeWithChecksums,
} from "../../../runtime/weights/index.ts";
import { createTrainer, sgd } from "../../../training/index.ts";
import { floats } from "../../support/training-file.ts";
import { openBytes, refusal } from "../../support/weights-files.ts";

const bytes = (dtype: TensorData["dtype"], values: number[], shape: number[]): TensorData => ({
  dtype,
  shape,
  data: Uint8Array.from(values),
});

const eight = [127, -64, 0, 100, -100, 1].map((v) => v & 255);
const layer = (more: Record<string, TensorData> = {}) =>
  new Map<string, TensorData>([
    ["a.weight", bytes("i8", eight, [2, 3])],
    ["a.SCB", floats([2, 0.5], [2])],
    ["a.weight_format", bytes("u8", [0], [])],
    ["a.bias", floats([0, 0], [2])],
    ...Object.entries(more),
  ]);
const exact = [2, -128 / 127, 0, 50 / 127, -50 / 127, 0.5 / 127].map(Math.fround);

describe("a layer of bitsandbytes' 8 bits", () => {
  test("is seen as the floats it stands for, in pieces of any length", async () => {
    for (const write of [writeSafetensors, writeWithChecksums]) {
      const weights = await openBytes(write(layer()));
      expect([...weights.tensors.keys()].sort()).toEqual(["a.bias", "a.weight"]);
      expect(weights.tensors.get("a.weight")).toEqual({ dtype: "f32", shape: [2, 3], bytes: 24 });
      const whole = [...(await weights.readF32("a.weight"))];
      for (const [i, value] of whole.entries()) expect(value).toBeCloseTo(exact[i]!, 7);
      for (const size of [4, 8, 20]) {
        const pieces: number[] = [];
        for await (const piece of weights.chunks("a.weight", size)) pieces.push(...piece);
        expect(pieces).toEqual(whole);
      }
      expect([...(await weights.readF32("a.bias"))]).toEqual([0, 0]);
    }
  });

  test("of another layout, or with other scales, is E464", async () => {
    const tiled = await openBytes(
      writeSafetensors(layer({ "a.weight_format": bytes("u8", [2], []) })),
    );
    expect((await refusal(() => tiled.readF32("a.weight"))).code).toBe("E464");
    const short = await openBytes(writeSafetensors(layer({ "a.SCB": floats([1], [1]) })));
    expect((await refusal(() => short.readF32("a.weight"))).message).toContain(
      "2 rows and 1 scales",
    );
  });
});

describe("whole numbers where a model wants weights are E464", () => {
  const model = defineModel({
    name: "layer",
    build: (p) => ({ y: linear(p.at("a"), input("x", "f32", [1, 3]), 3, 2) }),
  });
  const adapted = adapt(model, lora({ rank: 1 }));
  const plan = compile(traceProgram(model, "forward"), { name: "layer", target: "reference" });
  const file = async (dtype: TensorData["dtype"], more: Record<string, TensorData> = {}) => {
    const width = { i8: 1, u8: 1, bool: 1, i32: 4, i64: 8 }[dtype as "i8"]!;
    const weight = bytes(dtype, Array<number>(6 * width).fill(0), [2, 3]);
    const tensors = { "a.weight": weight, "a.bias": floats([0, 0], [2]), ...more };
    return openBytes(writeSafetensors(new Map(Object.entries(tensors))));
  };
  const device = referenceDevice();

  test.each(["i8", "u8", "bool", "i32", "i64"] as const)("%s", async (dtype) => {
    const weights = await file(dtype);
    const uses = [
      () => createSession(plan, device, { weights }),
      () =>
        createTrainer(adapted, {
          ...{ device, weights, rate: 0.1, optimiser: sgd() },
          loss: ({ y }) => ({ y: mean(y!) }),
        }),
      () => planWeights(weights, [plan], () => {}),
      () => mergeAdapters(adapted, [weights]),
    ];
    for (const use of uses) {
      const { code, details } = await refusal(use);
      expect([code, details.message]).toEqual([
        "E464",
        `a.weight holds ${dtype}, whole numbers, where the model wants weights`,
      ]);
    }
  });

  test("and 4 bits are named", async () => {
    const weights = await file("u8", {
      "a.weight.absmax": floats([1], [1]),
      "a.weight.quant_state.bitsandbytes__nf4": bytes("u8", [123, 125], [2]),
    });
    const { details } = await refusal(() => createSession(plan, device, { weights }));
    expect(details.message).toContain("packed by bitsandbytes (nf4)");
  });
});
