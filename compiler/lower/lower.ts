/**
 * Lowers a region to a kernel: hands the anchor its ports, with everything that melted inside.
 *
 * An input port of a melted tensor computes the element where it is read; an output port with a
 * chain behind it passes the value on through every link before it is stored.
 */
import { bug, diagnose } from "../../diagnostics/index.ts";
import type { Region } from "../fuse/region.ts";
import type { Source } from "../graph/sources.ts";
import { elements, isSource, type Node, type Tensor } from "../graph/tensor.ts";
import { Builder } from "../kernel/builder.ts";
import { foldGroups } from "../kernel/groups.ts";
import type { Fn, Kernel } from "../kernel/ir.ts";
import { type In, type Out, panelPort, readPort, unflatten, writePort } from "../kernel/ports.ts";
import { bounded, type Value } from "../kernel/value.ts";
import { visitExprs } from "../kernel/vectorise.ts";
import { verified } from "../kernel/verify.ts";
import type { ElementOp } from "../op.ts";
import { type Profile, threadsFor } from "../profile.ts";
import { plainStorage, type Storage } from "../storage/formats.ts";
import { type Joins, noJoins, spacingOf } from "../storage/joins.ts";
import { matrixBehind, noPanels, type PanelsOf } from "../storage/panels.ts";
import { isDue, type Pausing } from "../turns.ts";
import { signatureOf } from "./signature.ts";

export interface Lowered {
  readonly kernel: Kernel;
  /** The tensor behind each of the kernel's parameters, in order. */
  readonly bindings: readonly Tensor[];
}

/** Values that the chain holds in registers, by the tensor they would be. */
type Running = ReadonlyMap<Tensor, Value>;

/** What was lowered, by signature: a kernel, and the order in which it takes the signature's tensors. */
export type LoweredBefore = Map<
  string,
  { readonly kernel: Kernel; readonly order: readonly number[] }
>;

export interface LowerOptions {
  /** How tensors are stored. */
  readonly storage?: Storage;
  readonly joins?: Joins;
  /** Which parameters lie in panels. */
  readonly panels?: PanelsOf;
  /** Of the same profile, by other programs: it is added to. */
  readonly before?: LoweredBefore;
}

/** Lowers regions; those that compute the same share one kernel. */
export function* lowerAll(
  regions: readonly Region[],
  profile: Profile,
  {
    storage = plainStorage,
    joins = noJoins,
    panels = noPanels,
    before = new Map(),
  }: LowerOptions = {},
): Pausing<Lowered[]> {
  const lowered: Lowered[] = [];
  for (const region of regions) {
    const { key, tensors } = signatureOf(region, nameOf, { storage, joins, panels });
    let found = before.get(key);
    if (!found) {
      const { kernel, bindings } = lower(region, profile, { storage, joins, panels });
      found = { kernel, order: bindings.map((t) => tensors.indexOf(t)) };
      before.set(key, found);
    }
    lowered.push({ kernel: found.kernel, bindings: found.order.map((i) => tensors[i]!) });
    if (isDue()) yield;
  }
  return lowered;
}

function lower(
  region: Region,
  profile: Profile,
  { storage, joins, panels }: Required<Omit<LowerOptions, "before">>,
): Lowered {
  const k = new Builder({ rolled: profile.rolled });
  const inside = new Set(region.nodes);
  const bindings: Tensor[] = [];
  const ports = new Map<Tensor, In>();

  const bind = (tensor: Tensor, access: "read" | "write") => {
    bindings.push(tensor);
    const size = spacing(tensor)?.size ?? elements(tensor.shape);
    return k.param(nameOf(tensor), storage(tensor), size, access);
  };
  const spacing = (tensor: Tensor) => {
    const join = joins.of(tensor);
    return join && spacingOf(join, storage(tensor));
  };
  const fromMemory = (tensor: Tensor): In => {
    const known = ports.get(tensor);
    if (known) return known;
    if (!region.reads.includes(tensor)) bug(`${nameOf(tensor)} is read, but not planned to be`);
    const { shape, dtype } = tensor.type;
    const laid = panels(tensor);
    const buffer = bind(tensor, "read");
    const raw = laid
      ? panelPort(k, buffer, shape, laid)
      : readPort(k, buffer, shape, dtype, spacing(tensor)?.stride);
    const port: In = { ...raw, at: (...c) => k.let(nameOf(tensor), raw.at(...c)) };
    ports.set(tensor, port);
    return port;
  };
  const read = (tensor: Tensor, running: Running): In => {
    const { shape, dtype } = tensor.type;
    const held = running.get(tensor);
    if (held) return { shape, dtype, at: () => held };
    if (!inside.has(tensor.node) || tensor.node === region.anchor) return fromMemory(tensor);
    return { shape, dtype, at: (...c) => compute(tensor.node, c, running) };
  };
  const compute = (node: Node, at: readonly Value[], running: Running): Value =>
    k.once(node, [...at, ...running.values()], () => {
      const inputs = node.inputs.map((x) => read(x, running));
      const op = node.op as ElementOp;
      const site = { k, inputs, at, attrs: node.attrs, type: node.types[0]! };
      return k.let(op.name, op.element(site));
    });

  const { anchor, chain } = region;
  const last = region.writes.map((t) => [t, bind(t, "write")] as const);
  const store = (tensor: Tensor | undefined, type: { readonly shape: readonly number[] }): Out => {
    const found = last.find(([t]) => t === tensor);
    if (!found) return { shape: type.shape, dtype: "f32", put: () => {} };
    return writePort(k, found[1], found[0].shape, found[0].dtype);
  };
  const pass = (step: number, value: Value, at: readonly Value[]): void => {
    const link = chain[step];
    if (!link) {
      store(region.writes[0], region.writes[0]!.type).put(value, ...at);
      return;
    }
    const { node, input } = link;
    const held = node.inputs[input]!;
    if (region.writes.includes(held)) store(held, held.type).put(value, ...at);
    const inputs = node.inputs.map((x) => x.type);
    const op = node.op as ElementOp;
    const type = node.types[0]!;
    const pushed = op.push?.({ input, at, attrs: node.attrs, inputs, type });
    if (!pushed) bug(`${op.name} cannot be melted behind ${anchor.op.name}`);
    k.if(pushed.where, () => {
      const next = compute(node, pushed.at, new Map([[held, k.let("value", value)]]));
      pass(step + 1, next, pushed.at);
    });
  };
  // What melted behind follows the one result that is used.
  const followed = chain[0]?.node.inputs[chain[0].input]?.result;
  const outputs = anchor.types.map((type, i): Out => {
    if (i === followed) return { ...type, put: (v, ...at) => pass(0, v, at) };
    const result = region.writes.find((t) => t.node === anchor && t.result === i);
    return store(result, type);
  });

  const operand = (x: Tensor): In => {
    const port = read(x, new Map());
    const laid = matrixBehind(x);
    const panel = laid && panels(laid.parameter)?.width;
    return panel === undefined ? port : { ...port, panel };
  };
  const kernel = region.variant
    ? region.variant.kernel({ k, inputs: anchor.inputs.map(operand), outputs })
    : map(k, region, compute, outputs[0]!, profile);
  checkGroups(kernel, anchor, profile);
  const named = {
    ...foldGroups(kernel, profile.maxGroups),
    ...(profile.fma && isRoundedOnce(kernel) ? { fma: profile.fma } : {}),
    name: kernelName(region),
  };
  return { kernel: verified("lowering", named), bindings };
}

/** What is `fma`, or what a target without such a function makes of it. */
const fused: ReadonlySet<Fn> = new Set(["fma", "exp", "log", "tanh"]);

function isRoundedOnce({ body }: Kernel): boolean {
  let found = false;
  visitExprs(body, (e) => {
    found ||= e.kind === "call" && fused.has(e.fn) && e.type === "f32";
  });
  return found;
}

/** Workgroups are folded over three axes; more than these take there cannot be. */
function checkGroups({ groups }: Kernel, { op, span }: Node, { name, maxGroups }: Profile): void {
  const count = groups.reduce((a, b) => a * b);
  if (count <= maxGroups ** 3) return;
  throw diagnose("E108", {
    message: `${op.name} needs ${count} workgroups, but the profile "${name}" allows ${maxGroups} along each of three axes`,
    at: span,
    help: `compute fewer elements at once, for example of a smaller batch, or give a profile whose maxGroups is ${Math.ceil(Math.cbrt(count))} or more`,
  });
}

/** A map: one thread per element of the result. */
function map(
  k: Builder,
  region: Region,
  compute: (node: Node, at: readonly Value[], running: Running) => Value,
  out: Out,
  profile: Profile,
): Kernel {
  const size = elements(out.shape);
  const threads = threadsFor(size, profile);
  const groups = Math.ceil(size / threads);
  const i = k.let("i", k.group(0, groups).mul(threads).add(k.thread(0, threads)));
  k.if(i.lt(size), () => {
    const at = unflatten(out.shape, bounded(i, size - 1));
    out.put(compute(region.anchor, at, new Map()), ...at);
  });
  return k.finish("map", [threads, 1, 1], [groups, 1, 1]);
}

/** The last part of a parameter's path, an input's name, or the op that makes the tensor. */
function nameOf(tensor: Tensor): string {
  const { op, attrs } = tensor.node;
  const name = isSource(tensor.node) ? (attrs as Source).name : op.name;
  const last = name.split(".").findLast((part) => !/^\d+$/.test(part)) ?? "x";
  const plain = last.replace(/\W+/g, "_");
  return /^[a-z]\w*$/i.test(plain) ? plain : `x${plain}`;
}

/** matmul_add_gelu: the anchor and the arithmetic behind it, without the views. */
function kernelName({ anchor, chain }: Region): string {
  const parts = [anchor, ...chain.map((l) => l.node)]
    .filter((n) => n === anchor || (n.op as ElementOp).cost !== 0)
    .map((n) => n.op.name);
  return parts.slice(0, 5).join("_").replace(/\W+/g, "_");
}
