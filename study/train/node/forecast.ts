/** What a run will take, before its first step: device memory, and memory of the process. */
import { deviceProfile } from "../../../compiler/index.ts";
import type { OpenedDevice } from "../../../runtime/node/opened.ts";
import { type TrainingBytes, trainingBytes } from "../../../runtime/training/memory.ts";
import { plansOf, type TrainingPlan } from "../../../runtime/training/plan.ts";
import { adam, adamW, compileTrainingAsync, sgd } from "../../../training/index.ts";
import { keptPlans } from "../../../training/node/kept-plans.ts";
import type { SetSummary } from "../../data/summary.ts";
import type { Task } from "../model.ts";
import { takingBytes } from "../packed.ts";
import type { RunSettings } from "../settings.ts";

export interface RunForecast {
  /** Parts of a step. */
  readonly micro: number;
  /** Work that is done twice to stay within the budget, as a part of the work otherwise. */
  readonly recomputed: number;
  /** Of the device, validation included. */
  readonly device: TrainingBytes;
  /** Of the process at its peak; where the processor is the device, with the device's. */
  readonly process: number;
}

export interface Planned {
  readonly plan: TrainingPlan;
  readonly settings: RunSettings;
}

interface Planning {
  readonly task: Task;
  readonly settings: RunSettings;
  readonly signal?: AbortSignal | undefined;
}

const optimisers = {
  adamW: (decay: number) => adamW({ decay }),
  adam: (decay: number) => adam({ decay }),
  sgd: (decay: number) => sgd({ momentum: 0.9, decay }),
} as const;

/** Compiles the training of a task for a device; within `budget` bytes parts are computed twice, where need be. */
async function planOf(
  { device }: OpenedDevice,
  { task, settings, signal }: Planning,
  budget?: number,
) {
  const { batch, micro, ranks, clip, optimiser, decay, precision } = settings;
  return compileTrainingAsync(takingBytes(task.model), {
    ...{ signal, plans: await keptPlans() },
    ...(budget === undefined ? {} : { budget }),
    program: "segment",
    dims: { batch: batch / (micro * ranks) },
    loss: task.loss,
    evaluate: { dims: { batch: 1 }, metrics: task.metrics },
    optimiser: optimisers[optimiser](decay),
    ...{
      ...(clip > 0 ? { clip } : {}),
      ...{ micro, ranks, precision },
      target: device.target,
      profile: deviceProfile(device.capabilities),
    },
  });
}

/**
 * Compiles a training that stays within `budget` bytes: with as few micro-steps as do; where those of one picture do
 * not, parts of the forward pass are computed twice. A run that was begun keeps its micro-steps.
 * @throws E140 for a budget that cannot be met, with the one that can.
 */
export async function planWithin(
  opened: OpenedDevice,
  planning: Planning,
  { budget, isBegun }: { readonly budget?: number | undefined; readonly isBegun: boolean },
): Promise<Planned> {
  const { settings } = planning;
  if (budget === undefined || isBegun)
    return { settings, plan: await planOf(opened, planning, budget) };
  const batch = settings.batch / settings.ranks;
  for (let micro = settings.micro; micro <= batch; micro++) {
    if (batch % micro !== 0) continue;
    const parted = { ...settings, micro };
    const plan = await planOf(opened, { ...planning, settings: parted });
    if (trainingBytes(plansOf(plan)).total <= budget) return { settings: parted, plan };
  }
  const parted = { ...settings, micro: batch };
  return {
    settings: parted,
    plan: await planOf(opened, { ...planning, settings: parted }, budget),
  };
}

/** What is in memory of the host beside the device's buffers. */
interface Host {
  readonly opened: OpenedDevice;
  readonly summary: SetSummary;
  /** Pictures of both sets, decoded ones of which are kept up to so many bytes. */
  readonly pictures: number;
  readonly kept: number;
  /** Of the model's square input. */
  readonly side: number;
}

/** Bytes of a pixel: its colours and its label, decoded; of a batch these, and whether it is padding, and its label packed. */
const [ofPicture, ofInput] = [3 + 4, 3 + 4 + 1 + 1];

/**
 * What threads take once they work: the one that reads pictures, and those of WebAssembly with their code. Measured with
 * Node 20 on two processors: 36 to 56 MiB for both, of models of 0.3 and 30 MiB.
 */
const [ofReading, ofWorkers] = [20 * 2 ** 20, 20 * 2 ** 20];

export function forecastOf({ plan, settings }: Planned, host: Host): RunForecast {
  const device = trainingBytes(plansOf(plan));
  const { opened, summary, pictures, kept, side } = host;
  const decoded = pictures * summary.width[1] * summary.height[1] * ofPicture;
  const ahead = 3 * settings.batch * side ** 2 * ofInput;
  const isHost = opened.summary.kind !== "hardware";
  // A checkpoint is read back and written from memory.
  const threads = ofReading + (opened.kind === "cpu" ? ofWorkers : 0);
  const saved = 2 * (device.trained + device.optimiser);
  return {
    micro: settings.micro,
    recomputed: plan.recomputed,
    device,
    process:
      process.memoryUsage().rss +
      (isHost ? device.total : 0) +
      Math.min(kept, decoded) +
      ahead +
      threads +
      saved,
  };
}
