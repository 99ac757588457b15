/**
 * The example's adapter, which no other file knows: it is right, and what it asks for is little.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import {
  type Adapter,
  input,
  type Model,
  parametersOf,
  report,
  trace,
  traceProgram,
} from "../../compiler/index.ts";
import { linear } from "../../models/layers.ts";
import { mean, mul, sub } from "../../ops/index.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { createTrainingSession } from "../../runtime/training/session.ts";
import { type TensorData, writeSafetensors } from "../../runtime/weights/index.ts";
import { adamW, compileTraining } from "../../training/index.ts";
import { randomNumbers } from "../../verify/ops/evaluate.ts";
import {
  checkAdapterDerivative,
  openGraph,
  randomArrays,
  scopeWith,
} from "../support/adapted-graphs.ts";
import { repository } from "../support/command-line.ts";
import { openBytes } from "../support/weights-files.ts";

const text = readFileSync(join(repository, "examples", "06-own-adapter.graph.ts"), "utf8");

interface Example {
  readonly dora: (rank: number) => Adapter;
  readonly default: Model;
}

let example: Example;

// The example imports the package; here its entries are the sources that the tests use.
beforeAll(async () => {
  const source = text.replace(/"inarch(?:\/(\w+))?"/g, (_, entry = "index") =>
    JSON.stringify(join(repository, "entries", `${entry}.ts`)),
  );
  const folder = join(repository, "out", "examples");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "own-adapter.graph.ts");
  writeFileSync(file, source);
  example = (await import(/* @vite-ignore */ file)) as Example;
});

const layer = (p: Parameters<Model["programs"][string]>[0]) => [
  linear(p, input("x", "f32", [5, 4]), 4, 3),
];

test("it takes 25 lines at most", () => {
  const from = text.indexOf("/** W' = m V");
  const to = text.indexOf("const model");
  expect(text.slice(from, to).trimEnd().split("\n").length).toBeLessThanOrEqual(25);
});

test("its derivative is right", async () => {
  await checkAdapterDerivative(example.dora(2), layer);
});

test("it begins as the model", async () => {
  const compute = async (scope: ReturnType<typeof scopeWith>, given?: Record<string, number[]>) => {
    const graph = trace((p) => ({ y: layer(p)[0]! }), {}, scope);
    const arrays = given ?? randomArrays(graph);
    for (const name of ["lora_B", "magnitude_change"]) arrays[name]?.fill(0);
    return { arrays, y: (await (await openGraph(graph))(arrays)).y! };
  };
  const adapted = await compute(scopeWith(example.dora(2)));
  const plain = await compute(scopeWith({ name: "nothing", grafts: {} }), adapted.arrays);
  for (const [i, v] of plain.y.entries()) expect(adapted.y[i]!).toBeCloseTo(v, 12);
});

test("it is grafted where the example says, and trains there alone", () => {
  const { adapters, trained } = report(example.default);
  expect(adapters).toEqual([{ name: "dora", places: ["down"] }]);
  expect([...trained.keys()].sort()).toEqual([
    "down.lora_A",
    "down.lora_B",
    "down.magnitude_change",
  ]);
});

test("it trains", async () => {
  const plan = compileTraining(example.default, {
    target: "reference",
    loss: ({ y }) => {
      const off = sub(y!, input("target", "f32", [16, 8]));
      return { square: mean(mul(off, off)) };
    },
    optimiser: adamW({}),
  });
  const session = await createTrainingSession(plan, referenceDevice(), {
    weights: await openBytes(writeSafetensors(await tensorsOf(example.default), {})),
    rate: 0.02,
  });
  const inputs = { x: randomNumbers(512, 1), target: randomNumbers(128, 2) };
  const losses: number[] = [];
  for (let i = 0; i < 15; i++) losses.push((await session.step(inputs)).loss);
  expect(losses.at(-1)!).toBeLessThan(0.8 * losses[0]!);
  session.close();
});

/** Random numbers for every parameter of a model that a checkpoint would have. */
async function tensorsOf(model: Model): Promise<Map<string, TensorData>> {
  const own = parametersOf(traceProgram(model, "forward")).filter(({ init }) => !init);
  return new Map(
    own.map(({ name, type: { shape } }, i) => {
      const count = shape.reduce((a, b) => a * b, 1);
      const data = Float32Array.from(randomNumbers(count, 10 + i, [-0.3, 0.3]));
      return [name, { dtype: "f32", shape, data: new Uint8Array(data.buffer) }];
    }),
  );
}
