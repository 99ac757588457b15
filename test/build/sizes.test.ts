/** What a page downloads of the runtime, as Vite builds it: at once, and later where it uses more. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build as vite } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  buildPackage,
  inarch,
  installRuntime,
  repository,
  scratchFolder,
} from "../support/command-line.ts";
import { mlp } from "../support/mlp.ts";
import { buildTraining } from "../support/training-built.ts";

const folder = scratchFolder("sizes");
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(async () => {
  await buildPackage();
  installRuntime(folder);
  const fixture = (name: string) => join(repository, "test", "fixtures", name);
  const sam = ["sam", "--config", fixture("sam_nano.config.json"), "--program", "encode"];
  for (const [out, ...model] of [
    ["mlp", mlp],
    ["nano", ...sam],
  ])
    expect(
      await inarch(["build", ...model, "--out", out!, "--profiles", "default"], folder),
    ).toMatchObject({ code: 0 });
  expect(await buildTraining(folder, "tuned", "--profiles", "default")).toMatchObject({ code: 0 });
});

/** Compressed bytes of an app that is these lines, without the modules of profiles. */
async function sizes(name: string, lines: string) {
  const input = join(folder, `${name}.js`);
  writeFileSync(input, lines);
  const built = await vite({
    ...{ root: folder, configFile: false, logLevel: "silent" },
    build: {
      ...{ write: false, target: "es2022", modulePreload: false },
      rollupOptions: { input, preserveEntrySignatures: "strict" },
    },
  });
  const [{ output }] = [built].flat() as unknown as [{ output: readonly Chunk[] }];
  const chunks = new Map(
    output
      .filter(({ type, moduleIds }) => type === "chunk" && !moduleIds.every(isOfProfile))
      .map((chunk) => [chunk.fileName, chunk]),
  );
  const atOnce = new Set(output.filter(({ isEntry }) => isEntry).map(({ fileName }) => fileName));
  for (const file of atOnce) for (const other of chunks.get(file)!.imports) atOnce.add(other);
  const sum = (files: Iterable<string>) =>
    [...files]
      .map((file) => gzipSync(chunks.get(file)!.code, { level: 9 }).length)
      .reduce((a, b) => a + b, 0);
  return { atOnce: sum(atOnce), all: sum(chunks.keys()) };
}

interface Chunk {
  readonly type: string;
  readonly fileName: string;
  readonly isEntry: boolean;
  readonly imports: readonly string[];
  readonly moduleIds: readonly string[];
  readonly code: string;
}

const isOfProfile = (path: string) => /-default-[0-9a-f]{12}\.mjs$/.test(path);

const runtime = (names: string) => `export { ${names} } from "inarch/runtime";`;

describe("what a page downloads, compressed", () => {
  test.each([
    ["one session", runtime("createSession, webgpuDevice"), 15_400, 23_400],
    ["the wrapper of a model", 'export { load } from "./mlp/tiny-mlp.mjs";', 22_300, 29_900],
    ["the wrapper of a SAM", 'export { load } from "./nano/sam.mjs";', 27_100, 34_700],
    [
      "the wrapper of a training",
      'export { train } from "./tuned/tuned-layers.mjs";',
      ...([28_700, 39_800] as const),
    ],
    [
      "training, without the compiler",
      runtime("createTrainingSession, webgpuDevice"),
      ...([25_600, 37_900] as const),
    ],
  ])("%s", async (name, lines, atOnce, all) => {
    const found = await sizes(name.replaceAll(/\W+/g, "-"), lines);
    expect(found.atOnce).toBeLessThan(atOnce);
    expect(found.all).toBeLessThan(all);
  });
});
