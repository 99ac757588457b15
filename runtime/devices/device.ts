/**
 * What a device does for a session: hold buffers, compile a plan's kernels, run its steps.
 * One file per device; the session knows no other.
 */
import type { Capabilities } from "../../compiler/capabilities.ts";
import type {
  Plan,
  PlanBuffer,
  PlanKernel,
  PlanTensor,
  StoredScalar,
  TargetName,
} from "../../compiler/plan.ts";
import { diagnose } from "../../diagnostics/index.ts";

/** Memory on a device. Made by it and meaningless to any other. */
export interface DeviceBuffer {
  readonly bytes: number;
  readonly isFreed: boolean;
  destroy(): void;
}

/** The elements of a tensor on the host. Double precision exists on the reference device alone. */
export type Numbers =
  | Float32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>;

export interface StepTime {
  /** What the step computes: the plan's label. */
  readonly label: string;
  readonly kernel: string;
  readonly milliseconds: number;
}

/** Work that a device was given. */
export interface Submitted {
  /**
   * Rejects if the device refuses the work (E441): then none of it is done. Nobody waits for a device that
   * took the same work before: if it then refuses it, the next `read` rejects.
   */
  readonly accepted: Promise<void>;
}

/** A plan's kernels, compiled, with their buffers bound: ready to be run many times. */
export interface Program {
  /**
   * Submits every step once, in order, then the commits. A later `read` waits for it. Where the host
   * computes, an abort stops it half-way.
   */
  run(signal?: AbortSignal): Submitted | Promise<Submitted>;
  /** Runs every step once and measures each; commits nothing. An abort stops it between two steps. */
  profile(signal?: AbortSignal): Promise<readonly StepTime[]>;
}

/** `done` of `total` units of `what`: "kernels", "bytes". */
export type Progress = (done: number, total: number, what: string) => void;

/** The text of a kernel, for devices that compile text. @throws E425 for a kernel that is bytes. */
export function kernelText({ name, source }: PlanKernel): string {
  if (typeof source === "string") return source;
  throw diagnose("E425", {
    message: `the device compiles text, and kernel ${name} is ${source.length} bytes`,
    where: name,
    help: "compile the plan again for the target of the device",
  });
}

/** @throws E427 for memory that was freed. */
export function checkHeld(buffer: DeviceBuffer): void {
  if (buffer.isFreed)
    throw diagnose("E427", {
      message: "memory is used after it was freed: the session that it belongs to is closed",
      help: "close a session after those that are bound to its outputs",
    });
}

/** Why nothing more can be done on a device. */
export const deviceLost = (reason: string) =>
  diagnose("E422", {
    message: `the device is lost: ${reason}`,
    help: "open a new device and create the session again",
  });

export interface Device {
  /** The target whose plans it runs. */
  readonly target: TargetName;
  /** A few words for messages. */
  readonly name: string;
  /** What it can: what a compile profile is made of (`deviceProfile`). */
  readonly capabilities: Capabilities;
  /** It keeps each `f32` as a double, and takes a Float64Array of them: the oracle alone. */
  readonly doubles?: true;
  /** Lays a matrix in its panels. Devices whose plans have panels have it. */
  readonly inPanels?:
    | ((
        chunks: AsyncIterable<Float32Array<ArrayBuffer>>,
        matrix: Pick<PlanTensor, "name" | "shape" | "panels">,
      ) => AsyncIterable<Float32Array<ArrayBuffer>>)
    | undefined;
  /** @deprecated The name of `capabilities` in versions before this one. */
  readonly facts?: Capabilities;
  /** States are zeros at first; of the others nothing is known. */
  allocate(buffers: readonly PlanBuffer[]): Promise<DeviceBuffer[]>;
  /**
   * Copies bytes as they are to `offset` bytes into a buffer: whole words. `stored.ts` makes them. They are copied
   * when it returns, and may change from then on.
   */
  write(to: DeviceBuffer, offset: number, data: ArrayBufferView<ArrayBuffer>): void | Promise<void>;
  /** Copies whole buffers, in any order. */
  copy(pairs: readonly (readonly [from: DeviceBuffer, to: DeviceBuffer])[]): void | Promise<void>;
  /** Waits for what was submitted, and copies `count` elements back. */
  read(from: DeviceBuffer, offset: number, count: number, scalar: StoredScalar): Promise<Numbers>;
  load(
    plan: Pick<Plan, "name" | "kernels" | "steps" | "commits">,
    buffers: readonly DeviceBuffer[],
    onProgress?: Progress,
  ): Promise<Program>;
  /** Resolves when the device is gone, with the reason. Never resolves after `destroy()`. */
  readonly lost: Promise<string>;
  /** @throws E422 if the device is lost or destroyed. */
  checkAlive(): void;
  /** Frees everything. The process can then exit. */
  destroy(): void;
}
