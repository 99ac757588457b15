/** Every op's samples and derivatives on a device, in the ways that it is given. */
import { describe, expect, test } from "vitest";
import type { Capabilities } from "../../compiler/capabilities.ts";
import { compile } from "../../compiler/compile.ts";
import { type Graph, graphOf } from "../../compiler/graph/graph.ts";
import { input } from "../../compiler/graph/sources.ts";
import { elements, gradient, type KernelOp, type Tensor } from "../../compiler/op-kit.ts";
import type { Plan } from "../../compiler/plan.ts";
import { deviceProfile, type Profile } from "../../compiler/profile.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { createSession, type Inputs } from "../../runtime/session.ts";
import {
  type Arrays,
  evaluate,
  type Results,
  randomNumbers,
  runOnReference,
} from "../../verify/ops/evaluate.ts";
import { unequal } from "../../verify/ops/faults.ts";
import { type Example, findOps } from "../../verify/ops/programs.ts";

/** A policy and a profile. */
export type Way = readonly [name: string, policy: "fused" | "unfused", profile: Profile];

/** Where the samples run: in this process, or in another that was told how. */
export interface Place {
  readonly target: Plan["target"];
  readonly capabilities: Capabilities;
  run(plan: Plan, inputs: Inputs): Promise<Readonly<Record<string, ArrayLike<number>>>>;
}

/** A device of this process. */
export const onDevice = (device: Device): Place => ({
  target: device.target,
  capabilities: device.capabilities,
  async run(plan, inputs) {
    const session = await createSession(plan, device);
    const results = await session.run(inputs);
    session.close();
    return results;
  },
});

async function runOn(place: Place, graph: Graph, arrays: Arrays, [, policy, profile]: Way) {
  const plan = compile(graph, { target: place.target, policy, profile });
  const given = plan.inputs.map((t) => {
    const values = [...arrays[t.name]!];
    return [t.name, t.dtype === "f32" ? Float32Array.from(values) : values] as const;
  });
  const results = await place.run(plan, Object.fromEntries(given));
  return Object.fromEntries(
    Object.entries(results).map(([name, v]) => [name, Array.from(v)]),
  ) as Results;
}

/** Its gradients, by what comes in from behind as further inputs. */
function gradientsOf({ inputs, outputs, arrays }: Example) {
  const floats = (tensors: readonly Tensor[]) => tensors.filter((t) => t.dtype === "f32");
  const [wrt, of] = [floats(inputs), floats(outputs)];
  const given = of.map((y, i) => input(`g${i}`, "f32", y.shape) as Tensor);
  const found = gradient(of, given, wrt).filter((g) => g !== undefined);
  const cotangents = of.map((y, i): [string, number[]] => [
    `g${i}`,
    randomNumbers(elements(y.shape), i),
  ]);
  return {
    graph: graphOf(found.map((tensor, i) => ({ name: `y${i}`, tensor }))),
    arrays: { ...arrays, ...Object.fromEntries(cotangents) },
  };
}

const { subjects } = await findOps();

/** Derivatives subtract what is nearly equal, more than once: beside the largest element, one counts. */
function farFrom(got: Results, wanted: Results): string | undefined {
  for (const [name, right] of Object.entries(wanted)) {
    const largest = right.reduce((most, v) => Math.max(most, Math.abs(v)), 1);
    const at = right.findIndex((v, i) => !(Math.abs(got[name]![i]! - v) <= 3e-6 * largest));
    if (at >= 0) return `${name}, element ${at}: ${got[name]![at]}, not ${right[at]}`;
  }
  return undefined;
}

/**
 * Declares the tests: of all samples; or of the last of each op, which is of the largest shapes as a rule, where
 * a place is slow; or of all samples' values, and of the first smooth one's derivative.
 */
export function testSamples(
  place: Place,
  runs: readonly Way[],
  which: "all" | "last" | "values" = "all",
): void {
  const own = deviceProfile(place.capabilities);
  describe.each(subjects)("$name", (subject) => {
    const examples = [...subject.examples.entries()];
    const smooth = subject.examples.findIndex((make) => make().smooth);
    for (const [i, make] of which === "last" ? examples.slice(-1) : examples) {
      test(subject.claims[i]!, async () => {
        const example = make();
        const wanted = await evaluate(example.graph, example.arrays);
        for (const way of runs) {
          const got = await runOn(place, example.graph, example.arrays, way);
          expect(unequal(example, got, wanted), way[0]).toBe(undefined);
        }
      });
      const hasLanes = (subject.op as KernelOp | undefined)?.forms?.some(
        ({ name }) => name === "lanes",
      );
      const isProcessor = place.capabilities.deviceClass === "processor";
      if (hasLanes && isProcessor && which === "all")
        test(`${subject.claims[i]}: in lanes nothing races, on the reference device`, async () => {
          const example = make();
          const wanted = await evaluate(example.graph, example.arrays);
          const got = await runOnReference(example.graph, example.arrays, { profile: own });
          expect(unequal(example, got, wanted)).toBe(undefined);
        });
      if (!make().smooth || (which === "values" && i !== smooth)) continue;
      test(`${subject.claims[i]}: derivative`, async () => {
        const { graph, arrays } = gradientsOf(make());
        const wanted = await evaluate(graph, arrays);
        expect(farFrom(await runOn(place, graph, arrays, runs[0]!), wanted)).toBe(undefined);
      });
    }
  });
}
