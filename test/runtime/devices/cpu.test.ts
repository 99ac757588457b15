/** The processor device: what it refuses, how its memory is used again, and that events pass while it works. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { compile, graphOf, input, state } from "../../../compiler/index.ts";
import type { Tensor } from "../../../compiler/op-kit.ts";
import { deviceProfile } from "../../../compiler/profile.ts";
import { add, matmul, mul } from "../../../ops/index.ts";
import { cpuDevice } from "../../../runtime/devices/cpu.ts";
import { CpuMemory } from "../../../runtime/devices/cpu-memory.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { wasmEngine } from "../../../runtime/devices/web-assembly.ts";
import { openDevice } from "../../../runtime/node/index.ts";
import { createSession } from "../../../runtime/session.ts";
import { refusal } from "../../support/weights-files.ts";

const outputs = (tensors: Record<string, Tensor>) =>
  graphOf(Object.entries(tensors).map(([name, tensor]) => ({ name, tensor })));
const x = input("x", "f32", [70, 70]) as Tensor;
const ones = new Float32Array(4900).fill(1);

describe("what it needs", () => {
  afterEach(() => vi.unstubAllGlobals());

  test("E480: a policy that forbids WebAssembly, and what a page says instead", async () => {
    const refused = new WebAssembly.CompileError("Wasm code generation disallowed by embedder");
    class Forbidden {
      constructor() {
        throw refused;
      }
    }
    vi.stubGlobal("WebAssembly", { Module: Forbidden });
    const { code, kind, message } = await refusal(() => cpuDevice());
    expect([code, kind]).toEqual(["E480", "environment"]);
    expect(message).toMatch(/disallowed by embedder.*'wasm-unsafe-eval' to script-src/s);
  });

  test("E480: an engine without WebAssembly", async () => {
    vi.stubGlobal("WebAssembly", undefined);
    expect((await refusal(() => cpuDevice())).code).toBe("E480");
  });

  test("E481: an engine without vectors", async () => {
    const { Module } = WebAssembly;
    vi.stubGlobal("WebAssembly", { Module, validate: () => false });
    expect((await refusal(() => cpuDevice())).code).toBe("E481");
    vi.unstubAllGlobals();
    cpuDevice().destroy();
  });
});

test("E425: kernels of text are for another device", async () => {
  const plan = compile(outputs({ y: mul(x, 2) }), { target: "wgsl" });
  const device = cpuDevice();
  const forged = { ...plan, target: "wasm" };
  expect((await refusal(() => createSession(forged, device))).code).toBe("E425");
});

test("E424: fma is a fact of the device's name, and kernels that ask for it are for engines that have it", async () => {
  // The square of 1 + 2^-12 less its first two terms: nothing, unless the product is kept whole.
  const [a, b] = [input("a", "f32", [4, 16]), input("b", "f32", [16, 4])] as [Tensor, Tensor];
  const first = 1 + 2 ** -12;
  const given = {
    a: Float32Array.from({ length: 64 }, (_, i) => [-(1 + 2 ** -11), first][i % 16] ?? 0),
    b: Float32Array.from({ length: 64 }, (_, i) => (i < 4 ? 1 : first)),
  };
  const made = ({ capabilities }: Device) =>
    compile(outputs({ y: matmul(a, b) as Tensor }), {
      target: "wasm",
      profile: deviceProfile(capabilities),
    });
  const { device } = await openDevice({ kind: "cpu" });
  const plan = made(device);
  const session = await createSession(plan, device);
  expect(device.name).toBe("processor-fma");
  expect((await session.run(given)).y).toEqual(new Float32Array(16).fill(2 ** -24));

  const { validate } = WebAssembly;
  const { Memory, Module, compile: toModule, instantiate } = WebAssembly;
  const lacks = (bytes: Uint8Array<ArrayBuffer>) => validate(bytes) && !bytes.includes(0x85);
  vi.stubGlobal("WebAssembly", {
    ...{ Memory, Module, compile: toModule, instantiate },
    validate: lacks,
  });
  const without = cpuDevice();
  vi.unstubAllGlobals();
  expect(without.name).toBe("processor");
  const { code, message } = await refusal(() => createSession(plan, without));
  expect([code, message]).toEqual(["E424", expect.stringMatching(/asks for fma.*relaxed SIMD/)]);
  const other = await createSession(made(without), without);
  expect((await other.run(given)).y).toEqual(new Float32Array(16));
});

test("E424: more workgroups than threads can count", async () => {
  const plan = compile(outputs({ y: mul(x, 2) }), { target: "wasm" });
  const steps = plan.steps.map((step) => ({ ...step, groups: [2 ** 20, 2 ** 11, 1] as const }));
  const device = cpuDevice();
  const { code, message } = await refusal(() => createSession({ ...plan, steps }, device));
  expect(code).toBe("E424");
  expect(message).toContain("in 2147483648 workgroups, but the device counts to 1073741824");
  device.destroy();
});

test("E423: memory ends at 4 GiB, and what was taken for a plan that does not fit is given back", async () => {
  const device = cpuDevice();
  const huge = { bytes: 2 ** 31 - 64, role: "arena" } as const;
  const { code } = await refusal(() => device.allocate([huge, huge, huge]));
  expect(code).toBe("E423");
  const [buffer] = await device.allocate([huge]);
  expect((buffer as unknown as { address: number }).address).toBeLessThan(2 ** 21);
  buffer!.destroy();
});

test("E423: a plan that is larger than the memory takes none of it, and the error says what to do", async () => {
  const memory = new CpuMemory(wasmEngine(), false);
  const before = memory.bytes.length;
  const half = 2 ** 31 - 64;
  memory.checkRoom([half]);
  const { code, message } = await refusal(() => memory.checkRoom([half, half, 2 ** 20]));
  expect([code, memory.bytes.length]).toEqual(["E423", before]);
  expect(message).toMatch(/no 4\.00 GiB left.*smaller batch.*inarch plan --target wasm/s);
  const held = memory.allocate(1e6);
  expect((await refusal(() => memory.checkRoom([half, half]))).message).toContain("beside the 9");
  held.destroy();
  memory.checkRoom([half, half - 2 ** 20]);
});

test("ranges that were freed are used again, and neighbours become one", () => {
  const memory = new CpuMemory(wasmEngine(), false);
  const [a, b, c] = [1000, 2000, 3000].map((bytes) => memory.allocate(bytes));
  const { address } = a!;
  for (const buffer of [b!, a!, a!]) buffer.destroy();
  const both = memory.allocate(3000);
  expect(both.address).toBe(address);
  expect(memory.allocate(1000).address).toBeGreaterThan(c!.address);
});

test("states begin as zeros in memory that held something, and go on from run to run", async () => {
  const { device } = await openDevice({ kind: "cpu" });
  const { target } = device;
  const profile = deviceProfile(device.capabilities);
  const first = await createSession(
    compile(outputs({ y: matmul(x, x) }), { target, profile }),
    device,
  );
  expect((await first.run({ x: ones })).y![0]).toBe(70);
  await first.close();
  const sum = add(state("sum", "f32", [70, 70]), x as Tensor<"f32">);
  const counting = compile(outputs({ sum, y: mul(sum, 1) as Tensor }), { target, profile });
  const session = await createSession(counting, device);
  const runs = [await session.run({ x: ones }), await session.run({ x: ones })];
  expect(runs.map(({ y }) => y![4899])).toEqual([1, 2]);
  await session.close();
  device.destroy();
  expect((await refusal(() => createSession(counting, device))).code).toBe("E422");
});

test("an abort is heard while a run is under way, and says its reason", async () => {
  const device = cpuDevice();
  let y = x;
  for (let i = 0; i < 400; i++) y = matmul(mul(y, 1 / 70), x) as Tensor;
  const profile = deviceProfile(device.capabilities);
  const session = await createSession(compile(outputs({ y }), { target: "wasm", profile }), device);
  const reason = new Error("enough");
  const controller = new AbortController();
  const running = session.run({ x: ones }, undefined, { signal: controller.signal });
  controller.abort(reason);
  await expect(running).rejects.toBe(reason);
  expect((await session.run({ x: ones })).y![0]).toBeGreaterThan(0);
  await session.close();
});
