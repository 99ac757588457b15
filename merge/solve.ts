/**
 * The parameters with which a layer alone computes what it computes with its adapters. Where each of
 * its weight's elements stands in the layer's matrix is found by evaluating the layer on numbered
 * elements; what is solved is checked by evaluating the layer on the solution.
 */
import { graphOf, parametersOf } from "../compiler/graph/graph.ts";
import type { Numbers } from "../runtime/devices/device.ts";
import type { Affine } from "./affine.ts";
import type { Evaluator, Lookup, Values } from "./evaluate.ts";
import type { Place } from "./places.ts";
import { otherForm } from "./refusals.ts";

export interface Solver {
  /** The new values of a place's parameters, by path. Throws E161. */
  solve(place: Place, values: Lookup): Promise<ReadonlyMap<string, Numbers>>;
}

export function openSolver(evaluator: Evaluator): Solver {
  const known = new Map<string, Promise<Positions>>();
  const positionsOf = (place: Place, sizeOf: Lookup) => {
    const structure = evaluator.structureOf(place.base);
    const found = known.get(structure) ?? numbered(place, sizeOf, evaluator);
    known.set(structure, found);
    return found;
  };
  return {
    async solve(place, values) {
      const { path, base, adapted } = place;
      const [weight, bias] = namesOf(base);
      const positions = await positionsOf(place, values);
      const wanted = await evaluator.evaluate(adapted, values);
      const solved = new Map<string, Numbers>();
      const old = await values(weight);
      solved.set(weight, placed(wanted.linear, positions.linear, old.length, path, weight));
      if (bias !== undefined) {
        const { length } = await values(bias);
        const zeros = new Float64Array(positions.constant!.length);
        const constant = wanted.constant ?? zeros;
        solved.set(bias, placed(constant, positions.constant!, length, path, bias));
      }
      await check(place, wanted, solved, evaluator);
      const changed = [place.weight, place.bias].filter((name) => name !== undefined);
      return new Map(changed.map((name) => [name, solved.get(name)!]));
    },
  };
}

/** Which element of the parameter each element of L, and of c, is; -1: always zero. */
interface Positions {
  readonly linear: Int32Array;
  readonly constant: Int32Array | undefined;
}

const namesOf = ({ linear, constant }: Affine): readonly [string, string | undefined] => [
  parameterIn(linear)!,
  constant && parameterIn(constant),
];

function parameterIn(tensor: Affine["linear"]): string | undefined {
  const sources = parametersOf(graphOf([{ name: "y", tensor }]));
  return sources[0]?.name;
}

/** Numbers are given in two parts, so that single precision holds both. */
const radix = 4096;

async function numbered(
  { path, base }: Place,
  values: Lookup,
  { evaluate }: Evaluator,
): Promise<Positions> {
  const [weight, bias] = namesOf(base);
  const counted = (digit: (i: number) => number): Lookup => {
    return async (name) => Float32Array.from(await values(name), (_, i) => digit(i) + 1);
  };
  const low = await evaluate(
    base,
    counted((i) => i % radix),
  );
  const high = await evaluate(
    base,
    counted((i) => Math.floor(i / radix)),
  );
  const of = async (kind: keyof Values, name: string) => {
    const { length } = await values(name);
    const found = Int32Array.from(low[kind]!, (digit, i) => {
      const upper = high[kind]![i]!;
      return digit === 0 && upper === 0 ? -1 : digit - 1 + radix * (upper - 1);
    });
    const seen = new Uint8Array(length);
    for (const at of found) if (at >= 0 && at < length) seen[at] = 1;
    if (found.some((at) => at >= length) || seen.includes(0))
      throw otherForm(path, name, "the layer computes with more than the elements themselves");
    return found;
  };
  return {
    linear: await of("linear", weight),
    constant: bias === undefined ? undefined : await of("constant", bias),
  };
}

function placed(
  wanted: Numbers,
  positions: Int32Array,
  count: number,
  path: string,
  name: string,
): Numbers {
  const values = wanted instanceof Float64Array ? new Float64Array(count) : new Float32Array(count);
  const given = new Uint8Array(count);
  for (const [i, at] of positions.entries()) {
    const value = wanted[i]!;
    if (at < 0 && value !== 0)
      throw otherForm(
        path,
        name,
        "its adapters bring features together that the layer keeps apart",
      );
    if (at < 0) continue;
    if (given[at] && values[at] !== value)
      throw otherForm(path, name, "its adapters part what the layer does alike");
    values[at] = value;
    given[at] = 1;
  }
  return values;
}

/** The layer alone on the solution: the very numbers that were wanted. */
async function check(
  { path, base }: Place,
  wanted: Values,
  solved: ReadonlyMap<string, Numbers>,
  { evaluate }: Evaluator,
): Promise<void> {
  const got = await evaluate(base, async (name) => solved.get(name)!);
  const isEqual = (a: Numbers, b: Numbers) => a.every((v, i) => v === b[i] || Number.isNaN(v));
  const constant = got.constant ?? new Float64Array(0);
  if (!isEqual(got.linear, wanted.linear) || !isEqual(constant, wanted.constant ?? constant))
    throw otherForm(path, namesOf(base)[0], "the layer is no product with its weight");
}
