/** SAM's image encoder, bare and with adapters on every qkv: times, and where they go. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Precision } from "../../../compiler/storage/formats.ts";
import { parseTuning, tuningFor } from "../../../compiler/tuning/file.ts";
import { deviceKey, type Tuning } from "../../../compiler/tuning/tuning.ts";
import { hashedImage } from "../../../models/index.ts";
import { encoderGraph } from "../../problems/small-sam.ts";
import { type Adapted, bare, withConvLora, withLora, withTaLora } from "../adapted.ts";
import type { Finding } from "../lines.ts";
import { firstOf, type Part, type Setting } from "../part.ts";
import { openProgram } from "../programs.ts";
import { type Model, sizes } from "../sizes.ts";
import { rounded, timeRuns } from "../timing.ts";
import {
  cuda,
  cudaBfloat,
  f32,
  fragments,
  openVariant,
  packed,
  stored,
  unchecked,
  type Variant,
} from "../variants.ts";
import { tuningFile } from "./tuning.ts";

/** Which adapters each way of computing is measured with: what tells most comes first. */
const measured: readonly (readonly [Variant, readonly Adapted[]])[] = [
  [f32, [bare, withConvLora, withLora, withTaLora]],
  [fragments, [bare, withLora, withConvLora, withTaLora]],
  [cuda, [bare, withLora, withConvLora, withTaLora]],
  [cudaBfloat, [bare, withLora, withConvLora, withTaLora]],
  [stored, [bare, withLora, withConvLora]],
  [unchecked, [bare]],
  [packed, [bare]],
];

/** The second time, behind the tuning. */
const tuned: typeof measured = [
  [f32, [bare]],
  [stored, [bare]],
];

const partOf = (name: string, about: string, seconds: number, isTuned: boolean): Part => ({
  name,
  about,
  seconds: { full: [seconds, 40], small: [1800, 300] },
  items: async (setting) => {
    const items = sizes[setting.scale].models.flatMap((model) =>
      (isTuned ? tuned : measured).flatMap(([variant, adapters]) =>
        adapters.map((adapted) => ({
          name: `${nameOf(model, adapted)}, ${variant.name}${isTuned ? ", tuned" : ""}`,
          run: () => timeEncoder(model, adapted, variant, isTuned, setting),
        })),
      ),
    );
    return firstOf(items, 3, setting);
  },
});

export const encoders = partOf(
  "encoders",
  "SAM's image encoders, bare and with adapters on every qkv",
  120,
  false,
);

export const tunedEncoders = partOf(
  "encoders, tuned",
  "the bare encoders with the tiles that were found",
  40,
  true,
);

const nameOf = ({ name, config }: Model, adapted: Adapted) =>
  `${name} encoder at ${config.imageSize} pixels, ${adapted.name}`;

/** Embeddings in single precision, with which the others of this process are compared. */
const exact = new Map<string, Float32Array>();

async function timeEncoder(
  model: Model,
  adapted: Adapted,
  variant: Variant,
  isTuned: boolean,
  { tell, out }: Setting,
): Promise<void> {
  const what = nameOf(model, adapted);
  const how = `${variant.name}${isTuned ? ", tuned" : ""}`;
  const opened = await openVariant(variant);
  if (typeof opened === "string")
    return tell({ type: "left out", what: `${what}, ${how}`, reason: opened });
  const tuning = isTuned ? await tuningIn(out, deviceKey(opened.device.capabilities)) : undefined;
  if (isTuned && !tuning)
    return tell({ type: "left out", what: `${what}, ${how}`, reason: "nothing was tuned" });
  const begun = performance.now();
  const program = await openProgram(
    {
      graph: encoderGraph(model.config, adapted.adapter),
      inputs: { image: hashedImage("bench", model.config.imageSize) },
      ...(tuning ? { tuning } : {}),
    },
    opened,
  );
  try {
    const embedding = await program.run();
    const ready = ((performance.now() - begun) / 1000).toFixed(1);
    tell(compareWith(exact.get(what), embedding, `${what}, ${how}`, variant));
    if (variant === f32 && !isTuned) exact.set(what, embedding);
    const timing = await timeRuns(program);
    const { milliseconds: latency } = await timeRuns(
      { ...program, submit: program.run, wait: async () => {} },
      { isWarm: true },
    );
    const { steps, kernels } = program.plan;
    const note = `${steps.length} dispatches of ${kernels.length} kernels, ready in ${ready} s`;
    tell({ type: "time", what, system: "inarch", how, ...timing, latency, note });
    const spent = adapted === bare ? await program.kernels() : undefined;
    if (spent)
      tell({
        ...{ type: "kernels", what: `${what}, ${how}` },
        kernels: spent.slice(0, 14).map((k) => ({ ...k, milliseconds: rounded(k.milliseconds) })),
      });
  } finally {
    program.close();
  }
}

/** Halves round every block's results; a whole encoder was seen to differ by a hundredth. */
const allowed: Readonly<Record<Precision, number>> = { f32: 1e-4, mixed: 0.05, bf16: 0.2 };

function compareWith(
  reference: Float32Array | undefined,
  embedding: Float32Array,
  what: string,
  { precision }: Variant,
): Finding {
  const allFinite = embedding.every(Number.isFinite);
  if (!reference || !allFinite) {
    const found = allFinite ? "all numbers are finite" : "there are numbers that are not finite";
    return { type: "check", what, passed: allFinite, found };
  }
  let [difference, size] = [0, 0];
  for (const [i, v] of reference.entries()) {
    difference += (v - embedding[i]!) ** 2;
    size += v ** 2;
  }
  const error = Math.sqrt(difference / size);
  const most = allowed[precision];
  const found = `differs from f32 by ${error.toExponential(1)}`;
  return { type: "check", what, passed: error <= most, found, allowed: `at most ${most}` };
}

async function tuningIn(out: string, key: string): Promise<Tuning | undefined> {
  const path = tuningFile(out);
  if (!existsSync(path)) return undefined;
  const file = parseTuning(await readFile(path, "utf8"), path);
  return Object.hasOwn(file.devices, key) ? tuningFor(file, key, path) : undefined;
}
