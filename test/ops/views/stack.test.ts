/** Stacked parameters lie side by side in memory: nothing copies them, nor their gradients. */
import { describe, expect, test } from "vitest";
import { defineAdapter } from "../../../adapters/adapter.ts";
import { compile } from "../../../compiler/compile.ts";
import { traceProgram } from "../../../compiler/graph/model.ts";
import { adapt, defineModel, input, kaiming, type Tensor } from "../../../compiler/index.ts";
import { defaultProfile } from "../../../compiler/profile.ts";
import { linear } from "../../../models/layers.ts";
import { add, gather, matmul, mean, mul, reshape, stack } from "../../../ops/index.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { createSession } from "../../../runtime/index.ts";
import { createTrainingSession } from "../../../runtime/training/session.ts";
import { writeSafetensors } from "../../../runtime/weights/index.ts";
import { adamW, compileTraining } from "../../../training/index.ts";
import { randomNumbers, relativeError } from "../../../verify/ops/evaluate.ts";
import { openBytes } from "../../support/weights-files.ts";

type F = Tensor<"f32">;

const experts = 9;

/** One of nine matrices for each of three maps. More are stacked than a kernel may bind. */
const mixture = (isStacked: boolean) =>
  defineAdapter({
    name: "mixture",
    linear({ own, inputs, outputs }, x, base) {
      const one = (i: number) =>
        own.f32(`expert.${i}`, [inputs!, outputs!], { init: kaiming(inputs!) });
      const all = Array.from({ length: experts }, (_, i) => one(i));
      const apart = () => {
        const rows = all.map((w) => reshape(mul(w, 1), [1, inputs!, outputs!]) as F);
        return stack(rows.map((w) => reshape(w, [inputs!, outputs!]) as F));
      };
      const choice = input("choice", "i32", [3]);
      const chosen = gather(isStacked ? stack(all) : apart(), choice) as F;
      return add(base(x), matmul(x, chosen)) as F;
    },
  });

const base = defineModel({
  name: "maps",
  build: (p) => ({ y: linear(p.at("layer"), input("x", "f32", [3, 4, 5]), 5, 7) }),
});

const shapes = { "layer.weight": [7, 5], "layer.bias": [7] };

const weights = (names: readonly string[]) =>
  openBytes(
    writeSafetensors(
      new Map(
        [...Object.entries(shapes), ...names.map((name): [string, number[]] => [name, [5, 7]])].map(
          ([name, shape], i) => {
            const count = shape.reduce((a, b) => a * b, 1);
            const data = new Uint8Array(Float32Array.from(randomNumbers(count, i + 3)).buffer);
            return [name, { dtype: "f32", shape, data }] as const;
          },
        ),
      ),
      {},
    ),
  );

const names = Array.from({ length: experts }, (_, i) => `layer.expert.${i}`);
const given = { x: randomNumbers(60, 1), choice: [8, 0, 3] };

async function result(isStacked: boolean) {
  const model = adapt(base, mixture(isStacked));
  const plan = compile(traceProgram(model, "forward"), { target: "reference" });
  const session = await createSession(plan, referenceDevice({ precision: "double" }), {
    weights: await weights(names),
  });
  return { plan, y: [...(await session.run(given)).y!] };
}

describe("stacked parameters", () => {
  test("are read where they lie", async () => {
    const [stacked, apart] = [await result(true), await result(false)];
    expect(relativeError(stacked.y, apart.y)).toBeLessThan(1e-12);
    expect(stacked.plan.steps.length).toBeLessThan(apart.plan.steps.length);
    const places = names.map((n) => stacked.plan.parameters.find((p) => p.name === n)!.offset);
    expect(new Set(places.slice(1).map((o, i) => o - places[i]!))).toEqual(new Set([256]));
  });

  test("their gradients are written where they lie, with none for experts nobody chose", async () => {
    const results = await Promise.all(
      [true, false].map(async (isStacked) => {
        const plan = compileTraining(adapt(base, mixture(isStacked)), {
          target: "reference",
          loss: ({ y }) => ({ square: mean(mul(y!, y!)) }),
          optimiser: adamW(),
        });
        const session = await createTrainingSession(
          plan,
          referenceDevice({ precision: "double" }),
          {
            weights: await weights([]),
            rate: 0.1,
            seed: 3,
          },
        );
        const { loss } = await session.step(given);
        const gradients = [];
        for (const name of names) gradients.push([...(await session.gradient(name))]);
        const after = await session.parameter(names[3]!);
        return { steps: plan.backward.steps.length, loss, gradients, after: [...after] };
      }),
    );
    const [stacked, apart] = results as [(typeof results)[0], (typeof results)[0]];
    expect(stacked.steps).toBeLessThan(apart.steps);
    expect(stacked.loss).toBeCloseTo(apart.loss, 12);
    for (const [i, g] of stacked.gradients.entries())
      expect(relativeError(g, apart.gradients[i]!)).toBeLessThan(1e-12);
    expect(relativeError(stacked.after, apart.after)).toBeLessThan(1e-10);
    expect(stacked.gradients[1]!.every((v) => v === 0)).toBe(true);
    expect(stacked.gradients[3]!.some((v) => v !== 0)).toBe(true);
  });

  test("no buffer is larger than the profile allows, and none is split", async () => {
    const profile = { ...defaultProfile, name: "tiny", maxBufferBytes: 4096 };
    const model = adapt(base, mixture(true));
    const plan = compile(traceProgram(model, "forward"), { target: "reference", profile });
    expect(Math.max(...plan.buffers.map((b) => b.bytes))).toBeLessThanOrEqual(4096);
    expect(new Set(plan.parameters.slice(-experts).map((p) => p.buffer)).size).toBe(1);
  });
});
