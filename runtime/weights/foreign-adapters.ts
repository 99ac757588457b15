/**
 * Adapters of other programs, known by the names of their tensors. Their numbers mean nothing without
 * settings that stand elsewhere, and a base that is used without them gives other results: so they are
 * named and refused.
 */
import { diagnose } from "../../diagnostics/index.ts";
import type { Weights } from "./weights.ts";

interface Program {
  readonly name: string;
  readonly tensor: RegExp;
  readonly help: string;
}

const programs: readonly Program[] = [
  {
    name: "PEFT",
    tensor: new RegExp(
      [
        /\.lora_(?:[AB]|embedding_[AB]|magnitude_vector)(?:\.\w+)*\.(?:weight|bias)$/,
        /\.lora_(?:E|embedding_[AB]|magnitude_vector)(?:\.\w+)?$/,
        /\.lora_[AB]\.\w+$/,
        /\.base_layer\./,
        /\.(?:ia3_l|vera_lambda_[bd]|oft_[rR]|boft_[RS]|hada_[wt]\d(?:_[ab])?|lokr_[wt]\d(?:_[ab])?)(?:\.\w+)*$/,
      ]
        .map(({ source }) => source)
        .join("|"),
    ),
    help: "merge it in Python, PeftModel.from_pretrained(base, DIR).merge_and_unload(), and save that model's state dict",
  },
  {
    name: "SAMed",
    tensor: /^w_[ab]_\d{3}$|\.qkv\.linear_[ab]_[qkv]\.weight$/,
    help: "merge its products in Python, qkv[:d] += w_b @ w_a, and save that model's state dict",
  },
  {
    name: "AutoGluon",
    tensor: /(?:^|\.)vision_encoder\.(?:.*\.)?lora_(?:[AB]$|moe_)/,
    help: "merge LoRA in Python and save that model's state dict; Conv-LoRA cannot be merged: train it with inarch",
  },
  {
    name: "Kohya's scripts",
    tensor: /\.lora_(?:down|up)\.weight$|^lora_(?:unet|te\d?)_/,
    help: "merge it into its base where it was made: give that checkpoint",
  },
  {
    name: "Diffusers",
    tensor: /(?:_lora|\.lora(?:_linear_layer)?)\.(?:down|up)\.weight$/,
    help: "merge it with fuse_lora() in Python and save that model's state dict",
  },
  {
    name: "MLX",
    tensor: /\.lora_[ab]$/,
    help: "merge it into its base with mlx_lm.fuse: give that checkpoint",
  },
];

/** What is asked of a file. */
type Named = Pick<Weights, "tensors" | "source"> & Partial<Pick<Weights, "metadata">>;

/**
 * Refuses a file that holds an adapter of another program; files of inarch's own say their kind. `isKnown`
 * names are the model's, or those of inarch's adapters on it. @throws E437
 */
export function refuseForeign(
  { tensors, source, metadata }: Named,
  isKnown: (name: string) => boolean = () => false,
): void {
  if (metadata?.kind !== undefined) return;
  const names = [...tensors.keys()].filter((name) => !isKnown(name));
  for (const { name: program, tensor, help } of programs) {
    const first = names.find((name) => tensor.test(name));
    if (first === undefined) continue;
    throw diagnose("E437", {
      message: `the file holds an adapter of ${program}: ${first} is one of its tensors`,
      where: source,
      help,
    });
  }
}

/** What a file of settings that PEFT writes is called, for those who give it as weights. */
export const peftSettings = {
  pattern: /^\s*\{.*"peft_type"\s*:/s,
  looks: "is the settings of a PEFT adapter (adapter_config.json)",
  help: programs[0]!.help,
} as const;
