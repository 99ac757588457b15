/** Files: positioned reads, and checkpoints in several files. */
import { mkdtemp, open, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fileSource } from "../../../runtime/node/files.ts";
import { openWeightsFile } from "../../../runtime/node/weights.ts";
import {
  blobSource,
  bytesSource,
  openWeights,
  writeSafetensors,
} from "../../../runtime/weights/index.ts";
import { allocate } from "../../../runtime/weights/source.ts";
import { readAll, refusal } from "../../support/weights-files.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "inarch-weights-"));
});
afterAll(() => rm(folder, { recursive: true }));

const floats = (...values: number[]) => ({
  dtype: "f32" as const,
  shape: [values.length],
  data: new Uint8Array(Float32Array.from(values).buffer),
});
const file = writeSafetensors(new Map([["w", floats(1, 2, 3)]]));

describe("sources of bytes", () => {
  test("bytes, a blob and a file read the same", async () => {
    const path = join(folder, "same.safetensors");
    await writeFile(path, file);
    const blob = new Blob([file]);
    for (const source of [bytesSource("b", file), blobSource("b", blob), await fileSource(path)]) {
      expect(source.size).toBe(file.length);
      expect(await source.read(8, 5)).toEqual(file.slice(8, 13));
      expect((await refusal(() => source.read(file.length - 1, 2))).code).toBe("E202");
      const weights = await openWeights(source);
      expect([...(await weights.readF32("w"))]).toEqual([1, 2, 3]);
      await weights.close();
    }
  });

  test("bytes beyond 4 GiB are read where they are", async () => {
    const path = join(folder, "sparse");
    const handle = await open(path, "w");
    const offset = 2 ** 32 + 12345;
    await handle.write(Uint8Array.of(1, 2, 3), 0, 3, offset);
    await handle.close();
    const source = await fileSource(path);
    expect(source.size).toBe(offset + 3);
    expect([...(await source.read(offset - 1, 4))]).toEqual([0, 1, 2, 3]);
    await source.close?.();
    await rm(path);
  });

  test("a file that shrinks while it is read is an error, not zeros", async () => {
    const path = join(folder, "shrinking");
    await writeFile(path, file);
    const source = await fileSource(path);
    await truncate(path, 10);
    expect((await refusal(() => source.read(0, file.length))).code).toBe("E202");
    await source.close?.();
  });

  test("memory that cannot be had is an error with a number", async () => {
    const error = await refusal(() => allocate(2 ** 52, "huge"));
    expect([error.code, error.kind]).toEqual(["E203", "environment"]);
    expect(error.details.message).toContain(String(2 ** 52));
  });
});

describe("a path that cannot be read is explained", () => {
  test.each([
    ["nothing there", "none.pth", "no such file"],
    ["below a file", "plain/none.pth", "no such file"],
    ["a folder", ".", "a directory"],
  ])("%s", async (_, path, words) => {
    await writeFile(join(folder, "plain"), "");
    const error = await refusal(() => openWeightsFile(join(folder, path)));
    expect(error.code).toBe("E200");
    expect(error.details.message).toContain(words);
  });

  test("a name that is too long for the system", async () => {
    const error = await refusal(() => fileSource(join(folder, "x".repeat(5000))));
    expect([error.code, error.kind]).toEqual(["E201", "environment"]);
    expect(error.details.message).toContain("ENAMETOOLONG");
  });
});

describe("a checkpoint in several files", () => {
  const index = (value: unknown) =>
    writeFile(
      join(folder, "m.safetensors.index.json"),
      typeof value === "string" ? value : JSON.stringify(value),
    );
  const path = () => join(folder, "m.safetensors.index.json");
  const map = { a: "m-1.safetensors", b: "m-2.safetensors", c: "m-2.safetensors" };
  beforeAll(async () => {
    await writeFile(join(folder, "m-1.safetensors"), writeSafetensors(new Map([["a", floats(1)]])));
    const second = new Map([
      ["b", floats(2, 3)],
      ["c", floats()],
    ]);
    await writeFile(join(folder, "m-2.safetensors"), writeSafetensors(second));
  });

  test("reads as one", async () => {
    await index({ metadata: { total_size: 12, made: "here", parts: 2 }, weight_map: map });
    const weights = await openWeightsFile(path());
    expect(weights.metadata).toEqual({ made: "here", parts: "2" });
    expect([...(await readAll(weights)).keys()]).toEqual(["a", "b", "c"]);
    expect([...(await weights.readF32("b"))]).toEqual([2, 3]);
    expect(weights.files).toHaveLength(3);
    await weights.close();
  });

  const cases: readonly [claim: string, value: unknown, words: string][] = [
    [
      "missing files",
      { weight_map: { ...map, d: "m-3.safetensors", e: "m-4.safetensors" } },
      "m-3.safetensors, m-4.safetensors",
    ],
    [
      "a tensor that is not where it should be",
      { weight_map: { ...map, d: "m-1.safetensors" } },
      '"d" is not in m-1',
    ],
    ["a tensor that the index does not know", { weight_map: { a: map.a, b: map.b } }, '"c" of m-2'],
    ["a file elsewhere", { weight_map: { a: "../m-1.safetensors" } }, "not a file beside it"],
    ["a file that is no name", { weight_map: { a: 3 } }, "not a file beside it"],
    ["no map", { image_size: 1024 }, "no weight_map"],
    ["no JSON", "{", "not JSON"],
  ];
  test.each(cases)("%s", async (_, value, words) => {
    await index(value);
    const error = await refusal(() => openWeightsFile(path()));
    expect(error.code).toBe("E215");
    expect(error.details.message).toContain(words);
  });

  test("a damaged file is named", async () => {
    await writeFile(join(folder, "m-3.safetensors"), "{}");
    await index({ weight_map: { ...map, d: "m-3.safetensors" } });
    const error = await refusal(() => openWeightsFile(path()));
    expect(error.details.where).toContain("m-3.safetensors");
  });
});
