/** Mixed precision: what becomes halves, how they round, and what a SAM loses by it. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compile } from "../../../compiler/compile.ts";
import { gradient } from "../../../compiler/grad/backward.ts";
import { type Graph, graphOf } from "../../../compiler/graph/graph.ts";
import {
  defaultProfile,
  defineModel,
  deviceProfile,
  input,
  type Plan,
  traceProgram,
} from "../../../compiler/index.ts";
import { parseSamConfig } from "../../../models/sam/config.ts";
import { samModel } from "../../../models/sam/program.ts";
import { full, matmul, neg } from "../../../ops/index.ts";
import { type Device, kernelText } from "../../../runtime/devices/device.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { openDevice, openWeightsFile, requestNullGpu } from "../../../runtime/node/index.ts";
import { createSession } from "../../../runtime/session.ts";
import { floatToHalf, halfToFloat, writeSafetensors } from "../../../runtime/weights/index.ts";
import { relativeError } from "../../../verify/ops/evaluate.ts";
import { deviceTest } from "../../support/device.ts";
import { fixture } from "../../support/fixtures.ts";
import { transformerStack } from "../../support/gradient-stack.ts";
import { compileCuda } from "../../support/nvcc.ts";
import { fixturePath, openBytes, refusal } from "../../support/weights-files.ts";

const compiled = (graph: Graph, device: Device) =>
  compile(graph, {
    target: device.target,
    profile: { ...defaultProfile, half: device.capabilities.half },
    policy: "unfused",
    precision: "mixed",
  });

/** Every half, what lies between two of them, and what is beyond all. */
function hardNumbers(): Float32Array<ArrayBuffer> {
  const halves = halfToFloat(Uint16Array.from({ length: 65536 }, (_, i) => i));
  const ulps = [2 ** -12, 2 ** -11, 2 ** -11 * (1 + 2 ** -10), -(2 ** -12)];
  const between = ulps.flatMap((part, i) =>
    Array.from(
      halves.subarray(0, 0x7c00).filter((_, j) => j % 7 === i),
      (x) => x * (1 + part),
    ),
  );
  const beyond = [65504, 65519.99, 65520, -65520, 65536, 1e6, -3e38];
  return Float32Array.from([...halves, ...between, ...beyond]);
}

async function storesHalves(device: Device) {
  const values = hardNumbers();
  const x = input("x", "f32", [values.length]);
  const graph = graphOf([{ name: "y", tensor: neg(neg(x)) }]);
  const plan = compiled(graph, device);
  expect(plan.kernels.map((k) => k.params.map((p) => p.scalar))).toEqual([
    ["f16", "f32"],
    ["f32", "f16"],
  ]);
  const session = await createSession(plan, device);
  const { y } = await session.run({ x: values });
  const expected = halfToFloat(floatToHalf(values));
  const wrong = [...expected.keys()].filter((i) => !Object.is(y![i], expected[i]));
  expect(wrong.slice(0, 9).map((i) => [values[i], y![i], expected[i]])).toEqual([]);
}

describe("a half that a kernel stores is the nearest, ties to even, beyond 65520 infinite", () => {
  test("on the reference device", () => storesHalves(referenceDevice()));

  deviceTest("on the device", async () => {
    const { device } = await openDevice({ kind: "webgpu" });
    await storesHalves(device);
    device.destroy();
  });
});

/** Two blocks of a transformer, forward and backward, with enough tokens for large statistics. */
function stackGraph(tokens: number): Graph {
  const shape = { blocks: 2, tokens, width: 32, heads: 2, adapted: () => true };
  const { loss, trained } = transformerStack(shape);
  const gradients = gradient([loss], [full(1, [])], trained);
  return graphOf(
    gradients.map((g, i) => ({ name: `g${i}`, tensor: g! })),
    "as written",
  );
}

const arenaBytes = ({ buffers }: Plan) =>
  buffers.reduce((sum, b) => sum + (b.role === "arena" ? b.bytes : 0), 0);

describe("in mixed precision", () => {
  test("large results are halves; statistics, thin products and small tensors are not", () => {
    const plan = compile(stackGraph(512), { target: "reference", precision: "mixed" });
    const written = plan.steps
      .flatMap(({ kernel }) => plan.kernels[kernel]!.params)
      .filter((p) => p.writes);
    const sizesOf = (scalar: string) =>
      [...new Set(written.filter((p) => p.scalar === scalar).map((p) => p.size))].sort(
        (a, b) => a - b,
      );
    // Tokens times the width, thrice and four times it; no row sums of attention or of norms.
    expect(sizesOf("f16")).toEqual([512 * 32, 512 * 96, 512 * 128]);
    expect(sizesOf("f32")).toEqual(expect.arrayContaining([512 * 2]));
  });

  test("tensors of fewer elements are halves where that is asked for", () => {
    const graph = graphOf([{ name: "y", tensor: neg(neg(input("x", "f32", [3]))) }]);
    const stored = (halveFrom?: number) =>
      compile(graph, {
        ...{ target: "reference", policy: "unfused", precision: "mixed" },
        ...(halveFrom === undefined ? {} : { halveFrom }),
      }).kernels.map((k) => k.params.map((p) => p.scalar));
    expect(new Set(stored().flat())).toEqual(new Set(["f32"]));
    expect(stored(3)).toEqual([
      ["f16", "f32"],
      ["f32", "f16"],
    ]);
    expect(stored(4)).toEqual(stored());
  });

  test("arenas are about half as large", () => {
    const [single, mixed] = (["f32", "mixed"] as const).map((precision) =>
      arenaBytes(compile(stackGraph(64), { target: "reference", precision })),
    );
    expect(mixed! / single!).toBeLessThan(0.55);
  });

  test("weights arrive as halves, whatever pieces they come in", async () => {
    const [size, name] = [33 * 35, "weight"];
    const values = Float32Array.from({ length: size }, (_, i) => Math.sin(i) * 3);
    const model = defineModel({
      name: "sum",
      build: (p) => ({ y: neg(p.f32(name, [33, 35])) }),
    });
    const plan = compile(traceProgram(model, "forward"), {
      target: "reference",
      precision: "mixed",
    });
    expect(plan.parameters[0]).toMatchObject({ dtype: "f32", stored: "f16", bytes: 2 * size + 2 });
    const whole = await openBytes(
      writeSafetensors(
        new Map([
          [name, { dtype: "f32", shape: [33, 35], data: new Uint8Array(values.buffer) } as const],
        ]),
        {},
      ),
    );
    for (const bytes of [undefined, 4 * 101]) {
      const weights = { ...whole, chunks: (of: string) => whole.chunks(of, bytes) };
      const session = await createSession(plan, referenceDevice(), { weights });
      const { y } = await session.run();
      expect([...y!]).toEqual([...halfToFloat(floatToHalf(values))].map((v) => -v));
    }
  });

  deviceTest("a small SAM encodes an image nearly as the reference does", async () => {
    const config = parseSamConfig(readFileSync(fixturePath("sam_nano.config.json"), "utf8"));
    const graph = traceProgram(samModel(config), "encode");
    const { device } = await openDevice({ kind: "webgpu" });
    const profile = deviceProfile(device.capabilities);
    const weights = await openWeightsFile(fixturePath("sam_nano.pth"));
    const { tensors } = fixture("sam_nano.safetensors");
    const first = (name: string) => {
      const { data } = tensors.get(name)! as { data: Float32Array<ArrayBuffer> };
      return data.slice(0, data.length / 2);
    };
    const single = compile(graph, { profile });
    const mixed = compile(graph, { profile, precision: "mixed" });
    const session = await createSession(mixed, device, { weights });
    const { embedding } = await session.run({ image: first("image_normalized") });
    const error = relativeError(embedding!, first("encoder.output"));
    expect(error).toBeLessThan(2e-3);
    expect(error).toBeGreaterThan(1e-5);
    const weightBytes = ({ buffers }: Plan) => buffers.find((b) => b.role === "weights")!.bytes;
    expect(weightBytes(mixed) / weightBytes(single)).toBeLessThan(0.52);
    // Both arenas are as small as can be; in so small a model much is too small to be halved.
    expect(arenaBytes(mixed) / arenaBytes(single)).toBeLessThan(0.6);
    expect(arenaBytes(mixed)).toBe(mixed.arenaLowerBound);
    await weights.close();
    device.destroy();
  });
});

describe("text", () => {
  const [size, names] = [64, ["x", "w"]];
  const [x, w] = names.map((name) => input(name, "f32", [size, size]));
  const product = graphOf([{ name: "y", tensor: neg(matmul(neg(x!), neg(w!))) }]);

  test.each([0, 8])("Dawn accepts halves, in subgroups of %i", async (subgroup) => {
    const profile = { ...defaultProfile, half: true, subgroup };
    const plan = compile(stackGraph(64), { profile, precision: "mixed" });
    const gpu = await requestNullGpu();
    for (const kernel of plan.kernels) {
      const [source, name] = [kernelText(kernel), kernel.name];
      gpu.device.pushErrorScope("validation");
      gpu.device.createShaderModule({ code: source });
      const error = await gpu.device.popErrorScope();
      expect(error?.message, `${name}\n${source}`).toBe(undefined);
    }
    expect(plan.kernels.some((k) => kernelText(k).includes("array<vec4<f16>>"))).toBe(true);
    gpu.destroy();
  });

  test("nvcc accepts halves, for sm_80 and sm_90", () => {
    const plan = compile(product, { target: "cuda", policy: "unfused", precision: "mixed" });
    const widening = plan.kernels.filter((k) => kernelText(k).includes("widen_half("));
    expect(widening.length).toBeGreaterThan(1);
    compileCuda(plan);
  });
});

describe("refused", () => {
  deviceTest("E152: halves on a device that was opened without them", async () => {
    const profile = { ...defaultProfile, half: true };
    const x = input("x", "f32", [2048]);
    const graph = graphOf([{ name: "y", tensor: neg(neg(x)) }]);
    const plan = compile(graph, { profile, policy: "unfused", precision: "mixed" });
    const { device } = await openDevice({ features: [] });
    expect(deviceProfile(device.capabilities).half).toBe(false);
    const { code, details } = await refusal(() => createSession(plan, device));
    expect([code, details.message]).toEqual([
      "E152",
      "kernel neg of program has numbers in f16, which the device lacks",
    ]);
    device.destroy();
  });

  test("E150: mixed precision for a device without halves", async () => {
    const { code, details } = await refusal(() =>
      compile(stackGraph(64), { precision: "mixed", profile: defaultProfile }),
    );
    expect([code, details.message]).toEqual([
      "E150",
      'precision "mixed" stores f16, which the profile "default" cannot write',
    ]);
  });
});
