/** The pipeline as one list: from a traced program to a plan. Each stage is kept for `inarch show`. */

import { bug, diagnose } from "../diagnostics/index.ts";
import { plain } from "../formats/index.ts";
import { checkAsked, pickVariants, type Variants } from "./forms/pick.ts";
import { fuse } from "./fuse/fuse.ts";
import type { Fusion, Region } from "./fuse/region.ts";
import { checkGraph } from "./graph/check-graph.ts";
import type { Graph } from "./graph/graph.ts";
import { type Node, Tensor } from "./graph/tensor.ts";
import type { Kernel } from "./kernel/ir.ts";
import { verifying } from "./kernel/verify.ts";
import { type Lowered, type LoweredBefore, lowerAll } from "./lower/lower.ts";
import { assignPlaces, type Places } from "./memory/places.ts";
import { type CompileOptions, checkCompileOptions } from "./options.ts";
import { counts, kernelsOf, passRunner } from "./passes.ts";
import { type MatrixUnits, type Plan, type PlanStep, planFormat } from "./plan.ts";
import type { Profile } from "./profile.ts";
import { rewrite } from "./rewrite/rewrite.ts";
import {
  forPrecision,
  type Precision,
  plainStorage,
  type Storage,
  storageOf,
  storedAs,
  storesResults,
} from "./storage/formats.ts";
import { joinsOf } from "./storage/joins.ts";
import { type Layout, noLayout } from "./storage/layout.ts";
import { panelsOf } from "./storage/panels.ts";
import { defaultTarget, targetNamed, usualProfile } from "./targets/find.ts";
import { PlanKernels, sharedBytes, type Texts } from "./targets/plan-kernels.ts";
import { capableOf, type Target } from "./targets/target.ts";
import { noTuning, tunedVariants } from "./tuning/tuning.ts";
import { atOnce, finish, inTurns, isDue, type Pausing, type TurnOptions } from "./turns.ts";

export type { CompileOptions };

/** Every stage of one compilation. */
export interface Compilation {
  /** As it was traced. */
  readonly graph: Graph;
  /** What is computed instead, and by which law each new node came to be. */
  readonly rewritten: Graph;
  readonly rules: ReadonlyMap<Node, string>;
  readonly fusion: Fusion;
  readonly kernels: readonly Lowered[];
  /** The profile that was asked for, as far as the target and the precision allow. */
  readonly profile: Profile;
  readonly plan: Plan;
}

/**
 * Compiles a graph. Pure: the same graph, target and profile give the same bytes.
 * @throws E113 for what is no graph, E109 for an unknown target, E112 for a form that is asked for and that the device cannot run,
 * E175 for a kernel whose tiles are all too large for the profile, E821 for a tuned tile that the device does not allow, E150 for a precision that the device
 * cannot store where no frozen parameter is there to be packed, E465 for a value that an option cannot have, E153 for an unknown
 * `weightFormat`, E152 for one that the device lacks, E900 for a kernel that is not verified.
 */
export const compile = (graph: Graph, options: CompileOptions = {}): Plan =>
  compileStages(graph, options).plan;

export const compileStages = (graph: Graph, options: CompileOptions = {}): Compilation =>
  finish(compiling(graph, options));

/**
 * As `compile`, in many short turns: the event loop has its own about every 10 milliseconds. An abort
 * rejects with the signal's reason within a turn.
 */
export const compileAsync = async (graph: Graph, options: AsyncOptions = {}): Promise<Plan> =>
  (await compileStagesAsync(graph, options)).plan;

export const compileStagesAsync = (
  graph: Graph,
  { signal, ...options }: AsyncOptions = {},
): Promise<Compilation> => inTurns(compiling(graph, options), { signal });

export interface AsyncOptions extends CompileOptions, TurnOptions {}

/** What programs that are compiled together for one target share: no kernel is lowered or printed twice. */
export class Shared {
  readonly texts: Texts = new WeakMap();
  readonly #lowered = new Map<string, LoweredBefore>();

  lowered(profile: Profile): LoweredBefore {
    const key = JSON.stringify(profile);
    const known = this.#lowered.get(key) ?? new Map();
    this.#lowered.set(key, known);
    return known;
  }
}

/** For what compiles among other work that pauses. */
export const compiling = (
  graph: Graph,
  options: CompileOptions,
  shared = new Shared(),
): Pausing<Compilation> =>
  options.verify ? verifying(runPasses(graph, options, shared)) : runPasses(graph, options, shared);

function* runPasses(graph: Graph, options: CompileOptions, shared: Shared): Pausing<Compilation> {
  checkGraph(graph);
  checkCompileOptions(options);
  const target = targetNamed(options.target ?? defaultTarget.name);
  const { layout = noLayout, precision = "f32", weightFormat } = options;
  const { forms = {}, tuning = noTuning } = options;
  const profile = fitting(options.profile ?? usualProfile(target), target, precision);
  const device = capableOf(target, profile);
  const policy = options.policy ?? "fused";
  const pass = passRunner(options.onPass);
  const { graph: rewritten, rules } = yield* pass(
    "rewrite",
    policy === "fused" ? rewrite(graph, layout) : atOnce(() => ({ graph, rules: new Map() })),
    (made) => counts.rewritten(graph, made.graph),
  );
  checkAsked(forms, [graph, rewritten]);
  const joins = yield* pass(
    "join",
    atOnce(() => joinsOf(rewritten)),
    counts.joins,
  );
  const usual = yield* pass("pick", pickVariants(rewritten, profile, forms), counts.variants);
  const fused = (variants: Variants) => fuse(rewritten, variants, profile, policy, joins);
  const fusing = function* () {
    const first = yield* fused(usual);
    const tuned = tunedVariants(usual, first.regions, { profile, tuning, asked: forms });
    // What melts depends on the kernels that will run.
    return tuned === usual ? first : yield* fused(tuned);
  };
  const fusion = yield* pass("fuse", fusing(), counts.regions);
  const { regions } = fusion;
  const formats = { precision, device, halveFrom: options.halveFrom, weightFormat };
  const storing = atOnce(() => storageOf(rewritten, regions, { ...formats, layout, joins }));
  const storage = yield* pass("store", storing, (made) => counts.formats(regions, made));
  if (!storesResults(formats)) checkWeights(rewritten, storage, layout, { precision, profile });
  const panels = panelsOf(rewritten, regions, { storage, joins, layout });
  const before = shared.lowered(profile);
  const lowering = lowerAll(regions, profile, { storage, joins, panels, before });
  const kernels = yield* pass("lower", lowering, counts.kernels);
  for (const kernel of kernelsOf(kernels)) check(kernel, profile);
  const placing = assignPlaces(rewritten, regions, profile, layout, storage, joins, panels);
  const places = yield* pass("place", placing, counts.memory);
  const name = options.name ?? "program";
  const printing = assemble(name, regions, kernels, places, {
    target,
    profile,
    texts: shared.texts,
  });
  const assembled = yield* pass("print", printing, counts.texts);
  const plan = { ...assembled, ...(graph.adapters ? { adapters: graph.adapters } : {}) };
  return { graph, rewritten, rules, fusion, kernels, profile, plan };
}

export interface AloneOptions {
  readonly target: Plan["target"];
  /** The one by which the region's variant was chosen. */
  readonly profile: Profile;
}

/**
 * A plan of one kernel: how a region is checked and measured by itself. The graph is that of the
 * region alone, whose outputs are what it writes.
 */
export function compileAlone(graph: Graph, region: Region, options: AloneOptions): Plan {
  const target = targetNamed(options.target);
  const profile = fitting(options.profile, target, "f32");
  const joins = joinsOf(graph);
  const kernels = finish(lowerAll([region], profile, { joins }));
  for (const { kernel } of kernels) check(kernel, profile);
  const places = finish(assignPlaces(graph, [region], profile, noLayout, plainStorage, joins));
  return finish(assemble(region.anchor.op.name, [region], kernels, places, { target, profile }));
}

/** Kernels of subgroups are for a width that the target has; others share workgroup memory. */
function fitting(asked: Profile, target: Target, precision: Precision): Profile {
  const allowed = forPrecision(asked, precision, capableOf(target, asked));
  const { matrices, fma, shuffles, ...others } = allowed;
  const subgroup = target.subgroup === undefined || target.subgroup === asked.subgroup;
  return {
    ...others,
    subgroup: subgroup ? asked.subgroup : 0,
    ...(matrices && target.fragments ? { matrices: spelled(matrices, target) } : {}),
    ...(fma && target.fma ? { fma } : {}),
    ...(shuffles && target.shuffles ? { shuffles } : {}),
  };
}

/** Fragments have numbered elements where the target spells them. */
function spelled(units: MatrixUnits, target: Target): MatrixUnits {
  const { numbered, sharedBytes, ...others } = units;
  return numbered && target.numbered ? units : others;
}

/**
 * Where results stay single, narrow frozen parameters are enough. Of training that is not what is
 * asked: its memory is activations.
 */
function checkWeights(
  graph: Graph,
  storage: Storage,
  layout: Layout,
  { precision, profile }: { readonly precision: Precision; readonly profile: Profile },
): void {
  const isNarrow = (t: Tensor) => storage(t) !== plain(t.dtype);
  const found = graph.nodes.some((n) => n.op.kind === "parameter" && isNarrow(new Tensor(n, 0)));
  if (found && layout.states.length === 0) return;
  throw diagnose("E150", {
    message: `precision "${precision}" stores ${storedAs[precision]}, which the profile "${profile.name}" cannot write`,
    help: 'compile with { precision: "f32" }; "mixed" is for devices with halves (in WebGPU: the feature shader-f16), "bf16" for CUDA and processors',
  });
}

/** A kernel that asks for more than the profile has is a bug of ours, found here, not on a device. */
function check(kernel: Kernel, profile: Profile): void {
  const threads = kernel.threads.reduce((a, b) => a * b, 1);
  if (threads > profile.maxThreads) bug(`${kernel.name} has ${threads} threads`);
  const { matrices: { sharedBytes: given = 0 } = {}, maxSharedBytes } = profile;
  if (sharedBytes(kernel) > Math.max(kernel.matrices ? given : 0, maxSharedBytes))
    bug(`${kernel.name} uses ${sharedBytes(kernel)} bytes of workgroup memory`);
  if (kernel.params.length > profile.maxBindings)
    bug(`${kernel.name} binds ${kernel.params.length} buffers`);
  if (kernel.groups.some((n) => n > profile.maxGroups))
    bug(`${kernel.name} needs ${kernel.groups.join(" x ")} workgroups`);
}

interface AssembleOptions {
  readonly target: Target;
  readonly profile: Profile;
  readonly texts?: Texts;
}

function* assemble(
  name: string,
  regions: readonly Region[],
  lowered: readonly Lowered[],
  places: Places,
  { target, profile, texts }: AssembleOptions,
): Pausing<Plan> {
  const kernels = new PlanKernels(target, texts);
  const steps: PlanStep[] = [];
  for (const [i, { kernel, bindings }] of lowered.entries()) {
    const at = bindings.map((t) => places.of(t));
    const roles = at.map((p) => places.buffers[p.buffer]!.role);
    const number = kernels.add(kernel, roles);
    const label = labelOf(regions[i]!);
    steps.push({ kernel: number, groups: kernel.groups, bindings: at, label });
    if (isDue()) yield;
  }
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
    kernels: kernels.all,
    steps,
    commits,
    arenaLowerBound,
  };
}

/** What a region computes, for timings and reports. Paths of files stay out: plans are portable. */
function labelOf({ anchor, writes }: Region): string {
  const shape = writes[0]?.shape.join("x") ?? "";
  return `${anchor.op.name} ${shape}`;
}
