/**
 * Bundles: models compiled ahead of time by `inarch build`, as folders of plain files. A manifest
 * names the programs; a plan refers to kernels that lie beside it. The manifest has a hash of itself, of
 * every plan and kernel, and of the weights' header, which has one of every tensor: that of a tensor is
 * checked as it is read.
 *
 *     manifest.json  NAME-HASH.plan.json…  kernels/NAME-HASH.wgsl…  weights-HASH.safetensors
 *     MODEL.js  MODEL.d.ts  manifest-HASH.json
 *
 * Files that the manifest names hold a hash in their own names, so that a build writes beside the one
 * before it; `manifest.json` and `MODEL.js` come last. `MODEL.js` names a manifest of its own.
 */
import type { Plan, PlanKernel } from "../../compiler/plan.ts";
import { diagnose, InarchError } from "../../diagnostics/index.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import { abortable } from "../calls.ts";
import { checkPlan } from "../check-plan.ts";
import { openSafetensors } from "../weights/safetensors.ts";
import { type ByteSource, bytesSource } from "../weights/source.ts";
import type { Weights } from "../weights/weights.ts";
import { type Manifest, parseManifest } from "./manifest.ts";

/** A plan as it lies in a bundle: kernels are files. */
export interface BundledPlan extends Omit<Plan, "kernels"> {
  readonly kernels: readonly BundledKernel[];
}

export interface BundledKernel extends Omit<PlanKernel, "source"> {
  readonly file: string;
  /** The file is bytes, not text. */
  readonly binary?: true;
}

export interface Bundle {
  /** What messages call it: its folder or its address. */
  readonly source: string;
  readonly manifest: Manifest;
  /** By program, whole: with their kernels' text or bytes. */
  readonly plans: Readonly<Record<string, Plan>>;
  /**
   * Opens the bundle's own weights; close them when they are uploaded. Errors: E615, E613, E614 for
   * another file, E461 for a changed one: of a tensor when it is read.
   */
  openWeights(): Promise<Weights>;
}

/** Reads one file of a bundle whole. Rejects when there is no such file. */
export type ReadFile = (path: string) => Promise<Uint8Array>;

export interface OpenBundleOptions {
  /** What messages call the bundle. */
  readonly source?: string;
  /** The name of the manifest; `manifest.json` unless given. */
  readonly manifest?: string;
  /** Opens a large file, to be read piece by piece. Without it weights are read whole. */
  readonly open?: (path: string) => Promise<ByteSource>;
  /** Stops opening: the promise rejects with its reason at once, whatever `read` then does. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a bundle whose files `read` gives, wherever they are. Reads the manifest, the plans and the
 * kernels, and checks them; weights are left for `openWeights`.
 *
 * @throws E610 when there is no manifest, E611 when it is malformed, E612 for another format, E613
 * when a file is missing, E614 when one is not the file that was built, E421 and E516 for a plan that is
 * of another format or none.
 */
export async function openBundle(read: ReadFile, options: OpenBundleOptions = {}): Promise<Bundle> {
  checkOptions<OpenBundleOptions>("openBundle", options, {
    source: true,
    open: true,
    manifest: true,
    signal: true,
  });
  options.signal?.throwIfAborted();
  return abortable(openNewest(read, options), options.signal);
}

async function openNewest(read: ReadFile, options: OpenBundleOptions): Promise<Bundle> {
  const { source = "the bundle", manifest: name = "manifest.json", signal } = options;
  let bytes = await readManifest(read, name, source);
  for (let attempt = 1; ; attempt++) {
    try {
      return await openAs(parseManifest(bytes, source), read, options);
    } catch (error) {
      signal?.throwIfAborted();
      // A folder that is built again while it is read has another manifest, and lacks files of the old one.
      const now = await read(name).catch(() => bytes);
      if (attempt === 3 || isSame(now, bytes)) throw error;
      bytes = now;
    }
  }
}

async function openAs(
  manifest: Manifest,
  read: ReadFile,
  { source = "the bundle", open }: OpenBundleOptions,
): Promise<Bundle> {
  const readChecked = keepReads((path) => readFile(read, manifest, path, source));
  const plans = await Promise.all(
    Object.entries(manifest.programs).map(async ([name, { plan }]) => {
      const bundled = parsePlan(await readChecked(plan), `${source}, ${plan}`);
      return [name, await withSources(bundled, readChecked)] as const;
    }),
  );
  return {
    source,
    manifest,
    plans: Object.fromEntries(plans),
    openWeights: () => openOwnWeights(manifest, source, open ?? readWhole(read)),
  };
}

function parsePlan(bytes: Uint8Array, where: string): BundledPlan {
  let value: unknown;
  try {
    value = JSON.parse(decode(bytes));
  } catch (cause) {
    throw diagnose("E516", {
      message: `the plan is not JSON: ${reason(cause)}`,
      where,
      help: "build the bundle again",
      cause,
    });
  }
  return checkPlan(value, where) as unknown as BundledPlan;
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);

async function readManifest(read: ReadFile, name: string, source: string): Promise<Uint8Array> {
  try {
    return await read(name);
  } catch (cause) {
    if (name !== "manifest.json") throw missingFile(name, source, cause);
    // Whatever opens files may know better what is wrong, but not that a bundle was expected.
    throw diagnose("E610", {
      message: `there is no bundle: manifest.json cannot be read (${reason(cause)})`,
      where: source,
      help: "give the folder that inarch build wrote: inarch build MODEL --out DIR",
      cause,
    });
  }
}

/**
 * As `openBundle`, for files that come from elsewhere: kernels of the reference device are JavaScript, which
 * it would run. @throws E517 for a bundle of those, what `openBundle` throws.
 */
export async function openForeignBundle(read: ReadFile, options: OpenBundleOptions) {
  const bundle = await openBundle(read, options);
  for (const { target } of [bundle.manifest, ...Object.values(bundle.plans)])
    if (target === "reference")
      throw diagnose("E517", {
        message: "its kernels are JavaScript, for the reference device, which would run here",
        where: bundle.source,
        help: "build it for a device: inarch build MODEL --out DIR; a bundle of your own in memory goes through openBundle",
      });
  return bundle;
}

/** Programs share kernels: each file is read once. */
function keepReads(read: ReadFile): ReadFile {
  const known = new Map<string, Promise<Uint8Array>>();
  return (path) => {
    const bytes = known.get(path) ?? read(path);
    known.set(path, bytes);
    return bytes;
  };
}

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

async function readFile(read: ReadFile, manifest: Manifest, path: string, source: string) {
  // Not of the object's prototype: a path may be any word.
  const expected = Object.hasOwn(manifest.files, path) ? manifest.files[path] : undefined;
  if (expected === undefined)
    throw diagnose("E611", {
      message: `the manifest has no hash of ${path}`,
      where: source,
      help: "build the bundle again",
    });
  let bytes: Uint8Array;
  try {
    bytes = await read(path);
  } catch (cause) {
    throw missingFile(path, source, cause);
  }
  const actual = await sha256(bytes);
  if (actual !== expected)
    throw diagnose("E614", {
      message: `${path} is not the file that was built: its SHA-256 begins with ${actual.slice(0, 12)}, the manifest says ${expected.slice(0, 12)}`,
      where: source,
      help: "copy the folder again as it is (bytes, not text: line ends count), or build it again",
    });
  return bytes;
}

async function sha256(bytes: Uint8Array): Promise<string> {
  // A copy: what a reader returns may lie in shared memory, which WebCrypto does not take.
  const digest = await crypto.subtle.digest("SHA-256", Uint8Array.from(bytes));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function withSources(plan: BundledPlan, read: ReadFile): Promise<Plan> {
  const kernels = await Promise.all(
    plan.kernels.map(async ({ file, binary, ...kernel }) => {
      const bytes = await read(file);
      return { ...kernel, source: binary ? bytes : decode(bytes) };
    }),
  );
  return { ...plan, kernels };
}

async function openOwnWeights(
  { name, weights }: Manifest,
  source: string,
  open: (path: string) => Promise<ByteSource>,
): Promise<Weights> {
  if (!weights)
    throw diagnose("E615", {
      message: `the bundle of ${name} was built without weights`,
      where: source,
      help: "pass { weights: await openWeights(…) }, or build it with --weights FILE",
    });
  let bytes: ByteSource;
  try {
    bytes = await open(weights.file);
  } catch (cause) {
    throw missingFile(weights.file, source, cause);
  }
  const other = (message: string) =>
    diagnose("E614", {
      message: `${weights.file} is not the file that was built: ${message}`,
      where: source,
      help: "copy the folder again as it is, or build it again",
    });
  if (bytes.size !== weights.bytes) {
    await bytes.close?.();
    throw other(`it has ${bytes.size} bytes, the manifest says ${weights.bytes}`);
  }
  const opened = await openSafetensors(bytes).catch(async (error) => {
    await bytes.close?.();
    throw error;
  });
  if (opened.checksum === weights.checksum) return opened;
  await opened.close();
  throw other(
    `its checksum is ${opened.checksum ?? "missing"}, the manifest says ${weights.checksum}`,
  );
}

const readWhole = (read: ReadFile) => async (path: string) => bytesSource(path, await read(path));

const missingFile = (path: string, source: string, cause: unknown) =>
  diagnose("E613", {
    message: `the bundle's file ${path} cannot be read (${reason(cause)})`,
    where: source,
    help: "copy the whole folder, or build it again; where it was built again since it was opened, load it again",
    cause,
  });

const reason = (cause: unknown) => {
  if (cause instanceof InarchError) return cause.details.message;
  return cause instanceof Error ? cause.message : String(cause);
};
