/** Opens devices of every kind that there is. */
import type { Capabilities } from "../../compiler/capabilities.ts";
import type { TargetName } from "../../compiler/plan.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { meant } from "../../diagnostics/nearest.ts";
import { shown } from "../../diagnostics/options.ts";
import { processor } from "../devices/cpu.ts";
import { openCpu } from "./cpu.ts";
import { openHardware } from "./dawn.ts";
import * as list from "./devices.ts";
import type { DeviceSummary, OpenedDevice, Opening } from "./opened.ts";

const kinds = { ...list };

export type DeviceKind = keyof typeof kinds;

/** In the order of their names. */
export const deviceKinds = Object.keys(kinds).sort() as readonly DeviceKind[];

/**
 * Where no kind is asked for, the first of these is used that is there; each of the others says why it is not. A
 * software GPU is slower than the processor itself.
 */
const preferred: readonly {
  readonly kind: DeviceKind;
  readonly open: () => Promise<Opening | string>;
}[] = [
  { kind: "webgpu", open: openHardware },
  { kind: "cpu", open: () => openCpu({}) },
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
 * Opens a device: of the kind that is asked for, else of the one that INARCH_DEVICE names, else a hardware GPU,
 * else the processor (`cpu`). Options without a kind are those of `webgpu`, and ask for it, as INARCH_GPU does. A
 * software GPU is `webgpu` too, and never taken unasked. `{ kind: "reference" }` checks every access of every
 * thread and is thousands of times slower. A plan is compiled for one target: `{ target: device.target }`. Call
 * `device.destroy()` when done, so that the process can end.
 * @throws E470 for a kind that there is not, and what the kind's own function throws: E400 to E406 for `webgpu`, E480
 * and E481 for `cpu`.
 */
export function openDevice(options?: { readonly kind?: undefined }): Promise<OpenedDevice>;
export function openDevice<K extends DeviceKind = "webgpu">(
  options: DeviceOptions<K>,
): Promise<OpenedDevice<SummaryOf<K>>>;
export async function openDevice(
  options?: { readonly kind?: DeviceKind | undefined } | null,
): Promise<OpenedDevice> {
  const { kind, ...rest } = options ?? {};
  if (kind !== undefined) return openKind(kind, rest, { why: "it was asked for" });
  if (Object.keys(rest).length > 0)
    return openKind("webgpu", rest, { why: "options of it were given" });
  const { INARCH_DEVICE, INARCH_GPU, INARCH_ADAPTER } = process.env;
  const byName = { why: "INARCH_DEVICE asks for it", where: "INARCH_DEVICE" };
  if (INARCH_DEVICE) return openKind(INARCH_DEVICE, {}, byName);
  if (INARCH_GPU || INARCH_ADAPTER)
    return openKind("webgpu", {}, { why: "INARCH_GPU names a GPU" });
  return openPreferred();
}

interface Asked {
  readonly why: string;
  /** What named the kind, where no call did. */
  readonly where?: string;
}

async function openKind(kind: string, options: object, asked: Asked): Promise<OpenedDevice> {
  const { why, where } = asked;
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

async function openPreferred(): Promise<OpenedDevice> {
  const reasons: string[] = [];
  for (const { kind, open } of preferred) {
    const found = await open();
    if (typeof found === "string") reasons.push(found);
    else return opened(kind, reasons.join(", and ") || "it is the first choice", found);
  }
  throw diagnose("E403", { message: reasons.join(", and "), help: "inarch doctor says more" });
}

function opened(kind: DeviceKind, why: string, { device, summary }: Opening): OpenedDevice {
  const own = summary ?? { description: device.name, kind: "processor" };
  return { device, kind, why, summary: own, adapter: own, facts: device.capabilities };
}

/** By target: the kind of device whose limits every machine has at least, and these limits. */
export const everywhere: readonly {
  readonly target: TargetName;
  readonly kind: DeviceKind;
  readonly capabilities: Capabilities;
}[] = [{ target: "wasm", kind: "cpu", capabilities: processor }];
