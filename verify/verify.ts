/** Compares what the compiled models compute with reference files. */
import { basename } from "node:path";
import { defaultProfile, deviceProfile } from "../compiler/profile.ts";
import { diagnose } from "../diagnostics/index.ts";
import type { Progress } from "../runtime/devices/device.ts";
import { type DeviceKind, openDevice } from "../runtime/node/device.ts";
import { deviceWords } from "../runtime/node/opened.ts";
import type { Check } from "./compare.ts";
import { kinds } from "./kinds.ts";
import { openReference, type Reference } from "./reference.ts";

export interface VerifyRequest {
  readonly files: readonly string[];
  /** As `openDevice` chooses unless given. */
  readonly device?: DeviceKind | undefined;
  readonly onProgress?: Progress | undefined;
  /** A line as soon as it is known. */
  readonly onCheck?: ((check: Check, file: string) => void) | undefined;
  /** Which device is used, and why. */
  readonly onDevice?: ((words: string) => void) | undefined;
  /** What begins: a file, and what it is. */
  readonly onFile?: ((file: string, kind: string, device: string) => void) | undefined;
  /** Stops compiling. */
  readonly signal?: AbortSignal | undefined;
}

export interface VerifyReport {
  readonly passed: boolean;
  readonly device: string;
  readonly files: readonly {
    readonly file: string;
    readonly kind: string;
    readonly checks: readonly Check[];
    /** Tensors of the file that nothing was compared with. */
    readonly unread: readonly string[];
  }[];
}

/**
 * Checks every file, one after another, on one device.
 * @throws E360 for a file of no known kind, E361 for one that lacks what its kind holds, E2xx for
 * files that cannot be read, E4xx for the device.
 */
export async function verify(request: VerifyRequest): Promise<VerifyReport> {
  const { files, onProgress = () => {}, onCheck, onFile, onDevice, signal } = request;
  const references: Reference[] = [];
  try {
    // All files are looked at before any is computed.
    for (const file of files) references.push(await openReference(file));
    const checkers = references.map(checkerOf);
    const opened = await openDevice({ kind: request.device });
    const { device } = opened;
    onDevice?.(deviceWords(opened));
    // Numbers must be right within the limits of every device, with this one's kind of kernels.
    const { subgroup, slowBarriers, rolled, deviceClass } = deviceProfile(device.capabilities);
    const profile = { ...defaultProfile, subgroup, slowBarriers, rolled, deviceClass };
    try {
      const reports: VerifyReport["files"][number][] = [];
      for (const [i, reference] of references.entries()) {
        const { kind, check } = checkers[i]!;
        onFile?.(reference.path, kind, device.name);
        const checks: Check[] = [];
        for await (const one of check(reference, { device, profile, onProgress, signal })) {
          checks.push(one);
          onCheck?.(one, reference.path);
        }
        reports.push({ file: reference.path, kind, checks, unread: reference.unread() });
      }
      const passed = reports.every(({ checks }) => checks.every((check) => check.passed));
      return { passed, device: device.name, files: reports };
    } finally {
      device.destroy();
    }
  } finally {
    for (const reference of references) await reference.close();
  }
}

function checkerOf({ path, metadata }: Reference) {
  const { kind } = metadata;
  const check = kind !== undefined && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (kind !== undefined && check) return { kind, check };
  throw diagnose("E360", {
    message:
      kind === undefined
        ? `${basename(path)} does not say in its metadata what "kind" of reference it is`
        : `${basename(path)} is of the kind "${kind}", which nothing here checks`,
    where: path,
    help: `the kinds are ${Object.keys(kinds).join(", ")}`,
  });
}
