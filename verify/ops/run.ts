/**
 * Runs the programs of ops on a device, and compares what it gives with the oracles. The tolerance
 * comes from what WGSL promises of its functions, and from what is stored as halves.
 */
import { compile } from "../../compiler/compile.ts";
import { type Graph, graphOf } from "../../compiler/graph/graph.ts";
import { inputOp, parameterOp, type Source } from "../../compiler/graph/sources.ts";
import { apply, type Node, type Op, type Tensor } from "../../compiler/graph/tensor.ts";
import type { Plan } from "../../compiler/plan.ts";
import type { Profile } from "../../compiler/profile.ts";
import { holdsSingles } from "../../formats/index.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { createSession } from "../../runtime/session.ts";
import {
  floatEntry,
  floatToHalf,
  halfToFloat,
  makeWeights,
  type Weights,
} from "../../runtime/weights/index.ts";
import { type Arrays, evaluate } from "./evaluate.ts";
import { errorOf, unequal } from "./faults.ts";
import type { Example } from "./programs.ts";

export interface OpSetting {
  readonly device: Device;
  readonly profile: Profile;
  /**
   * `halves`: floats are frozen parameters, which are rounded to halves, and so is what lies between
   * two kernels.
   */
  readonly storage: "singles" | "halves";
}

export interface OpOutcome {
  /** The largest difference, relative to the largest element of its tensor. */
  readonly error: number;
  /** What is wrong first; undefined where all is within the tolerance. */
  readonly fault: string | undefined;
}

/** Relative to the largest element: WGSL lets exponentials be off by dozens of units, tanh by 1e-5. */
const single = 1e-5;
/** Eight roundings to eleven bits. */
const half = 2 ** -8;

/** Whether a program has floats, all of them numbers that halves can hold. */
export const canBeHalved = ({ inputs, arrays }: Example): boolean =>
  inputs.some((x) => x.dtype === "f32") &&
  Object.values(halved(arrays, inputs)).every((values) => values.every(Number.isFinite));

/** The program's plan in a setting. */
export function planOf({ graph }: Example, { device, profile, storage }: OpSetting): Plan {
  const { target } = device;
  if (storage === "singles") return compile(graph, { target, profile });
  return compile(frozen(graph), { target, profile, precision: "mixed", halveFrom: 1 });
}

/** Runs one program. @throws what compiling it or the device throws. */
export async function runExample(example: Example, setting: OpSetting): Promise<OpOutcome> {
  const { graph, inputs } = example;
  const isHalved = setting.storage === "halves";
  const arrays = isHalved ? halved(example.arrays, inputs) : example.arrays;
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
    const tolerance = roundsToHalves(plan) ? half : single;
    return {
      error: errorOf(example, got, wanted),
      fault: unequal(example, got, wanted, tolerance),
    };
  } finally {
    session.close();
  }
}

/** Reading halves is exact. Storing them rounds, and so do fragments that are made of them. */
const roundsToHalves = ({ kernels }: Plan): boolean =>
  kernels.some(
    ({ params, matrices }) =>
      (matrices && !holdsSingles(matrices.operand)) ||
      params.some((p) => p.writes && !holdsSingles(p.scalar)),
  );

function halved(arrays: Arrays, inputs: readonly Tensor[]): Arrays {
  const floats = new Set(inputs.filter((x) => x.dtype === "f32").map(nameOf));
  return Object.fromEntries(
    Object.entries(arrays).map(([name, values]) => [
      name,
      floats.has(name) ? [...halfToFloat(floatToHalf(Float32Array.from(values)))] : values,
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
