/** Adapters change places on a base that lies on a device: nothing is compiled, and results are those of a new session. */
import { describe, expect, test } from "vitest";
import { convLora, lora, taLora } from "../../adapters/index.ts";
import { type Adapter, compile, type Plan, traceProgram } from "../../compiler/index.ts";
import { deviceProfile } from "../../compiler/profile.ts";
import { cpuDevice } from "../../runtime/devices/cpu.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { createSessions } from "../../runtime/programs.ts";
import { createSession } from "../../runtime/session.ts";
import { useAdapter } from "../../runtime/switching.ts";
import { deviceTest } from "../support/device.ts";
import { adaptedModel, base, inputOf, trained, x } from "../support/two-adapters.ts";
import { refusal } from "../support/weights-files.ts";

const low = lora({ rank: 2, alpha: 6 });
const [a, b] = [await trained(low, 0.05), await trained(low, 0.2)];

const planOf = (adapter: Adapter, program = "both", target: Plan["target"] = "reference") =>
  compile(traceProgram(adaptedModel(adapter), program), { target });

/** A device that counts what it is asked for. */
function counting(device: Device = referenceDevice()) {
  const counts = { loads: 0, allocations: 0, written: 0 };
  const on: Device = {
    ...device,
    load(...given) {
      counts.loads++;
      return device.load(...given);
    },
    allocate(buffers) {
      counts.allocations += buffers.length;
      return device.allocate(buffers);
    },
    write(to, offset, data) {
      counts.written += data.byteLength;
      return device.write(to, offset, data);
    },
  };
  return { on, counts };
}

describe("a session goes on with another adapter", () => {
  test.each<[string, Adapter, string[]]>([
    ["LoRA", low, []],
    ["LoRA, one of which trained biases of the base too", low, ["b.bias"]],
    ["Conv-LoRA", convLora({ rank: 2, experts: 2 }), []],
    ["TA-LoRA", taLora({ tasks: 2, ranks: [2, 3, 2], dropout: 0 }), []],
  ])("%s: there and back, bit for bit", async (_claim, adapter, train) => {
    const a = await trained(adapter, 0.05, train);
    const b = await trained(adapter, 0.2);
    expect(b.y).not.toEqual(a.y);
    const { on, counts } = counting();
    const session = await createSession(planOf(adapter), on, {
      weights: await base(),
      adapter: a.file,
    });
    expect((await session.run({ x })).y).toEqual(a.y);
    const before = { ...counts };
    await useAdapter(session, b.file);
    expect((await session.run({ x })).y).toEqual(b.y);
    const bytes = counts.written - before.written;
    // The adapter and the input, and no weight of a layer.
    const own = [...b.file.tensors.values(), ...a.file.tensors.values()];
    expect(bytes).toBeLessThanOrEqual(own.reduce((sum, one) => sum + one.bytes, 72 * 4));
    await useAdapter(session, a.file);
    expect((await session.run({ x })).y).toEqual(a.y);
    expect({ ...counts, written: 0 }).toEqual({ ...before, written: 0 });
    await session.close();
  });

  test("whose matrices lie in panels on the processor", async () => {
    const [width, wide] = [32, lora({ rank: 16 })];
    const [a, b] = [await trained(wide, 0.05, [], width), await trained(wide, 0.2, [], width)];
    const device = cpuDevice({ threads: 1 });
    const plan = compile(traceProgram(adaptedModel(wide, [], width), "both"), {
      target: device.target,
      profile: deviceProfile(device.capabilities),
    });
    const laid = plan.parameters.filter(({ panels }) => panels).map(({ name }) => name);
    expect(laid.some((name) => a.file.tensors.has(name))).toBe(true);
    const options = { weights: await base(1, width), adapter: a.file };
    const session = await createSession(plan, device, options);
    const inputs = { x: inputOf(width) };
    await session.run(inputs);
    await useAdapter(session, b.file);
    const fresh = await createSession(plan, device, { ...options, adapter: b.file });
    expect(await session.run(inputs)).toEqual(await fresh.run(inputs));
    await Promise.all([session.close(), fresh.close()]);
    device.destroy();
  });

  test("in the order of the calls, of which nobody waits", async () => {
    const session = await createSession(planOf(low), referenceDevice(), {
      weights: await base(),
      adapter: a.file,
    });
    const results = [
      session.run({ x }),
      useAdapter(session, b.file),
      session.run(),
      useAdapter(session, a.file),
    ];
    expect(await Promise.all([...results, session.run()])).toEqual([
      { y: a.y },
      undefined,
      { y: b.y },
      undefined,
      { y: a.y },
    ]);
  });

  test("all programs of a model at once", async () => {
    const plans = { encode: planOf(low, "encode"), decode: planOf(low, "decode") };
    const given = { weights: await base(), adapter: a.file };
    const { encode, decode } = await createSessions(plans, referenceDevice(), given);
    const both = async () => {
      const { z } = await encode.run({ x });
      return (await decode.run({ z: z! })).y;
    };
    expect(await both()).toEqual(a.y);
    await useAdapter(decode, b.file);
    expect(await both()).toEqual(b.y);
  });

  test("which it keeps on another device", async () => {
    const session = await createSession(planOf(low), referenceDevice(), {
      weights: await base(),
      adapter: a.file,
    });
    await useAdapter(session, b.file);
    await session.restore(referenceDevice());
    expect((await session.run({ x })).y).toEqual(b.y);
  });
});

describe("what is refused or aborted changes nothing", () => {
  const opened = async () =>
    createSession(planOf(low), referenceDevice(), { weights: await base(), adapter: a.file });

  test("E431: an adapter of another base", async () => {
    const session = await opened();
    const { file } = b;
    const prints = JSON.parse(file.metadata.base!);
    const metadata = { ...file.metadata, base: JSON.stringify({ ...prints, "a.weight": "0" }) };
    const { code, details } = await refusal(() => useAdapter(session, { ...file, metadata }));
    expect([code, details.message]).toEqual([
      "E431",
      expect.stringMatching(/another base: a\.weight is not that of crafted/),
    ]);
    expect((await session.run({ x })).y).toEqual(a.y);
  });

  test("E435: another rank", async () => {
    const session = await opened();
    const other = await trained(lora({ rank: 3, alpha: 6 }), 0.2);
    expect((await refusal(() => useAdapter(session, other.file))).code).toBe("E435");
    expect((await session.run({ x })).y).toEqual(a.y);
  });

  test("E437: a file that is none", async () => {
    const session = await opened();
    const weights = await base();
    expect((await refusal(() => useAdapter(session, weights))).code).toBe("E437");
    expect((await session.run({ x })).y).toEqual(a.y);
  });

  test("an abort while it is written", async () => {
    const controller = new AbortController();
    let isWatched = false;
    const device = referenceDevice();
    const on: Device = {
      ...device,
      write(...given) {
        if (isWatched) controller.abort(new RangeError("enough"));
        return device.write(...given);
      },
    };
    const options = { weights: await base(), adapter: a.file };
    const session = await createSession(planOf(low), on, options);
    await session.run({ x });
    isWatched = true;
    await expect(useAdapter(session, b.file, { signal: controller.signal })).rejects.toThrow(
      "enough",
    );
    isWatched = false;
    expect((await session.run({ x })).y).toEqual(a.y);
  });
});

deviceTest("a GPU is asked for no pipeline and no shader module", async () => {
  const { requestGpu } = await import("../../runtime/node/gpu.ts");
  const { webgpuDevice } = await import("../../runtime/devices/webgpu.ts");
  const gpu = await requestGpu({ limits: "default" });
  const counts = { modules: 0, pipelines: 0, buffers: 0, groups: 0 };
  const names = {
    createShaderModule: "modules",
    createComputePipelineAsync: "pipelines",
    createBuffer: "buffers",
    createBindGroup: "groups",
  } as const;
  const watched = new Proxy(gpu.device, {
    get(target, name) {
      if (Object.hasOwn(names, name)) counts[names[name as keyof typeof names]]++;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const device = webgpuDevice(watched);
  const session = await createSession(planOf(low, "both", "wgsl"), device, {
    weights: await base(),
    adapter: a.file,
  });
  const first = await session.run({ x });
  expect(counts.modules).toBeGreaterThan(0);
  const before = { ...counts };
  await useAdapter(session, b.file);
  await useAdapter(session, a.file);
  expect(counts).toEqual(before);
  expect(await session.run()).toEqual(first);
  await useAdapter(session, b.file);
  expect(await session.run()).not.toEqual(first);
  await session.close();
  gpu.destroy();
});
