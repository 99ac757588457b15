/** A bundle on a device: what the wrappers that `inarch build` generates stand on. */
import { diagnose } from "../../diagnostics/index.ts";
import type { Device, Numbers, Progress } from "../devices/device.ts";
import { webgpuDevice } from "../devices/webgpu.ts";
import { createSession, type Inputs, type Session, type SessionOptions } from "../session.ts";
import type { Bundle } from "./bundle.ts";
import { openBundleUrl } from "./url.ts";

export interface BundleOptions {
  /** Weights instead of the bundle's own; needed where it was built without any. */
  readonly weights?: SessionOptions["weights"];
  /** The file of the adapters that the model was built with; the weights are then those of its base. */
  readonly adapter?: SessionOptions["adapter"];
  readonly onProgress?: Progress;
  /** Stops loading. */
  readonly signal?: AbortSignal;
}

export interface BundleModel {
  /** Runs a program; runs of one program wait for one another. Errors: E420, E422, E615. */
  run(program: string, inputs: Inputs): Promise<Record<string, Numbers>>;
  /** The session of a program, for what a wrapper does not offer: binding, profiling. Errors: E615. */
  session(program: string): Session;
  /** Bytes of device memory by role, of all programs together. */
  memory(): Readonly<Record<string, number>>;
  /** Frees the memory, after the runs that were asked for before. The device stays. */
  close(): Promise<void>;
}

/**
 * Places every program of a bundle on a device.
 * @throws what `openBundle` and `createSession` throw; E615 when there are no weights.
 */
export async function loadBundle(
  from: Bundle | string | URL,
  device: Device | GPUDevice,
  options: BundleOptions = {},
): Promise<BundleModel> {
  const bundle = await opened(from);
  const on = asDevice(device);
  const { weights, close } = await weightsOf(bundle, options);
  const { adapter } = options;
  const loading = {
    ...(weights ? { weights } : {}),
    ...(adapter ? { adapter } : {}),
    ...watching(options),
  };
  const sessions = new Map<string, Session>();
  try {
    for (const [name, plan] of Object.entries(bundle.plans))
      sessions.set(name, await createSession(plan, on, loading));
  } catch (error) {
    for (const session of sessions.values()) session.close();
    throw error;
  } finally {
    await close();
  }
  return openModel(bundle, sessions);
}

export const opened = async (from: Bundle | string | URL): Promise<Bundle> =>
  typeof from === "string" || from instanceof URL ? openBundleUrl(from) : from;

export const asDevice = (device: Device | GPUDevice): Device =>
  "target" in device ? device : webgpuDevice(device);

export const watching = ({ onProgress, signal }: BundleOptions) => ({
  ...(onProgress ? { onProgress } : {}),
  ...(signal ? { signal } : {}),
});

/** The weights given, which stay the caller's, or the bundle's own, which are closed here. */
export async function weightsOf(bundle: Bundle, { weights }: BundleOptions) {
  const needed = Object.values(bundle.plans).some((plan) => plan.parameters.length > 0);
  if (weights || !needed) return { weights, close: async () => {} };
  const own = await bundle.openWeights();
  return { weights: own, close: () => own.close() };
}

function openModel(bundle: Bundle, sessions: ReadonlyMap<string, Session>): BundleModel {
  const last = new Map<string, Promise<unknown>>();
  const session = (program: string) => {
    const found = sessions.get(program);
    if (found) return found;
    throw diagnose("E615", {
      message: `the bundle of ${bundle.manifest.name} has no program "${program}"`,
      where: bundle.source,
      help: `its programs are ${[...sessions.keys()].join(", ")}`,
    });
  };
  return {
    session,
    async run(program, inputs) {
      const on = session(program);
      // Inputs of two runs must not mix: each is written, run and read before the next.
      const result = (last.get(program) ?? Promise.resolve()).then(() => on.run(inputs));
      last.set(
        program,
        result.catch(() => {}),
      );
      return result;
    },
    memory() {
      const sums: Record<string, number> = {};
      for (const one of sessions.values())
        for (const [role, bytes] of Object.entries(one.memory()))
          sums[role] = (sums[role] ?? 0) + bytes;
      return sums;
    },
    async close() {
      await Promise.all(last.values());
      for (const one of sessions.values()) one.close();
    },
  };
}
