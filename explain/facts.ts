/** What the page tells of one program, gathered from its compilation: plain data, no markup. */
import type { Compilation } from "../compiler/compile.ts";
import { isView } from "../compiler/fuse/element.ts";
import type { Region } from "../compiler/fuse/region.ts";
import type { Source } from "../compiler/graph/sources.ts";
import { elements, isSource, type Node, show, type Tensor } from "../compiler/graph/tensor.ts";
import { countWork, type RegionWork, type Work } from "../compiler/inspect/count.ts";
import { type NameOf, nameTensors } from "../compiler/inspect/names.ts";
import type { Kernel } from "../compiler/kernel/ir.ts";
import { printKernel } from "../compiler/kernel/pseudo-text.ts";
import type { KernelSource, Plan, PlanKernel } from "../compiler/plan.ts";
import type { Profile } from "../compiler/profile.ts";
import { reasonAgainst, type Target } from "../compiler/targets/target.ts";
import { plain, storedBytes } from "../formats/index.ts";
import { type ArenaFacts, arenaFacts } from "./arena-facts.ts";
import { type Block, blocksOf, titlesOf } from "./blocks.ts";

export interface ProgramFacts {
  readonly program: string;
  readonly plan: Plan;
  readonly work: Work;
  readonly blocks: readonly Block[];
  /** In the order of the plan's steps. */
  readonly regions: readonly RegionFacts[];
  readonly kernels: readonly KernelFacts[];
  /** Why what could have melted did not. */
  readonly reasons: readonly ReasonFacts[];
  /** By which laws of algebra nodes came to be that nobody wrote. */
  readonly laws: readonly ReasonFacts[];
  readonly arena: ArenaFacts;
}

export interface RegionFacts {
  readonly step: number;
  /** The anchor's op. */
  readonly op: string;
  /** The module whose parameters it reads, below its block; the op where there is none. */
  readonly title: string;
  /** Which of the program's kernels it runs. */
  readonly kernel: number;
  readonly groups: string;
  readonly work: RegionWork;
  readonly melted: Melted;
  readonly reads: readonly TensorFacts[];
  readonly writes: readonly TensorFacts[];
  /** Where the anchor was written, in a model of the user's. */
  readonly place: string | undefined;
}

/** Nodes in the order of computation. */
export interface Melted {
  /** In front, as index arithmetic alone. */
  readonly views: readonly string[];
  /** In front, with arithmetic. */
  readonly front: readonly string[];
  readonly behind: readonly string[];
  /** The ops of all that compute something. */
  readonly arithmetic: readonly string[];
}

export interface TensorFacts {
  readonly name: string;
  /** "f32[4, 256]", as it is stored. */
  readonly type: string;
  readonly bytes: number;
  /** The step that makes it, or what kind of source it is. */
  readonly from: number | "input" | "parameter" | "state";
  /** The output that it is, if any. */
  readonly output: string | undefined;
}

/** A kernel of the compiler, with its text: several where its buffers are shared in several ways. */
export interface KernelFacts {
  readonly name: string;
  readonly steps: readonly number[];
  /** The kernel before it is spelled for a target. */
  readonly ir: string;
  readonly texts: readonly PlanKernel[];
  /** For each target that was asked for beside the plan's: the kernel's text, or why there is none. */
  readonly others: readonly OtherText[];
}

export type OtherText = { readonly target: Target } & (
  | { readonly source: KernelSource }
  | { readonly reason: string }
);

/** One reason, with all nodes of one op that it holds for. */
export interface ReasonFacts {
  readonly op: string;
  readonly reason: string;
  readonly nodes: readonly string[];
  readonly places: readonly string[];
}

export interface FactsRequest {
  readonly program: string;
  readonly compilation: Compilation;
  readonly profile: Profile;
  /** Where a node was written. */
  readonly placeOf: (node: Node) => string | undefined;
  /** Targets whose text is shown beside that of the plan's. */
  readonly others: readonly Target[];
}

export function gatherFacts(request: FactsRequest): ProgramFacts {
  const { program, compilation, profile, placeOf } = request;
  const { rewritten, fusion, plan } = compilation;
  const nameOf = nameTensors(rewritten);
  const work = countWork(compilation);
  const made = new Map(
    fusion.regions.flatMap((r, step) => r.writes.map((t) => [t, step] as const)),
  );
  const { kernels, kernelOf } = kernelFacts(compilation, request.others);
  const paths = fusion.regions.map((region) => moduleParameter(region, made));
  const producers = fusion.regions.map((r) => r.reads.flatMap((t) => made.get(t) ?? []));
  const blocks = blocksOf(
    paths.map((path, i) => ({ path, producers: producers[i]! })),
    program,
  );
  const titles = titlesOf(
    blocks,
    fusion.regions.map(({ anchor }, i) => ({ path: paths[i], otherwise: anchor.op.name })),
  );
  const regions = fusion.regions.map((region, step): RegionFacts => {
    const op = region.anchor.op.name;
    const tensors = tensorFacts(compilation, step, nameOf, made);
    return {
      step,
      op,
      title: titles[step]!,
      kernel: kernelOf[step]!,
      groups: plan.steps[step]!.groups.join(" × "),
      work: work.regions[step]!,
      melted: meltedInto(region, nameOf),
      ...tensors,
      place: placeOf(region.anchor),
    };
  });
  const present = new Set(rewritten.nodes);
  const applied = [...compilation.rules].filter(([node]) => present.has(node));
  const reasons = reasonFacts(fusion.reasons, nameOf, placeOf);
  const laws = reasonFacts(applied, nameOf, placeOf);
  const arena = arenaFacts(compilation, profile.alignment, nameOf);
  return { program, plan, work, blocks, regions, kernels, reasons, laws, arena };
}

/** The path of the largest parameter that the anchor reads, else of any that melted behind it. */
function moduleParameter(region: Region, made: ReadonlyMap<Tensor, number>): string | undefined {
  const behind = new Set(region.chain.map((link) => link.node));
  const nearAnchor = new Set<Tensor>();
  const visit = (tensor: Tensor) => {
    if (nearAnchor.has(tensor)) return;
    nearAnchor.add(tensor);
    if (region.nodes.includes(tensor.node) && !behind.has(tensor.node))
      tensor.node.inputs.forEach(visit);
  };
  region.anchor.inputs.forEach(visit);
  const found = region.reads
    .flatMap((tensor) => {
      const parameter = made.has(tensor) ? undefined : parameterIn(tensor);
      return parameter === undefined ? [] : [{ tensor, parameter }];
    })
    .sort((a, b) => elements(b.tensor.shape) - elements(a.tensor.shape));
  return (found.find(({ tensor }) => nearAnchor.has(tensor)) ?? found[0])?.parameter;
}

/** The path of a parameter, or of the first of those that lie side by side. */
function parameterIn({ node }: Tensor): string | undefined {
  if (node.op.kind === "parameter") return (node.attrs as Source).name;
  if (isSource(node)) return undefined;
  return node.inputs.map(parameterIn).find((path) => path !== undefined);
}

function meltedInto({ anchor, chain, nodes }: Region, nameOf: NameOf): Melted {
  const linked = chain.map((link) => link.node);
  // A region lists what melted in front from the anchor outwards; people read it the other way.
  const front = nodes.filter((node) => node !== anchor && !linked.includes(node)).reverse();
  const describe = (node: Node) => `${node.op.name} ${nameOf({ node, result: 0 })}`;
  const computes = (node: Node) => !isView(node);
  return {
    views: front.filter(isView).map(describe),
    front: front.filter(computes).map(describe),
    behind: linked.map(describe),
    arithmetic: [...front, ...linked].filter(computes).map((node) => node.op.name),
  };
}

function tensorFacts(
  { rewritten, kernels, plan }: Compilation,
  step: number,
  nameOf: NameOf,
  made: ReadonlyMap<Tensor, number>,
) {
  const { params } = plan.kernels[plan.steps[step]!.kernel]!;
  const facts = kernels[step]!.bindings.map((tensor, i): TensorFacts => {
    const { scalar } = params[i]!;
    const { kind } = tensor.node.op;
    const isComputed = kind === "element" || kind === "kernel";
    const isPlain = scalar === plain(tensor.dtype);
    const stored = isPlain ? tensor.type : { ...tensor.type, dtype: scalar };
    return {
      name: nameOf(tensor),
      type: show(stored as typeof tensor.type),
      bytes: storedBytes(scalar, elements(tensor.shape)),
      // Parameters that lie side by side are one tensor, which no step makes.
      from: isComputed ? (made.get(tensor) ?? "parameter") : kind,
      output: rewritten.outputs.find((o) => o.tensor === tensor)?.name,
    };
  });
  return {
    reads: facts.filter((_, i) => !params[i]!.writes),
    writes: facts.filter((_, i) => params[i]!.writes),
  };
}

function kernelFacts({ kernels: lowered, plan }: Compilation, others: readonly Target[]) {
  const known = new Map<Kernel, { steps: number[]; printed: Set<number> }>();
  lowered.forEach(({ kernel }, step) => {
    const entry = known.get(kernel) ?? { steps: [], printed: new Set() };
    entry.steps.push(step);
    entry.printed.add(plan.steps[step]!.kernel);
    known.set(kernel, entry);
  });
  const order = new Map([...known.keys()].map((kernel, i) => [kernel, i]));
  const kernels = [...known].map(
    ([kernel, { steps, printed }]): KernelFacts => ({
      name: kernel.name,
      steps,
      ir: printKernel(kernel),
      texts: [...printed].map((i) => plan.kernels[i]!),
      others: others.map((target) => otherText(target, kernel)),
    }),
  );
  return { kernels, kernelOf: lowered.map(({ kernel }) => order.get(kernel)!) };
}

function otherText(target: Target, kernel: Kernel): OtherText {
  const reason = reasonAgainst(target, kernel);
  return reason === undefined
    ? { target, source: target.print(kernel, () => false) }
    : { target, reason };
}

function reasonFacts(
  found: Iterable<readonly [Node, string]>,
  nameOf: NameOf,
  placeOf: FactsRequest["placeOf"],
): ReasonFacts[] {
  const groups = new Map<string, { op: string; reason: string; nodes: Node[] }>();
  for (const [node, reason] of found) {
    const op = node.op.name;
    const key = JSON.stringify([op, reason]);
    const group = groups.get(key) ?? { op, reason, nodes: [] };
    group.nodes.push(node);
    groups.set(key, group);
  }
  return [...groups.values()]
    .sort((a, b) => b.nodes.length - a.nodes.length)
    .map(({ op, reason, nodes }) => ({
      op,
      reason,
      nodes: nodes.map((node) => nameOf({ node, result: 0 })),
      places: [...new Set(nodes.flatMap((node) => placeOf(node) ?? []))],
    }));
}
