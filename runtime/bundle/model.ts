/** A bundle on a device: what the wrappers that `inarch build` generates stand on. */
import type { PlanBuffer } from "../../compiler/plan.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import { abortable, type CallOptions } from "../calls.ts";
import { asDevice } from "../devices/any.ts";
import type { Device, Numbers, Progress } from "../devices/device.ts";
import type { Change } from "../placement.ts";
import { placePrograms } from "../programs.ts";
import type { Inputs, Session, SessionOptions } from "../session.ts";
import { needsWeights, type States } from "../states.ts";
import { sharedBuffers } from "../training/memory.ts";
import {
  type BundleSource,
  type OpenBundleOptions,
  type OpenedBundle,
  openBundle,
} from "./bundle.ts";

export interface BundleOptions extends OpenBundleOptions {
  /** Weights instead of the bundle's own; needed where it was built without any. */
  readonly weights?: SessionOptions["weights"];
  /** The file of the adapters that the model was built with; the weights are then those of its base. */
  readonly adapter?: SessionOptions["adapter"];
  readonly onProgress?: Progress | undefined;
}

/** @throws E460 for a name that no option has. */
export const checkBundleOptions = (options: BundleOptions): void =>
  checkOptions<BundleOptions>("a bundle", options, {
    weights: true,
    adapter: true,
    onProgress: true,
    url: true,
    signal: true,
  });

export interface BundleModel {
  /**
   * Runs a program. Runs have one order, that of the calls. Errors: E615, and those of a session's `run`.
   */
  run(program: string, inputs: Inputs, options?: CallOptions): Promise<Record<string, Numbers>>;
  /**
   * Makes the states named what they were at first, or all of the model, after the runs that were asked
   * for before. Errors: E253 for a name that is no state's.
   */
  reset(states?: string | readonly string[], options?: CallOptions): Promise<void>;
  /** Changes what lies on the device, in its turn among the calls: `useAdapter` stands on it. */
  change(change: Change, options?: CallOptions): Promise<void>;
  /** The session of a program, for what a wrapper does not offer: binding, profiling. Errors: E615. */
  session(program: string): Session;
  /** The name of the profile that the device was given. */
  readonly profile: string;
  /** Bytes of device memory by role, of all programs together. */
  memory(): Readonly<Record<string, number>>;
  /** Resolves when the device is lost, with the reason. */
  readonly lost: Promise<string>;
  /** Frees the memory, after the runs that were asked for before. The device stays. */
  close(): Promise<void>;
}

/**
 * Places every program of a bundle on a device; states of one name are one.
 * @throws E250 for programs that disagree about a state, what `openBundle` and `createSession` throw;
 * E440 for what is no device, E615 when there are no weights; the reason of the signal.
 */
export async function loadBundle(
  bundle: BundleSource,
  device: Device | GPUDevice,
  options: BundleOptions = {},
): Promise<BundleModel> {
  checkBundleOptions(options);
  const on = asDevice(device);
  const { url, adapter, signal } = options;
  const opened = await openBundle(bundle, on, { url, signal });
  const { weights, close } = await weightsOf(opened, options);
  try {
    const { sessions, states } = await placePrograms(opened.plans, on, { ...options, weights });
    const model = openModel(opened, on, new Map(Object.entries(sessions)), states);
    if (!adapter) await close();
    // Another adapter may give back what this one has replaced of the base.
    return adapter ? closingToo(model, close) : model;
  } catch (error) {
    await close();
    throw error;
  }
}

const closingToo = (model: BundleModel, close: () => Promise<void>): BundleModel => ({
  ...model,
  async close() {
    await model.close();
    await close();
  },
});

/** The weights given, which stay the caller's, or the bundle's own, which are closed here. */
export async function weightsOf(opened: OpenedBundle, { weights, signal }: BundleOptions) {
  const plans = Object.values(opened.plans);
  // Its weights may hold what training left in states.
  const hasStates = opened.bundle.weights && plans.some(({ states }) => states.length > 0);
  const needed = hasStates || plans.some(needsWeights);
  if (weights || !needed) return { weights, close: async () => {} };
  const own = await abortable(opened.openWeights(), signal, (late) => void late.close());
  return { weights: own, close: () => own.close() };
}

function openModel(
  { bundle, profile }: OpenedBundle,
  { lost }: Device,
  sessions: ReadonlyMap<string, Session>,
  states: States,
): BundleModel {
  const session = (program: string) => {
    const found = sessions.get(program);
    if (found) return found;
    throw diagnose("E615", {
      message: `the bundle of ${bundle.name} has no program "${program}"`,
      help: `its programs are ${[...sessions.keys()].join(", ")}`,
    });
  };
  const [first] = sessions.values();
  return {
    session,
    profile,
    lost,
    run: async (program, inputs, options) => session(program).run(inputs, undefined, options),
    // Any session resets the states of all: they are one memory.
    reset: async (names = [...states.held.keys()], options = undefined) =>
      first?.reset(names, options),
    change: async (change, options) => first?.change(change, options),
    memory() {
      const sums: Record<string, number> = {};
      const isState = ({ role }: PlanBuffer) => role === "state";
      const plans = [...sessions.values()].map((one) => one.plan);
      const own = plans.flatMap(({ buffers }) => buffers.filter((b) => !isState(b)));
      // States of one name are one.
      for (const { role, bytes } of [...own, ...sharedBuffers(plans).filter(isState)])
        sums[role] = (sums[role] ?? 0) + bytes;
      return sums;
    },
    async close() {
      await Promise.all([...sessions.values()].map((one) => one.close()));
    },
  };
}
