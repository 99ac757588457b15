/**
 * In which formats tensors are stored. Memory is what narrow formats save, so only large tensors get
 * one; whatever is computed is computed in `f32`.
 */

import { diagnose } from "../../diagnostics/index.ts";
import {
  type Capable,
  type FloatName,
  type FormatName,
  has,
  holdsSingles,
  isWritable,
  plain,
  readable,
  type WeightFormat,
  weightFormats,
} from "../../formats/index.ts";
import type { Graph } from "../graph/graph.ts";
import type { Source } from "../graph/sources.ts";
import { elements, type Tensor, type Type } from "../graph/tensor.ts";
import type { Profile } from "../profile.ts";
import { type Joins, noJoins } from "./joins.ts";
import type { Layout } from "./layout.ts";

/** `f32` is the default, and what the others are compared with. */
export type Precision = "f32" | "mixed" | "bf16";

/** What a precision stores large results and frozen parameters in, as far as a device has it. */
export const storedAs: Readonly<Record<Precision, FloatName>> = {
  ...{ f32: "f32", mixed: "f16", bf16: "bf16" },
};
export const precisions = Object.keys(storedAs) as readonly Precision[];

/** The format that a tensor is stored in. */
export type Storage = (tensor: Tensor) => FormatName;

/** Every tensor in the format of its dtype. */
export const plainStorage: Storage = ({ dtype }) => plain(dtype);

/** A profile as far as a precision allows: fragments of narrow numbers round what they multiply. */
export function forPrecision(profile: Profile, precision: Precision, device: Capable): Profile {
  const { matrices, ...others } = profile;
  if (!matrices) return profile;
  const narrow = storedAs[precision];
  const products = matrices.products.filter(
    ({ operand }) => holdsSingles(operand) || (operand === narrow && has(device, operand)),
  );
  return products.length > 0 ? { ...others, matrices: { ...matrices, products } } : others;
}

/** Smaller ones (biases, scales, frequencies) take no memory, and much may depend on each number. */
const usualLeast = 1024;

/** A tensor that is this much smaller than what it was made from holds sums: they stay single. */
const muchSmaller = 8;

const isLarge = ({ dtype, shape }: Type, least = usualLeast): boolean =>
  dtype === "f32" && elements(shape) >= least;

/** The tensors that one kernel reads from memory and writes to it. */
export interface Traffic {
  readonly reads: readonly Tensor[];
  readonly writes: readonly Tensor[];
}

export interface WeightOptions {
  readonly precision: Precision;
  /** The fewest elements of a tensor that is stored in less than singles: 1024 unless given. */
  readonly halveFrom?: number | undefined;
  /** Of all frozen parameters, small ones too; unless given the precision says. */
  readonly weightFormat?: WeightFormat | undefined;
  readonly device: Capable;
}

export interface StorageOptions extends WeightOptions {
  readonly layout: Layout;
  readonly joins?: Joins;
}

/**
 * The format of a frozen parameter. Those of a join are single, if no format is asked for.
 * @throws E152 for a format that the device lacks, E153 for one that does not exist.
 */
export function formatOfWeight(
  type: Type,
  { precision, halveFrom, weightFormat, device }: WeightOptions,
  isJoined: boolean,
): FormatName {
  const usual = plain(type.dtype);
  if (weightFormat && usual === "f32") return askedFor(weightFormat, device);
  const isNarrow = !isJoined && isLarge(type, halveFrom);
  return (isNarrow && readable(device, storedAs[precision])) || usual;
}

function askedFor(name: WeightFormat, device: Capable): FormatName {
  if (!weightFormats.includes(name))
    throw diagnose("E153", {
      message: `there is no number format "${name}" for weights`,
      help: `the formats are ${weightFormats.join(", ")}`,
    });
  const format = readable(device, name);
  if (format) return format;
  throw diagnose("E152", {
    message: `weights are asked for in ${name}, a format that the device lacks`,
    help: `compile with { weightFormat: "f32" }, or for a device that has it`,
  });
}

/** Whether a device can store what a precision asks for: large results as well as parameters. */
export const storesResults = ({ precision, device }: WeightOptions): boolean =>
  isWritable(device, storedAs[precision]);

/**
 * Frozen parameters and results that live in scratch memory, as far as they are large. Inputs,
 * outputs and states (trained parameters, moments, gradients, the loss) stay single, and so do
 * statistics: row sums of attention, the means of a norm, whatever is left of a long axis.
 * A parameter that lies in a state is stored as the layout says.
 */
export function storageOf(
  graph: Graph,
  regions: readonly Traffic[],
  options: StorageOptions,
): Storage {
  const { layout, precision, halveFrom, joins = noJoins } = options;
  const joined = new Set(joins.all.flatMap((join) => join.parts));
  const narrow = storedAs[precision];
  const scratch = storesResults(options)
    ? largeResults(graph, regions, halveFrom)
    : new Set<Tensor>();
  const storage: Storage = (tensor) => {
    const { op, attrs, inputs } = tensor.node;
    if (joins.of(tensor)) return storage(inputs[0]!);
    const usual = plain(tensor.dtype);
    if (op.kind !== "parameter") return scratch.has(tensor) ? narrow : usual;
    const { name } = attrs as Source;
    const resident = layout.parameters.get(name);
    if (resident) return resident.stored ?? usual;
    return formatOfWeight(tensor.type, options, joined.has(name));
  };
  return storage;
}

function largeResults(
  graph: Graph,
  regions: readonly Traffic[],
  least: number | undefined,
): Set<Tensor> {
  const returned = new Set(graph.outputs.map((o) => o.tensor));
  const found = new Set<Tensor>();
  for (const { reads, writes } of regions) {
    const made = reads.filter((t) => t.node.op.kind !== "parameter");
    const most = Math.max(0, ...made.map((t) => elements(t.shape)));
    for (const t of writes)
      if (isLarge(t.type, least) && !returned.has(t) && elements(t.shape) * muchSmaller > most)
        found.add(t);
  }
  return found;
}
