/** `inarch build --adapter`: a base and several adapters in one bundle, between which a model changes as it runs. */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildAdapters, writeAdapters } from "../support/adapters-built.ts";
import {
  buildPackage,
  file,
  inarch,
  installRuntime,
  node,
  scratchFolder,
} from "../support/command-line.ts";
import { x } from "../support/two-adapters.ts";

const folder = scratchFolder("adapters");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let wanted: Awaited<ReturnType<typeof writeAdapters>>;
beforeAll(async () => {
  await buildPackage();
  wanted = await writeAdapters(folder);
  const built = await buildAdapters(folder, "halves", "--profiles", "wasm");
  expect(built.code, built.stderr).toBe(0);
  expect(built.stdout).toContain("adapters: first, second");
  installRuntime(folder);
});

const close = (a: readonly number[], b: ArrayLike<number>) =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

test("runs each of its adapters, and one from a file", async () => {
  file(folder, "x.json", JSON.stringify(x));
  file(
    folder,
    "run.mjs",
    `import { readFileSync } from "node:fs";
import { cpuDevice } from "inarch/cpu";
import { bytesSource, openWeights } from "inarch/runtime";
import { load } from "./halves/halves.mjs";

const x = JSON.parse(readFileSync("x.json", "utf8"));
const device = cpuDevice({ threads: 1 });
const model = await load(device);
const results = [];
const run = async () => results.push([...(await model.both({ x })).y]);
await run();
// Nobody waits for it but later calls.
const using = model.use("second");
await run();
await using;
await model.use(await openWeights(bytesSource("a file", readFileSync("first.safetensors"))));
await run();
const { z } = await model.encode({ x });
results.push([...(await model.decode({ z })).y]);
const unknown = await model.use("third").catch((error) => [error.code, error.details.help]);
await run();
await model.close();
const other = await load(device, { adapter: "second" });
results.push([...(await other.both({ x })).y]);
await other.close();
device.destroy();
console.log(JSON.stringify({ results, unknown }));
`,
  );
  const { code, stdout, stderr } = await node(["run.mjs"], folder);
  expect(code, stderr).toBe(0);
  const { results, unknown } = JSON.parse(stdout);
  const [first, second] = [wanted.first.y, wanted.second.y];
  for (const [i, y] of [first, second, first, first, first, second].entries())
    expect(close(results[i], y), `run ${i}`).toBeLessThan(1e-6);
  expect(close(results[0], second)).toBeGreaterThan(1e-2);
  expect(unknown).toEqual(["E615", expect.stringContaining("its adapters are first, second")]);
});

test("its folder has one base and a small file for each, named by what they hold", async () => {
  const names = readdirSync(join(folder, "halves"));
  expect(names.filter((name) => name.startsWith("weights-"))).toHaveLength(1);
  expect(names.filter((name) => /^adapter-[0-9a-f]{12}\.safetensors$/.test(name))).toHaveLength(2);
  const types = readFileSync(join(folder, "halves", "halves.d.mts"), "utf8");
  expect(types).toContain('export type HalvesAdapter = "first" | "second";');
  expect(types).toContain("use(adapter: HalvesAdapter | Weights");
  // The same again, over itself.
  const again = await buildAdapters(folder, "halves", "--profiles", "wasm");
  expect(again).toMatchObject({ code: 0 });
  expect(readdirSync(join(folder, "halves"))).toEqual(names);
});

test.each([
  ["E431", "another base", ["--weights", "other.safetensors", "--adapter", "first.safetensors"]],
  [
    "E503",
    "two adapters of one name",
    [
      ...["--weights", "base.safetensors", "--adapter", "first.safetensors"],
      ...["--adapter", "./first.safetensors"],
    ],
  ],
  ["E503", "no base", ["--adapter", "first.safetensors"]],
  [
    "E437",
    "a file that is no adapter's",
    ["--weights", "base.safetensors", "--adapter", "other.safetensors"],
  ],
])("%s: %s", async (code, _claim, flags) => {
  const args = ["build", "halves.graph.ts", "--profiles", "wasm", "--out", "refused", ...flags];
  const { code: exit, stderr } = await inarch(args, folder);
  expect([exit, stderr]).toEqual([1, expect.stringContaining(`error[${code}]`)]);
});
