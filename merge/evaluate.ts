/**
 * Evaluates layers on a device. Layers of one structure share a plan: their parameters are inputs,
 * and so is the matrix of unit rows, if any product needs it.
 */
import { compileAsync } from "../compiler/compile.ts";
import { graphOf, parametersOf } from "../compiler/graph/graph.ts";
import { input, parameterOp, type Source } from "../compiler/graph/sources.ts";
import { again, type Node, resultsOf, type Tensor } from "../compiler/graph/tensor.ts";
import { deviceProfile } from "../compiler/profile.ts";
import type { TurnOptions } from "../compiler/turns.ts";
import type { Device, Numbers } from "../runtime/devices/device.ts";
import { referenceDevice } from "../runtime/devices/reference.ts";
import { createSession, type Session } from "../runtime/session.ts";
import type { Affine } from "./affine.ts";
import { nodesBetween, noStructures, regionOf } from "./region.ts";

/** The numbers of a layer, row-major: L `[width, features]` and c `[1, features]`. */
export interface Values {
  readonly linear: Numbers;
  /** Undefined: zeros. */
  readonly constant: Numbers | undefined;
}

/** The values of a parameter, by its path. */
export type Lookup = (name: string) => Promise<Numbers>;

export interface Evaluator {
  evaluate(layer: Affine, values: Lookup): Promise<Values>;
  /** Equal for layers that differ in the names of their parameters alone. */
  structureOf(layer: Affine): string;
  /** Frees what the plans take. The device stays. */
  close(): void;
}

/**
 * How the reference device merges. In double precision merged weights are rounded once. Workgroups are
 * small, since its idle threads cost as much as busy ones.
 */
export const exactly = { precision: "double", width: 8 } as const;
export const exactDevice = (): Device => referenceDevice(exactly);

export function openEvaluator(device: Device, { signal }: TurnOptions = {}): Evaluator {
  const opened = new Map<string, Session>();
  const structures = noStructures();
  const structureOf = ({ tensors }: Renamed) => {
    const { key } = regionOf([], tensors, structures);
    return tensors.map((tensor) => `${tensor.shape.join("x")} ${key(tensor)}`).join();
  };
  return {
    structureOf: (layer) => structureOf(renamed(layer)),
    async evaluate(layer, values) {
      const { tensors, names } = renamed(layer);
      const structure = structureOf({ tensors, names });
      const [linear, constant] = tensors as [Tensor, Tensor?];
      const outputs = [
        { name: "linear", tensor: linear },
        ...(constant ? [{ name: "constant", tensor: constant }] : []),
      ];
      const session =
        opened.get(structure) ??
        (await createSession(
          await compileAsync(graphOf(outputs), {
            name: "merge",
            target: device.target,
            profile: deviceProfile(device.capabilities),
            signal,
          }),
          device,
        ));
      const given: Record<string, Numbers> = {};
      for (const { name, shape } of session.plan.inputs) {
        if (name !== "unit") given[name] = await values(names[Number(name.slice(1))]!);
        else if (!opened.has(structure)) given[name] = identity(shape[0]!);
      }
      opened.set(structure, session);
      const results = await session.run(given);
      return { linear: results.linear!, constant: results.constant };
    },
    close() {
      for (const session of opened.values()) session.close();
    },
  };
}

interface Renamed {
  readonly tensors: readonly Tensor[];
  /** The paths of the parameters that are now inputs p0, p1, … */
  readonly names: readonly string[];
}

function renamed({ linear, constant }: Affine): Renamed {
  const outputs = constant ? [linear, constant] : [linear];
  const whole = outputs.map((tensor, i) => ({ name: `${i}`, tensor }));
  const names = parametersOf(graphOf(whole)).map(({ name }) => name);
  const made = new Map<Node, readonly Tensor[]>();
  for (const node of nodesBetween(() => false, outputs)) {
    const inputs = node.inputs.map((x) => made.get(x.node)![x.result]!);
    made.set(node, remade(node, inputs, names));
  }
  return { tensors: outputs.map((x) => made.get(x.node)![x.result]!), names };
}

function remade(node: Node, inputs: readonly Tensor[], names: readonly string[]) {
  if ((node.op as unknown) !== parameterOp)
    return node.inputs.length === 0 ? resultsOf(node) : again(node, inputs);
  const { name, type } = node.attrs as Source;
  return [input(`p${names.indexOf(name)}`, type.dtype, type.shape) as Tensor];
}

function identity(width: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(width * width);
  for (let i = 0; i < width; i++) values[i * width + i] = 1;
  return values;
}
