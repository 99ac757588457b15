/** `inarch export`: the file it writes, and what it refuses. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { evaluateOnnx } from "../export/onnx/evaluate.ts";
import { findRuntime, missing, runModel } from "../export/onnx/runtime.ts";
import { buildPackage, inarch, scratchFolder } from "../support/command-line.ts";
import { fixture } from "../support/fixtures.ts";
import { decodeModel } from "../support/onnx-file.ts";
import { fixturePath } from "../support/weights-files.ts";

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
