/** How many parameters each published method trains on the published SAMs. */
import { taLora } from "../../adapters/index.ts";
import { type Model, report } from "../../compiler/index.ts";
import {
  type MSamTasks,
  mSam,
  mSamTensors,
  type NamedShape,
  type SamPreset,
  samPreset,
  samTensors,
  semanticSam,
} from "../../models/index.ts";
import { decoderOnly, layerNormTuning, publishedMethods } from "../../models/sam/presets/index.ts";

export interface MethodCount {
  readonly trainable: number;
  /** All of the checkpoint, what no program reads included, and the adapter's own. */
  readonly total: number;
  /** `trainable` of `total`, from 0 to 1. */
  readonly share: number;
}

export interface MethodRow {
  readonly method: string;
  /** What is trained: SAM for one class, or mSAM for the three tasks of NYUv2. */
  readonly model: "semantic-sam" | "msam";
  readonly counts: Readonly<Record<SamPreset, MethodCount>>;
  /** Millions on ViT-H as Conv-LoRA's paper prints them, and whether they are counted here. */
  readonly published?: { readonly millions: number; readonly reproduced: boolean };
}

/** Traces every method on every model and counts: exact, and without a device or weights. */
export function countMethods(): MethodRow[] {
  const rows = publishedMethods().map(({ name, adapters, millions }): MethodRow => {
    const counts = onEach((preset) => {
      const config = samPreset(preset);
      const model = semanticSam(config, { classes: 1 });
      const bindings = adapters.map(({ adapter, where }) => ({ adapter, where, train: [] }));
      return count(model, bindings, samTensors(config));
    });
    if (millions === undefined) return { method: name, model: "semantic-sam", counts };
    const reproduced = (counts.vit_h.trainable / 1e6).toFixed(2) === millions.toFixed(2);
    return { method: name, model: "semantic-sam", counts, published: { millions, reproduced } };
  });
  return [...rows, { method: "ta-lora", model: "msam", counts: onEach(countTaLora) }];
}

const onEach = (of: (preset: SamPreset) => MethodCount): MethodRow["counts"] => ({
  vit_b: of("vit_b"),
  vit_l: of("vit_l"),
  vit_h: of("vit_h"),
});

/** `checkpoint` is the whole state dict of the model without adapters. */
function count(model: Model, bindings: Model["bindings"], checkpoint: readonly NamedShape[]) {
  // Bound by hand: `adapt` looks for mistakes in patterns, and traces the model once for that.
  const { trained, trainable } = report({ ...model, bindings: bindings ?? [] });
  const own = new Set(checkpoint.map(({ name }) => name));
  const grafted = [...trained].filter(([name]) => !own.has(name)).map(([, size]) => size);
  const base = checkpoint
    .filter(({ name }) => !name.endsWith(fixed))
    .map(({ shape }) => shape.reduce((a, b) => a * b, 1));
  const total = [...base, ...grafted].reduce((a, b) => a + b, 0);
  return { trainable, total, share: trainable / total };
}

/** Random directions of positions: in the checkpoint, but no parameter, and not counted as one. */
const fixed = ".positional_encoding_gaussian_matrix";

/** NYUv2, by MTSAM's code. */
const indoor: MSamTasks = {
  tasks: [
    { name: "semantic", channels: 13 },
    { name: "depth", channels: 1 },
    { name: "normal", channels: 3 },
  ],
};

const noMask = "prompt_encoder.no_mask_embed.weight";

/** Ranks 32, 32 and 4; embeddings of "no mask", the encoder's norms and all decoders train too. */
function countTaLora(preset: SamPreset): MethodCount {
  const config = samPreset(preset);
  const where = ["image_encoder.blocks.*.attn.qkv"];
  const bindings = [
    { adapter: taLora({ tasks: indoor.tasks.length }), where, train: [noMask] },
    { adapter: layerNormTuning(), where: [], train: [] },
    { adapter: decoderOnly(), where: [], train: [] },
  ];
  const model = mSam(config, indoor);
  // The programs of one task each read everything; that of all at once only repeats them.
  const { segment, ...programs } = model.programs;
  return count({ ...model, programs }, bindings, mSamTensors(config, indoor));
}
