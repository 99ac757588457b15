/** What a WebGPU device refuses names the step (E441); a lost one says so, whatever was under way (E422). */
import { afterAll, describe, expect, test } from "vitest";
import { compile, graphOf, input, Parameters, type Plan, state } from "../../../compiler/index.ts";
import { add, matmul, mul } from "../../../ops/index.ts";
import type { Device, DeviceBuffer } from "../../../runtime/devices/device.ts";
import { webgpuDevice } from "../../../runtime/devices/webgpu.ts";
import { openDevice, requestGpu, requestNullGpu } from "../../../runtime/node/index.ts";
import { createSession } from "../../../runtime/session.ts";
import { describeOnDevice } from "../../support/device.ts";
import { refusal } from "../../support/weights-files.ts";
import { weightsOf } from "../../support/weights-of.ts";

const product = (size = 16) => {
  const x = input("x", "f32", [size, size]);
  const sum = add(state("sum", "f32", [size, size]), matmul(x, x));
  const tensors = { y: matmul(mul(sum, 0.5), x), sum };
  return compile(graphOf(Object.entries(tensors).map(([name, tensor]) => ({ name, tensor }))));
};
const ones = (size = 16) => new Float32Array(size * size).fill(1);

/** A plan of which the last step asks for more groups than there may be. */
const tooManyGroups = (plan: Plan): Plan => ({
  ...plan,
  steps: plan.steps.map((s, i) =>
    i === plan.steps.length - 1 ? { ...s, groups: [1, 70_000, 1] as const } : s,
  ),
});

describeOnDevice("a device that refuses (E441)", () => {
  const opened = openDevice({ kind: "webgpu" });
  afterAll(async () => (await opened).device.destroy());

  test("a dispatch names its step, and nothing has been done", async () => {
    const { device } = await opened;
    const plan = product();
    const session = await createSession(tooManyGroups(plan), device);
    const last = plan.steps.length - 1;
    const error = await refusal(() => session.run({ x: ones() }));
    expect(error.code).toBe("E441");
    expect(error.message).toContain(`step ${last} of ${plan.name}, ${plan.steps[last]!.label}`);
    expect((await refusal(() => session.run({ x: ones() }, []))).code).toBe("E441");
    await session.close();
  });

  test("what it took before and refuses now: the next reading rejects, and later runs do", async () => {
    const { device } = await opened;
    const made: DeviceBuffer[] = [];
    const watched: Device = {
      ...device,
      async allocate(buffers) {
        made.push(...(await device.allocate(buffers)));
        return made;
      },
    };
    const plan = product();
    const session = await createSession(plan, watched);
    const { y } = await session.run({ x: ones() });
    const arena = plan.buffers.findIndex(({ role }) => role === "arena");
    // Behind the back of the session.
    (made[arena] as unknown as { readonly handle: GPUBuffer }).handle.destroy();
    await session.run({ x: ones() }, []);
    expect((await refusal(() => session.read(["y"]))).code).toBe("E441");
    expect((await session.read(["y"])).y).toEqual(y);
    expect((await refusal(() => session.run({ x: ones() }, []))).code).toBe("E441");
    expect((await refusal(() => session.run({ x: ones() }))).code).toBe("E441");
    await session.close();
  });

  test("a binding that its kernel cannot have names its step", async () => {
    const { device } = await opened;
    const plan = product();
    const offset = 4;
    const shifted = {
      ...plan,
      buffers: plan.buffers.map((b) => ({ ...b, bytes: b.bytes + 256 })),
      steps: plan.steps.map((s, i) =>
        i === 1 ? { ...s, bindings: s.bindings.map((b) => ({ ...b, offset })) } : s,
      ),
    };
    const error = await refusal(() => createSession(shifted, device));
    expect(error.code).toBe("E441");
    expect(error.message).toContain(`step 1 of ${plan.name}, ${plan.steps[1]!.label}`);
  });
});

/** A real device, and how it is lost without `destroy()`. */
async function mortal(): Promise<{ device: Device; lose: () => void; end: () => void }> {
  const gpu = await requestGpu();
  return {
    device: webgpuDevice(gpu.device),
    lose: () => gpu.device.destroy(),
    end: () => gpu.destroy(),
  };
}

describeOnDevice("a lost device says so (E422)", () => {
  test("while results are read back, and ever after", async () => {
    const { device, lose, end } = await mortal();
    const session = await createSession(product(512), device);
    const calls = [session.run({ x: ones(512) }), session.run({}, []), session.read(["y"])];
    await new Promise((resolve) => setTimeout(resolve, 5));
    lose();
    const codes = (await Promise.allSettled(calls)).map((r) =>
      r.status === "rejected" ? r.reason.code : "done",
    );
    expect(codes.every((code) => code === "E422" || code === "done")).toBe(true);
    expect(codes).toContain("E422");
    for (const late of [() => session.run(), () => session.read(["y"]), () => session.profile()])
      expect((await refusal(late)).code).toBe("E422");
    expect(await session.lost).toContain("destroyed");
    await session.close();
    end();
  });

  test("while it loads: kernels are compiled, weights are read", async () => {
    const { device, lose, end } = await mortal();
    const loading = createSession(product(), device);
    lose();
    expect((await refusal(() => loading)).code).toBe("E422");
    expect((await refusal(() => createSession(product(), device))).code).toBe("E422");
    end();

    const other = await mortal();
    const x = input("x", "f32", [2, 3]);
    const w = new Parameters().f32("w", [3, 2]);
    const plan = compile(graphOf([{ name: "y", tensor: matmul(x, w) }]));
    const weights = await weightsOf({ w: [3, 2] });
    const slow = {
      ...weights,
      async *chunks(name: string) {
        other.lose();
        await new Promise((resolve) => setTimeout(resolve, 20));
        yield* weights.chunks(name);
      },
    };
    expect((await refusal(() => createSession(plan, other.device, { weights: slow }))).code).toBe(
      "E422",
    );
    other.end();
  });

  test("when it was destroyed here, without `lost`", async () => {
    const { device } = await openDevice({ kind: "webgpu" });
    const session = await createSession(product(), device);
    const run = session.run({ x: ones() });
    device.destroy();
    const outcome = await run.catch((error) => error.code);
    expect(outcome === "E422" || typeof outcome === "object").toBe(true);
    expect((await refusal(() => session.run())).code).toBe("E422");
  });
});

describe("on Dawn's null backend,", () => {
  test("a device that is lost between compiling and binding is not taken for a good one (E422)", async () => {
    const gpu = await requestNullGpu();
    const compiling = gpu.device.createComputePipelineAsync.bind(gpu.device);
    // The pipelines of a lost device are made as if nothing had happened.
    gpu.device.createComputePipelineAsync = (...given) => {
      const pipeline = compiling(...given);
      gpu.device.destroy();
      return pipeline;
    };
    const loading = createSession(product(), webgpuDevice(gpu.device));
    expect((await refusal(() => loading)).code).toBe("E422");
    gpu.destroy();
  });

  test("a device that is lost while kernels compile rejects createSession (E422)", async () => {
    const gpu = await requestNullGpu();
    const device = webgpuDevice(gpu.device);
    const loading = createSession(product(), device);
    gpu.device.destroy();
    expect((await refusal(() => loading)).code).toBe("E422");
    gpu.destroy();
  });
});
