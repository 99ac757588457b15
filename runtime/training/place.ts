/** A training plan in place: its plans share one memory, which holds the base and what trains. */
import type { Plan } from "../../compiler/plan.ts";
import type { Device } from "../devices/device.ts";
import { late } from "../late.ts";
import { type Placement, placePlan, type SharedMemory } from "../placement.ts";
import { fitted } from "../weights/fitted.ts";
import type { Progress } from "./checkpoint.ts";
import { fillTraining } from "./fill.ts";
import { sharedBuffers } from "./memory.ts";
import { plansOf, type TrainingPlan } from "./plan.ts";
import type { TrainingOptions } from "./session.ts";
import { holdModelStates } from "./states.ts";
import type { Trained } from "./trained.ts";

const settingsOf = ({ settings }: TrainingPlan, { rate, settings: own }: TrainingOptions) => ({
  ...settings,
  ...(own ?? { rate: typeof rate === "number" ? rate : "a function" }),
});

interface Placements {
  readonly backward: Placement;
  readonly sums: Placement | undefined;
  readonly accumulate: Placement | undefined;
  readonly update: Placement;
  readonly evaluate: Placement | undefined;
  readonly programs: ReadonlyMap<string, Placement>;
}

export interface PlacedTraining {
  readonly trained: Trained;
  readonly placements: Placements;
  readonly begun: Progress;
  readonly free: () => void;
}

/** Places all plans of a training on a device, with its base and, of a checkpoint, where it was. */
export async function placeTraining(
  plan: TrainingPlan,
  device: Device,
  options: TrainingOptions,
): Promise<PlacedTraining> {
  const { onProgress, signal, seed = 0 } = options;
  const memory = await sharedMemory(plan, device);
  const placed: Placement[] = [];
  const free = () => {
    for (const placement of placed) placement.free();
    memory.free();
  };
  try {
    const { shared } = memory;
    const names = [...plan.frozen, ...plan.tensors].map((t) => t.name);
    const weights = await fitted(options.weights, names);
    const base = await fillTraining(plan, device, shared.states, { ...options, weights, seed });
    const model = await holdModelStates(plan, device, shared.states, weights);
    const more = { shared, onProgress, signal };
    const place = async (p: Plan) => {
      const placement = await placePlan(p, device, more);
      placed.push(placement);
      return placement;
    };
    const backward = await place(plan.backward);
    const sums = plan.sums && (await place(plan.sums));
    const accumulate = plan.accumulate && (await place(plan.accumulate));
    const update = await place(plan.update);
    const evaluate = plan.evaluate && (await place(plan.evaluate));
    const programs = new Map<string, Placement>();
    for (const [name, p] of Object.entries(plan.programs)) programs.set(name, await place(p));
    const { states } = shared;
    const settings = settingsOf(plan, options);
    const trained: Trained = { plan, device, states, model, base, seed, settings };
    const begun = options.resume
      ? await (await late(import("./saved.ts"))).resume(
          trained,
          options.resume,
          options.accept ?? [],
        )
      : { step: 0 };
    return {
      trained,
      placements: { backward, sums, accumulate, update, evaluate, programs },
      begun,
      free,
    };
  } catch (error) {
    free();
    throw error;
  }
}

/** Makes the memory that all plans share. */
async function sharedMemory(plan: TrainingPlan, device: Device) {
  const wanted = sharedBuffers(plansOf(plan));
  const states = wanted.filter((b) => b.role === "state");
  const made = await device.allocate(wanted);
  const shared: SharedMemory = {
    states: new Map(states.map(({ name = "" }, i) => [name, made[i]!])),
    arenas: made.slice(states.length),
  };
  const free = () => {
    for (const buffer of made) buffer.destroy();
  };
  return { shared, free };
}
