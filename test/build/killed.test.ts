/** A build that is killed at any moment leaves the old bundle or the new one, and the next build leaves no more. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bundle, openBundle } from "../../runtime/bundle/bundle.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { temporaryFor } from "../../runtime/node/temporary.ts";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import { buildPackage, file, node, repository, scratchFolder } from "../support/command-line.ts";
import { killAtCall } from "../support/kill-at.ts";
import { refusal } from "../support/weights-files.ts";

const folder = scratchFolder("killed");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Builds version 1 or 2 of a model, which differ in their programs and their weights. */
const script = `
import { defaultProfile, defineModel, input } from "inarch";
import { add, mul, relu } from "inarch/ops";
import { build } from ${JSON.stringify(pathToFileURL(join(repository, "dist/build/build.js")).href)};
const [version, out] = process.argv.slice(2);
const forward = (p) => ({ y: mul(add(input("x", "f32", [4]), p.f32("w", [4])), Number(version)) });
const more = version === "2" ? { activate: () => ({ y: relu(input("x", "f32", [4])) }) } : {};
const model = defineModel({ name: "small", programs: { forward, ...more } });
await build({
  loaded: { model, file: undefined },
  ...{ out, programs: Object.keys(model.programs), dims: {} },
  profiles: [{ name: "default", target: "reference", profile: defaultProfile }],
  weights: "weights-" + version + ".safetensors",
  onProgress: () => {},
});
`;

/** Ends with 0, or with 128 where it was killed. */
const build = async (version: 1 | 2, out: string, killAt?: number) => {
  const args = [...killAtCall(killAt), "build.js", String(version), out];
  return node(args, folder);
};

/** Every file, by path, with its content. */
const filesOf = (out: string) =>
  new Map(
    readdirSync(join(folder, out), { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path.slice(join(folder, out).length), readFileSync(path, "base64")]),
  );

let imports = 0;

/** The bundle that whoever imports the wrapper now finds. */
const imported = async (out: string): Promise<Bundle> => {
  const url = pathToFileURL(join(folder, out, "small.mjs"));
  const module = await import(/* @vite-ignore */ `${url}?${imports++}`);
  return module.bundle;
};

/** What it holds: whole, with weights. */
async function opened(out: string) {
  const { plans, openWeights } = await openBundle(await imported(out), referenceDevice());
  const weights = await openWeights();
  const values = [...(await weights.readF32("w"))];
  await weights.close();
  return { plans, values, wrapper: readFileSync(join(folder, out, "small.mjs"), "utf8") };
}

type Opened = Awaited<ReturnType<typeof opened>>;
let before: Opened;
let after: Opened;
beforeAll(async () => {
  await buildPackage();
  file(folder, "build.js", script);
  for (const version of [1, 2]) {
    const data = new Uint8Array(Float32Array.from([1, 2, 3, 4], (x) => x * version).buffer);
    const weights = writeSafetensors(new Map([["w", { dtype: "f32", shape: [4], data }]]));
    writeFileSync(join(folder, `weights-${version}.safetensors`), weights);
  }
  for (const version of [1, 2] as const)
    expect(await build(version, `version-${version}`)).toMatchObject({ code: 0 });
  before = await opened("version-1");
  after = await opened("version-2");
}, 120_000);

test("at every stage of a build its folder opens as the old bundle or the new one", async () => {
  expect(await build(1, "bundle")).toMatchObject({ code: 0 });
  const { stderr } = await build(2, "bundle");
  const calls = Number(/calls (\d+)/.exec(stderr)![1]);
  const found = { old: 0, new: 0 };
  let killed = 0;
  const contents = { 1: before!, 2: after! };
  let there: 1 | 2 = 2;
  // The end, at which files of the bundle before are removed, is tried call by call.
  const step = Math.max(1, Math.floor(calls / 10));
  const removing = calls - 16;
  for (let at = 1 + (process.pid % step); at <= calls; at += at < removing ? step : 1) {
    const next: 1 | 2 = there === 1 ? 2 : 1;
    const where = `call ${at} of ${calls}`;
    killed += (await build(next, "bundle", at)).code === 128 ? 1 : 0;
    const bundle = await opened("bundle");
    expect([contents[there], contents[next]], where).toContainEqual(bundle);
    found[bundle.values[0] === there ? "old" : "new"]++;
    expect(await build(next, "bundle")).toMatchObject({ code: 0 });
    expect(filesOf("bundle"), where).toEqual(filesOf(`version-${next}`));
    there = next;
  }
  // The moments lie on both sides.
  expect(Math.min(found.old, found.new)).toBeGreaterThan(0);
  // The two versions have not the same number of calls: the last may have ended before.
  expect(killed).toBeGreaterThanOrEqual(9);
}, 300_000);

test("a first build that is killed leaves nothing that the next one does not remove", async () => {
  for (const at of [2, 9, 17, 30]) {
    expect((await build(1, "fresh", at)).code).toBe(128);
    expect(await build(2, "fresh")).toMatchObject({ code: 0 });
    expect(filesOf("fresh")).toEqual(filesOf("version-2"));
    rmSync(join(folder, "fresh"), { recursive: true });
  }
}, 120_000);

test("two builds into one folder at once: one of them is there, whole, or is told E515", async () => {
  const outcomes = await Promise.all(
    ([1, 2, 1, 2] as const).map((version) => build(version, "both")),
  );
  for (const { code, stderr } of outcomes) if (code !== 0) expect(stderr).toContain("E515");
  expect(outcomes.some(({ code }) => code === 0)).toBe(true);
  const bundle = await opened("both");
  expect([before, after]).toContainEqual(bundle);
  const version = bundle.values[0] === 1 ? "version-1" : "version-2";
  expect(filesOf("both")).toEqual(filesOf(version));
}, 120_000);

test("E515: a folder in which another build is at work is left alone", async () => {
  expect(await build(1, "busy")).toMatchObject({ code: 0 });
  const files = filesOf("busy");
  // The mark of a process that is alive: this one.
  const mark = temporaryFor(join(folder, "busy", "build"));
  mkdirSync(mark);
  const { code, stderr } = await build(2, "busy");
  expect([code, stderr]).toEqual([1, expect.stringContaining("E515")]);
  rmSync(mark, { recursive: true });
  expect(filesOf("busy")).toEqual(files);
});

test("E613: what was imported before the folder was built again fails by its code, or goes on", async () => {
  expect(await build(1, "reopened")).toMatchObject({ code: 0 });
  const earlier = await imported("reopened");
  const { openWeights } = await openBundle(earlier, referenceDevice());
  const reading = await openWeights();
  const late = await imported("reopened");
  expect(await build(2, "reopened")).toMatchObject({ code: 0 });
  // A module that was imported and a file that is open stay readable; in Node a blob of a file that is gone is not.
  expect((await openBundle(earlier, referenceDevice())).profile).toBe("default");
  await reading.close();
  expect((await refusal(openWeights)).code).toBe("E613");
  const profiles = late.profiles.map((one) => ({
    ...one,
    load: () => import("./none.mjs" as string),
  }));
  const { code, details } = await refusal(() =>
    openBundle({ ...late, profiles }, referenceDevice()),
  );
  expect([code, details.help]).toEqual(["E613", expect.stringContaining("loaded again")]);
});
