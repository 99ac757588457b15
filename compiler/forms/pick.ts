/**
 * Picks how each kernel of a graph is made: a form that the device can run, with one of its tiles.
 * This happens before fusion, whose costs are those of the kernel that will run.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { meant } from "../../diagnostics/nearest.ts";
import type { Graph } from "../graph/graph.ts";
import { type Node, show } from "../graph/tensor.ts";
import type { Form, KernelOp, Problem, Variant } from "../op.ts";
import type { Profile } from "../profile.ts";
import { isDue, type Pausing } from "../turns.ts";

/** The variant of every node that is a kernel. */
export type Variants = ReadonlyMap<Node, Variant>;

/** Forms that are asked for by name, by the names of ops. */
export type AskedForms = Readonly<Record<string, string>>;

/**
 * The best variant of each kernel, by the order of its op's forms and by their models of time. Where a
 * form is asked for that is not for a problem, that kernel has one of the others.
 * @throws E112 for a form asked for that the op lacks or the device cannot run, and for a kernel that
 * has no form for the device, E175 for one whose tiles are all too large for it.
 */
export function* pickVariants(
  graph: Graph,
  profile: Profile,
  asked: AskedForms = {},
): Pausing<Variants> {
  const picked = new Map<Node, Variant>();
  for (const node of graph.nodes) {
    if (node.op.kind !== "kernel") continue;
    const name = Object.hasOwn(asked, node.op.name) ? asked[node.op.name] : undefined;
    const form = name === undefined ? undefined : formNamed(node, name, profile, "forms");
    const [first = candidatesOf(node, profile).variants[0]!] = form
      ? form.variants(problemOf(node, profile))
      : [];
    picked.set(node, first);
    if (isDue()) yield;
  }
  return picked;
}

/**
 * Checks the names of ops for which forms are asked against those of the kernels of a program, as it was written
 * and as it is computed.
 * @throws E465 for a name that none of these has.
 */
export function checkAsked(asked: AskedForms, graphs: readonly Graph[]): void {
  const kernels = graphs.flatMap(({ nodes }) => nodes.filter(({ op }) => op.kind === "kernel"));
  const names = new Set(kernels.map(({ op }) => op.name));
  for (const [name, form] of Object.entries(asked)) {
    if (names.has(name) || form === undefined) continue;
    const near = meant(name, names);
    throw diagnose("E465", {
      message: `a form of ${name} is asked for, but no kernel of the program is one`,
      where: "forms",
      help: near
        ? `write ${near}: ${JSON.stringify(form)}`
        : `leave it out; there are ${[...names].join(", ") || "none"}`,
    });
  }
}

/** What a kernel can be made from. */
export interface Candidates {
  /** The best by the order of their forms and by the models of those first. */
  readonly variants: readonly Variant[];
  /** The last of the forms: what others are measured against. */
  readonly settled: Form;
}

/**
 * The first form that fits the device and is for the problem, and while a form is contested the next
 * one that fits.
 * @throws E112 where there is none, E175 where those that fit have no tile for the problem.
 */
export function candidatesOf(node: Node, profile: Profile): Candidates {
  const forms = fittingForms(node, profile);
  const problem = problemOf(node, profile);
  const variants: Variant[] = [];
  for (const form of forms) {
    variants.push(...form.variants(problem));
    if (variants.length > 0 && !form.contested) return { variants, settled: form };
  }
  const settled = forms.at(-1);
  if (settled && variants.length > 0) return { variants, settled };
  if (settled) throw noTile(node, forms, profile);
  throw diagnose("E112", {
    message: `${node.op.name} has no form that the profile "${profile.name}" can run; its forms are ${namesOf(formsOf(node))}`,
    at: node.span,
    help: "compile for a device that can, or give the op a portable form",
  });
}

/**
 * The form of a name.
 * @throws E112 where the op has none, or the device cannot run it.
 */
export function formNamed(node: Node, name: string, profile: Profile, where: string): Form {
  const form = formsOf(node).find((f) => f.name === name);
  if (form?.fits(profile)) return form;
  throw diagnose("E112", {
    message: form
      ? `the profile "${profile.name}" cannot run the form ${name} of ${node.op.name}`
      : `${node.op.name} has no form "${name}"`,
    where,
    help: `of its forms the profile can run ${namesOf(fittingForms(node, profile))}`,
  });
}

/** With limits that would do: every tile is right for its problem, so it is for want of room. */
function noTile(node: Node, forms: readonly Form[], profile: Profile) {
  const { maxSharedBytes, maxThreads, name } = profile;
  const enough = limitsOf(profile).find((limits) =>
    forms.some((f) => f.variants(problemOf(node, { ...profile, ...limits })).length > 0),
  );
  const device = enough
    ? `compile for a device with ${enough.maxSharedBytes} bytes of workgroup memory and workgroups of ${enough.maxThreads} threads, or make`
    : "make";
  return diagnose("E175", {
    message: `no tile of ${node.op.name} of ${node.inputs.map(show).join(", ")} fits the profile "${name}" (${maxSharedBytes} bytes of workgroup memory, ${maxThreads} threads)`,
    at: node.span,
    help: `${device} the last axes of its inputs shorter`,
  });
}

/** Larger limits, the nearest first. */
const limitsOf = ({ maxSharedBytes, maxThreads }: Profile) =>
  Array.from({ length: 12 }, (_, i) => 2 ** (i + 1)).flatMap((more) => {
    const bytes = more * Math.max(maxSharedBytes, 2 ** 10);
    return [
      { maxSharedBytes: bytes, maxThreads },
      { maxSharedBytes, maxThreads: more * maxThreads },
      { maxSharedBytes: bytes, maxThreads: more * maxThreads },
    ];
  });

export const fittingForms = (node: Node, profile: Profile): readonly Form[] =>
  formsOf(node).filter((f) => f.fits(profile));

export const problemOf = ({ inputs, attrs }: Node, profile: Profile): Problem<unknown> => ({
  inputs: inputs.map((x) => x.type),
  attrs,
  profile,
});

const formsOf = ({ op }: Node) => (op as KernelOp).forms;

const namesOf = (forms: readonly Form[]) => forms.map((f) => f.name).join(", ") || "none";
