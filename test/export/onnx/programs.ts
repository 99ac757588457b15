/** Whole programs that exports are checked on: the models, and every adapter on a small one. */

import {
  type Adapter,
  type Graph,
  inputsOf,
  parametersOf,
  trace,
  traceProgram,
} from "../../../compiler/index.ts";
import * as adapters from "../../../entries/adapters.ts";
import { mSam } from "../../../models/msam.ts";
import { hashedTensor } from "../../../models/sam/hashed.ts";
import { samModel } from "../../../models/sam/program.ts";
import { semanticSam } from "../../../models/semantic-sam.ts";
import { graftSample } from "../../../verify/adapters/adapter.ts";
import { findAdapters } from "../../../verify/adapters/exported.ts";
import { type Arrays, randomNumbers } from "../../../verify/ops/evaluate.ts";
import { scopeWith } from "../../support/adapted-graphs.ts";
import { encoder, tiny } from "../../support/adapted-programs.ts";

export interface OnnxProgram {
  readonly name: string;
  readonly graph: () => Graph;
}

const sam = samModel(tiny);
// Tables of relative positions of another size are interpolated.
const tableRows = new Map([["image_encoder.blocks.1.attn.rel_pos_h", 5]]);
const semantic = semanticSam(tiny, { classes: 3, masks: 2 });
const tasks = [
  { name: "semantic", channels: 2 },
  { name: "depth", channels: 1 },
];
const frame = { image: [6, 8], output: [7, 11] } as const;

export const models: readonly OnnxProgram[] = [
  { name: "SAM's encoder, two images", graph: () => traceProgram(sam, "encode", { batch: 2 }) },
  {
    name: "SAM's encoder with a table that is interpolated",
    graph: () => traceProgram(samModel(tiny, { tableRows }), "encode"),
  },
  { name: "SAM's decoder", graph: () => traceProgram(sam, "decode") },
  { name: "semantic SAM's masks", graph: () => traceProgram(semantic, "segment") },
  { name: "semantic SAM's classes", graph: () => traceProgram(semantic, "predict") },
  { name: "mSAM", graph: () => traceProgram(mSam(tiny, { tasks }, { frame }), "segment") },
];

const ofEncoders: Readonly<Record<string, Adapter>> = {
  "vpt-deep": adapters.vptDeep({ tokens: 3 }),
  "vpt-shallow": adapters.vptShallow({ tokens: 3 }),
  lst: adapters.lst({ reduction: 2, heads: 1 }),
  "sam-adapter": adapters.samAdapter({ scaleFactor: 2 }),
  "layer-norm": adapters.layerNormTuning(),
  bitfit: adapters.bitFit(),
};

export const adaptedModels: readonly OnnxProgram[] = [
  ...(await findAdapters()).samples.map(([name, sample]) => ({
    name,
    graph() {
      const { model, program } = graftSample(sample);
      return traceProgram(model, program);
    },
  })),
  ...Object.entries(ofEncoders).map(([name, adapter]) => ({
    name: `${name} on SAM's encoder`,
    graph: () => trace((p) => ({ y: encoder(p)[0]! }), {}, scopeWith(adapter)),
  })),
];

/** Values for every input and parameter of a graph; whole numbers are those of a click or two. */
export const valuesOf = (graph: Graph): Arrays =>
  Object.fromEntries([
    ...parametersOf(graph).map(({ name, type }) => [
      name,
      Float64Array.from(hashedTensor("onnx", name, type.shape)),
    ]),
    ...inputsOf(graph).map(({ name, type }, i) => {
      const count = type.shape.reduce((a, b) => a * b, 1);
      if (type.dtype === "f32") return [name, randomNumbers(count, 100 + i, [-2, 2])];
      return [name, Array.from({ length: count }, (_, j) => (count === 1 ? 1 : (j % 5) - 1))];
    }),
  ]);
