/** What a session and its device refuse, and what they say. */
import { describe, expect, test } from "vitest";
import { compile, graphOf, input, Parameters } from "../../compiler/index.ts";
import { add, matmul } from "../../ops/index.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { webgpuDevice } from "../../runtime/devices/webgpu.ts";
import { requestNullGpu } from "../../runtime/node/index.ts";
import { createSession } from "../../runtime/session.ts";
import { bytesSource, openWeights, writeSafetensors } from "../../runtime/weights/index.ts";

const linear = () => {
  const x = input("x", "f32", [2, 3]);
  const w = new Parameters().f32("w", [3, 2]);
  return graphOf([{ name: "y", tensor: add(matmul(x, w), 1) }]);
};

const weights = async (name = "w", shape = [3, 2]) => {
  const data = new Uint8Array(Float32Array.from([1, 2, 3, 4, 5, 6]).buffer);
  const tensors = new Map([[name, { dtype: "f32" as const, shape, data }]]);
  return openWeights(bytesSource("test.safetensors", writeSafetensors(tensors)));
};

const plan = compile(linear(), { name: "linear", target: "reference" });
const open = async () => createSession(plan, referenceDevice(), { weights: await weights() });

describe("a session", () => {
  test("runs, and keeps inputs that are not given again", async () => {
    const session = await open();
    const x = Float32Array.from([1, 0, 0, 0, 1, 0]);
    expect(await session.run({ x })).toEqual({ y: Float32Array.from([2, 3, 4, 5]) });
    expect(await session.run()).toEqual({ y: Float32Array.from([2, 3, 4, 5]) });
    expect(session.memory()).toEqual({ weights: 24, input: 24, output: 16 });
  });

  test("computes from what each call was given, however many are under way", async () => {
    const session = await open();
    const given = [1, 2, 3, 4, 5, 6].map((n) => Float32Array.from([n, 0, 0, 0, n, 0]));
    const ys = [];
    for (const three of [given.slice(0, 3), given.slice(3)])
      ys.push(
        ...(await Promise.all(
          three.map((x) => {
            const call = session.run({ x });
            x.fill(99);
            return call;
          }),
        )),
      );
    expect(ys).toEqual(
      [1, 2, 3, 4, 5, 6].map((n) => ({ y: Float32Array.from([1, 2, 3, 4], (w) => 1 + n * w) })),
    );
  });

  test("feeds another session on the device", async () => {
    const device = referenceDevice();
    const first = await createSession(plan, device, { weights: await weights() });
    const twice = graphOf([{ name: "z", tensor: add(input("y", "f32", [2, 2]), 0.5) }]);
    const second = await createSession(compile(twice, { target: "reference" }), device, {
      bind: { y: first.output("y") },
    });
    await first.run({ x: [1, 0, 0, 0, 1, 0] }, []);
    expect(await second.run()).toEqual({ z: Float32Array.from([2.5, 3.5, 4.5, 5.5]) });
  });

  test.each([
    ["an unknown input", "E420", async () => (await open()).run({ z: [1] }), /no input "z"/],
    ["a missing input", "E420", async () => (await open()).run(), /never given: x/],
    ["a misshaped input", "E420", async () => (await open()).run({ x: [1] }), /has 1 elements/],
    ["an unknown output", "E420", async () => (await open()).output("q"), /no output "q"/],
    [
      "weights that lack a parameter",
      "E420",
      async () => createSession(plan, referenceDevice(), { weights: await weights("v") }),
      /no tensor w/,
    ],
    [
      "weights of another shape",
      "E420",
      async () => createSession(plan, referenceDevice(), { weights: await weights("w", [2, 3]) }),
      /\[2, 3\] in the file but \[3, 2\]/,
    ],
    ["no weights at all", "E420", () => createSession(plan, referenceDevice()), /no weights/],
    [
      "a plan of another target",
      "E421",
      () => createSession(compile(linear()), referenceDevice()),
      /is for wgsl, the device runs reference/,
    ],
    [
      "a plan of another format",
      "E421",
      () => createSession({ ...plan, format: 99 as 4 }, referenceDevice()),
      /format 99/,
    ],
    [
      "a run after it was closed",
      "E427",
      async () => {
        const session = await open();
        session.close();
        return session.run({ x: [1, 0, 0, 0, 1, 0] });
      },
      /closed/,
    ],
  ])("refuses %s (%s)", async (_claim, code, act, message) => {
    await expect(act()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

describe("the WebGPU device, on Dawn's null backend,", () => {
  const wgsl = compile(linear());
  const kernel = wgsl.kernels[0]!;
  const withKernel = (change: Partial<typeof kernel>) => ({
    ...wgsl,
    kernels: wgsl.kernels.map((k) => ({ ...k, ...change })),
  });

  test.each([
    [
      "a kernel of bytes",
      "E425",
      withKernel({ source: Uint8Array.of(0, 97, 115, 109) }),
      /compiles text, and kernel \w+ is 4 bytes/,
    ],
    ["text that does not compile", "E425", withKernel({ source: "fn main() {" }), /refused kernel/],
    [
      "more workgroup memory than there is",
      "E424",
      withKernel({ sharedBytes: 1e9 }),
      /needs 1000000000 bytes of workgroup memory/,
    ],
    ["a width of subgroups that it lacks", "E424", withKernel({ subgroup: 3 }), /subgroups of 3/],
    [
      "a buffer beyond its limit",
      "E424",
      { ...wgsl, buffers: wgsl.buffers.map((b) => ({ ...b, bytes: 1e12 })) },
      /needs a buffer of/,
    ],
  ])("refuses %s (%s)", async (_claim, code, broken, message) => {
    const gpu = await requestNullGpu();
    const device = webgpuDevice(gpu.device);
    const act = createSession(broken, device, { weights: await weights() });
    await expect(act).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    device.destroy();
  });

  test("says that it is lost (E422)", async () => {
    const gpu = await requestNullGpu();
    const device = webgpuDevice(gpu.device);
    const session = await createSession(wgsl, device, { weights: await weights() });
    device.destroy();
    await expect(session.run({ x: [1, 0, 0, 0, 1, 0] })).rejects.toMatchObject({ code: "E422" });
  });

  test("says that it is out of memory (E423)", async () => {
    // The null backend has half a gibibyte and no more.
    const device = webgpuDevice((await requestNullGpu()).device);
    const quarter = 200 * 2 ** 20;
    const buffers = [1, 2, 3].map(() => ({ role: "arena" as const, bytes: quarter }));
    const act = device.allocate(buffers);
    await expect(act).rejects.toMatchObject({
      code: "E423",
      message: expect.stringMatching(/no room for 600.0 MiB/),
    });
    device.destroy();
  });

  test("says that it cannot measure time (E426)", async () => {
    const gpu = await requestNullGpu({ features: [] });
    const device = webgpuDevice(gpu.device);
    const session = await createSession(wgsl, device, { weights: await weights() });
    const act = session.profile({ x: [1, 0, 0, 0, 1, 0] });
    await expect(act).rejects.toMatchObject({ code: "E426" });
    device.destroy();
  });
});
