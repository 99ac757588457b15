/** What is looked at beside a model's outputs: how far attention reaches, and which experts gates choose. */
import { expect, test } from "vitest";
import {
  compile,
  defineModel,
  input,
  type Tensor,
  traceProgram,
  zeros,
} from "../../../compiler/index.ts";
import { semanticSam } from "../../../models/index.ts";
import { graftMethod, trainedMethod } from "../../../models/sam/presets/published.ts";
import { add, attention } from "../../../ops/index.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { createSession } from "../../../runtime/index.ts";
import { attentionDistance } from "../../../study/metrics/attention-distance.ts";
import { distanceInputs, lookingAt } from "../../../study/train/looking.ts";
import { tinySam } from "../../support/sam-small.ts";
import { weightsOf } from "../../support/weights-of.ts";

const [heads, side, depth] = [2, 3, 4];
const tokens = side * side;
const shape = [1, heads, tokens, depth];
const values = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(37 * seed + 11 * i * i));
const given = {
  ...{ q: values(heads * tokens * depth, 1), k: values(heads * tokens * depth, 2) },
  ...{ v: values(heads * tokens * depth, 3), rows: values((2 * side - 1) * depth, 4) },
  columns: values((2 * side - 1) * depth, 5),
};

/** softmax(q k / sqrt(depth) + relative), `[heads, tokens, tokens]`. */
function plainWeights(): number[] {
  const dot = (a: Float32Array, i: number, b: Float32Array, j: number) =>
    Array.from({ length: depth }, (_, c) => a[i * depth + c]! * b[j * depth + c]!).reduce(
      (sum, product) => sum + product,
      0,
    );
  const all: number[] = [];
  for (let row = 0; row < heads * tokens; row++) {
    const [head, i] = [Math.floor(row / tokens), row % tokens];
    const scores = Array.from({ length: tokens }, (_, j) => {
      const down = Math.floor(i / side) - Math.floor(j / side) + side - 1;
      const right = (i % side) - (j % side) + side - 1;
      const own = dot(given.q, row, given.k, head * tokens + j) / Math.sqrt(depth);
      return own + dot(given.q, row, given.rows, down) + dot(given.q, row, given.columns, right);
    });
    const parts = scores.map(Math.exp);
    const sum = parts.reduce((a, b) => a + b, 0);
    all.push(...parts.map((part) => part / sum));
  }
  return all;
}

test("the reach of attention is its mean attention distance, relative positions included", async () => {
  const model = defineModel({
    name: "one-block",
    programs: {
      segment(p) {
        const own = p.at("image_encoder", "blocks", 7, "attn").f32("bias", [1], { init: zeros });
        const named = (name: string, of: readonly number[]) => input(name, "f32", of) as Tensor;
        const k = add(named("k", shape), own) as Tensor;
        const [height, width] = ["rows", "columns"].map((name) =>
          named(name, [2 * side - 1, depth]),
        ) as [Tensor, Tensor];
        const relative = { height, width, grid: [side, side] as const };
        return { out: attention(named("q", shape), k, named("v", shape), { relative }) };
      },
    },
  });
  const looking = lookingAt(model);
  const plan = compile(traceProgram(looking.model, "segment"), {
    target: referenceDevice().target,
  });
  expect(looking.layers).toEqual([{ output: "distance0", layer: "block 7", tokens }]);
  // What is added to all keys alike changes no weight.
  const weights = await weightsOf({ "image_encoder.blocks.7.attn.bias": [1] });
  const session = await createSession(plan, referenceDevice(), { weights });
  const { distance0 } = await session.run({ ...given, ...distanceInputs(tokens) });
  const map = { heads, width: side, height: side, patch: 1, weights: plainWeights() };
  const expected = attentionDistance(map);
  expect(expected[0]).not.toBeCloseTo(expected[1]!, 3);
  expected.forEach((distance, head) => {
    expect(distance0![head]).toBeCloseTo(distance, 5);
  });
});

test("gates of Conv-LoRA and layers of the encoder are found by their blocks", () => {
  const bare = semanticSam(tinySam, { classes: 1 });
  const looking = lookingAt(graftMethod(bare, trainedMethod("conv-lora", [])));
  const { outputs } = traceProgram(looking.model, "segment", { batch: 1 });
  const blocks = Array.from({ length: tinySam.depth }, (_, i) => `block ${i}`);
  expect(looking.layers.map(({ layer }) => layer)).toEqual(blocks);
  expect(new Set(looking.gates.map(({ place }) => place.slice(0, 7)))).toEqual(new Set(blocks));
  expect(looking.gates.every(({ experts }) => experts === 8)).toBe(true);
  for (const { output } of [...looking.gates, ...looking.layers])
    expect(outputs.some(({ name }) => name === output)).toBe(true);
});
