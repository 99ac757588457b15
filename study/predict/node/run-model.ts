/** The model of a run, with the adapter that it kept, ready to see pictures. */
import { deviceProfile, traceProgram } from "../../../compiler/index.ts";
import type { Image } from "../../../predict/vision/image.ts";
import type { Numbers } from "../../../runtime/devices/device.ts";
import { createSession } from "../../../runtime/index.ts";
import { type DeviceKind, withDevice } from "../../../runtime/node/device.ts";
import { deviceWords } from "../../../runtime/node/opened.ts";
import { openWeightsFile } from "../../../runtime/node/weights.ts";
import { compileKept, keptPlans } from "../../../training/node/kept-plans.ts";
import { batchesOf, normalizedImages } from "../../data/batch.ts";
import { classesOf, type Task, type TaskKind, taskFor } from "../../train/model.ts";
import { openSam } from "../../train/node/open-sam.ts";
import { adapterOf, readRun } from "../../train/node/run-folder.ts";
import type { RunSettings } from "../../train/settings.ts";
import type { Tasks } from "../../train/targets.ts";
import type { Maps } from "../maps.ts";

export interface RunModelRequest {
  /** A run's folder: its settings, tasks and adapter are used. */
  readonly run: string;
  /** The checkpoint that the run was trained on. */
  readonly weights: string;
  /** A file with its configuration; the shapes of the weights tell it unless given. */
  readonly config?: string | undefined;
  /** Another adapter of the same method than the run's best: a file. */
  readonly adapter?: string | undefined;
  /** Pictures that are seen at once; 1 unless given. */
  readonly batch?: number | undefined;
  /** As `openDevice` chooses unless given. */
  readonly device?: DeviceKind | undefined;
  readonly onPhase?: ((words: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RunModel {
  readonly settings: RunSettings;
  /** Of a run of masks or classes. */
  readonly classes: readonly string[];
  readonly tasks: Tasks;
  /** The name of its first task, or of its only one. */
  readonly first: string;
  readonly kind: TaskKind;
  readonly device: string;
  /** The side of the model's square, in pixels. */
  readonly side: number;
  readonly batch: number;
  /** Maps of the model's square, by task, of each picture; at most `batch` pictures. */
  see(pictures: readonly Image[]): Promise<Readonly<Record<string, Maps>>[]>;
}

/**
 * Opens the model, and closes it when `use` has ended.
 * @throws E1103 for a folder that is no run's, and for a run without an adapter, E2xx for weights, E431 for those that the run was not trained on, E4xx
 * for the device.
 */
export async function withRunModel<T>(
  request: RunModelRequest,
  use: (model: RunModel) => Promise<T>,
): Promise<T> {
  const { run, batch = 1, onPhase, signal } = request;
  const { settings, tasks } = await readRun(run);
  const { config, weights } = await openSam(request, settings);
  try {
    const adapter = await openWeightsFile(request.adapter ?? adapterOf(run));
    try {
      const { methodSettings } = settings;
      const task = taskFor(config, {
        ...settings,
        settings: methodSettings,
        tasks,
        weights: undefined,
      });
      return await withDevice({ kind: request.device }, async (opened) => {
        const { device } = opened;
        onPhase?.(`on ${deviceWords(opened)}`);
        const plan = await compileKept(graphOf(task, batch), {
          ...{ target: device.target, profile: deviceProfile(device.capabilities), signal },
          plans: await keptPlans(),
        });
        const session = await createSession(plan, device, { weights, adapter });
        const side = config.imageSize;
        const see = async (pictures: readonly Image[]) => {
          const image = await inputsOf(pictures, batch, side, settings);
          const found = await session.run({ image });
          return pictures.map((_, i) =>
            Object.fromEntries(
              Object.keys(tasks).map((name) => [
                name,
                mapsOf(task, name, found, { side, batch, i }),
              ]),
            ),
          );
        };
        const { kind } = task;
        return use({
          ...{ settings, tasks, kind, side, batch, see, device: device.name },
          ...{ classes: classesOf(tasks, kind), first: Object.keys(tasks)[0]! },
        });
      });
    } finally {
      await adapter.close();
    }
  } finally {
    await weights.close();
  }
}

/** Of a task, what the program gave of picture `i` of the batch. */
function mapsOf(
  { kind: of, tasks }: Task,
  name: string,
  found: Readonly<Record<string, Numbers>>,
  { side, batch, i }: { readonly side: number; readonly batch: number; readonly i: number },
): Maps {
  const output = of === "dense" ? name : found.logits ? "logits" : "scores";
  const all = found[output] as Float32Array;
  const size = all.length / batch;
  const isLabels = tasks[name]!.kind === "labels";
  return {
    ...{ width: side, height: side, channels: size / side ** 2 },
    kind: !isLabels ? "values" : output === "scores" && of !== "dense" ? "scores" : "logits",
    data: all.subarray(i * size, (i + 1) * size),
  };
}

/** Masks whose classes a classifier tells are put together by the model itself. */
function graphOf({ model }: Task, batch: number) {
  const graph = traceProgram(model, "segment", { batch });
  const isNamed = graph.outputs.some(({ name }) => name === "class_logits");
  return isNamed ? traceProgram(model, "predict", { batch }) : graph;
}

/** The model's input, as training sees pictures without augmentation; a batch that is not full repeats the last. */
async function inputsOf(
  pictures: readonly Image[],
  batch: number,
  side: number,
  { fit, filter }: RunSettings,
) {
  const read = async (item: number) => ({
    image: pictures[Math.min(item, pictures.length - 1)]!,
    targets: {},
  });
  const samples = { size: batch, tasks: {}, read };
  const batches = batchesOf(samples, { side, fit, filter, order: "plain" });
  return normalizedImages(await batches.take({ step: 0, batch }));
}
