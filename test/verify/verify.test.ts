/** `verify` passes what is right, fails what is not, and says what it cannot check. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openWeightsFile } from "../../runtime/node/weights.ts";
import { type TensorData, writeSafetensors } from "../../runtime/weights/index.ts";
import { compare, compareMasks } from "../../verify/compare.ts";
import { verify } from "../../verify/verify.ts";
import { deviceTest } from "../support/device.ts";
import { fixturePath, readAll, refusal } from "../support/weights-files.ts";

const folder = mkdtempSync(join(tmpdir(), "inarch-verify-"));

let changes = 0;

/** A copy of a fixture with other tensors or metadata. */
async function changed(
  file: string,
  change: (tensors: Map<string, TensorData>, metadata: Record<string, string>) => void,
): Promise<string> {
  const weights = await openWeightsFile(fixturePath(file));
  const [tensors, metadata] = [await readAll(weights), { ...weights.metadata }];
  await weights.close();
  change(tensors, metadata);
  const path = join(folder, `changed-${changes++}.safetensors`);
  writeFileSync(path, writeSafetensors(tensors, metadata));
  return path;
}

const resample = fixturePath("resample.safetensors");

describe("on the reference device", () => {
  test("every case of the resample file is right, with its gradient", async () => {
    const report = await verify({ files: [resample], device: "reference" });
    const [{ checks, unread }] = report.files as [(typeof report.files)[0]];
    expect(checks.filter((check) => !check.passed)).toEqual([]);
    expect(checks.length).toBe(16);
    expect(unread).toEqual([]);
    expect(report.passed).toBe(true);
  });

  test("a number that is wrong fails its own line", async () => {
    const file = await changed("resample.safetensors", (tensors) => {
      new Float32Array(tensors.get("nearest/y")!.data.buffer)[7]! += 0.01;
    });
    const report = await verify({ files: [file], device: "reference" });
    expect(report.passed).toBe(false);
    const failed = report.files[0]!.checks.filter((check) => !check.passed);
    expect(failed.map((check) => check.name)).toEqual(["nearest/y"]);
  });

  test("cases of other sizes and without gradients are checked too", async () => {
    const ramp = (values: readonly number[], shape: readonly number[]): TensorData => {
      return { dtype: "f32", shape, data: new Uint8Array(Float32Array.from(values).buffer) };
    };
    const path = join(folder, "halves.safetensors");
    const cases = { half: { scale_factor: 0.5, mode: "nearest" } };
    writeFileSync(
      path,
      writeSafetensors(
        new Map([
          ["half/x", ramp([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 2, 4])],
          ["half/y", ramp([1, 3], [1, 1, 1, 2])],
        ]),
        { kind: "resample", cases: JSON.stringify(cases) },
      ),
    );
    const report = await verify({ files: [path], device: "reference" });
    expect(report.files[0]!.checks).toMatchObject([{ name: "half/y", passed: true }]);
  });

  test("what nothing is compared with is named", async () => {
    const file = await changed("resample.safetensors", (tensors) => {
      tensors.set("extra", { dtype: "f32", shape: [1], data: new Uint8Array(4) });
    });
    const report = await verify({ files: [file], device: "reference" });
    expect(report.files[0]!.unread).toEqual(["extra"]);
  });

  test.each<[string, string, Parameters<typeof changed>[1]]>([
    [
      "E360",
      'of the kind "loose_metrics"',
      (_, meta) => Object.assign(meta, { kind: "loose_metrics" }),
    ],
    ["E360", "does not say", (_, metadata) => Reflect.deleteProperty(metadata, "kind")],
    ["E361", 'no tensor "nearest/x"', (tensors) => tensors.delete("nearest/x")],
    ["E361", "is no JSON", (_, metadata) => Object.assign(metadata, { cases: "{" })],
    ["E361", 'has no "cases"', (_, metadata) => Reflect.deleteProperty(metadata, "cases")],
    [
      "E361",
      'the mode "area"',
      (_, metadata) =>
        Object.assign(metadata, { cases: '{"nearest":{"size":[2,2],"mode":"area"}}' }),
    ],
    [
      "E361",
      "the argument antialias",
      (_, metadata) => Object.assign(metadata, { cases: '{"nearest":{"antialias":true}}' }),
    ],
  ])("%s for a file %s", async (code, words, change) => {
    const file = await changed("resample.safetensors", change);
    const error = await refusal(() => verify({ files: [file], device: "reference" }));
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
  });

  test.each<[string, string, Parameters<typeof changed>[1]]>([
    [
      "E361",
      "not a file beside it",
      (_, metadata) => Object.assign(metadata, { weights: "../x.pth" }),
    ],
    ["E200", "not beside it", (_, metadata) => Object.assign(metadata, { weights: "gone.pth" })],
  ])("%s for a SAM whose weights are %s", async (code, words, change) => {
    const file = await changed("sam_nano.safetensors", change);
    const error = await refusal(() => verify({ files: [file], device: "reference" }));
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
  });
});

describe("comparison", () => {
  test.each<[string, number[], number[], boolean]>([
    ["equal numbers pass", [1, 2], [1, 2], true],
    ["a relative error below the tolerance passes", [1.00005, 2], [1, 2], true],
    ["one above it does not", [1.001, 2], [1, 2], false],
    ["a reference of zero leaves the floor", [1e-8, 0], [0, 0], true],
    ["and no more than the floor", [1e-6, 0], [0, 0], false],
    ["NaN never passes", [Number.NaN, 2], [1, 2], false],
    ["nor does another number of values", [1], [1, 2], false],
    ["nothing equals nothing", [], [], true],
  ])("%s", (_claim, mine, reference, passed) => {
    expect(compare("x", mine, reference, { relative: 1e-4 }).passed).toBe(passed);
  });

  test("masks are judged by the worst of them", () => {
    const masks = [
      [1, 1, 0, 0],
      [0, 0, 0, 0],
    ].map((mask) => Uint8Array.from(mask));
    expect(compareMasks("m", masks, masks, 0.999).passed).toBe(true);
    const other = [Uint8Array.of(1, 0, 0, 0), masks[1]!];
    expect(compareMasks("m", other, masks, 0.999)).toMatchObject({
      found: "IoU 0.50000",
      passed: false,
    });
  });
});

deviceTest("the small SAM's reference files pass on a device, masks included", async () => {
  const files = ["sam_nano.safetensors", "sam_nano_padded.safetensors"].map(fixturePath);
  const report = await verify({ files, device: "webgpu" });
  const all = report.files.flatMap(({ checks }) => checks);
  expect(all.filter((check) => !check.passed)).toEqual([]);
  expect(all.length).toBe(69);
  expect(report.files.flatMap(({ unread }) => unread)).toEqual([]);
  expect(all.filter(({ found }) => found.startsWith("IoU")).length).toBe(2);
});
