/** How fast a device is at what models do most: a product of two matrices, compiled for it. */
import { compile } from "../compiler/compile.ts";
import { input, trace } from "../compiler/index.ts";
import { deviceProfile } from "../compiler/profile.ts";
import { matmul } from "../ops/matmul/matmul.ts";
import type { Device } from "../runtime/devices/device.ts";
import { type DeviceKind, openDevice } from "../runtime/node/device.ts";
import { keepNativeTiming } from "../runtime/node/native.ts";
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

/** Keeps what both devices of processors take: what `native` is used unasked by. */
export async function timeNative(): Promise<void> {
  const [native, cpu] = [await timed("native"), await timed("cpu")];
  await keepNativeTiming(native, cpu);
}

async function timed(kind: DeviceKind): Promise<number> {
  const { device } = await openDevice({ kind });
  try {
    return await timeProduct(device);
  } finally {
    device.destroy();
  }
}
