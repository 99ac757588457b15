/**
 * Runs the programs of ops on a device, and compares what it gives with the oracles. The tolerance
 * comes from what WGSL promises of its functions, and from what is stored in less than singles.
 */
import { compile } from "../../compiler/compile.ts";
import { type Graph, graphOf } from "../../compiler/graph/graph.ts";
import { inputOp, parameterOp, type Source } from "../../compiler/graph/sources.ts";
import { apply, type Node, type Op, type Tensor } from "../../compiler/graph/tensor.ts";
import type { Plan } from "../../compiler/plan.ts";
import type { Profile } from "../../compiler/profile.ts";
import { type Precision, storedAs } from "../../compiler/storage/formats.ts";
import { type FloatName, floatFormat, formatOf, holdsSingles } from "../../formats/index.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { createSession } from "../../runtime/session.ts";
import { floatEntry, makeWeights, type Weights } from "../../runtime/weights/index.ts";
import { type Arrays, evaluate } from "./evaluate.ts";
import { errorOf, unequal } from "./faults.ts";
import type { Example } from "./programs.ts";

export interface OpSetting {
  readonly device: Device;
  readonly profile: Profile;
  /** Unless `f32`, floats are frozen parameters, which are rounded, and so is what lies between two kernels. */
  readonly precision: Precision;
}

export interface OpOutcome {
  /** The largest difference, relative to the largest element of its tensor. */
  readonly error: number;
  /** What is wrong first; undefined where all is within the tolerance. */
  readonly fault: string | undefined;
}

/** Relative to the largest element: WGSL lets exponentials be off by dozens of units, tanh by 1e-5. */
const single = 1e-5;
/** Eight roundings to the bits of a format, of which half a unit is the most that one is off by. */
const narrow = (format: FloatName): number => 8 / formatOf(format).integers;

/** Whether a program has floats, all of them numbers that a precision can store. */
export const canBeStored = ({ inputs, arrays }: Example, precision: Precision): boolean =>
  inputs.some((x) => x.dtype === "f32") &&
  Object.values(rounded(arrays, inputs, precision)).every((all) => all.every(Number.isFinite));

/** The program's plan in a setting. */
export function planOf({ graph }: Example, { device, profile, precision }: OpSetting): Plan {
  const { target } = device;
  if (precision === "f32") return compile(graph, { target, profile });
  return compile(frozen(graph), { target, profile, precision, halveFrom: 1 });
}

/** Runs one program. @throws what compiling it or the device throws. */
export async function runExample(example: Example, setting: OpSetting): Promise<OpOutcome> {
  const { graph, inputs } = example;
  const { precision } = setting;
  const arrays = rounded(example.arrays, inputs, precision);
  const plan = planOf(example, setting);
  const session = await createSession(plan, setting.device, { weights: weightsOf(plan, arrays) });
  try {
    const given = plan.inputs.map(({ name, dtype }) => {
      const values = [...arrays[name]!];
      return [name, dtype === "f32" ? Float32Array.from(values) : values] as const;
    });
    const results = await session.run(Object.fromEntries(given));
    const got = Object.fromEntries(Object.entries(results).map(([name, v]) => [name, [...v]]));
    const wanted = await evaluate(graph, arrays);
    const tolerance = rounds(plan) ? narrow(storedAs[precision]) : single;
    return {
      error: errorOf(example, got, wanted),
      fault: unequal(example, got, wanted, tolerance),
    };
  } finally {
    session.close();
  }
}

/** Reading narrow numbers is exact. Storing them rounds, and so do fragments that are made of them. */
const rounds = ({ kernels }: Plan): boolean =>
  kernels.some(
    ({ params, matrices }) =>
      (matrices && !holdsSingles(matrices.operand)) ||
      params.some((p) => p.writes && !holdsSingles(p.scalar)),
  );

function rounded(arrays: Arrays, inputs: readonly Tensor[], precision: Precision): Arrays {
  const { encode, decode } = floatFormat(storedAs[precision]);
  const floats = new Set(inputs.filter((x) => x.dtype === "f32").map(nameOf));
  return Object.fromEntries(
    Object.entries(arrays).map(([name, values]) => [
      name,
      floats.has(name) ? [...decode(encode(Float32Array.from(values)))] : values,
    ]),
  );
}

const nameOf = ({ node }: Tensor): string => (node.attrs as Source).name;

/** The same program, with its floating-point inputs as parameters. */
function frozen(graph: Graph): Graph {
  const made = new Map<Node, readonly Tensor[]>();
  for (const node of graph.nodes) {
    const [type] = node.types;
    const isFloat = node.op === inputOp && type?.dtype === "f32";
    const inputs = node.inputs.map((x) => made.get(x.node)![x.result]!);
    made.set(node, apply<unknown>(isFloat ? (parameterOp as Op) : node.op, inputs, node.attrs));
  }
  return graphOf(
    graph.outputs.map(({ name, tensor }) => ({
      name,
      tensor: made.get(tensor.node)![tensor.result]!,
    })),
  );
}

function weightsOf({ parameters }: Plan, arrays: Arrays): Weights {
  const tensors = new Map(parameters.map(({ name, shape }) => [name, floatEntry(shape)] as const));
  return makeWeights({
    source: "the program's own numbers",
    tensors,
    metadata: {},
    async *stream(name) {
      yield new Uint8Array(Float32Array.from(arrays[name]!).buffer);
    },
    close: async () => {},
  });
}
