/**
 * SAM for semantic segmentation, as Conv-LoRA's authors do it (autogluon, `models/sam.py`): nothing is
 * prompted, the mask decoder has mask tokens of its own number, and all of them share the first
 * perceptron. One class is a mask; several classes are masks that a classifier names.
 */
import {
  defineModel,
  input,
  kaiming,
  type Model,
  type Parameters,
  type Tensor,
} from "../compiler/index.ts";
import { diagnose } from "../diagnostics/index.ts";
import { checkOptions } from "../diagnostics/options.ts";
import { add, argmax, matmul, resample, reshape, sigmoid, slice, softmax } from "../ops/index.ts";
import { linear } from "./layers.ts";
import type { SamConfig } from "./sam/config.ts";
import { encodeImage } from "./sam/image-encoder.ts";
import { cellsOf, decodeMasks, type MaskTokens, perceptronLayers } from "./sam/mask-decoder.ts";
import { metaNames } from "./sam/names.ts";
import { encodeGrid } from "./sam/prompt-encoder.ts";

export interface SemanticHead {
  /** 1: one mask, of what is looked for. More: so many classes, the background counted. */
  readonly classes: number;
  /** Mask tokens, of which each proposes a mask: 1 unless given, and always 1 for one class. */
  readonly masks?: number;
  /**
   * "shared", as published, unless given: all mask tokens have the first perceptron, and a classifier names the masks.
   * "own": one mask token with a perceptron of its own for each class, without a classifier. Few pictures of several
   * classes teach only that.
   */
  readonly perceptrons?: "shared" | "own";
}

export interface SemanticSamOptions {
  readonly name?: string;
  /** Rows of tables of relative positions that are to be interpolated, by path. */
  readonly tableRows?: ReadonlyMap<string, number>;
}

/**
 * All programs have the dim `batch` and the input `image`, f32 `[batch, 3, S, S]`, normalised; S is
 * the model's input size.
 *
 * One class:
 * - `segment` -> `logits` `[batch, 1, S, S]`: above 0 is inside.
 *
 * Several classes and K masks:
 * - `segment` -> `logits` `[batch, K, S, S]` of the masks, `class_logits` `[batch, K, classes + 1]`;
 *   the last class is "no object".
 * - `predict` -> `scores` `[batch, classes, S, S]`, the sum over masks of the class's probability
 *   times the mask's, and `labels` i32 `[batch, S, S]`, the class of the largest score.
 *
 * Several classes with perceptrons of their own:
 * - `segment` -> `logits` `[batch, classes, S, S]`: of each pixel, of each class.
 * - `predict` -> `scores` `[batch, classes, S, S]`, their softmax, and `labels` i32 `[batch, S, S]`.
 *
 * Parameters are those of Meta's checkpoint, but for `mask_decoder.mask_tokens.weight` `[K, …]`, which
 * begins as copies of the first mask token, `mask_decoder.output_classifier_mlps`, which is new, and perceptrons
 * beyond those of the checkpoint, which begin as copies of the first.
 * What no program uses (the quality head, points, masks) is not among them.
 *
 * @throws E330 for a number of classes or masks that cannot be.
 */
export function semanticSam(
  config: SamConfig,
  head: SemanticHead,
  options: SemanticSamOptions = {},
): Model {
  checkOptions<SemanticHead>("semanticSam", head, {
    classes: true,
    masks: true,
    perceptrons: true,
  });
  checkOptions<SemanticSamOptions>("semanticSam", options, { name: true, tableRows: true });
  const { classes, masks = 1, perceptrons = "shared" } = head;
  checkHead(head);
  const { name = "semantic-sam", tableRows } = options;
  const asked = { count: perceptrons === "own" ? classes : masks, perceptrons };
  const propose = (p: Parameters) => proposeMasks(p, config, asked, tableRows);
  const own = {
    segment: (p: Parameters) => ({ logits: propose(p).logits }),
    predict(p: Parameters) {
      const { logits } = propose(p);
      return { scores: softmax(logits, 1), labels: argmax(logits, 1) };
    },
  };
  const published = {
    segment(p: Parameters) {
      const { logits, maskTokens } = propose(p);
      return classes === 1
        ? { logits }
        : { logits, class_logits: classify(p, maskTokens, classes) };
    },
    predict(p: Parameters) {
      const { logits, maskTokens } = propose(p);
      const scores = scoreClasses(logits, classify(p, maskTokens, classes));
      return { scores, labels: argmax(scores, 1) };
    },
  };
  const programs = perceptrons === "own" ? own : published;
  const { segment } = programs;
  return defineModel({
    name,
    doc: "Segment Anything for semantic segmentation: an image in, masks or classes out.",
    dims: { batch: 1 },
    tensorNames: metaNames,
    programs: classes === 1 ? { segment } : programs,
  });
}

interface Proposals {
  /** `[batch, masks, S, S]`. */
  readonly logits: Tensor<"f32">;
  /** `[batch, masks, outChans]`. */
  readonly maskTokens: Tensor<"f32">;
}

function proposeMasks(
  p: Parameters,
  config: SamConfig,
  asked: MaskTokens,
  tableRows: ReadonlyMap<string, number> | undefined,
): Proposals {
  const { imageSize, outChans } = config;
  const image = input("image", "f32", ["batch", 3, imageSize, imageSize], {
    doc: "The image, normalised.",
  });
  const { embedding } = encodeImage(p.at("image_encoder"), image, config, tableRows);
  const prompt = p.at("prompt_encoder");
  const noMask = prompt.at("no_mask_embed").f32("weight", [1, outChans]);
  // Named before the decoder asks for them, so that they begin as copies of the checkpoint's first.
  const from = "mask_decoder.mask_tokens.weight";
  p.f32(from, [asked.count, outChans], { init: { kind: "copy", from, rows: 1 } });
  if (asked.perceptrons === "own") copyPerceptrons(p, asked.count, outChans);
  const { logits, maskTokens } = decodeMasks(
    p.at("mask_decoder"),
    { map: add(cellsOf(embedding), noMask), position: encodeGrid(prompt, config) },
    config,
    asked,
  );
  const size = [imageSize, imageSize] as const;
  return { logits: resample(logits, { size, mode: "bilinear" }), maskTokens };
}

/** Perceptrons that the checkpoint does not have begin as its first. */
function copyPerceptrons(p: Parameters, count: number, channels: number): void {
  const path = (mask: number, name: string) =>
    `mask_decoder.output_hypernetworks_mlps.${mask}.layers.${name}`;
  for (let mask = 1; mask < count; mask++)
    for (const [layer, { inputs, outputs }] of perceptronLayers(channels).entries())
      for (const [name, shape] of [
        [`${layer}.weight`, [outputs, inputs]],
        [`${layer}.bias`, [outputs]],
      ] as const)
        p.f32(path(mask, name), shape, { init: { kind: "copy", from: path(0, name) } });
}

/** `[batch, masks, classes + 1]` logits. */
function classify(p: Parameters, maskTokens: Tensor<"f32">, classes: number): Tensor<"f32"> {
  const channels = maskTokens.shape.at(-1)!;
  const classifier = p.at("mask_decoder", "output_classifier_mlps");
  const begin = { init: kaiming(channels) };
  classifier.f32("weight", [classes + 1, channels], begin);
  classifier.f32("bias", [classes + 1], begin);
  return linear(classifier, maskTokens, channels, classes + 1);
}

/**
 * Scores of classes from masks and their classes' logits, as `predict` has them: `[batch, masks, S, S]` and `[batch,
 * masks, classes + 1]` to `[batch, classes, S, S]`.
 */
export function scoreClasses(logits: Tensor<"f32">, classLogits: Tensor<"f32">): Tensor<"f32"> {
  const [batch, masks, height, width] = logits.shape as [number, number, number, number];
  const classes = classLogits.shape[2]! - 1;
  const named = slice(softmax(classLogits), [[], [], [0, classes]]);
  const inside = reshape(sigmoid(logits), [batch, masks, height * width]);
  const scores = matmul(named, inside, { transpose: "left" });
  return reshape(scores, [batch, classes, height, width]);
}

/** More is a typing error, and would take all memory. */
const most = 4096;

function checkHead({ classes, masks, perceptrons = "shared" }: SemanticHead): void {
  for (const [what, count] of [
    ["classes", classes],
    ["masks", masks ?? 1],
  ] as const)
    if (!Number.isInteger(count) || count < 1 || count > most)
      throw diagnose("E330", {
        message: `a segmentation of ${count} ${what} cannot be`,
        help: `give ${what} as a whole number from 1 to ${most}`,
      });
  if (perceptrons !== "shared" && perceptrons !== "own")
    throw diagnose("E330", {
      message: `perceptrons cannot be ${String(perceptrons)}`,
      help: 'they are "shared" by all masks, as published, or each class has its "own"',
    });
  if (classes === 1 && (masks ?? 1) > 1)
    throw diagnose("E330", {
      message: `one class is one mask, not ${masks}: there is no classifier to choose among them`,
      help: "leave masks out, or count the background as a class: { classes: 2, masks: … }",
    });
  if (perceptrons === "own" && masks !== undefined && masks !== classes)
    throw diagnose("E330", {
      message: `${classes} classes with perceptrons of their own are ${classes} masks, not ${masks}`,
      help: "leave masks out",
    });
}
