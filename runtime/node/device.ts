/** Opens devices of every kind that there is. */
import type { Capabilities } from "../../compiler/capabilities.ts";
import type { TargetName } from "../../compiler/plan.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { meant } from "../../diagnostics/nearest.ts";
import { shown } from "../../diagnostics/options.ts";
import { processor } from "../devices/cpu.ts";
import { cudaCapabilities, cudaTarget } from "../devices/cuda.ts";
import { nativeCapabilities } from "../devices/native.ts";
import { openCpu } from "./cpu.ts";
import { openCudaUnasked } from "./cuda.ts";
import { openHardware } from "./dawn.ts";
import * as list from "./devices.ts";
import { isNoBuild, openKeptNative } from "./native.ts";
import type { DeviceSummary, OpenedDevice, Opening } from "./opened.ts";

const kinds = { ...list };

export type DeviceKind = keyof typeof kinds;

/** In the order of their names. */
export const deviceKinds = Object.keys(kinds).sort() as readonly DeviceKind[];

/**
 * Where no kind is asked for, the first of these is used that is there; each of the others says why it is not, but for
 * what a machine has no sign of. A software GPU is slower than the processor itself. What is `kept` has compiled
 * programs: it is used for those alone.
 */
const preferred: readonly {
  readonly kind: DeviceKind;
  readonly open: () => Promise<Opening | string | undefined>;
  readonly programs: "any" | "kept";
}[] = [
  { kind: "cuda", open: openCudaUnasked, programs: "any" },
  { kind: "webgpu", open: openHardware, programs: "any" },
  { kind: "native", open: openKeptNative, programs: "kept" },
  { kind: "cpu", open: () => openCpu({}), programs: "any" },
];

/** The kinds that are used unasked. */
export const preferredKinds: readonly DeviceKind[] = preferred.map(({ kind }) => kind);

/** The kind, `webgpu` unless given, and what devices of that kind can be told. */
export type DeviceOptions<K extends DeviceKind = DeviceKind> = {
  readonly kind?: K | undefined;
} & Parameters<(typeof kinds)[K]>[0];

type SummaryOf<K extends DeviceKind> =
  Awaited<ReturnType<(typeof kinds)[K]>> extends { readonly summary: infer S extends DeviceSummary }
    ? S
    : DeviceSummary;

/**
 * Opens a device: of the kind that is asked for, else of the one that INARCH_DEVICE names, else an NVIDIA GPU through
 * its own driver (`cuda`), else another hardware GPU, else the processor (`cpu`). Options without a kind are those of
 * `webgpu`, and ask for it, as INARCH_GPU does. A software GPU is `webgpu` too, and never taken unasked. `{ kind:
 * "reference" }` checks every access of every thread and is thousands of times slower. A plan is compiled for one
 * target: `{ target: device.target }`. Call `device.destroy()` when done, so that the process can end.
 * @throws E470 for a kind that there is not, and what the kind's own function throws: E400 to E406 for `webgpu`, E480
 * and E481 for `cpu`, and those of `openNative` and `openCuda`.
 */
export function openDevice(options?: { readonly kind?: undefined }): Promise<OpenedDevice>;
export function openDevice<K extends DeviceKind = "webgpu">(
  options: DeviceOptions<K>,
): Promise<OpenedDevice<SummaryOf<K>>>;
export async function openDevice(
  options?: { readonly kind?: DeviceKind | undefined } | null,
): Promise<OpenedDevice> {
  const asked = askedFor(options ?? {});
  if (asked) return openKind(asked);
  const reasons: string[] = [];
  for (const { kind, open, programs } of preferred) {
    if (programs === "kept") continue;
    const found = await open();
    if (typeof found === "string") reasons.push(found);
    else if (found) return chosen(kind, reasons, found);
  }
  throw noDevice(reasons);
}

/**
 * Opens a device as `openDevice` does, gives it to `work`, and destroys it. Unasked, `native` is used too: where
 * `inarch doctor` or `inarch tune` found it faster than `cpu`, for programs that it has compiled before, when it was
 * asked for. The first program decides that: where it was not, `work` is called again, from its beginning, with the next
 * device, and no compiler is waited for.
 * @throws what `openDevice` throws, and `work`.
 */
export async function withDevice<T>(
  options: { readonly kind?: DeviceKind | undefined },
  work: (opened: OpenedDevice) => Promise<T>,
): Promise<T> {
  const asked = askedFor(options);
  if (asked) return doneOn(await openKind(asked), work);
  const reasons: string[] = [];
  for (const { kind, open, programs } of preferred) {
    const found = await open();
    if (typeof found === "string") reasons.push(found);
    if (found === undefined || typeof found === "string") continue;
    try {
      return await doneOn(chosen(kind, reasons, found), work);
    } catch (cause) {
      if (programs === "any" || !isNoBuild(cause)) throw cause;
      reasons.push(`${kind} has no build of this program (--device ${kind} makes it)`);
    }
  }
  throw noDevice(reasons);
}

async function doneOn<T>(opened: OpenedDevice, work: (opened: OpenedDevice) => Promise<T>) {
  try {
    return await work(opened);
  } finally {
    opened.device.destroy();
  }
}

const noDevice = (reasons: readonly string[]) =>
  diagnose("E403", { message: reasons.join(", and "), help: "inarch doctor says more" });

interface Asked {
  readonly kind: string;
  readonly why: string;
  /** What named the kind, where no call did. */
  readonly where?: string;
  readonly options: object;
}

/** The kind that a call or the environment asks for, if any. */
function askedFor(given: { readonly kind?: DeviceKind | undefined }): Asked | undefined {
  const { kind, ...options } = given;
  if (kind !== undefined) return { kind, options, why: "it was asked for" };
  if (Object.keys(options).length > 0)
    return { kind: "webgpu", options, why: "options of it were given" };
  const { INARCH_DEVICE, INARCH_GPU, INARCH_ADAPTER } = process.env;
  const where = "INARCH_DEVICE";
  if (INARCH_DEVICE)
    return { kind: INARCH_DEVICE, options, why: "INARCH_DEVICE asks for it", where };
  if (INARCH_GPU || INARCH_ADAPTER)
    return { kind: "webgpu", options, why: "INARCH_GPU names a GPU" };
  return undefined;
}

/** A kind may be followed by a number: `cuda:1` is the second GPU of CUDA. */
function withNumber({ kind, options, ...rest }: Asked): Asked {
  const [, name, number] = /^(cuda):(\d+)$/.exec(kind) ?? [];
  if (name === undefined) return { kind, options, ...rest };
  return { kind: name, options: { ...options, number: Number(number) }, ...rest };
}

async function openKind(asked: Asked): Promise<OpenedDevice> {
  const { kind, options, why, where } = withNumber(asked);
  if (!Object.hasOwn(kinds, kind)) {
    const near = meant(String(kind), deviceKinds);
    const write = where === undefined ? `kind: "${near}"` : `${where}=${near}`;
    throw diagnose("E470", {
      message: `there is no device of the kind ${shown(kind)}`,
      where,
      help: `${near === undefined ? "" : `write ${write}; `}the kinds are ${deviceKinds.join(", ")}`,
    });
  }
  return opened(kind as DeviceKind, why, await kinds[kind as DeviceKind](options));
}

const chosen = (kind: DeviceKind, reasons: readonly string[], found: Opening): OpenedDevice =>
  opened(kind, reasons.join(", and ") || "it is the first choice", found);

function opened(kind: DeviceKind, why: string, { device, summary }: Opening): OpenedDevice {
  const own = summary ?? { description: device.name, kind: "processor" };
  return { device, kind, why, summary: own, adapter: own, facts: device.capabilities };
}

/** By target: the kind of device whose limits every machine has at least, and these limits. */
export const everywhere: readonly {
  readonly target: TargetName;
  readonly kind: DeviceKind;
  readonly capabilities: Capabilities;
}[] = [
  { target: "wasm", kind: "cpu", capabilities: processor },
  // Where a machine has narrower vectors the compiler uses several in place of one.
  { target: cudaTarget, kind: "cuda", capabilities: cudaCapabilities },
  { target: "c", kind: "native", capabilities: nativeCapabilities({ lanes: 8, registers: 16 }) },
];
