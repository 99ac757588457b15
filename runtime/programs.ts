/** The programs of a model on one device: sessions that share their states. */

import type { Plan } from "../compiler/plan.ts";
import { checkOptions } from "../diagnostics/options.ts";
import { checked } from "./checked.ts";
import type { Device } from "./devices/device.ts";
import { late } from "./late.ts";
import { type Placement, placePlan, type SessionOptions, type SharedMemory } from "./placement.ts";
import { openSession, type Session } from "./session.ts";
import { modelStates, noStates } from "./states.ts";
import { sharedBuffers } from "./training/memory.ts";

export type ProgramsOptions = Pick<SessionOptions, "weights" | "adapter" | "onProgress" | "signal">;

/**
 * Places the programs of a model, by name, on a device. States of one name are one: what one program
 * writes there the others read. That memory is freed when the last of the sessions is closed.
 * @throws E250 for programs that disagree about a state, and what `createSession` throws.
 */
export async function createSessions<Name extends string>(
  plans: Readonly<Record<Name, Plan>>,
  device: Device,
  options: ProgramsOptions = {},
): Promise<Readonly<Record<Name, Session>>> {
  checkOptions<ProgramsOptions>("createSessions", options, {
    weights: true,
    adapter: true,
    onProgress: true,
    signal: true,
  });
  const { sessions } = await placePrograms(plans, device, options);
  return sessions;
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
  const placements: Placement[] = [];
  let open = names.length;
  const release = () => {
    if (--open === 0) free();
  };
  try {
    for (const name of names)
      placements.push(
        await placePlan(plans[name], device, { ...options, shared: { ...shared, release } }),
      );
  } catch (error) {
    for (const placement of placements) placement.free();
    free();
    throw error;
  }
  const opened = names.map((name, i) => [name, openSession(placements[i]!, placements)]);
  return { sessions: Object.fromEntries(opened) as Readonly<Record<Name, Session>>, states };
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
