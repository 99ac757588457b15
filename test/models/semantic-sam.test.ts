/** SAM for semantic segmentation equals a plain SAM in double precision; errors; counts. */
import { describe, expect, test } from "vitest";
import { parametersOf, traceProgram } from "../../compiler/index.ts";
import { checkSamConfig, type SamConfig, samPresets } from "../../models/sam/config.ts";
import { hashedImage } from "../../models/sam/hashed.ts";
import { samTensors } from "../../models/sam/tensors.ts";
import { semanticSam } from "../../models/semantic-sam.ts";
import { relativeError } from "../../verify/ops/evaluate.ts";
import { affine, hashedLookup, plainResize, runHashed, softmaxOf } from "../support/hashed-run.ts";
import { type Lookup, plainDecoder, plainEncoder, split } from "../support/sam-plain.ts";
import { tinySam } from "../support/sam-small.ts";
import { refusal } from "../support/weights-files.ts";

/** Sines and error functions are approximations of single precision, also in double. */
const tolerance = 1e-6;

const side = tinySam.imageSize;
const images = ["a", "b"].map((seed) => hashedImage(seed, side));
const image = Float32Array.from(images.flatMap((one) => [...one]));

/** Tensors of a model with so many masks and classes. */
function weightsOf(masks: number, classes: number) {
  const classifier = { name: "mask_decoder.output_classifier_mlps", width: tinySam.outChans };
  return hashedLookup([
    ...samTensors({ ...tinySam, numMultimaskOutputs: masks - 1 }),
    { name: `${classifier.name}.weight`, shape: [classes + 1, classifier.width] },
    { name: `${classifier.name}.bias`, shape: [classes + 1] },
  ]);
}

/** The masks at the input's size and the tokens behind them, of one image. */
function plainSegments(at: Lookup, one: Float32Array, masks: number, own = false) {
  const config: SamConfig = { ...tinySam, numMultimaskOutputs: masks - 1 };
  // Every mask token goes through the first perceptron, unless it has its own.
  const shared: Lookup = own ? at : (name) => at(name.replace(/(hypernetworks_mlps)\.\d+/, "$1.0"));
  const { output } = plainEncoder(config, at, one);
  const nothing = { points: [], labels: [] };
  const { masks: small, queries } = plainDecoder(config, shared, output, nothing);
  const from = (4 * side) / config.patchSize;
  const logits = small.map((map) => plainResize(map, [from, from], [side, side]));
  return { logits, tokens: queries.slice(1) };
}

describe("one class", () => {
  test("is the plain decoder's only mask at the input's size, for each image of a batch", async () => {
    const graph = traceProgram(semanticSam(tinySam, { classes: 1 }), "segment", { batch: 2 });
    expect(graph.outputs.map(({ tensor }) => tensor.shape)).toEqual([[2, 1, side, side]]);
    const { logits } = await runHashed(graph, { image });
    const at = weightsOf(1, 1);
    const expected = images.flatMap((one) => plainSegments(at, one, 1).logits.flat());
    expect(relativeError(logits!, expected)).toBeLessThan(tolerance);
  });

  test("reads the tensors of a checkpoint with one mask, but for what no prompt needs", () => {
    const graph = traceProgram(semanticSam(tinySam, { classes: 1 }), "segment");
    const unread = /point_embeddings|not_a_point|mask_downscaling|iou_prediction_head/;
    const expected = samTensors({ ...tinySam, numMultimaskOutputs: 0 })
      .filter(({ name }) => !unread.test(name))
      .map(({ name, shape }) => `${name} ${shape}`);
    const found = parametersOf(graph).map(({ name, type }) => `${name} ${type.shape}`);
    expect(found.sort()).toEqual(expected.sort());
  });

  test("trains 3,505,536 parameters of the decoder of every published SAM", () => {
    const graph = traceProgram(semanticSam(samPresets.vit_h, { classes: 1 }), "segment");
    const trained = parametersOf(graph).filter(({ name }) => name.startsWith("mask_decoder."));
    const count = trained.reduce((sum, { type }) => sum + type.shape.reduce((a, b) => a * b), 0);
    expect(count).toBe(3_505_536);
  });
});

describe("several classes", () => {
  const model = semanticSam(tinySam, { classes: 3, masks: 2 });

  test("have masks and class logits of every mask token, for each image of a batch", async () => {
    const graph = traceProgram(model, "segment", { batch: 2 });
    const { logits, class_logits } = await runHashed(graph, { image });
    const at = weightsOf(2, 3);
    const plain = images.map((one) => plainSegments(at, one, 2));
    const expected = plain.flatMap((one) => one.logits.flat());
    expect(relativeError(logits!, expected)).toBeLessThan(tolerance);
    const named = plain.flatMap((one) => classesOf(at, one.tokens).flat());
    expect(class_logits!.length).toBe(2 * 2 * 4);
    expect(relativeError(class_logits!, named)).toBeLessThan(tolerance);
  });

  test("are predicted by the sum of masks times their classes, no object left out", async () => {
    const graph = traceProgram(model, "predict");
    const { scores, labels } = await runHashed(graph, { image: images[0]! });
    const at = weightsOf(2, 3);
    const plain = plainSegments(at, images[0]!, 2);
    const shares = classesOf(at, plain.tokens).map(softmaxOf);
    const expected = [0, 1, 2].map((c) =>
      plain.logits[0]!.map((_, pixel) =>
        plain.logits.reduce(
          (sum, mask, q) => sum + shares[q]![c]! / (1 + Math.exp(-mask[pixel]!)),
          0,
        ),
      ),
    );
    expect(relativeError(scores!, expected.flat())).toBeLessThan(tolerance);
    const largest = [...labels!].filter((label, pixel) => {
      const column = [0, 1, 2].map((c) => scores![c * side * side + pixel]!);
      return column[label] === Math.max(...column);
    });
    expect(largest.length).toBe(side * side);
  });

  const classesOf = (at: Lookup, tokens: readonly Float64Array[]) => {
    const own = (part: string) => at(`mask_decoder.output_classifier_mlps.${part}`);
    const weight = split(own("weight"), tinySam.outChans);
    return tokens.slice(0, 2).map((token) => affine(weight, own("bias"), token));
  };

  test("begin with copies of the checkpoint's mask token and a classifier of its own", () => {
    const inits = new Map(
      parametersOf(traceProgram(model, "segment")).map(({ name, init }) => [name, init]),
    );
    const tokens = "mask_decoder.mask_tokens.weight";
    expect(inits.get(tokens)).toMatchObject({ kind: "copy", from: tokens });
    const begin = { kind: "uniform", bound: 0.25 };
    expect(inits.get("mask_decoder.output_classifier_mlps.weight")).toEqual(begin);
    expect(inits.get("mask_decoder.output_classifier_mlps.bias")).toEqual(begin);
  });
});

describe("several classes with perceptrons of their own", () => {
  const model = semanticSam(tinySam, { classes: 6, perceptrons: "own" });

  test("have the plain decoder's masks as their logits, and the largest is the label", async () => {
    const one = images[0]!;
    const { logits } = await runHashed(traceProgram(model, "segment"), { image: one });
    const expected = plainSegments(weightsOf(6, 6), one, 6, true).logits;
    expect(relativeError(logits!, expected.flat())).toBeLessThan(tolerance);
    const { scores, labels } = await runHashed(traceProgram(model, "predict"), { image: one });
    for (let pixel = 0; pixel < side * side; pixel++) {
      const column = expected.map((map) => map[pixel]!);
      expect(column[labels![pixel]!]).toBeCloseTo(Math.max(...column), 6);
      const shares = Array.from(softmaxOf(column));
      for (const [c, share] of shares.entries())
        expect(scores![c * side * side + pixel]).toBeCloseTo(share, 6);
    }
  });

  test("begin with copies of the checkpoint's first token and perceptron", () => {
    const inits = new Map(
      parametersOf(traceProgram(model, "segment")).map(({ name, init }) => [name, init]),
    );
    const path = (mask: number, name: string) =>
      `mask_decoder.output_hypernetworks_mlps.${mask}.layers.${name}`;
    for (const name of ["0.weight", "1.bias", "2.weight"]) {
      expect(inits.get(path(0, name))).toBe(undefined);
      expect(inits.get(path(5, name))).toEqual({ kind: "copy", from: path(0, name) });
    }
    expect([...inits.keys()].some((name) => name.includes("classifier"))).toBe(false);
  });
});

test.each([
  [
    { classes: 3, masks: 2, perceptrons: "own" as const },
    "3 classes with perceptrons of their own are 3 masks, not 2",
  ],
  [{ classes: 3, perceptrons: "each" as never }, "perceptrons cannot be each"],
  [{ classes: 0 }, "a segmentation of 0 classes cannot be"],
  [{ classes: 2.5 }, "a segmentation of 2.5 classes cannot be"],
  [{ classes: 3, masks: 5000 }, "a segmentation of 5000 masks cannot be"],
  [
    { classes: 1, masks: 4 },
    "one class is one mask, not 4: there is no classifier to choose among them",
  ],
])("E330 for %o", async (head, message) => {
  const error = await refusal(() => semanticSam(tinySam, head));
  expect(error).toMatchObject({ code: "E330", message: expect.stringContaining(message) });
});

test("a SAM may have one mask and no others", () => {
  expect(checkSamConfig({ ...tinySam, numMultimaskOutputs: 0 }).numMultimaskOutputs).toBe(0);
});
