/** Mixed precision where a device has no halves: frozen parameters are read two from a word. */
import { describe, expect, test } from "vitest";
import { compile } from "../../../compiler/compile.ts";
import {
  defaultProfile,
  defineModel,
  deviceProfile,
  input,
  type Plan,
  type Tensor,
  traceProgram,
} from "../../../compiler/index.ts";
import { show } from "../../../explain/show.ts";
import { linear } from "../../../models/layers.ts";
import { add, gelu, matmul, neg } from "../../../ops/index.ts";
import { kernelText } from "../../../runtime/devices/device.ts";
import { openDevice, requestNullGpu } from "../../../runtime/node/index.ts";
import { createSession } from "../../../runtime/session.ts";
import { floatToHalf, halfToFloat, writeSafetensors } from "../../../runtime/weights/index.ts";
import { planPrograms } from "../../../training/forecast/programs.ts";
import { randomNumbers } from "../../../verify/ops/evaluate.ts";
import { deviceTest } from "../../support/device.ts";
import { openBytes } from "../../support/weights-files.ts";

const without = { ...defaultProfile, name: "without halves", half: false };

/** A weight read by rows and by columns, a large bias, and results that would be halves if they could. */
const model = defineModel({
  name: "layers",
  build(p) {
    const x = input("x", "f32", [48, 64]);
    const wide = gelu(linear(p.at("up"), x, 64, 96)) as Tensor<"f32">;
    const narrow = matmul(wide as Tensor, p.f32("down", [96, 64]) as Tensor) as Tensor<"f32">;
    return { y: add(narrow, p.f32("offset", [48, 64])) };
  },
});

const shapes = {
  ...{ "up.weight": [96, 64], "up.bias": [96] },
  ...{ down: [96, 64], offset: [48, 64] },
} as const;

const program = () => traceProgram(model, "forward");

/** Words of the plan about each of its parameters. */
const storage = ({ parameters }: Plan) =>
  Object.fromEntries(parameters.map((p) => [p.name, [p.stored ?? p.dtype, p.bytes]]));

describe("the flag --precision mixed", () => {
  const loaded = { model, file: undefined };
  const request = { stage: "wgsl", programs: ["forward"], dims: {}, profile: without } as const;

  test("shows packed parameters, where halves cannot be written", () => {
    const kernelText = (precision?: "mixed") =>
      show(loaded, { ...request, ...(precision ? { precision } : {}) })[0]!.text;
    expect(kernelText("mixed")).toContain("unpack2x16float");
    expect(kernelText()).not.toContain("unpack2x16float");
  });

  test("forecasts what the plan takes, with halves and without", () => {
    for (const half of [false, true]) {
      const profile = { ...without, half };
      const forecast = planPrograms({
        ...{ model: loaded.model, programs: ["forward"], dims: {} },
        ...{ profile, precision: "mixed" },
      });
      const { buffers } = compile(program(), { profile, precision: "mixed" });
      const sum = (role: string) =>
        buffers.reduce((bytes, b) => bytes + (b.role === role ? b.bytes : 0), 0);
      const { weights, activations } = forecast.programs.forward!;
      expect([weights, activations]).toEqual([sum("weights"), sum("arena")]);
    }
  });
});

describe("on a device without halves", () => {
  const plan = compile(program(), { profile: without, precision: "mixed" });

  test("large frozen parameters are halves, and nothing else is", () => {
    expect(storage(plan)).toEqual({
      ...{ "up.weight": ["packed-f16", 96 * 64 * 2], "up.bias": ["f32", 96 * 4] },
      ...{ down: ["packed-f16", 96 * 64 * 2], offset: ["packed-f16", 48 * 64 * 2] },
    });
    const params = plan.kernels.flatMap((k) => k.params);
    expect(params.filter((p) => p.writes).every((p) => p.scalar === "f32")).toBe(true);
    expect([...new Set(params.map((p) => p.scalar))].sort()).toEqual(["f32", "packed-f16"]);
  });

  test("kernels read two from a word, four from two, and ask for no feature", () => {
    const text = plan.kernels.map(kernelText).join("\n");
    expect(text).toMatch(/array<vec2<u32>>/);
    expect(text).toMatch(/unpack2x16float/);
    expect(text).not.toMatch(/f16;|enable|round_half/);
  });

  test("f32 stays as it is", () => {
    const single = compile(program(), { profile: without });
    expect(single.kernels.some((k) => kernelText(k).includes("unpack2x16float"))).toBe(false);
  });

  test.each([0, 8])("Dawn accepts the text, in subgroups of %i", async (subgroup) => {
    const gpu = await requestNullGpu({ features: ["subgroups"] });
    expect(gpu.device.features.has("shader-f16")).toBe(false);
    const options = { profile: { ...without, subgroup }, precision: "mixed" } as const;
    for (const source of compile(program(), options).kernels.map(kernelText)) {
      gpu.device.pushErrorScope("validation");
      gpu.device.createShaderModule({ code: source });
      const error = await gpu.device.popErrorScope();
      expect(error?.message, source).toBe(undefined);
    }
    gpu.destroy();
  });

  deviceTest("every half is read as it is, from both places of a word", async () => {
    // Infinities and NaN are refused in weights.
    const finite = Uint16Array.from({ length: 65536 }, (_, i) => i).filter(
      (bits) => (bits & 0x7c00) !== 0x7c00,
    );
    const values = halfToFloat(finite.slice(0, -1));
    const reader = defineModel({
      name: "reader",
      build: (p) => ({ y: neg(p.f32("weight", [values.length])) }),
    });
    const { device } = await openDevice({ features: ["subgroups"] });
    const profile = deviceProfile(device.capabilities);
    expect(profile.half).toBe(false);
    const plan = compile(traceProgram(reader, "forward"), { profile, precision: "mixed" });
    expect(plan.parameters[0]).toMatchObject({
      stored: "packed-f16",
      bytes: values.length * 2 + 2,
    });
    const weights = await openBytes(bytesOf({ weight: values }, { weight: [values.length] }));
    const session = await createSession(plan, device, { weights });
    const { y } = await session.run();
    const wrong = [...values.keys()].filter((i) => y![i] !== -values[i]!);
    expect(wrong.slice(0, 9).map((i) => [values[i], y![i]])).toEqual([]);
    device.destroy();
  });

  deviceTest("layers give what singles rounded to halves give", async () => {
    const { device } = await openDevice({ features: ["subgroups"] });
    const profile = deviceProfile(device.capabilities);
    const values = Object.fromEntries(
      Object.entries(shapes).map(([name, shape], i) => {
        const size = shape.reduce((a: number, b: number) => a * b, 1);
        const numbers = Float32Array.from(randomNumbers(size, i + 1));
        return [name, size < 1024 ? numbers : halfToFloat(floatToHalf(numbers))];
      }),
    );
    const x = Float32Array.from(randomNumbers(48 * 64, 9));
    const results = [];
    for (const precision of ["f32", "mixed"] as const) {
      const weights = await openBytes(bytesOf(values, shapes));
      const compiled = compile(program(), { profile, precision });
      const session = await createSession(compiled, device, { weights });
      results.push([...(await session.run({ x })).y!]);
    }
    const [single, mixed] = results;
    const largest = Math.max(...single!.map(Math.abs));
    single!.forEach((v, i) => {
      expect(Math.abs(mixed![i]! - v)).toBeLessThanOrEqual(1e-6 * largest);
    });
    device.destroy();
  });
});

const bytesOf = (
  values: Readonly<Record<string, Float32Array>>,
  of: Readonly<Record<string, readonly number[]>>,
) =>
  writeSafetensors(
    new Map(
      Object.entries(values).map(([name, v]) => {
        const data = new Uint8Array(v.buffer as ArrayBuffer, v.byteOffset, v.byteLength);
        return [name, { dtype: "f32", shape: of[name]!, data } as const];
      }),
    ),
    {},
  );
