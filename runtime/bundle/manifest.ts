/** A bundle's manifest: what it holds, and everything that may be wrong with one. */
import type { PlanDType, TargetName } from "../../compiler/plan.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { ownHash, zeros } from "../weights/hash.ts";
import { isRecord, parseJson } from "../weights/json.ts";

/** The version of the folder's layout. A runtime refuses others. */
export const bundleFormat = 3;

/** What `manifest.json` holds. Paths are relative to it. */
export interface Manifest {
  readonly format: typeof bundleFormat;
  /** The model's name, and that of its wrapper's files. */
  readonly name: string;
  readonly doc?: string;
  readonly target: TargetName;
  /** The compile profile: `default` runs wherever there is WebGPU. */
  readonly profile: string;
  /** What host-side code of the model needs, as the model gave it. */
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly programs: Readonly<Record<string, ManifestProgram>>;
  /** Memory that outlives runs and that programs share: none in most models. */
  readonly states?: readonly ManifestState[];
  /** SHA-256 in hexadecimal digits of every plan and every kernel, by path. */
  readonly files: Readonly<Record<string, string>>;
  /** `checksum` is that of the file, which has the hash of each tensor. */
  readonly weights?: { readonly file: string; readonly bytes: number; readonly checksum: string };
}

export interface ManifestProgram {
  readonly plan: string;
  readonly inputs: readonly ManifestTensor[];
  readonly outputs: readonly ManifestTensor[];
}

export interface ManifestTensor {
  readonly name: string;
  readonly dtype: PlanDType;
  readonly shape: readonly number[];
  readonly doc?: string;
}

export interface ManifestState extends ManifestTensor {
  readonly bytes: number;
  /** By program that has it, the number of the buffer in its plan: all of these are one memory. */
  readonly buffers: Readonly<Record<string, number>>;
}

const stated = (digits: unknown) => `"checksum": "${digits}"\n}\n`;

/** The text of a manifest, which ends with a hash of the rest, so that any changed bit is seen. */
export function manifestText(manifest: Manifest): string {
  const text = `${JSON.stringify({ ...manifest, checksum: zeros }, null, 2)}\n`;
  return text.replace(stated(zeros), stated(ownHash(text, stated)));
}

/** Whether a manifest, whose own checksum is given, is as `manifestText` wrote it. */
const isAsWritten = (bytes: Uint8Array, checksum: unknown): boolean =>
  ownHash(new TextDecoder().decode(bytes), stated, String(checksum)) === checksum;

/**
 * Errors: E611 for what is no manifest, with all problems; E612 for a manifest of another format; E614
 * for one that was changed.
 */
export function parseManifest(bytes: Uint8Array, source: string): Manifest {
  const parsed = parseJson(bytes);
  if ("problem" in parsed) throw malformed([`it is not JSON: ${parsed.problem}`], source);
  const { value } = parsed;
  if (!isRecord(value)) throw malformed(["it is not an object"], source);
  if (typeof value.format === "number" && value.format !== bundleFormat)
    throw diagnose("E612", {
      message: `the bundle has format ${value.format}, this runtime reads ${bundleFormat}`,
      where: source,
      help: "build it again with this version of inarch, or use the runtime that it was built for",
    });
  if (value.format === bundleFormat && !isAsWritten(bytes, value.checksum))
    throw diagnose("E614", {
      message: "manifest.json is not the file that was built: it does not match its own checksum",
      where: source,
      help: "copy the folder again as it is (bytes, not text: line ends count), or build it again",
    });
  const problems = [...checkTop(value), ...checkPrograms(value.programs)];
  if (problems.length > 0) throw malformed(problems, source);
  return value as unknown as Manifest;
}

const malformed = (problems: readonly string[], source: string) =>
  diagnose("E611", {
    message: `manifest.json is malformed: ${problems.join("; ")}`,
    where: source,
    help: "build the bundle again; its files are not meant to be edited",
  });

function checkTop(value: Record<string, unknown>): string[] {
  const problems: string[] = [];
  if (value.format !== bundleFormat) problems.push(`format is ${JSON.stringify(value.format)}`);
  for (const key of ["name", "target", "profile"])
    if (typeof value[key] !== "string") problems.push(`${key} is not a string`);
  const { files, weights, states = [] } = value;
  if (!Array.isArray(states) || !states.every(isTensor))
    problems.push("states is not a list of tensors");
  if (!isRecord(files)) problems.push("files is not an object");
  else
    for (const [path, hash] of Object.entries(files)) {
      if (!isPath(path)) problems.push(`files names "${path}", which is not inside the folder`);
      if (typeof hash !== "string" || !/^[0-9a-f]{64}$/.test(hash))
        problems.push(`files["${path}"] is not a SHA-256`);
    }
  if (weights === undefined) return problems;
  if (
    !isRecord(weights) ||
    !isPath(weights.file) ||
    typeof weights.bytes !== "number" ||
    typeof weights.checksum !== "string"
  )
    problems.push("weights is not { file, bytes, checksum }");
  return problems;
}

/** A bundle must not make its reader open files elsewhere. */
const isPath = (path: unknown): path is string =>
  typeof path === "string" && /^[\w-][\w.-]*(?:\/[\w-][\w.-]*)*$/.test(path);

function checkPrograms(programs: unknown): string[] {
  if (!isRecord(programs)) return ["programs is not an object"];
  const entries = Object.entries(programs);
  if (entries.length === 0) return ["programs is empty"];
  return entries.flatMap(([name, program]) => {
    if (!isRecord(program)) return [`programs.${name} is not an object`];
    const problems: string[] = [];
    if (!isPath(program.plan)) problems.push(`programs.${name}.plan is not a path`);
    for (const key of ["inputs", "outputs"]) {
      const tensors = program[key];
      if (!Array.isArray(tensors) || !tensors.every(isTensor))
        problems.push(`programs.${name}.${key} is not a list of tensors`);
    }
    return problems;
  });
}

const isTensor = (value: unknown) =>
  isRecord(value) &&
  typeof value.name === "string" &&
  typeof value.dtype === "string" &&
  Array.isArray(value.shape);
