/** Checks of kind `resample`: resizing as PyTorch's `interpolate` does it, and its gradient. */
import { compileAsync, input, trace } from "../compiler/index.ts";
import { gradient } from "../compiler/op-kit.ts";
import { type ResampleOptions, resample } from "../ops/index.ts";
import { createSession } from "../runtime/session.ts";
import { type Check, compare } from "./compare.ts";
import type { Setting } from "./kinds.ts";
import { garbled, type Reference } from "./reference.ts";

/** Forward results, and gradients. */
const [forward, backward] = [{ relative: 1e-4 }, { relative: 1e-3 }];

/** `CASE/x` resized to `CASE/y`; `CASE/grad.x` from `CASE/cotangent`, where the file has them. */
export async function* verifyResample(
  reference: Reference,
  { device, profile, signal }: Setting,
): AsyncIterable<Check> {
  const cases = reference.json("cases");
  if (typeof cases !== "object" || cases === null)
    throw garbled(reference.path, '"cases" of its metadata is no object');
  for (const [name, given] of Object.entries(cases)) {
    const options = readOptions(reference, name, given);
    const x = await reference.read(`${name}/x`, 4);
    const y = await reference.read(`${name}/y`, 4);
    const differentiable = reference.has(`${name}/grad.x`);
    const graph = trace(() => {
      const image = input("x", "f32", [...x.shape]);
      const resized = resample(image, options);
      if (!differentiable) return { y: resized };
      const g = input("g", "f32", [...y.shape]);
      return { y: resized, gradient: gradient([resized], [g], [image])[0]! };
    }, {});
    const plan = await compileAsync(graph, { name, target: device.target, profile, signal });
    const session = await createSession(plan, device);
    const g = differentiable ? { g: (await reference.read(`${name}/cotangent`, 4)).data } : {};
    const results = await session.run({ x: x.data, ...g });
    session.close();
    yield compare(`${name}/y`, results.y!, y.data, forward);
    if (!differentiable) continue;
    const { data } = await reference.read(`${name}/grad.x`, 4);
    yield compare(`${name}/grad.x`, results.gradient!, data, backward);
  }
}

/** A case's arguments, with PyTorch's names, as those of the op. */
function readOptions({ path }: Reference, name: string, given: unknown): ResampleOptions {
  const options = (typeof given === "object" ? given : null) ?? {};
  const known = ["size", "scale_factor", "mode", "align_corners"];
  const unknown = Object.keys(options).filter((key) => !known.includes(key));
  if (unknown.length > 0)
    throw garbled(path, `case ${name} has the argument ${unknown.join(", ")}`);
  const { size, scale_factor: scale, mode, align_corners: aligned } = options as Arguments;
  if (mode !== "bicubic" && mode !== "bilinear" && mode !== "nearest")
    throw garbled(path, `case ${name} has the mode ${JSON.stringify(mode)}`);
  const how = { mode, alignCorners: aligned === true } as const;
  const pairOf = (value: unknown) => {
    const both = Array.isArray(value) ? value : [value, value];
    if (both.length === 2 && both.every((n) => typeof n === "number")) return both;
    throw garbled(path, `case ${name} has the size or the scale ${JSON.stringify(value)}`);
  };
  return scale === undefined || scale === null
    ? { ...how, size: pairOf(size) as [number, number] }
    : { ...how, scale: pairOf(scale) as [number, number] };
}

type Arguments = Readonly<Record<string, unknown>>;
