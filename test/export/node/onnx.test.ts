/** ONNX files: where weights come from and go, and what is refused. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { adapt, defineModel, input } from "../../../compiler/index.ts";
import { exportModel } from "../../../export/node/onnx.ts";
import { add, matmul } from "../../../ops/index.ts";
import { writeSafetensors } from "../../../runtime/weights/index.ts";
import { decodeModel } from "../../support/onnx-file.ts";
import { refusal } from "../../support/weights-files.ts";
import { evaluateOnnx } from "../onnx/evaluate.ts";
import { findRuntime, missing, runModel } from "../onnx/runtime.ts";

const folder = mkdtempSync(join(tmpdir(), "inarch-onnx-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const runtime = findRuntime();
if (!runtime) console.warn(`${missing}: the exported file is not run in ONNX Runtime`);

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

  test("E436: a file that does not say what the adapter was made with", async () => {
    const silent = { name: "own", grafts: {}, settings: { alpha: 2 }, assumed: ["alpha"] };
    const loaded = { model: adapt(model, silent), file: undefined };
    const asked = { ...request("no.onnx", [base, adapter]), loaded };
    const { code, details } = await refusal(() => exportModel(asked));
    expect([code, details.where]).toEqual(["E436", `${base}, ${adapter}`]);
  });

  test.each<[string, Record<string, string>]>([
    ["an adapter's file of the first version", { kind: "inarch adapter", base: "{}" }],
    ["a file of which nothing is read", {}],
  ])("E803 for %s", async (claim, about) => {
    const some = { dtype: "f32", shape: [1], data: new Uint8Array(4) } as const;
    const own = new Map([["own.lora_A", some]]);
    if ("kind" in about) own.set("bias", { ...some, shape: [2], data: new Uint8Array(8) } as never);
    const path = join(folder, `${claim.length}.safetensors`);
    writeFileSync(path, writeSafetensors(own, about));
    const { code, details } = await refusal(() => exportModel(request("no.onnx", [base, path])));
    expect([code, details.where, details.message]).toEqual([
      "E803",
      path,
      `the program reads no own.lora_A, nor does ${base} have it`,
    ]);
  });

  test("that are too large go to a file beside the model", async () => {
    const report = await exportModel(request("large.onnx", [base, adapter], 8));
    expect(report).toMatchObject({ parameters: 2, data: { bytes: 24 } });
    const { file } = report.data!;
    const name = basename(file);
    expect(name).toMatch(/^large\.onnx\.[0-9a-f]{12}\.data$/);
    expect([...new Float32Array(Uint8Array.from(readFileSync(file)).buffer)]).toEqual([
      1, 2, 3, 4, 10, 20,
    ]);
    const { initializer } = decodeModel(readFileSync(join(folder, "large.onnx"))).graph;
    const places = initializer.map(({ externalData }) => externalData!.map(({ value }) => value));
    expect(places).toEqual([
      [name, "0", "16"],
      [name, "16", "8"],
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
