/** The files of a bundle from its plans: kernels by themselves, everything in a fixed order. */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { KernelSource, Plan, PlanTensor } from "../compiler/plan.ts";
import { targetNamed } from "../compiler/targets/find.ts";
import { diagnose } from "../diagnostics/index.ts";
import type { BundledPlan } from "../runtime/bundle/bundle.ts";
import {
  bundleFormat,
  type Manifest,
  type ManifestProgram,
  type ManifestState,
  type ManifestTensor,
  manifestText,
} from "../runtime/bundle/manifest.ts";
import { modelStates } from "../runtime/states.ts";

export interface BundleRequest {
  readonly name: string;
  readonly doc?: string | undefined;
  readonly facts?: Readonly<Record<string, unknown>> | undefined;
  /** By program, in the order in which they are listed. All for one target and one profile. */
  readonly plans: ReadonlyMap<string, Plan>;
  readonly weights?: Manifest["weights"] | undefined;
  /** Other files of the bundle, by path. */
  readonly others?: ReadonlyMap<string, Uint8Array>;
}

/**
 * Plans and kernels by path, and the manifest. Kernels that several programs share are one file, and names
 * hold a hash of what is in the file, so that the files of two builds lie side by side.
 * The same plans give the same bytes. Errors: E602 for facts that are not JSON, E250 for programs that
 * disagree about a state.
 */
export function bundleFiles({ name, doc, facts, plans, weights, others }: BundleRequest) {
  if (facts !== undefined) checkFacts(name, facts);
  const files = new Map<string, KernelSource>(others);
  const programs: Record<string, ManifestProgram> = {};
  const states = statesIn(Object.fromEntries(plans));
  for (const [program, plan] of plans) {
    const { ending } = targetNamed(plan.target);
    const kernels = plan.kernels.map(({ source, ...kernel }) => {
      const file = `kernels/${kernel.name}-${shortHash(source)}.${ending}`;
      files.set(file, source);
      return { ...kernel, file, ...(typeof source === "string" ? {} : { binary: true as const }) };
    });
    const bundled: BundledPlan = { ...plan, kernels };
    const text = formatPlan(bundled);
    const path = `${program}-${shortHash(text)}.plan.json`;
    files.set(path, text);
    const { inputs, outputs } = plan;
    programs[program] = { plan: path, inputs: inputs.map(typeOf), outputs: outputs.map(typeOf) };
  }
  const [{ target, profile }] = [...plans.values()] as [Plan];
  const paths = [...files.keys()].sort();
  const manifest: Manifest = {
    format: bundleFormat,
    name,
    ...(doc === undefined ? {} : { doc }),
    target,
    profile,
    ...(facts === undefined ? {} : { facts }),
    programs,
    ...(states.length > 0 ? { states } : {}),
    ...(weights === undefined ? {} : { weights }),
    files: Object.fromEntries(paths.map((path) => [path, sha256(files.get(path)!)])),
  };
  files.set("manifest.json", manifestText(manifest));
  return { files, manifest };
}

/** JSON drops functions and turns NaN into null, without a word. */
function checkFacts(name: string, facts: object): void {
  const lost = Object.entries(facts).filter(([, fact]) => {
    const text: string | undefined = JSON.stringify(fact);
    return text === undefined || !isDeepStrictEqual(JSON.parse(text), fact);
  });
  if (lost.length === 0) return;
  throw diagnose("E602", {
    message: `facts of the model ${name} are not JSON: ${lost.map(([key]) => key).join(", ")}`,
    help: "give strings, finite numbers, booleans, null, and lists and plain objects of them",
  });
}

/** The name under which a manifest lies beside those of other builds. */
export const ownManifest = (manifest: Manifest): string =>
  `manifest-${shortHash(manifestText(manifest))}.json`;

/** Enough of a hash to tell the files of two builds apart. */
const shortHash = (content: KernelSource) => sha256(content).slice(0, 12);

const sha256 = (content: KernelSource) => createHash("sha256").update(content).digest("hex");

const typeOf = ({ name, dtype, shape, doc }: PlanTensor): ManifestTensor => ({
  name,
  dtype,
  shape,
  ...(doc === undefined ? {} : { doc }),
});

function statesIn(plans: Readonly<Record<string, Plan>>): ManifestState[] {
  return modelStates(plans).map(({ tensor }) => {
    const buffers = Object.entries(plans).flatMap(([program, { states }]) =>
      states.filter((t) => t.name === tensor.name).map((t) => [program, t.buffer] as const),
    );
    return { ...typeOf(tensor), bytes: tensor.bytes, buffers: Object.fromEntries(buffers) };
  });
}

/** A plan as JSON with one line for each buffer, kernel and step: small, and a change shows as few lines. */
export function formatPlan(value: object): string {
  const members = Object.entries(value).map(([key, member]) => {
    const isList = Array.isArray(member) && member.length > 0;
    const text = isList
      ? `[\n${member.map((item) => `    ${JSON.stringify(item)}`).join(",\n")}\n  ]`
      : JSON.stringify(member);
    return `  ${JSON.stringify(key)}: ${text}`;
  });
  return `{\n${members.join(",\n")}\n}\n`;
}
