/**
 * Checks of kinds `segmentation_metrics` and `dense_metrics`: metrics as published, and the losses of dense
 * prediction. What is not defined is `null` in the file.
 */
import { compileAsync, input, type Tensor, trace } from "../compiler/index.ts";
import { createSession } from "../runtime/session.ts";
import {
  type BinaryMetric,
  binaryScores,
  confusion,
  depthErrors,
  labelsOfLogits,
  normalErrors,
  type Score,
} from "../study/metrics/index.ts";
import { cosineNormals, crossEntropy, l1Depth } from "../training/losses/dense.ts";
import { type Check, compare } from "./compare.ts";
import type { Setting } from "./kinds.ts";
import { garbled, type Reference, type ReferenceTensor } from "./reference.ts";

const binaryNames: Readonly<Record<string, BinaryMetric>> = {
  s_measure: "sMeasure",
  weighted_f_measure: "weightedF",
  mae: "mae",
  e_measure_mean: "meanE",
  f_measure_adaptive: "adaptiveF",
  ber: "ber",
  iou: "iou",
  dice: "dice",
  accuracy: "accuracy",
};

/** `CASE/prediction` and `CASE/target`, each `[height, width]`, and what `expected` says of every case. */
export async function* verifySegmentationMetrics(reference: Reference): AsyncIterable<Check> {
  for (const [name, scores] of Object.entries(casesOf(reference))) {
    const prediction = await reference.read(`${name}/prediction`, 2);
    const target = await reference.read(`${name}/target`, 2);
    const [height = 0, width = 0] = prediction.shape;
    if (target.shape.join() !== prediction.shape.join())
      throw garbled(reference.path, `${name}/target has another shape than ${name}/prediction`);
    const found = binaryScores({
      ...{ width, height },
      ...{ probabilities: prediction.data, target: target.data },
    });
    for (const [metric, expected] of Object.entries(scores)) {
      const mine = binaryNames[metric];
      if (mine === undefined) throw unknown(reference, metric, Object.keys(binaryNames));
      yield compareScore(`${name}/${metric}`, found[mine], expected);
    }
  }
}

/** Logits with labels, of which -1 does not count; depths; normals; and what `expected` says of them. */
export async function* verifyDenseMetrics(
  reference: Reference,
  setting: Setting,
): AsyncIterable<Check> {
  const found = { ...(await denseScores(reference)), ...(await denseLosses(reference, setting)) };
  for (const [metric, expected] of Object.entries(scoresOf(reference, "expected"))) {
    if (!Object.hasOwn(found, metric)) throw unknown(reference, metric, Object.keys(found));
    yield compareScore(metric, found[metric], expected);
  }
}

async function denseScores(reference: Reference): Promise<Record<string, Score>> {
  const { logits, labels, depth, normal } = await readDense(reference);
  const [pictures = 0, classes = 0] = logits.shape;
  const counts = confusion(classes, { ignore: -1 });
  const normals = normalErrors();
  for (let i = 0; i < pictures; i++) {
    counts.add(labelsOfLogits(part(logits, i), classes), part(labels, i));
    normals.add(part(normal.prediction, i), part(normal.target, i));
  }
  const depths = depthErrors();
  depths.add(depth.prediction.data, depth.target.data);
  const [semantic, { absolute, relative }, angles] = [
    counts.scores(),
    depths.scores(),
    normals.scores(),
  ];
  return {
    miou: semantic.meanIou.value,
    pixel_accuracy: semantic.accuracy,
    depth_abs_err: absolute,
    depth_rel_err: relative,
    normal_mean_deg: angles.mean,
    normal_median_deg: angles.median,
    "normal_within_11.25": angles.within11,
    "normal_within_22.5": angles.within22,
    normal_within_30: angles.within30,
  };
}

async function denseLosses(reference: Reference, { device, profile, signal }: Setting) {
  const { logits, labels, depth, normal } = await readDense(reference);
  const graph = trace(() => {
    const floats = (name: string, { shape }: ReferenceTensor) => input(name, "f32", [...shape]);
    return {
      loss_semantic: crossEntropy(
        floats("logits", logits),
        input("labels", "i32", [...labels.shape]) as Tensor,
      ),
      loss_depth: l1Depth(floats("depth", depth.prediction), floats("depths", depth.target)),
      loss_normal: cosineNormals(
        floats("normal", normal.prediction),
        floats("normals", normal.target),
      ),
    };
  }, {});
  const options = { name: "losses", target: device.target, profile, signal };
  const session = await createSession(await compileAsync(graph, options), device);
  try {
    const losses = await session.run({
      logits: logits.data,
      labels: Int32Array.from(labels.data),
      depth: depth.prediction.data,
      depths: depth.target.data,
      normal: normal.prediction.data,
      normals: normal.target.data,
    });
    return Object.fromEntries(Object.entries(losses).map(([name, [value]]) => [name, value]));
  } finally {
    session.close();
  }
}

async function readDense(reference: Reference) {
  const logits = await reference.read("semantic.logits", 4);
  const labels = await reference.read("semantic.target", 3);
  const pair = async (name: string) => ({
    prediction: await reference.read(`${name}.prediction`, 4),
    target: await reference.read(`${name}.target`, 4),
  });
  const [depth, normal] = [await pair("depth"), await pair("normal")];
  for (const { prediction, target } of [depth, normal])
    if (prediction.shape.join() !== target.shape.join())
      throw garbled(reference.path, "a prediction and its target differ in shape");
  return { logits, labels, depth, normal };
}

/** One of the first dimension. */
const part = ({ shape, data }: ReferenceTensor, i: number) => {
  const length = data.length / shape[0]!;
  return data.subarray(i * length, (i + 1) * length);
};

/** What is undefined must be so on both sides. */
function compareScore(name: string, mine: Score, expected: number | null): Check {
  if (mine !== undefined && expected !== null)
    return compare(name, [mine], [expected], { relative: 1e-4 });
  const found = mine === undefined ? "undefined" : String(mine);
  const allowed = expected === null ? "undefined" : String(expected);
  return { name, found, allowed, passed: found === allowed };
}

const isScore = (value: unknown): value is number | null =>
  value === null || typeof value === "number";

function scoresOf(reference: Reference, name: string, value = reference.json(name)) {
  if (typeof value === "object" && value !== null && Object.values(value).every(isScore))
    return value as Record<string, number | null>;
  throw garbled(reference.path, `"${name}" of its metadata is no object of numbers and nulls`);
}

function casesOf(reference: Reference): Record<string, Record<string, number | null>> {
  const all = reference.json("expected");
  if (typeof all !== "object" || all === null || Array.isArray(all))
    throw garbled(reference.path, '"expected" of its metadata is no object of cases');
  return Object.fromEntries(
    Object.entries(all).map(([name, scores]) => [
      name,
      scoresOf(reference, `expected.${name}`, scores),
    ]),
  );
}

const unknown = (reference: Reference, metric: string, known: readonly string[]) =>
  garbled(reference.path, `it expects "${metric}", which is none of ${known.join(", ")}`);
