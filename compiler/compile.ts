/** The pipeline as one list: from a traced program to a plan. Each stage is kept for `inarch show`. */
import { bug, diagnose } from "../diagnostics/index.ts";
import { fuse } from "./fuse/fuse.ts";
import type { Fusion, Policy, Region } from "./fuse/region.ts";
import type { Graph } from "./graph/graph.ts";
import type { Buffer, Kernel } from "./kernel/ir.ts";
import { type Lowered, lowerAll } from "./kernel/lower.ts";
import { type Plan, type PlanKernel, type PlanStep, planFormat, type Role } from "./plan.ts";
import { defaultProfile, type Profile } from "./profile.ts";
import { halvesOf, type Precision } from "./schedule/halves.ts";
import { type Layout, noLayout } from "./schedule/layout.ts";
import { assignPlaces, type Places } from "./schedule/places.ts";
import { cuda } from "./targets/cuda/index.ts";
import { reference } from "./targets/reference/index.ts";
import type { Target } from "./targets/target.ts";
import { wgsl } from "./targets/wgsl/index.ts";

export interface CompileOptions {
  readonly name?: string;
  readonly target?: Plan["target"];
  readonly profile?: Profile;
  /** `unfused` makes every node its own kernel: the baseline that fusion is checked against. */
  readonly policy?: Policy;
  /** Where tensors live that outlive a run. */
  readonly layout?: Layout;
  /** `mixed` stores large tensors as halves and computes in `f32`; `f32` unless given. */
  readonly precision?: Precision;
}

/** Every stage of one compilation. */
export interface Compilation {
  readonly graph: Graph;
  readonly fusion: Fusion;
  readonly kernels: readonly Lowered[];
  readonly plan: Plan;
}

const targets: Record<Plan["target"], Target> = { wgsl, cuda, reference };

/**
 * Compiles a graph. Pure: the same graph, target and profile give the same bytes.
 * @throws E150 for mixed precision where the profile's device has no halves.
 */
export const compile = (graph: Graph, options: CompileOptions = {}): Plan =>
  compileStages(graph, options).plan;

export function compileStages(graph: Graph, options: CompileOptions = {}): Compilation {
  const target = targets[options.target ?? "wgsl"];
  const profile = fitting(options.profile ?? defaultProfile, target);
  const { layout = noLayout, precision = "f32" } = options;
  if (precision === "mixed") checkHalves(profile, target);
  const fusion = fuse(graph, profile, options.policy ?? "fused");
  const halves = halvesOf(graph, fusion.regions, layout, precision);
  const kernels = lowerAll(fusion.regions, profile, halves);
  for (const { kernel } of new Set(kernels)) check(kernel, profile);
  const places = assignPlaces(graph, fusion.regions, profile, layout, halves);
  const plan = assemble(
    options.name ?? "program",
    fusion.regions,
    kernels,
    places,
    target,
    profile,
  );
  return { graph, fusion, kernels, plan };
}

/** Kernels of subgroups are for a width that the target has; others share workgroup memory. */
const fitting = (profile: Profile, target: Target): Profile =>
  target.subgroup === undefined || target.subgroup === profile.subgroup
    ? profile
    : { ...profile, subgroup: 0 };

function checkHalves(profile: Profile, target: Target): void {
  if (target.half || profile.half) return;
  throw diagnose("E150", {
    message: `precision "mixed" stores halves, but the profile "${profile.name}" has none`,
    help: 'compile with { precision: "f32" }, or with the profile of an adapter that has the feature shader-f16',
  });
}

/** A template that asks for more than the profile has is a bug of ours, found here, not on a device. */
function check(kernel: Kernel, profile: Profile): void {
  const threads = kernel.threads.reduce((a, b) => a * b, 1);
  if (threads > profile.maxThreads) bug(`${kernel.name} has ${threads} threads`);
  if (sharedBytes(kernel) > profile.maxSharedBytes)
    bug(`${kernel.name} uses ${sharedBytes(kernel)} bytes of workgroup memory`);
  if (kernel.params.length > profile.maxBindings)
    bug(`${kernel.name} binds ${kernel.params.length} buffers`);
  if (kernel.groups.some((n) => n > profile.maxGroups))
    bug(`${kernel.name} needs ${kernel.groups.join(" x ")} workgroups`);
}

const sharedBytes = (kernel: Kernel) =>
  kernel.scratch.reduce((sum, b) => sum + (b.space === "shared" ? b.size * 4 : 0), 0);

function assemble(
  name: string,
  regions: readonly Region[],
  lowered: readonly Lowered[],
  places: Places,
  target: Target,
  profile: Profile,
): Plan {
  const kernels: PlanKernel[] = [];
  const known = new Map<string, number>();
  const keys = new Map<Kernel, number>();
  const steps = lowered.map(({ kernel, bindings }, i): PlanStep => {
    const at = bindings.map((t) => places.of(t));
    const roles = at.map((p) => places.buffers[p.buffer]!.role);
    // One kernel has one text for each way in which its buffers are shared.
    if (!keys.has(kernel)) keys.set(kernel, keys.size);
    const key = `${keys.get(kernel)} ${roles.map((r) => r === "arena")}`;
    let number = known.get(key);
    if (number === undefined) {
      number = kernels.push(printKernel(kernel, roles, target)) - 1;
      known.set(key, number);
    }
    return { kernel: number, groups: kernel.groups, bindings: at, label: labelOf(regions[i]!) };
  });
  const { buffers, parameters, states, inputs, outputs, commits, arenaLowerBound } = places;
  return {
    format: planFormat,
    name,
    target: target.name,
    profile: profile.name,
    buffers,
    parameters,
    states,
    inputs,
    outputs,
    kernels,
    steps,
    commits,
    arenaLowerBound,
  };
}

function printKernel(kernel: Kernel, roles: readonly Role[], target: Target): PlanKernel {
  const scratch = (b: Buffer) => roles[kernel.params.indexOf(b)] === "arena";
  return {
    name: kernel.name,
    source: target.print(kernel, scratch),
    entry: target.entry(kernel),
    threads: kernel.threads,
    params: kernel.params.map((b) => ({
      scalar: b.scalar === "bool" ? bug("a bool buffer") : b.scalar,
      size: b.size,
      access: b.writable || scratch(b) ? "read-write" : "read",
      writes: b.writable,
    })),
    sharedBytes: sharedBytes(kernel),
    subgroup: kernel.subgroup,
  };
}

/** What a region computes, for timings and reports. Paths of files stay out: plans are portable. */
function labelOf({ anchor, writes }: Region): string {
  const shape = writes[0]?.shape.join("x") ?? "";
  return `${anchor.op.name} ${shape}`;
}
