/** Writes the report of a run into its folder. */
import { join } from "node:path";
import type { SamConfig } from "../../../models/sam/config.ts";
import { loadSharp } from "../../../predict/node/sharp.ts";
import type { Image } from "../../../predict/vision/image.ts";
import type { OpenedDevice } from "../../../runtime/node/opened.ts";
import type { TrainingPlan } from "../../../runtime/training/plan.ts";
import type { Weights } from "../../../runtime/weights/index.ts";
import { batchesOf } from "../../data/batch.ts";
import type { Drawing, DrawnPicture } from "../../report/facts.ts";
import { reportPage } from "../../report/page.ts";
import type { Task } from "../model.ts";
import type { RunSettings } from "../settings.ts";
import { look } from "./look.ts";
import { type RunFolder, startsIn } from "./run-folder.ts";
import type { Sets } from "./sets.ts";
import type { TrainReport } from "./train-report.ts";

export interface ReportRequest {
  readonly report: TrainReport;
  readonly settings: RunSettings;
  readonly sets: Sets;
  readonly task: Task;
  readonly config: SamConfig;
  readonly weights: Weights;
  readonly plan: TrainingPlan;
  readonly run: RunFolder;
  readonly opened: OpenedDevice;
  readonly signal?: AbortSignal | undefined;
}

/** @throws E400 and E401 without the package sharp. */
export async function writeReport(request: ReportRequest): Promise<void> {
  const { report, settings, sets, task, config, weights, plan, run, opened, signal } = request;
  const { samples: held, names } = sets.validation;
  const { fit, filter } = settings;
  const side = config.imageSize;
  const looked = await look({
    ...{ task, weights, held, names, side, signal },
    device: opened.device,
    adapter: join(run.path, "adapter.safetensors"),
    batches: batchesOf(held, { side, fit, filter, order: "plain" }),
    patch: config.patchSize,
  });
  const encode = async (all: readonly Drawing[]) => Promise.all(all.map(encoded));
  const page = reportPage({
    ...report,
    ...{ settings, log: run.log, parts: partsOf(plan), starts: await startsIn(run.path) },
    looked: looked.pictures,
    rank: looked.rank.name,
    distances: looked.distances,
    drawn: { best: await encode(looked.best), worst: await encode(looked.worst) },
  });
  await run.save("report.html", page);
}

/** So long is the longest side of a picture in a report: it is to be sent by mail. */
const longest = 640;

async function encoded({ pairs, ...rest }: Drawing): Promise<DrawnPicture> {
  const sharp = await loadSharp();
  const { width, height } = rest;
  const by = Math.min(1, longest / Math.max(width, height));
  const size = [Math.max(1, Math.round(width * by)), Math.max(1, Math.round(height * by))] as const;
  const jpeg = ({ width, height, data }: Image) =>
    sharp(data, { raw: { width, height, channels: 3 } })
      .resize(...size, { fit: "fill" })
      .jpeg({ quality: 82 })
      .toBuffer();
  const all = pairs.map(async ({ task, truth, found }) => ({
    ...{ task, truth: await jpeg(truth), found: await jpeg(found) },
  }));
  return { ...rest, pairs: await Promise.all(all) };
}

/** Numbers that train, by the part of the model and by whether an adapter brought them. */
function partsOf({ tensors }: TrainingPlan): Record<string, number> {
  const parts: Record<string, number> = {};
  for (const { name, shape } of tensors) {
    const [first, second] = name.replace(/^model\./, "").split(".");
    const own = /lora_|td_|adapter|prompt_generator|moe_/.test(name) ? ", adapters" : "";
    const part = `${first}${first === "mask_decoder" ? `.${second}` : ""}${own}`;
    parts[part] = (parts[part] ?? 0) + shape.reduce((a, b) => a * b, 1);
  }
  return parts;
}
