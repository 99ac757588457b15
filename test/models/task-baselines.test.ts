/** MTAN and cross-stitch networks equal versions in PyTorch, in double precision, with their gradients. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mtan } from "../../adapters/mtan.ts";
import { compileStages } from "../../compiler/compile.ts";
import { gradient } from "../../compiler/grad/backward.ts";
import { elements, type Tensor } from "../../compiler/graph/tensor.ts";
import {
  type Adapter,
  adapt,
  graphOf,
  input,
  Parameters,
  parametersOf,
  trace,
  traceProgram,
} from "../../compiler/index.ts";
import { countWork } from "../../compiler/inspect/count.ts";
import { encodeStitched } from "../../models/cross-stitch.ts";
import { mSam } from "../../models/msam.ts";
import type { SamConfig } from "../../models/sam/config.ts";
import { hashed, hashedImage, hashedTensor } from "../../models/sam/hashed.ts";
import { encodeImage } from "../../models/sam/image-encoder.ts";
import { semanticSam } from "../../models/semantic-sam.ts";
import { openGraph, randomArrays, scopeWith } from "../support/adapted-graphs.ts";
import { repository } from "../support/command-line.ts";
import { tinySam } from "../support/sam-small.ts";
import { refusal } from "../support/weights-files.ts";

type Facts = {
  readonly embeddings: readonly (readonly number[])[];
  readonly gradients: Readonly<Record<string, readonly [norm: number, along: number]>>;
};

const path = join(repository, "test", "fixtures", "task_baselines.json");
const reference = JSON.parse(readFileSync(path, "utf8")) as Record<string, Facts>;

/** As in the script that made the file. */
const config: SamConfig = { ...tinySam, depth: 4, globalAttnIndexes: [1, 3] };
const [tasks, stages] = [2, 2];
type Encode = (p: Parameters, image: Tensor<"f32">) => readonly Tensor<"f32">[];

const one: Adapter = mtan({ stages });
const methods: Readonly<Record<string, Encode>> = {
  mtan: (p, image) =>
    [0, 1].map((task) => encodeImage(p.forTask(task).at("image_encoder"), image, config).embedding),
  "cross-stitch": (p, image) => encodeStitched(p, image, config, { tasks, stages }),
};

const ofName = (name: string, shape: readonly number[]) => [...hashedTensor("test", name, shape)];
/** From -1 to 1. */
const vector = (key: string, count: number) => [...hashed(key, 0, count, 0, 1)];

test.each(Object.entries(methods))("%s", async (name, encode) => {
  const p = new Parameters("", { known: new Map(), scope: scopeWith(one) });
  const found = encode(p, input("image", "f32", [1, 3, 32, 32]));
  const made = graphOf(found.map((tensor, i) => ({ name: `y${i}`, tensor })));
  const shapes = parametersOf(made).map((of) => [of.name, of.type.shape as number[]] as const);
  const wrt = shapes.map(([path, shape]) => p.f32(path, shape));
  const towards = found.map((_, i) => input(`direction${i}`, "f32", [1, 16, 4, 4]));
  const slopes = gradient([...found], towards, wrt);
  const run = await openGraph(
    graphOf([
      ...found.map((tensor, i) => ({ name: `y${i}`, tensor })),
      ...slopes.map((tensor, i) => ({ name: `d ${shapes[i]![0]}`, tensor: tensor! })),
    ]),
  );
  const results = await run({
    image: [...hashedImage("a", 32)],
    ...Object.fromEntries(shapes.map(([path, shape]) => [path, ofName(path, shape)])),
    ...Object.fromEntries(found.map((_, i) => [`direction${i}`, vector(`direction/${i}`, 256)])),
  });
  const { embeddings, gradients } = reference[name]!;
  for (const [i, wanted] of embeddings.entries())
    for (const [at, value] of wanted.entries())
      expect(Math.abs(results[`y${i}`]![at]! - value)).toBeLessThan(1e-5);
  expect(shapes.map(([path]) => path).sort()).toEqual(Object.keys(gradients).sort());
  for (const [path, shape] of shapes) {
    const slope = results[`d ${path}`]!;
    const [norm, product] = gradients[path]!;
    const unit = vector(`along/${path}`, elements(shape));
    const found = slope.reduce((sum, v, i) => sum + v * unit[i]!, 0);
    expect(Math.abs(Math.hypot(...slope) - norm), path).toBeLessThan(1e-4 * norm);
    expect(Math.abs(found - product), path).toBeLessThan(1e-4 * norm);
    expect(norm, path).toBeGreaterThan(0);
  }
});

const both = [
  { name: "labels", channels: 2 },
  { name: "depth", channels: 1 },
];

test("networks that are stitched begin as the one that they are copies of", async () => {
  const image = () => input("image", "f32", [1, 3, 32, 32]);
  const plain = trace(
    (p) => ({
      y0: encodeImage(p.at("image_encoder"), image(), tinySam).embedding,
    }),
    {},
  );
  const stitched = traceProgram(mSam(tinySam, { tasks: both }, { crossStitch: {} }), "segment");
  const own = (name: string) => name.replace(/^image_encoder\.\d+/, "image_encoder");
  const begun = parametersOf(stitched).filter(({ name }) => name.startsWith("image_encoder."));
  for (const { name, init } of begun) {
    const even = { kind: "constant", value: 0.5 };
    const copy = { kind: "copy", from: own(name) };
    expect(init).toEqual(name === "image_encoder.cross_stitch" ? even : copy);
  }
  const encoded = trace((p) => {
    const found = encodeStitched(p, image(), tinySam, { tasks: 2 });
    return Object.fromEntries(found.map((tensor, i) => [`y${i}`, tensor]));
  }, {});
  const values = randomArrays(plain);
  const copies = parametersOf(encoded).map(
    ({ name }) => [name, values[own(name)] ?? [0.5, 0.5, 0.5, 0.5]] as const,
  );
  const wanted = (await (await openGraph(plain))(values)).y0!;
  const found = await (await openGraph(encoded))({ ...values, ...Object.fromEntries(copies) });
  for (const name of ["y0", "y1"])
    for (const [i, value] of wanted.entries())
      expect(Math.abs(found[name]![i]! - value)).toBeLessThan(1e-9);
});

test("the encoder that tasks look at through masks is computed once", () => {
  const work = (tasks: readonly number[], of: "embedding" | "blocks") => {
    const p = new Parameters("", { known: new Map(), scope: scopeWith(mtan()) });
    const image = input("image", "f32", [1, 3, 32, 32]);
    const found = tasks.map((task) => {
      const bare = of === "blocks" ? new Parameters() : p.forTask(task);
      const encoded = encodeImage(bare.at("image_encoder"), image, tinySam);
      return of === "blocks" ? encoded.blocks.at(-1)! : encoded.embedding;
    });
    const graph = graphOf(found.map((tensor, i) => ({ name: `y${i}`, tensor })));
    return countWork(compileStages(graph)).multiplications;
  };
  const [all, single] = [work([0, 1], "embedding"), work([0], "embedding")];
  expect(all).toBeLessThanOrEqual(2 * single - work([0], "blocks"));
});

test.each([
  [() => mSam(tinySam, { tasks: both }, { crossStitch: { stages: 0 } }), "E134"],
  [() => mSam(tinySam, { tasks: both }, { crossStitch: { stage: 1 } as never }), "E460"],
  [() => mtan({ stages: 1.5 }), "E134"],
  [() => adapt(semanticSam(tinySam, { classes: 1 }), mtan()), "E135"],
] as const)("%s is refused with %s", async (make, code) => {
  expect((await refusal(async () => make())).code).toBe(code);
});
