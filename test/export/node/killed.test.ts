/** An export whose weights lie beside it, killed at any moment, leaves a model with its own weights. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeSafetensors } from "../../../runtime/weights/index.ts";
import { buildPackage, file, node, repository, scratchFolder } from "../../support/command-line.ts";
import { killAtCall } from "../../support/kill-at.ts";
import { decodeModel } from "../../support/onnx-file.ts";

const folder = scratchFolder("killed-export");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = `
import { defineModel, input } from "inarch";
import { add } from "inarch/ops";
import { exportModel } from ${JSON.stringify(pathToFileURL(join(repository, "dist/export/node/onnx.js")).href)};
const [version, mostInside] = process.argv.slice(2);
const forward = (p) => ({ y: add(input("x", "f32", [4]), p.f32("w", [4])) });
const model = defineModel({ name: "small", programs: { ["version" + version]: forward } });
await exportModel({
  loaded: { model, file: undefined },
  ...{ program: "version" + version, dims: {}, onnx: "model.onnx", mostInside: Number(mostInside) },
  weights: ["weights-" + version + ".safetensors"],
  onProgress: () => {},
});
`;

/** Ends with 0, or with 128 where it was killed. */
const run = (version: 1 | 2, killAt?: number, mostInside = 8) =>
  node([...killAtCall(killAt), "export.js", String(version), String(mostInside)], folder);

/** Which program the file has, and the weights that it names. */
function exported() {
  const { graph } = decodeModel(readFileSync(join(folder, "model.onnx")));
  const [{ externalData }] = graph.initializer as [(typeof graph.initializer)[number]];
  const where = externalData?.find(({ key }) => key === "location")?.value ?? "";
  const bytes = Uint8Array.from(readFileSync(join(folder, where)));
  return { program: graph.name, weights: [...new Float32Array(bytes.buffer)] };
}

const whole = (version: number) => ({
  program: `version${version}`,
  weights: [1, 2, 3, 4].map((x) => x * version),
});

const outputs = () => readdirSync(folder).filter((name) => name.includes("model.onnx"));

beforeAll(async () => {
  await buildPackage();
  file(folder, "export.js", script);
  for (const version of [1, 2]) {
    const data = new Uint8Array(Float32Array.from(whole(version).weights).buffer);
    const weights = writeSafetensors(new Map([["w", { dtype: "f32", shape: [4], data }]]));
    writeFileSync(join(folder, `weights-${version}.safetensors`), weights);
  }
}, 120_000);

test("at every stage the model is the old one with its weights, or the new one with its own", async () => {
  expect(await run(1)).toMatchObject({ code: 0 });
  const { stderr } = await run(2);
  const calls = Number(/calls (\d+)/.exec(stderr)![1]);
  let there: 1 | 2 = 2;
  const found = { old: 0, new: 0 };
  for (let at = 1; at <= calls; at++) {
    const next: 1 | 2 = there === 1 ? 2 : 1;
    expect((await run(next, at)).code, `call ${at}`).toBe(128);
    const now = exported();
    expect([whole(there), whole(next)], `call ${at}`).toContainEqual(now);
    found[now.program === `version${there}` ? "old" : "new"]++;
    expect(await run(next)).toMatchObject({ code: 0 });
    expect(outputs(), `call ${at}`).toHaveLength(2);
    there = next;
  }
  expect(Math.min(found.old, found.new)).toBeGreaterThan(0);
}, 300_000);

test("one whose weights are inside leaves none beside it", async () => {
  expect(await run(1)).toMatchObject({ code: 0 });
  writeFileSync(join(folder, "model.onnx.data"), "the user's");
  expect(await run(2, undefined, 1000)).toMatchObject({ code: 0 });
  expect(outputs().sort()).toEqual(["model.onnx", "model.onnx.data"]);
});
