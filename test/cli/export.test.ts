/** `inarch export`: the file it writes, where weights come from and go, what it refuses. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exportModel } from "../../cli/export.ts";
import { adapt, defineModel, input } from "../../compiler/index.ts";
import { add, matmul } from "../../ops/index.ts";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import { evaluateOnnx } from "../export/onnx/evaluate.ts";
import { findRuntime, missing, runModel } from "../export/onnx/runtime.ts";
import { buildPackage, inarch, scratchFolder } from "../support/command-line.ts";
import { fixture } from "../support/fixtures.ts";
import { decodeModel } from "../support/onnx-file.ts";
import { fixturePath, refusal } from "../support/weights-files.ts";

const folder = scratchFolder("export");
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(buildPackage);

const runtime = findRuntime();
if (!runtime) console.warn(`${missing}: the exported file is not run in ONNX Runtime`);

const nano = ["export", "sam", "--config", fixturePath("sam_nano.config.json")];
const nanoWeights = ["--weights", fixturePath("sam_nano.pth")];

describe("inarch export", () => {
  test("of a SAM's encoder computes what PyTorch does", async () => {
    const args = [...nano, ...nanoWeights, "--program", "encode", "--onnx", "nano.onnx"];
    const { code, stdout } = await inarch(args, folder);
    expect([code, stdout.replace(/[\d.]+ KiB/, "SIZE")]).toEqual([
      0,
      "nano.onnx: program encode, 65 parameters, SIZE\n",
    ]);
    const { tensors } = fixture("sam_nano.safetensors");
    const first = (name: string) => {
      const { shape, data } = tensors.get(name)!;
      return (data as Float32Array).subarray(0, data.length / shape[0]!);
    };
    const bytes = readFileSync(join(folder, "nano.onnx"));
    const image = first("image_normalized");
    const wanted = first("encoder.output");
    const furthest = (got: readonly number[]) =>
      wanted.reduce((most, v, i) => Math.max(most, Math.abs(v - got[i]!)), 0);
    expect(furthest(evaluateOnnx(bytes, { image }).embedding!)).toBeLessThan(1e-5);
    if (!runtime) return;
    const inputs = [{ name: "image", type: { dtype: "f32", shape: [1, 3, 128, 128] } }] as const;
    const { embedding } = await runModel(runtime, bytes, inputs, { image });
    expect(furthest(embedding!)).toBeLessThan(1e-4);
  });

  test("--weights-as-inputs needs no weights; --json tells what was written", async () => {
    const args = ["--weights-as-inputs", "--program", "decode", "--json", "--onnx", "look.onnx"];
    const { code, stdout } = await inarch([...nano, ...args], folder);
    const bytes = readFileSync(join(folder, "look.onnx"));
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      {
        onnx: "look.onnx",
        program: "decode",
        parameters: 137,
        bytes: bytes.length,
        data: null,
      },
    ]);
    const names = decodeModel(bytes).graph.input.map(({ name }) => name);
    expect(names).toContain("points");
    expect(names).toContain("mask_decoder.iou_token.weight");
  });

  test.each<[string, string[], string]>([
    ["E502", [...nanoWeights], "an ONNX file holds one program, and sam has encode, decode"],
    ["E502", ["--program", "encode"], "inarch export needs --weights"],
    ["E111", [...nanoWeights, "--program", "encod"], "did you mean encode?"],
  ])("%s for %j", async (code, args, words) => {
    const outcome = await inarch([...nano, ...args, "--onnx", "none.onnx"], folder);
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toContain(`error[${code}]`);
    expect(outcome.stderr).toContain(words);
  });
});

describe("weights", () => {
  const model = defineModel({
    name: "layer",
    build: (p) => ({
      y: add(matmul(input("x", "f32", [1, 2]), p.f32("weight", [2, 2])), p.f32("bias", [2])),
    }),
  });
  const write = (name: string, tensors: Record<string, readonly number[]>) => {
    const entries = Object.entries(tensors).map(([key, values]) => {
      const data = new Uint8Array(Float32Array.from(values).buffer);
      const shape = values.length === 4 ? [2, 2] : [values.length];
      return [key, { dtype: "f32", shape, data }] as const;
    });
    const path = join(folder, name);
    writeFileSync(path, writeSafetensors(new Map(entries)));
    return path;
  };
  const base = write("base.safetensors", { weight: [1, 2, 3, 4], bias: [0, 0] });
  const adapter = write("adapter.safetensors", { bias: [10, 20] });
  const request = (name: string, weights: readonly string[], mostInside = 2 ** 30) => ({
    loaded: { model, file: undefined },
    program: "forward",
    dims: {},
    weights,
    onnx: join(folder, name),
    mostInside,
    onProgress: () => {},
  });

  test("of two files the later one counts", async () => {
    await exportModel(request("both.onnx", [base, adapter]));
    const bytes = readFileSync(join(folder, "both.onnx"));
    expect(evaluateOnnx(bytes, { x: [1, 1] })).toEqual({ y: [14, 26] });
  });

  test("E435: an adapter's file of other settings", async () => {
    const own = adapt(model, { name: "own", grafts: {}, settings: { alpha: 2 } });
    const adapters = JSON.stringify([{ name: "own", settings: { alpha: 6 }, places: [] }]);
    const about = { kind: "inarch adapter", format: "2", base: "{}", adapters };
    const path = join(folder, "settings.safetensors");
    writeFileSync(path, writeSafetensors(new Map(), about));
    const asked = { ...request("no.onnx", [base, path]), loaded: { model: own, file: undefined } };
    const { code, details } = await refusal(() => exportModel(asked));
    expect([code, details.message, details.where]).toEqual([
      "E435",
      "own was trained with { alpha: 6 }, but here it has { alpha: 2 }",
      path,
    ]);
  });

  test("that are too large go to a file beside the model", async () => {
    const report = await exportModel(request("large.onnx", [base, adapter], 8));
    const file = join(folder, "large.onnx.data");
    expect(report).toMatchObject({ parameters: 2, data: { file, bytes: 24 } });
    expect([...new Float32Array(Uint8Array.from(readFileSync(file)).buffer)]).toEqual([
      1, 2, 3, 4, 10, 20,
    ]);
    const { initializer } = decodeModel(readFileSync(join(folder, "large.onnx"))).graph;
    const places = initializer.map(({ externalData }) => externalData!.map(({ value }) => value));
    expect(places).toEqual([
      ["large.onnx.data", "0", "16"],
      ["large.onnx.data", "16", "8"],
    ]);
    if (!runtime) return;
    const x = { name: "x", type: { dtype: "f32", shape: [1, 2] } } as const;
    const { y } = await runModel(runtime, join(folder, "large.onnx"), [x], { x: [1, 1] });
    expect(y).toEqual([14, 26]);
  });

  test("E803 names those that are missing", async () => {
    const { code, details } = await refusal(() => exportModel(request("no.onnx", [adapter])));
    expect([code, details.where]).toEqual(["E803", adapter]);
    expect(details.message).toContain("1 of the 2 parameters");
    expect(details.message).toContain("weight is missing");
  });

  test("E205 for a NaN", async () => {
    const broken = write("nan.safetensors", { weight: [1, Number.NaN, 3, 4] });
    const { code } = await refusal(() => exportModel(request("no.onnx", [base, broken])));
    expect(code).toBe("E205");
  });

  test("E503 where the output would replace them", async () => {
    const { code } = await refusal(() => exportModel(request("base.safetensors", [base])));
    expect(code).toBe("E503");
  });
});
