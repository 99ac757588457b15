/** Threads see items as this thread does, byte for byte, and say what went wrong there. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { batchesOf, type Samples } from "../../../study/data/index.ts";
import { openSet } from "../../../study/data/node/index.ts";
import { type ItemThreads, startThreads } from "../../../study/data/node/threads.ts";
import { repository } from "../../support/command-line.ts";
import { greys, makeSets, picture, write } from "../../support/study-sets.ts";
import { refusal } from "../../support/weights-files.ts";

// Below the repository, so that the thread finds sharp.
mkdirSync(join(repository, "out"), { recursive: true });
const root = mkdtempSync(join(repository, "out", "threads-"));
const opened: ItemThreads[] = [];
afterAll(() => {
  for (const threads of opened) threads.close();
  rmSync(root, { recursive: true, force: true });
});

/** The thread's file, as the package has it: JavaScript. */
const script = pathToFileURL(join(root, "item-thread.mjs"));
beforeAll(() =>
  build({
    entryPoints: [join(repository, "study/data/node/item-thread.ts")],
    outfile: join(root, "item-thread.mjs"),
    ...{ bundle: true, platform: "node", format: "esm", external: ["sharp"], logLevel: "silent" },
  }),
);

const { folder } = makeSets(root);
const at = folder();
const names = ["a", "b", "c", "d", "e"];
for (const [i, name] of names.entries()) {
  write(join(at, "images", `${name}.png`), picture(6 + i, 5));
  const row = Array.from({ length: 6 + i }, (_, x) => (x > i ? 1 : 0));
  write(join(at, "masks", `${name}.png`), greys(row, row, row, row, row));
}
const tasks = { labels: { kind: "mask" as const, folder: join(at, "masks") } };
const items = names.map((name) => ({
  name,
  picture: join(at, "images", `${name}.png`),
  targets: { labels: { kind: "file" as const, path: join(at, "masks", `${name}.png`) } },
}));
const opening = openSet({ format: "folders", pictures: join(at, "images"), targets: tasks });

function start(count: number, keep = 0, of = items) {
  const threads = startThreads(count, { items: of, tasks, keep }, script);
  opened.push(threads);
  return threads;
}

const request = { side: 8, fit: "square", filter: "bilinear", seed: 0, position: 0 } as const;

describe("batches of threads are those of this thread", () => {
  test.each([
    [1, 0],
    [3, 1e6],
  ])("%d, of which %d bytes are kept", async (count, keep) => {
    const set = await opening;
    const { view } = start(count, keep);
    const threaded: Samples = { ...set, read: () => Promise.reject(new Error("not here")), view };
    const options = { side: 8, augment: { mirror: 0.5, scale: { from: 0.8, to: 1.4 } }, seed: 1 };
    for (const step of [0, 1, 2]) {
      const share = { step, batch: 4 };
      const found = await batchesOf(threaded, options).take(share);
      expect(found).toEqual(await batchesOf(set, options).take(share));
    }
  });
});

test("what is kept is not read again", async () => {
  const path = join(at, "images", "kept.png");
  write(path, picture(6, 5));
  const one = [{ ...items[0]!, picture: path }];
  const [keeping, reading] = [start(1, 1e6, one), start(1, 0, one)];
  await Promise.all([keeping.view(0, request), reading.view(0, request)]);
  rmSync(path);
  expect((await keeping.view(0, request)).valid.length).toBe(64);
  expect((await refusal(() => reading.view(0, request))).code).toBe("E306");
});

test("an error of a thread has its code, its place and its help", async () => {
  const mask = join(at, "masks", "wrong.png");
  write(mask, greys([0, 3], [4, 5]));
  const targets = { labels: { kind: "file" as const, path: mask } };
  write(join(at, "wrong", "a.png"), picture());
  const { view } = start(1, 0, [{ name: "a", picture: join(at, "wrong", "a.png"), targets }]);
  const error = await refusal(() => view(0, request));
  expect([error.code, error.details.where, error.kind]).toEqual(["E363", mask, "user"]);
  expect(error.details.help).toContain("white inside and black outside");
});

test("E1007: whoever waits for a thread that ends hears of it", async () => {
  const threads = start(1);
  const waiting = refusal(() => threads.view(0, request));
  threads.close();
  const errors = [await waiting, await refusal(() => threads.view(0, request))];
  for (const { code, kind } of errors) expect([code, kind]).toEqual(["E1007", "environment"]);
  const broken = startThreads(1, { items, tasks, keep: 0 }, new URL("./gone.mjs", script));
  const error = await refusal(() => broken.view(0, request));
  expect(error.message).toContain("gone.mjs");
});

test.each<[string, object]>([
  ["threads, which cannot be -1", { threads: -1 }],
  ["keep, which cannot be 0.5", { keep: 0.5 }],
])("E465: openSet has the option %s", async (words, options) => {
  const set = { format: "folders", pictures: join(at, "images"), targets: tasks } as const;
  const error = await refusal(() => openSet(set, options));
  expect([error.code, error.message]).toEqual(["E465", expect.stringContaining(words)]);
});
