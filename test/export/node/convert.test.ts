/** Converting checkpoints: the same numbers in another file, under other names, in another format. */
import { createHash } from "node:crypto";
import { link, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ConvertProgress, convert } from "../../../export/node/convert.ts";
import { gaussian } from "../../../models/sam/names.ts";
import { openWeightsFile } from "../../../runtime/node/weights.ts";
import { itemBytes, type TensorData, writeSafetensors } from "../../../runtime/weights/index.ts";
import { fixturePath, readAll, refusal } from "../../support/weights-files.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "inarch-convert-"));
});
afterAll(() => rm(folder, { recursive: true }));

const path = (name: string) => join(folder, name);
const nano = fixturePath("sam_nano.pth");
const read = async (file: string) => {
  const weights = await openWeightsFile(file);
  const tensors = await readAll(weights);
  await weights.close();
  return { tensors: new Map([...tensors].sort()), metadata: weights.metadata };
};
/** Short forms, since comparing megabytes element by element takes seconds. */
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const digest = async (name: string) => sha256(await readFile(path(`${name}.safetensors`)));
const digests = (tensors: Map<string, TensorData>) =>
  [...tensors].map(
    ([name, { dtype, shape, data }]) => `${name} ${dtype} [${shape}] ${sha256(data)}`,
  );

const tensor = (dtype: TensorData["dtype"], view: ArrayBufferView): TensorData => {
  const data = Uint8Array.from(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  return { dtype, shape: [data.length / itemBytes[dtype]], data };
};

describe("a .pth becomes .safetensors", () => {
  test("with every tensor as it was, and progress to the end", async () => {
    const seen: ConvertProgress[] = [];
    const report = await convert({
      input: nano,
      output: path("nano.safetensors"),
      onProgress: (p) => seen.push(p),
    });
    expect(report).toEqual({
      output: path("nano.safetensors"),
      prefix: null,
      tensors: 202,
      bytes: (await readFile(path("nano.safetensors"))).length,
    });
    expect(digests((await read(path("nano.safetensors"))).tensors)).toEqual(
      digests((await read(nano)).tensors),
    );
    expect((await read(path("nano.safetensors"))).metadata).toEqual({ format: "pt" });
    expect(seen).toHaveLength(202);
    expect(seen.at(-1)).toMatchObject({ writtenBytes: report.bytes, totalBytes: report.bytes });
  });

  test("to Hugging Face's names and back, the same bytes", async () => {
    await convert({ input: nano, output: path("meta.safetensors") });
    await convert({ input: nano, output: path("hf.safetensors"), names: "hf" });
    await convert({
      input: path("hf.safetensors"),
      output: path("back.safetensors"),
      names: "meta",
    });
    expect((await read(path("hf.safetensors"))).tensors.size).toBe(203);
    expect(await digest("back")).toBe(await digest("meta"));
    await convert({ input: path("hf.safetensors"), output: path("same.safetensors"), names: "hf" });
    expect(await digest("same")).toBe(await digest("hf"));
  });

  test.each([
    ["f16", 2 ** -11],
    ["bf16", 2 ** -8],
  ] as const)("as %s, each value to its precision", async (dtype, precision) => {
    const output = path(`${dtype}.safetensors`);
    await convert({ input: nano, output, dtype });
    const [before, after] = [await openWeightsFile(nano), await openWeightsFile(output)];
    for (const name of before.tensors.keys()) {
      expect(after.tensors.get(name)!.dtype).toBe(dtype);
      const [a, b] = [await before.readF32(name), await after.readF32(name)];
      const worst = a.reduce(
        (worst, x, i) => Math.max(worst, Math.abs(x - b[i]!) - precision * Math.abs(x)),
        0,
      );
      // Below the normal range of f16 the error is absolute.
      expect(worst).toBeLessThanOrEqual(2 ** -25);
    }
    await before.close();
    await after.close();
  });
});

test("whole numbers and metadata stay; f64 becomes what is asked for", async () => {
  const tensors = new Map([
    ["double", tensor("f64", Float64Array.of(0.1, Number.NEGATIVE_INFINITY))],
    ["step", tensor("i64", BigInt64Array.of(2n ** 60n))],
  ]);
  await writeFile(
    path("mixed.safetensors"),
    writeSafetensors(tensors, { rank: "4", format: "flax" }),
  );
  await convert({
    input: path("mixed.safetensors"),
    output: path("single.safetensors"),
    dtype: "f32",
  });
  const { tensors: after, metadata } = await read(path("single.safetensors"));
  expect(after.get("double")).toEqual(
    tensor("f32", Float32Array.of(0.1, Number.NEGATIVE_INFINITY)),
  );
  expect(after.get("step")).toEqual(tensors.get("step"));
  expect(metadata).toEqual({ rank: "4", format: "flax" });
});

describe("what cannot be done is refused, and leaves nothing behind", () => {
  const floats = (...values: number[]) =>
    new Map([["w", tensor("f32", Float32Array.from(values))]]);
  beforeAll(async () => {
    await writeFile(path("in.safetensors"), writeSafetensors(floats(1, 70000, 3.4e38)));
    await writeFile(
      path("wide.safetensors"),
      writeSafetensors(new Map([["w", tensor("f64", Float64Array.of(1e300))]])),
    );
    const tied = new Map([
      [gaussian.hf, tensor("f32", Float32Array.of(1))],
      [gaussian.tied, tensor("f32", Float32Array.of(2))],
    ]);
    await writeFile(path("tied.safetensors"), writeSafetensors(tied));
    await symlink(path("in.safetensors"), path("symbolic.safetensors"));
    await link(path("in.safetensors"), path("hard.safetensors"));
    await mkdir(path("folder.safetensors"));
  });

  const cases: readonly [
    claim: string,
    input: string,
    output: string,
    rest: { names?: "meta" | "hf"; dtype?: "f32" | "f16" | "bf16" },
    code: string,
    words: string,
  ][] = [
    ["the input itself", "in", "in", {}, "E240", "is the input"],
    ["a symbolic link to it", "in", "symbolic", {}, "E240", "is the input"],
    ["a hard link to it", "in", "hard", {}, "E240", "is the input"],
    ["a folder", "in", "folder", {}, "E240", "folder"],
    ["a folder that is not there", "in", "none/out", {}, "E241", "ENOENT"],
    ["names for what is no SAM", "in", "out", { names: "hf" }, "E233", "of none: w"],
    ["two encodings where there is one", "tied", "out", { names: "meta" }, "E240", "differ"],
    [
      "values beyond f16",
      "in",
      "out",
      { dtype: "f16" },
      "E242",
      "element 1 is 70000, the largest f16 is 65504",
    ],
    ["values beyond bf16", "in", "out", { dtype: "bf16" }, "E242", "element 2"],
    ["values beyond f32", "wide", "out", { dtype: "f32" }, "E242", "1e+300"],
  ];
  test.each(cases)("%s", async (_, input, output, rest, code, words) => {
    const before = await readdir(folder);
    const bytes = await readFile(path(`${input}.safetensors`));
    const request = {
      input: path(`${input}.safetensors`),
      output: path(`${output}.safetensors`),
      ...rest,
    };
    const error = await refusal(() => convert(request));
    expect(error.code).toBe(code);
    expect(error.details.message).toContain(words);
    expect(await readdir(folder)).toEqual(before);
    expect(await readFile(path(`${input}.safetensors`))).toEqual(bytes);
  });

  test("an output of another kind", async () => {
    const error = await refusal(() => convert({ input: nano, output: path("out.pth") }));
    expect(error.code).toBe("E240");
    expect(error.details.message).toContain(".safetensors");
  });
});
