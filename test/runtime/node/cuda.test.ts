/**
 * The CUDA device through a driver for tests: the small SAM's forward pass and training, what is kept, and what goes
 * wrong. The driver's work waits until somebody asks for it, so what is not waited for shows.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { inputs, trainingPlan, weights } from "../../../bench/cuda/sam.ts";
import { describeReport } from "../../../cli/doctor.ts";
import {
  compile,
  graphOf,
  input,
  state,
  type Tensor,
  traceProgram,
} from "../../../compiler/index.ts";
import { deviceProfile } from "../../../compiler/profile.ts";
import { targetNamed, usualProfile } from "../../../compiler/targets/find.ts";
import { samModel } from "../../../models/index.ts";
import { hashedImage, hashedWeights } from "../../../models/sam/hashed.ts";
import { add, matmul, softmax } from "../../../ops/index.ts";
import { cpuDevice } from "../../../runtime/devices/cpu.ts";
import { cudaCapabilities } from "../../../runtime/devices/cuda.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { createTrainingSession } from "../../../runtime/index.ts";
import { openDevice } from "../../../runtime/node/index.ts";
import { createSession } from "../../../runtime/session.ts";
import { plansOf } from "../../../runtime/training/plan.ts";
import { examineMachine } from "../../../verify/machine.ts";
import { relativeError } from "../../../verify/ops/evaluate.ts";
import { buildDriver, describeCuda, type TestDriver } from "../../support/libcuda.ts";
import { tinySam } from "../../support/sam-small.ts";
import { refusal } from "../../support/weights-files.ts";

const profile = usualProfile(targetNamed("ptx"));

/** softmax(x x) + a state that grows by 1. */
function small() {
  const x = input("x", "f32", [32, 32]) as Tensor;
  const count = state("count", "f32", [32, 32]);
  return graphOf([
    { name: "y", tensor: add(softmax(matmul(x, x), -1), count) as Tensor },
    { name: "count", tensor: add(count, 1) as Tensor },
  ]);
}
const zeros = new Float32Array(32 * 32);

const encode = () => traceProgram(samModel(tinySam), "encode");

/** The same programs for both targets. */
const of = (make: (target: string) => ReturnType<typeof compile>) => ({
  ptx: make("ptx"),
  cuda: make("cuda"),
});
const smallBoth = () => of((target) => compile(small(), { target, profile }));
/** The same, as if its product had more shared memory than kernels have by themselves. */
const largeBoth = (sharedBytes = 60 * 1024) => {
  const { ptx, cuda } = smallBoth();
  const [product] = cudaCapabilities.matrices.products;
  const matrices = { ...product, width: 32, widths: "fixed", numbered: true } as const;
  const kernels = ptx.kernels.map((kernel) =>
    kernel.entry.startsWith("matmul")
      ? { ...kernel, sharedBytes, matrices, source: `${kernel.source}// large\n` }
      : kernel,
  );
  return { ptx: { ...ptx, kernels }, cuda };
};
const encodeBoth = () => of((target) => compile(encode(), { target, profile }));

test("has what its target says that every GPU has", () => {
  expect(cudaCapabilities).toEqual(targetNamed("ptx").capabilities);
});

describeCuda("on the driver for tests", () => {
  let driver: TestDriver;
  let cache: string;
  const training = trainingPlan("ptx", profile);
  beforeAll(() => {
    const printed = plansOf(trainingPlan("cuda", profile));
    const steps = plansOf(training).map((ptx, i) => ({ ptx, cuda: printed[i]! }));
    driver = buildDriver([smallBoth(), largeBoth(), encodeBoth(), ...steps]);
  });
  beforeEach(() => {
    driver.reset();
    cache = mkdtempSync(join(tmpdir(), "inarch-cuda-cache-"));
    vi.stubEnv("XDG_CACHE_HOME", cache);
    vi.stubEnv("INARCH_CUDA", driver.path);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(cache, { recursive: true });
  });
  afterAll(() => driver?.remove());

  const opened = async (): Promise<Device> => (await openDevice({ kind: "cuda" })).device;
  const smallSession = async (device: Device) =>
    createSession(compile(small(), { target: device.target, profile }), device);

  test("the GPU says what it is, and numbers choose among several", async () => {
    vi.stubEnv("INARCH_DEVICE", "cuda:1");
    const { device, kind, summary } = await openDevice();
    expect([kind, device.name, summary]).toEqual([
      "cuda",
      "Test GPU 1",
      { description: "Test GPU 1, driver of CUDA 12.4", kind: "hardware" },
    ]);
    expect(device.capabilities.identity).toMatchObject({ architecture: "sm_90" });
    device.destroy();
  });

  test("unasked it is the first choice, and says why where it cannot be used", async () => {
    vi.stubEnv("INARCH_DEVICE", "");
    const { device, kind, why } = await openDevice();
    device.destroy();
    expect([kind, why]).toEqual(["cuda", "it is the first choice"]);
    driver.set({ version: 11040 });
    const second = await openDevice();
    second.device.destroy();
    expect(second.kind).not.toBe("cuda");
    expect(second.why).toMatch(/^cuda cannot be used: the driver is of CUDA 11.4/);
    for (const [library, says] of [
      ["/nowhere/libcuda.so.1", true],
      // A machine without a driver says nothing of it.
      ["", false],
    ] as const) {
      vi.stubEnv("INARCH_CUDA", library);
      const { device, why } = await openDevice();
      device.destroy();
      expect(why.includes("cuda cannot be used: there is no driver"), library).toBe(says);
    }
  });

  test("the small SAM's encoder gives what the processor device gives", async () => {
    const image = hashedImage("cuda", tinySam.imageSize);
    const results: Float32Array[] = [];
    for (const device of [await opened(), cpuDevice()]) {
      const own = deviceProfile(device.capabilities);
      const plan = compile(encode(), { target: device.target, profile: own });
      const session = await createSession(plan, device, {
        weights: hashedWeights(tinySam, "cuda"),
      });
      await session.run({ image });
      const [result] = Object.values(await session.run({ image }));
      results.push(result as Float32Array);
      await session.close();
      device.destroy();
    }
    expect(relativeError(results[0]!, results[1]!)).toBeLessThan(2e-6);
    expect(driver.left()).toBe(0);
    expect(driver.count("cuGraphLaunch")).toBe(2);
  });

  test("a training of the small SAM goes as on the processor device", async () => {
    const cpu = cpuDevice();
    const cpuPlan = trainingPlan(cpu.target, deviceProfile(cpu.capabilities));
    const losses: number[][] = [];
    for (const [device, plan] of [[await opened(), training] as const, [cpu, cpuPlan] as const]) {
      const session = await createTrainingSession(plan, device, {
        ...{ weights: weights(), rate: 1e-3, seed: 1 },
      });
      const own: number[] = [];
      for (let i = 0; i < 3; i++) own.push((await session.step(inputs())).loss);
      losses.push(own);
      await session.close();
      device.destroy();
    }
    const [mine, wanted] = losses as [number[], number[]];
    for (const [i, loss] of wanted.entries()) expect(mine[i]).toBeCloseTo(loss, 5);
    expect(wanted[2]).not.toBe(wanted[0]);
    expect(driver.left()).toBe(0);
  });

  test("runs follow each other, states stay, and steps are timed", async () => {
    const device = await opened();
    const session = await smallSession(device);
    for (const count of [0, 1, 2]) {
      const { y } = await session.run({ x: zeros });
      expect(y![5]).toBeCloseTo(1 / 32 + count, 6);
    }
    const times = await session.profile();
    expect(times.map(({ milliseconds }) => milliseconds)).toEqual(times.map(() => 0.25));
    await session.close();
    expect(driver.left()).toBe(0);
    device.destroy();
    expect((await refusal(() => smallSession(device))).code).toBe("E422");
  });

  test("a kernel is given more shared memory than it has by itself, as far as the GPU has it", async () => {
    const device = await opened();
    const session = await createSession(largeBoth().ptx, device);
    expect(driver.count("cuFuncSetAttribute")).toBe(1);
    for (const count of [0, 1])
      expect((await session.run({ x: zeros })).y![5]).toBeCloseTo(1 / 32 + count, 6);
    await session.profile();
    await session.close();
    device.destroy();
    for (const [capability, most] of [
      [90, 227],
      [80, 163],
      [86, 99],
    ] as const) {
      driver.set({ capability });
      const device = await opened();
      expect(device.capabilities.matrices?.sharedBytes).toBe(1024 * most);
      const { code, message } = await refusal(() =>
        createSession(largeBoth(1024 * most + 16).ptx, device),
      );
      expect(code).toBe("E424");
      expect(message).toContain(`but the device has ${1024 * most}`);
      device.destroy();
    }
  });

  test("more is written and read than one copy holds, and other copies do not wait for it", async () => {
    const device = await opened();
    const count = 3 * 2 ** 20 + 5;
    const [a, b] = await device.allocate(
      [0, 1].map(() => ({ role: "input" as const, bytes: 4 * count })),
    );
    const numbers = Float32Array.from({ length: count }, (_, i) => i);
    const given = numbers.slice();
    await device.write(a!, 0, given);
    given.fill(-1);
    await device.copy([[a!, b!]]);
    const [all, few] = [device.read(b!, 0, count, "f32"), device.read(b!, 4 * 7, 3, "f32")];
    await device.write(b!, 0, given);
    expect([...(await few)]).toEqual([7, 8, 9]);
    expect(Buffer.compare(Buffer.from((await all).buffer), Buffer.from(numbers.buffer))).toBe(0);
    device.destroy();
  });

  test("what was assembled is kept by text, GPU and driver, and made again where it was changed", async () => {
    const assembled = async () => {
      const before = driver.count("cuLinkAddData_v2");
      const device = await opened();
      await (await smallSession(device)).close();
      device.destroy();
      return driver.count("cuLinkAddData_v2") - before;
    };
    const kernels = smallBoth().ptx.kernels.length;
    expect(await assembled()).toBe(kernels);
    expect(await assembled()).toBe(0);
    const [file] = readdirSync(join(cache, "inarch", "cuda"));
    const path = join(cache, "inarch", "cuda", file!);
    writeFileSync(path, readFileSync(path).subarray(1));
    expect(await assembled()).toBe(1);
    driver.set({ capability: 80 });
    expect(await assembled()).toBe(kernels);
    driver.set({ version: 13000 });
    expect(await assembled()).toBe(kernels);
  });

  test("threads assemble several kernels at once, and where none can be started this one does", async () => {
    const threads = async () => {
      const device = await opened();
      const plan = compile(encode(), { target: device.target, profile });
      await (
        await createSession(plan, device, { weights: hashedWeights(tinySam, "cuda") })
      ).close();
      device.destroy();
      return driver.assemblers();
    };
    expect(await threads()).toBe(Math.min(availableParallelism(), 16));
    driver.reset();
    rmSync(join(cache, "inarch"), { recursive: true });
    const device = await opened();
    // Of what a thread needs when it starts.
    driver.fail("cuMemHostAlloc", 1);
    const session = await smallSession(device);
    expect(driver.assemblers()).toBeLessThan(Math.min(availableParallelism(), 16));
    expect((await session.run({ x: zeros })).y![5]).toBeCloseTo(1 / 32, 6);
    await session.close();
    device.destroy();
  });

  test("a device that is destroyed while threads assemble refuses what is not done", async () => {
    const device = await opened();
    const session = refusal(() => smallSession(device));
    await new Promise((done) => setTimeout(done, 1));
    device.destroy();
    expect((await session).code).toBe("E422");
    await (await smallSession(await opened())).close();
  });

  test("doctor lists the GPUs", async () => {
    const report = await examineMachine(async () => ({ ok: true, maxError: 0, ms: 0 }));
    expect(report.cuda.gpus).toMatchObject([
      { number: 0, name: "Test GPU 0", capability: 90, driver: "12.4" },
      { number: 1, name: "Test GPU 1" },
    ]);
    expect(describeReport(report)).toMatch(
      /CUDA {6}cuda:0 Test GPU 0, compute capability 9.0, 8 GiB, driver of CUDA 12.4\n +cuda:1/,
    );
  });

  const refused = async () => {
    const { code, kind, message, details } = await refusal(opened);
    return { code, kind, message, help: details.help };
  };

  test("E446: no driver", async () => {
    vi.stubEnv("INARCH_CUDA", "/nowhere/libcuda.so.1");
    expect(await refused()).toMatchObject({
      ...{ code: "E446", kind: "environment" },
      message: expect.stringContaining("/nowhere/libcuda.so.1 is not there"),
      help: expect.stringContaining("INARCH_CUDA"),
    });
  });

  test("E447: a driver that is too old, or does not know the PTX", async () => {
    driver.set({ version: 11040 });
    expect(await refused()).toMatchObject({
      code: "E447",
      message: expect.stringContaining("the driver is of CUDA 11.4"),
    });
    driver.set({});
    const device = await opened();
    driver.fail("cuLinkAddData_v2", 222);
    expect((await refusal(() => smallSession(device))).code).toBe("E447");
    device.destroy();
  });

  test("E448: a GPU that is too old", async () => {
    driver.set({ capability: 75 });
    expect(await refused()).toMatchObject({
      code: "E448",
      message: expect.stringContaining("Test GPU 0 has compute capability 7.5"),
    });
  });

  test("E449: a number that no GPU has, and no GPU at all", async () => {
    vi.stubEnv("INARCH_DEVICE", "cuda:2");
    const { code, message } = await refusal(() => openDevice());
    expect([code, message]).toEqual(["E449", expect.stringContaining("1 (Test GPU 1)")]);
    vi.stubEnv("INARCH_DEVICE", "");
    driver.fail("cuInit", 100);
    expect(await refused()).toMatchObject({
      code: "E449",
      message: expect.stringContaining("finds no GPU"),
    });
  });

  test("E488: a driver that does not start", async () => {
    driver.fail("cuInit", 999);
    expect(await refused()).toMatchObject({
      code: "E488",
      message: expect.stringContaining("cuInit: CUDA_ERROR_UNKNOWN"),
    });
  });

  test("E423: no memory, what was asked for, and nothing stays taken", async () => {
    const device = await opened();
    driver.fail("cuMemAlloc_v2", 2, 2);
    const { code, message } = await refusal(() => smallSession(device));
    expect(code).toBe("E423");
    expect(message).toMatch(/Test GPU 0 has no memory for 4.0 KiB, of which 1.* of 8/);
    expect(driver.left()).toBe(0);
    await (await smallSession(device)).close();
    device.destroy();
  });

  test("E425: a kernel that the driver refuses, with its words", async () => {
    const device = await opened();
    driver.fail("cuLinkAddData_v2", 218);
    const { code, message } = await refusal(() => smallSession(device));
    expect([code, message]).toEqual(["E425", expect.stringContaining("ptxas says what is wrong")]);
    device.destroy();
  });

  test("E441: a call that is refused leaves the device as it was", async () => {
    const device = await opened();
    const session = await smallSession(device);
    driver.fail("cuGraphLaunch", 1);
    const { code, message } = await refusal(() => session.run({ x: zeros }));
    expect([code, message]).toEqual(["E441", expect.stringContaining("CUDA_ERROR_INVALID_VALUE")]);
    expect((await session.run({ x: zeros })).y![0]).toBeCloseTo(1 / 32, 6);
    await session.close();
    device.destroy();
  });

  test("E422: after an error that ends a context the device is lost, and says why", async () => {
    const device = await opened();
    const session = await smallSession(device);
    driver.fail("cuGraphLaunch", 700);
    const { code, message } = await refusal(() => session.run({ x: zeros }));
    expect([code, message]).toEqual(["E422", expect.stringContaining("ILLEGAL_ADDRESS")]);
    expect(await device.lost).toContain("CUDA_ERROR_ILLEGAL_ADDRESS");
    await session.close();
    device.destroy();
  });
});
