/** The programs of a model on one device: sessions that share their states. */

import type { Plan } from "../compiler/plan.ts";
import { checkOptions } from "../diagnostics/options.ts";
import { checked } from "./checked.ts";
import { asDevice } from "./devices/any.ts";
import type { Device, Progress } from "./devices/device.ts";
import { late } from "./late.ts";
import { placePlan, type SessionOptions, type SharedMemory } from "./placement.ts";
import {
  openSession,
  type RestorableSession,
  type RestoreOptions,
  restorable,
  type Session,
} from "./session.ts";
import { modelStates, noStates } from "./states.ts";
import { sharedBuffers } from "./training/memory.ts";

export type ProgramsOptions = Pick<SessionOptions, "weights" | "adapter" | "onProgress" | "signal">;

/**
 * Places the programs of a model, by name, on a device. States of one name are one: what one program
 * writes there the others read. That memory is freed when the last of the sessions is closed. `restore` of any of
 * them puts all on another device.
 * @throws E250 for programs that disagree about a state, and what `createSession` throws.
 */
export async function createSessions<Name extends string>(
  plans: Readonly<Record<Name, Plan>>,
  device: Device,
  options: ProgramsOptions = {},
): Promise<Readonly<Record<Name, RestorableSession>>> {
  checkOptions<ProgramsOptions>("createSessions", options, {
    weights: true,
    adapter: true,
    onProgress: true,
    signal: true,
  });
  const { signal: _, ...given } = options;
  const first = await placePrograms(plans, asDevice(device), options);
  return restorable(first, (on, adapter, more) => {
    checkOptions<Omit<RestoreOptions, "bind">>("restore", more, { onProgress: true, signal: true });
    return placePrograms(plans, on, { ...given, adapter, ...more });
  });
}

/** Sessions by program, and the states of them all. */
export async function placePrograms<Name extends string>(
  plans: Readonly<Record<Name, Plan>>,
  device: Device,
  options: ProgramsOptions,
) {
  const names = Object.keys(plans) as Name[];
  for (const name of names) await checked(plans[name], `the plan of ${name}`);
  const { shared, states, free } = await placeStates(plans, device, options);
  let open = names.length;
  const release = () => {
    if (--open === 0) free();
  };
  const told = together(plans, options.onProgress);
  // All at once: kernels of one program compile while the weights of another are written.
  const stop = new AbortController();
  const { signal } = options;
  const end = () => stop.abort(signal?.reason);
  signal?.addEventListener("abort", end);
  const placing = names.map(async (name) => {
    try {
      signal?.throwIfAborted();
      return await placePlan(plans[name], device, {
        ...options,
        signal: stop.signal,
        shared: { ...shared, release },
        onProgress: told(name),
      });
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  });
  const settled = await Promise.allSettled(placing);
  signal?.removeEventListener("abort", end);
  const placements = settled.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  if (stop.signal.aborted) {
    for (const placement of placements) placement.free();
    free();
    throw stop.signal.reason;
  }
  const sessions = Object.fromEntries(
    names.map((name, i) => [name, openSession(placements[i]!, placements)]),
  ) as Readonly<Record<Name, Session>>;
  return { placements, sessions, states };
}

/** What programs tell of their loading, counted over all of them. */
function together(
  plans: Readonly<Record<string, Plan>>,
  onProgress: Progress = () => {},
): (program: string) => Progress {
  const all = Object.values(plans);
  const totals = new Map([
    ["kernels", all.reduce((sum, { kernels }) => sum + kernels.length, 0)],
    ["bytes of weights", all.flatMap((plan) => plan.parameters).reduce((n, p) => n + p.bytes, 0)],
  ]);
  const counts = new Map<string, Map<string, number>>();
  return (program) => (done, total, what) => {
    const by = counts.get(what) ?? new Map<string, number>();
    counts.set(what, by.set(program, done));
    const sum = [...by.values()].reduce((a, b) => a + b, 0);
    onProgress(sum, totals.get(what) ?? total, what);
  };
}

/** Makes the memory of a model's states, as they begin. */
async function placeStates(
  plans: Readonly<Record<string, Plan>>,
  device: Device,
  { weights, adapter }: ProgramsOptions,
) {
  const where = "the model";
  const tensors = modelStates(plans);
  if (tensors.length === 0) {
    const states = noStates(where);
    return { shared: { states: new Map(), arenas: [], held: states }, states, free() {} };
  }
  const wanted = sharedBuffers(Object.values(plans)).filter(({ role }) => role === "state");
  const made = await device.allocate(wanted);
  const buffers = new Map(wanted.map(({ name = "" }, i) => [name, made[i]!]));
  const free = () => {
    for (const buffer of made.splice(0)) buffer.destroy();
  };
  try {
    const all = tensors.map(({ tensor, memory }) => ({ tensor, buffer: buffers.get(memory)! }));
    const { holdStates } = await late(import("./held-states.ts"));
    const states = await holdStates(where, device, all, weights, adapter);
    await states.begin(all);
    const shared: SharedMemory = { states: buffers, arenas: [], held: states };
    return { shared, states, free };
  } catch (error) {
    free();
    throw error;
  }
}
