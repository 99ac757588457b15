/** Opens devices of every kind that there is. */
import type { Capabilities } from "../../compiler/capabilities.ts";
import type { TargetName } from "../../compiler/plan.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { meant } from "../../diagnostics/nearest.ts";
import { shown } from "../../diagnostics/options.ts";
import { processor } from "../devices/cpu.ts";
import * as list from "./devices.ts";

export type { OpenedDevice } from "./dawn.ts";

const kinds = { ...list };

export type DeviceKind = keyof typeof kinds;

/** In the order of their names. */
export const deviceKinds = Object.keys(kinds).sort() as readonly DeviceKind[];

/** The kind, `webgpu` unless given, and what devices of that kind can be told. */
export type DeviceOptions<K extends DeviceKind = DeviceKind> = {
  readonly kind?: K;
} & Parameters<(typeof kinds)[K]>[0];

type Opened<K extends DeviceKind> = ReturnType<(typeof kinds)[K]>;

/**
 * Opens a device: Dawn's, or `{ kind: "reference" }`, which checks every access of every thread and is
 * thousands of times slower. Call `device.destroy()` when done, so that the process can end.
 * @throws what `requestGpu` throws, E400 to E406, and E470 for a kind that there is not.
 */
export function openDevice<K extends DeviceKind = "webgpu">(options?: DeviceOptions<K>): Opened<K> {
  const { kind = "webgpu", ...rest }: { readonly kind?: DeviceKind } = options ?? {};
  if (!Object.hasOwn(kinds, kind)) {
    const near = meant(String(kind), deviceKinds);
    throw diagnose("E470", {
      message: `there is no device of the kind ${shown(kind)}`,
      help: `${near === undefined ? "" : `write kind: "${near}"; `}the kinds are ${deviceKinds.join(", ")}`,
    });
  }
  return kinds[kind](rest) as Opened<K>;
}

/** By target: the kind of device whose limits every machine has at least, and these limits. */
export const everywhere: readonly {
  readonly target: TargetName;
  readonly kind: DeviceKind;
  readonly capabilities: Capabilities;
}[] = [{ target: "wasm", kind: "cpu", capabilities: processor }];
