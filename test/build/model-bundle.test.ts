/** What a model says of its bundle: sizes, the wrapper's loader, and names in a checkpoint. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BuildRequest, build } from "../../build/build.ts";
import {
  defaultProfile,
  defineModel,
  type Init,
  input,
  type Model,
  state,
} from "../../compiler/index.ts";
import { add, matmul, mul } from "../../ops/index.ts";
import { type Bundle, openBundle } from "../../runtime/bundle/bundle.ts";
import { loadBundle } from "../../runtime/bundle/model.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { openDevice } from "../../runtime/node/index.ts";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import { buildPackage, scratchFolder } from "../support/command-line.ts";
import { deviceTest } from "../support/device.ts";

// What is built imports the package.
const folder = scratchFolder("model-bundle");
beforeAll(buildPackage);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const model = defineModel({
  name: "classes",
  dims: { batch: 1, width: 4 },
  programs: {
    first: () => ({ y: input("x", "f32", ["width"]) }),
    classify: (p) => ({ y: matmul(input("x", "f32", ["batch", 4]), p.f32("w", [4, 2])) }),
  },
  bundle: {
    sizes: { classify: { batch: [1, 8], width: [4] } },
    loader: { module: "classes-host", load: "loadClasses", type: "Classes" },
  },
  tensorNames: (names) => (names.includes("weight") ? new Map([["w", "weight"]]) : undefined),
});

let builds = 0;

/** A bundle is opened for a target. */
const anyGpu: Device = { ...referenceDevice(), target: "wgsl" };

async function built(of: Model, more: Partial<BuildRequest> = {}) {
  const out = join(folder, `built-${builds++}`);
  const report = await build({
    loaded: { model: of, file: undefined },
    out,
    programs: Object.keys(of.programs),
    dims: {},
    profiles: [{ name: "default", target: "wgsl", profile: defaultProfile }],
    onProgress: () => {},
    ...more,
  });
  return {
    report,
    programs: Object.keys(report.profiles.default!),
    weights: report.weights?.files[0],
    imported: (): Promise<{ bundle: Bundle }> =>
      import(/* @vite-ignore */ pathToFileURL(join(out, `${of.name}.mjs`)).href),
    read: (file: string) => readFileSync(join(out, file), "utf8"),
    out,
  };
}

test("a program is built for each of its sizes, under names that say them", async () => {
  const plain = defineModel({ ...model, bundle: { sizes: model.bundle!.sizes! } });
  const { programs, imported } = await built(plain);
  expect(programs).toEqual(["first", "classify-1-4", "classify-8-4"]);
  const { plans } = await imported().then(({ bundle }) => openBundle(bundle, anyGpu));
  expect(plans["classify-8-4"]!.inputs).toMatchObject([{ name: "x", dtype: "f32", shape: [8, 4] }]);
});

test("a size that is given is the only one", async () => {
  const { programs } = await built(model, { dims: { batch: 3 } });
  expect(programs).toEqual(["first", "classify-3-4"]);
});

test("the wrapper returns what the model's loader returns, as its type", async () => {
  const { read } = await built(model);
  expect(read("classes.mjs")).toContain('import { loadClasses } from "classes-host";');
  expect(read("classes.mjs")).toContain("return loadClasses(bundle, device, options);");
  const types = read("classes.d.mts");
  // The model is called as the type is.
  expect(types).toContain('import type { Classes as LoadedClasses } from "classes-host";');
  expect(types).toContain("export type Classes = LoadedClasses;");
  expect(types).toContain("Promise<Classes>");
});

deviceTest("programs of a built folder share their states, which begin as they say", async () => {
  const file = join(folder, "running.safetensors");
  const data = new Uint8Array(Float32Array.of(10, 20).buffer);
  writeFileSync(
    file,
    writeSafetensors(new Map([["old.mean", { dtype: "f32", shape: [2], data }]])),
  );
  const init: Init = { kind: "copy", from: "old.mean" };
  const running = defineModel({
    name: "running",
    programs: {
      move: () => ({ mean: add(state("mean", "f32", [2], { init }), input("x", "f32", [2])) }),
      look: () => ({ y: mul(state("mean", "f32", [2], { init, doc: "What was seen." }), 2) }),
    },
  });
  const { imported, read } = await built(running, { weights: file });
  expect(read("running.d.mts")).toContain("- `mean`, f32[2]");
  const { device } = await openDevice({ kind: "webgpu" });
  const model = await loadBundle((await imported()).bundle, device);
  const seen = async () => [...(await model.run("look", {})).y!];
  expect(await seen()).toEqual([20, 40]);
  expect(await model.run("move", { x: [1, 2] })).toEqual({});
  await model.run("move", { x: [1, 2] });
  expect(await seen()).toEqual([24, 48]);
  await model.reset("mean");
  expect(await seen()).toEqual([20, 40]);
  await model.close();
  device.destroy();
});

deviceTest(
  "states of a built folder begin as what training left in them, where weights have it",
  async () => {
    const file = join(folder, "trained.safetensors");
    const data = new Uint8Array(Float32Array.of(5, 6).buffer);
    writeFileSync(
      file,
      writeSafetensors(new Map([["state:mean", { dtype: "f32", shape: [2], data }]])),
    );
    const plain = defineModel({
      name: "plain",
      build: () => ({ y: mul(state("mean", "f32", [2]), 2) }),
    });
    const { imported } = await built(plain, { weights: file });
    const { device } = await openDevice({ kind: "webgpu" });
    const model = await loadBundle((await imported()).bundle, device);
    expect([...(await model.run("forward", {})).y!]).toEqual([10, 12]);
    await model.close();
    device.destroy();
  },
);

test("weights are found under the names that the model knows", async () => {
  const data = new Uint8Array(Float32Array.from({ length: 8 }, (_, i) => i).buffer);
  for (const name of ["w", "weight"])
    writeFileSync(
      join(folder, `${name}.safetensors`),
      writeSafetensors(new Map([[name, { dtype: "f32", shape: [4, 2], data }]]), {}),
    );
  const [own, other] = [
    await built(model, { weights: join(folder, "w.safetensors") }),
    await built(model, { weights: join(folder, "weight.safetensors") }),
  ];
  expect(own.weights).toMatch(/^weights-[0-9a-f]{12}\.safetensors$/);
  expect(other.weights).toBe(own.weights);
  expect(other.read(other.weights!)).toBe(own.read(own.weights!));
});

test.each([
  ["a program", { decode: { batch: [1] } }, 'the program "decode"', "first, classify"],
  ["a dim", { first: { rows: [1] } }, 'the dim "rows"', "batch, width"],
])("E110 for sizes of %s that the model does not have", (_, sizes, words, known) => {
  expect(() => defineModel({ ...model, bundle: { sizes } })).toThrow(
    new RegExp(`E110.*${words}.*${known}`, "s"),
  );
});
