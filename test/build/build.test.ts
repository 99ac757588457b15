/** `inarch build`: the folder it writes, what it refuses, and the runtime that loads it alone. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build as bundle } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultProfile } from "../../compiler/index.ts";
import { openDevice, openWeightsFile, readImage } from "../../entries/node.ts";
import { floatToHalf, halfToFloat } from "../../formats/index.ts";
import { parseSamConfig, Sam } from "../../models/index.ts";
import type { PredictOptions } from "../../predict/sam.ts";
import { openBundle } from "../../runtime/bundle/bundle.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { relativeError } from "../../verify/ops/evaluate.ts";
import {
  buildPackage,
  file,
  inarch,
  installRuntime,
  node,
  repository,
  scratchFolder,
} from "../support/command-line.ts";
import { describeOnDevice } from "../support/device.ts";
import { mlp, mlpCheckpoint, mlpNumbers, mlpResult, mlpShapes } from "../support/mlp.ts";

const folder = scratchFolder("build");
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(async () => {
  await buildPackage();
  installRuntime(folder);
  writeFileSync(join(folder, "mlp.safetensors"), mlpCheckpoint());
  expect(await built("first", mlp, "--weights", "mlp.safetensors")).toMatchObject({ code: 0 });
  expect(await built("plain", mlp)).toMatchObject({ code: 0 });
});

const built = (name: string, ...args: string[]) =>
  inarch(["build", ...args, "--out", name], folder);

/** Every file below a folder, by path. */
const filesOf = (name: string) =>
  new Map(
    readdirSync(join(folder, name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path.slice(join(folder, name).length + 1), readFileSync(path, "base64")]),
  );

describe("a bundle", () => {
  test("is the same bytes every time, wherever it is built", async () => {
    expect(await built("deep/er/second", mlp, "--weights", "mlp.safetensors")).toMatchObject({
      code: 0,
    });
    const files = filesOf("first");
    expect([...files.keys()].map((path) => path.replace(/-[0-9a-f]{12}/, "-HASH"))).toEqual([
      "tiny-mlp-default-HASH.mjs",
      "tiny-mlp-subgroups-HASH.mjs",
      "tiny-mlp-wasm-HASH.mjs",
      "tiny-mlp.d.mts",
      "tiny-mlp.mjs",
      "weights-HASH.safetensors",
    ]);
    expect(filesOf("deep/er/second")).toEqual(files);
  });

  test("names no folder of the machine that built it", () => {
    for (const [path, base64] of filesOf("first"))
      expect(Buffer.from(base64, "base64").toString().includes(repository), path).toBe(false);
  });

  test("replaces an earlier one, and leaves nothing of it", async () => {
    cpSync(join(folder, "first"), join(folder, "again"), { recursive: true });
    expect(await built("again", mlp)).toMatchObject({ code: 0 });
    expect(filesOf("again")).toEqual(filesOf("plain"));
  });

  test("has the sizes that were asked for, and says what was written as JSON", async () => {
    const { stdout } = await built("sized", mlp, "--dim", "batch=7", "--json");
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ out: "sized", name: "tiny-mlp", weights: null });
    expect(Object.keys(report.profiles)).toEqual(["subgroups", "default", "wasm"]);
    expect(report.profiles.default.forward.steps).toBe(2);
    expect(report.files).toEqual([...filesOf("sized").keys()]);
    const types = readFileSync(join(folder, "sized", "tiny-mlp.d.mts"), "utf8");
    expect(types).toContain("/** f32[7, 10]: 70 numbers, row-major. */");
  });
});

describe("a bundle whose files may have 40 KiB", () => {
  test("has its weights in pieces, which are one file", async () => {
    const flags = ["--weights", "mlp.safetensors", "--split", "40KiB"];
    expect(await built("pieces", mlp, ...flags)).toMatchObject({ code: 0 });
    const pieces = [...filesOf("pieces")].filter(([path]) => path.startsWith("weights-"));
    expect(pieces.map(([path]) => path.replace(/-[0-9a-f]{12}/, ""))).toEqual([
      "weights-1-of-2.safetensors",
      "weights-2-of-2.safetensors",
    ]);
    const [whole] = [...filesOf("first")].filter(([path]) => path.startsWith("weights-"));
    const joined = Buffer.concat(pieces.map(([, base64]) => Buffer.from(base64, "base64")));
    expect(joined.toString("base64")).toBe(whole![1]);
    for (const [, base64] of filesOf("pieces"))
      expect(Buffer.from(base64, "base64").length).toBeLessThanOrEqual(40 * 1024);
    const { bundle } = await import(/* @vite-ignore */ join(folder, "pieces", "tiny-mlp.mjs"));
    const opened = await openBundle(bundle, { ...referenceDevice(), target: "wgsl" });
    const weights = await opened.openWeights();
    expect([...(await weights.readF32("up.bias"))]).toEqual(mlpNumbers["up.bias"]);
    await weights.close();
  });
});

test("weights may lie in halves: the file has half the bytes, and the runtime reads it as it is", async () => {
  const flags = ["--weights", "mlp.safetensors", "--dtype", "f16"];
  expect(await built("halves", mlp, ...flags)).toMatchObject({ code: 0 });
  const bytesOf = (name: string) =>
    [...filesOf(name)].find(([path]) => path.startsWith("weights-"))![1].length;
  expect(bytesOf("halves") / bytesOf("first")).toBeCloseTo(0.5, 1);
  const { bundle } = await import(/* @vite-ignore */ join(folder, "halves", "tiny-mlp.mjs"));
  const weights = await (
    await openBundle(bundle, { ...referenceDevice(), target: "wgsl" })
  ).openWeights();
  for (const [name, values] of Object.entries(mlpNumbers).filter(([name]) => name !== "x")) {
    const whole = Float32Array.from(values as readonly number[]);
    expect(await weights.readF32(name)).toEqual(halfToFloat(floatToHalf(whole)));
  }
  await weights.close();
});

interface Refusal {
  readonly claim: string;
  readonly prepare: (name: string) => void;
  readonly args?: readonly string[];
  readonly code: string;
  readonly says: readonly string[];
}

const weights = (of: Record<string, readonly number[]>, change?: Record<string, number>) => () =>
  writeFileSync(join(folder, "w.safetensors"), mlpCheckpoint(of, change));

const refusals: readonly Refusal[] = [
  {
    claim: "a folder that holds something else",
    prepare: (name) => file(folder, `${name}/notes.txt`, "mine"),
    code: "E600",
    says: ["the folder holds a file that is not of a bundle: notes.txt"],
  },
  {
    claim: "a bundle to which something was added",
    prepare(name) {
      cpSync(join(folder, "first"), join(folder, name), { recursive: true });
      file(folder, `${name}/mine.mjs`, "export {};");
    },
    code: "E600",
    says: ["mine.mjs"],
  },
  {
    claim: "a file in place of the folder",
    prepare: (name) => file(folder, name, ""),
    code: "E600",
    says: ["there is a file of this name"],
  },
  {
    claim: "weights that lack tensors or have other shapes: all are named",
    prepare: weights({ "up.weight": [64, 256], "up.bias": [16, 16] }),
    args: ["--weights", "w.safetensors"],
    code: "E601",
    says: [
      "2 of the model's 3 parameters do not fit",
      "up.bias is [16, 16], the model has [256]",
      "down.weight is missing",
    ],
  },
  {
    claim: "weights that are not finite",
    prepare: weights(mlpShapes, { "up.bias": Number.NaN }),
    args: ["--weights", "w.safetensors"],
    code: "E205",
    says: ["up.bias: 1 value, the first is NaN at 3"],
  },
  {
    claim: "a weight that the format of the file cannot hold",
    prepare: weights(mlpShapes, { "up.bias": 1e6 }),
    args: ["--weights", "w.safetensors", "--dtype", "f16"],
    code: "E242",
    says: ["1000000, the largest f16 is 65504", 'tensor "up.bias"', "use --dtype bf16"],
  },
  {
    claim: "a base in another format than its adapters know",
    prepare: weights(mlpShapes),
    args: ["--weights", "w.safetensors", "--adapter", "w.safetensors", "--dtype", "f16"],
    code: "E621",
    says: ["rounded to f16", "--weight-format"],
  },
  {
    claim: "modules that are longer than files may be",
    prepare: () => {},
    args: ["--split", "4KiB"],
    code: "E618",
    says: ["more than the 4096 that a file may have"],
  },
  {
    claim: "a size that is none",
    prepare: () => {},
    args: ["--split", "24MiBs"],
    code: "E503",
    says: ['--split cannot be "24MiBs"', "such as --split 24MiB"],
  },
  {
    claim: "a profile that there is not",
    prepare: () => {},
    args: ["--profiles", "default,subgroup"],
    code: "E503",
    says: ['there is no profile "subgroup"', "did you mean subgroups?"],
  },
  {
    claim: "weights that are not there",
    prepare: () => {},
    args: ["--weights", "none.safetensors"],
    code: "E200",
    says: ["none.safetensors"],
  },
];

describe("what is refused leaves the folder as it was", () => {
  test.each(refusals)("$claim", async ({ prepare, args = [], code, says }) => {
    const name = `refused-${code}-${refusals.findIndex((one) => one.prepare === prepare)}`;
    prepare(name);
    const before = readdirSync(folder, { recursive: true }).sort();
    const { code: exit, stderr } = await built(name, mlp, ...args);
    for (const words of [`error[${code}]`, ...says]) expect(stderr).toContain(words);
    expect(exit).toBe(1);
    expect(readdirSync(folder, { recursive: true }).sort()).toEqual(before);
  });
});

test("the wrapper of a bundle type-checks in a user's program, and wrong uses do not", async () => {
  file(
    folder,
    "use.ts",
    `import { openWeights, type Weights } from "inarch/runtime";
import { load } from "./plain/tiny-mlp.mjs";

export async function run(device: GPUDevice, weights: Weights) {
  const model = await load(device, { weights });
  const { y } = await model.forward({ x: new Float32Array(256) });
  const sum: number = y.reduce((a, b) => a + b, 0);
  await model.forward({ z: [] });
  await model.backward();
  await load(device);
  return { sum, openWeights };
}
`,
  );
  file(
    folder,
    "tsconfig.json",
    JSON.stringify({
      compilerOptions: {
        ...{ strict: true, noEmit: true, skipLibCheck: true, target: "es2022", types: [] },
        ...{ module: "nodenext", moduleResolution: "nodenext" },
      },
      files: ["use.ts"],
    }),
  );
  const tsc = join(repository, "node_modules", "typescript", "bin", "tsc");
  const { stdout } = await node([tsc, "-p", folder], folder);
  const errors = stdout.split("\n").filter((line) => line.startsWith("use.ts"));
  expect(errors).toEqual([
    expect.stringMatching(/^use\.ts\(8,25\): .*'z' does not exist in type 'TinyMlpForwardInputs'/),
    expect.stringMatching(/^use\.ts\(9,15\): .*'backward' does not exist on type 'TinyMlp'/),
    expect.stringMatching(/^use\.ts\(10,9\): .*Expected 2 arguments, but got 1/),
  ]);
});

test("the wrapper needs nothing but the runtime", async () => {
  const { metafile } = await bundle({
    entryPoints: [join(folder, "plain", "tiny-mlp.mjs")],
    // Modules of their own, of which a page loads one.
    external: ["./tiny-mlp-*.mjs"],
    absWorkingDir: folder,
    bundle: true,
    write: false,
    minify: true,
    metafile: true,
    format: "esm",
    // A browser: whatever asks for Node does not resolve.
    platform: "browser",
  });
  const others = Object.keys(metafile.inputs).filter(
    (path) =>
      !/^(?:plain|node_modules\/inarch\/dist\/(?:diagnostics|entries|formats|predict|runtime))\//.test(
        path,
      ),
  );
  expect(others).toEqual([]);
});

describeOnDevice("where the compiler is absent", () => {
  test("a bundle computes what the model says", async () => {
    file(folder, "x.json", JSON.stringify(mlpNumbers.x));
    file(
      folder,
      "run.js",
      `import { readFileSync } from "node:fs";
import { requestGpu } from "inarch/node";
import { load } from "./first/tiny-mlp.mjs";

const gpu = await requestGpu({ limits: "default" });
const model = await load(gpu.device);
const { y } = await model.forward({ x: JSON.parse(readFileSync("x.json", "utf8")) });
console.log(JSON.stringify([...y]));
await model.close();
gpu.destroy();
`,
    );
    const { code, stdout, stderr } = await node(["run.js"], folder);
    expect(code, stderr).toBe(0);
    expect(relativeError(JSON.parse(stdout), await mlpResult())).toBeLessThan(1e-5);
  });

  test("a bundle of a SAM makes the masks that the compiled model makes", async () => {
    const fixture = (name: string) => join(repository, "test", "fixtures", name);
    const config = ["--config", fixture("sam_nano.config.json")];
    await built("nano", "sam", ...config, "--weights", fixture("sam_nano.pth"));
    const prompt: PredictOptions & { boxes?: undefined } = {
      points: [[166, 104]],
      box: [90, 40, 230, 180],
      multimask: true,
    };
    file(
      folder,
      "segment.js",
      `import { openDevice, readImage } from "inarch/node";
import { load } from "./nano/sam.mjs";

const { device } = await openDevice({ limits: "default" });
const sam = await load(device);
await sam.setImage(await readImage(${JSON.stringify(fixture("scene.png"))}));
const { masks, scores } = await sam.predict(${JSON.stringify(prompt)});
const text = (mask) => Buffer.from(mask.data).toString("base64");
console.log(JSON.stringify({ masks: masks.map(text), scores }));
await sam.close();
device.destroy();
`,
    );
    const { code, stdout, stderr } = await node(["segment.js"], folder);
    expect(code, stderr).toBe(0);
    const { masks, scores } = JSON.parse(stdout);

    const { device } = await openDevice({ limits: "default" });
    const weights = await openWeightsFile(fixture("sam_nano.pth"));
    const sam = await Sam.load(weights, {
      device,
      profile: defaultProfile,
      config: parseSamConfig(readFileSync(fixture("sam_nano.config.json"), "utf8")),
    });
    await sam.setImage(await readImage(fixture("scene.png")));
    const expected = await sam.predict(prompt);
    expect(expected.masks.some(({ data }) => data.includes(1))).toBe(true);
    expect(masks).toEqual(expected.masks.map(({ data }) => Buffer.from(data).toString("base64")));
    expect(relativeError(scores, expected.scores)).toBeLessThan(1e-6);
    await sam.close();
    await weights.close();
    device.destroy();
    // A software device compiles the kernels of two programs first.
  });
});
