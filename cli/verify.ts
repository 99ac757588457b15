/** `npm run verify -- FILE…`: compares what the compiled models compute with reference files. */
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { defaultProfile, deviceProfile } from "../compiler/profile.ts";
import { diagnose } from "../diagnostics/index.ts";
import type { Progress } from "../runtime/devices/device.ts";
import { type DeviceKind, deviceKinds, openDevice } from "../runtime/node/device.ts";
import type { Check } from "../verify/compare.ts";
import { kinds } from "../verify/kinds.ts";
import { openReference, type Reference } from "../verify/reference.ts";
import { openProgress, progressStyle } from "./progress.ts";

export interface VerifyRequest {
  readonly files: readonly string[];
  readonly device: DeviceKind;
  readonly onProgress?: Progress | undefined;
  /** A line as soon as it is known. */
  readonly onCheck?: ((check: Check, file: string) => void) | undefined;
  /** What begins: a file, and what it is. */
  readonly onFile?: ((file: string, kind: string, device: string) => void) | undefined;
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
  const { files, onProgress = () => {}, onCheck, onFile } = request;
  const references: Reference[] = [];
  try {
    // All files are looked at before any is computed.
    for (const file of files) references.push(await openReference(file));
    const checkers = references.map(checkerOf);
    const device = (await openDevice({ kind: request.device })).device;
    // Numbers must be right within the limits of every device, with this one's kind of kernels.
    const { subgroup, rolled } = deviceProfile(device.capabilities);
    const profile = { ...defaultProfile, subgroup, rolled };
    try {
      const reports: VerifyReport["files"][number][] = [];
      for (const [i, reference] of references.entries()) {
        const { kind, check } = checkers[i]!;
        onFile?.(reference.path, kind, device.name);
        const checks: Check[] = [];
        for await (const one of check(reference, { device, profile, onProgress })) {
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

/** Runs the command line. Returns the exit code: 1 when anything is past its tolerance. */
export async function runVerify(
  args: readonly string[],
  write: (text: string) => unknown = (text) => process.stdout.write(text),
): Promise<number> {
  const { files, device, json } = parse(args);
  const progress = openProgress(progressStyle(json));
  const print = (text: string) => {
    progress.end();
    if (!json) write(`${text}\n`);
  };
  try {
    const report = await verify({
      files,
      device,
      onProgress: progress.report,
      onFile: (file, kind, name) => print(`${file}: ${kind}, on ${name}`),
      onCheck: (check) => print(describe(check)),
    });
    for (const { file, unread } of report.files)
      if (unread.length > 0) print(`${file}: nothing was compared with ${unread.join(", ")}`);
    const all = report.files.flatMap(({ checks }) => checks);
    const failed = all.filter((check) => !check.passed).length;
    print(`${all.length - failed} right, ${failed} past their tolerance`);
    if (json) write(`${JSON.stringify(report, null, 2)}\n`);
    return report.passed ? 0 : 1;
  } finally {
    progress.end();
  }
}

const describe = ({ name, found, allowed, passed }: Check): string =>
  `  ${passed ? "ok    " : "FAILED"} ${name.padEnd(44)} ${found} (${allowed})`;

function parse(args: readonly string[]) {
  const parsed = (() => {
    try {
      return parseArgs({
        args: [...args],
        allowPositionals: true,
        options: {
          device: { type: "string", default: "webgpu" },
          json: { type: "boolean", default: false },
        },
      });
    } catch (cause) {
      throw misused((cause as Error).message);
    }
  })();
  const { values, positionals: files } = parsed;
  const device = deviceKinds.find((name) => name === values.device);
  if (files.length === 0) throw misused("no reference file is given");
  if (device === undefined) throw misused(`--device cannot be "${values.device}"`);
  return { files, device, json: values.json };
}

const misused = (message: string) =>
  diagnose("E370", {
    message,
    where: "verify",
    help: `npm run verify -- FILE… [--device ${deviceKinds.join("|")}] [--json]`,
  });
