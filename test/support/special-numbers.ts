/** Programs of one result on given numbers, NaN and infinities included, and what they must give. */
import { expect } from "vitest";
import { type CompileOptions, compile } from "../../compiler/compile.ts";
import { graphOf } from "../../compiler/graph/graph.ts";
import { input } from "../../compiler/graph/sources.ts";
import type { DType, Tensor } from "../../compiler/op-kit.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { createSession } from "../../runtime/session.ts";

export interface Given {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export const f32 = (...data: number[]): Given => ({ dtype: "f32", shape: [data.length], data });
export const i32 = (...data: number[]): Given => ({ dtype: "i32", shape: [data.length], data });
export const u32 = (...data: number[]): Given => ({ dtype: "u32", shape: [data.length], data });
export const shaped = (shape: readonly number[], ...data: number[]): Given => ({
  dtype: "f32",
  shape,
  data,
});

export type Row = readonly [
  claim: string,
  inputs: readonly Given[],
  call: (...inputs: Tensor[]) => Tensor,
  outputs: readonly number[],
];

export interface Runner {
  readonly device: Device;
  readonly options: Omit<CompileOptions, "target">;
}

export async function run({ device, options }: Runner, [, inputs, call]: Row): Promise<number[]> {
  const tensors = inputs.map(({ dtype, shape }, i) => input(`x${i}`, dtype, shape) as Tensor);
  const graph = graphOf([{ name: "y", tensor: call(...tensors) }]);
  const plan = compile(graph, { ...options, target: device.target });
  const session = await createSession(plan, device);
  const arrayOf = { f32: Float32Array, i32: Int32Array, u32: Uint32Array, bool: Uint32Array };
  const given = inputs.map(({ dtype, data }, i) => [`x${i}`, arrayOf[dtype].from(data)] as const);
  const wanted = new Set(plan.inputs.map((t) => t.name));
  const { y } = await session.run(Object.fromEntries(given.filter(([name]) => wanted.has(name))));
  session.close();
  return [...(y as Float32Array)];
}

export const close = (found: readonly number[], wanted: readonly number[], tolerance = 2e-6) => {
  const wrong = wanted.flatMap((w, i) => {
    const f = found[i]!;
    const isClose =
      Object.is(w + 0, f + 0) || Math.abs(f - w) <= tolerance * Math.max(1, Math.abs(w));
    return isClose ? [] : [`${i}: ${f}, not ${w}`];
  });
  expect(wrong).toEqual([]);
};
