/** How fast a device is at what models do most: a product of two matrices, compiled for it. */
import { compile } from "../compiler/compile.ts";
import { input, trace } from "../compiler/index.ts";
import { deviceProfile } from "../compiler/profile.ts";
import { matmul } from "../ops/matmul/matmul.ts";
import type { Device } from "../runtime/devices/device.ts";
import { createSession } from "../runtime/session.ts";

/** Rows, columns and depth of the product. */
export const speedSide = 384;

/** Milliseconds of the fastest of a few runs, the result read back. The device stays open. */
export async function timeProduct(device: Device): Promise<number> {
  const shape = [speedSide, speedSide];
  const graph = trace(
    () => ({ y: matmul(input("a", "f32", shape), input("b", "f32", shape)) }),
    {},
  );
  const { target } = device;
  const plan = compile(graph, {
    name: "speed",
    target,
    profile: deviceProfile(device.capabilities),
  });
  const session = await createSession(plan, device);
  const ones = new Float32Array(speedSide ** 2).fill(1);
  let least = Number.POSITIVE_INFINITY;
  await session.run({ a: ones, b: ones });
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    await session.run({}, ["y"]);
    least = Math.min(least, performance.now() - start);
  }
  await session.close();
  return least;
}
