/** `inarch tune`: measures on the device that is there, and `build --tuning` takes what it wrote. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { loadModel, traceLoaded } from "../../build/load-model.ts";
import { compile, deviceProfile } from "../../compiler/index.ts";
import { parseTuning } from "../../compiler/tuning/file.ts";
import { keepNativeTiming, openKeptNative } from "../../runtime/node/native.ts";
import { keptTiming } from "../../runtime/node/native-timing.ts";
import { cachePath } from "../../tuning/store.ts";
import { buildPackage, file, inarch, repository, scratchFolder } from "../support/command-line.ts";
import { withoutWebGpu } from "../support/device.ts";
import { describeNative } from "../support/native.ts";

const folder = scratchFolder("tune");
const model = join(repository, "examples", "01-mlp.graph.ts");
const tune = (...args: readonly string[]) =>
  inarch(["tune", model, "--dim", "batch=24", ...args], folder);
const build = (out: string, ...args: readonly string[]) =>
  inarch(["build", model, "--out", out, ...args], folder);

/** Devices, and the targets whose plans they run. */
const here = [["cpu", "wasm"] as const, ...(withoutWebGpu ? [] : [["webgpu", "wgsl"] as const])];

beforeAll(buildPackage);
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());

describe.each(here)("inarch tune --device %s", (kind, target) => {
  test("checks and measures every kernel, writes a file, and goes on from there", async () => {
    const file = `${kind}.json`;
    const on = ["--device", kind, "--output", file];
    const first = await tune("--candidates", "2", "--rounds", "3", ...on, "--json");
    expect(first).toMatchObject({ code: 0 });
    const { device, kernels } = JSON.parse(first.stdout);
    const written = parseTuning(readFileSync(join(folder, file), "utf8"), file);
    expect(Object.keys(written.devices)).toEqual([device]);
    expect(Object.keys(written.devices[device]!)).toEqual(Object.keys(kernels).sort());
    for (const { trials } of Object.values<{ trials: { milliseconds?: number }[] }>(kernels)) {
      expect(trials.length).toBe(2);
      for (const { milliseconds } of trials) expect(milliseconds).toBeGreaterThan(0);
    }
    const second = await tune(...on);
    expect(second).toMatchObject({ code: 0 });
    expect(second.stdout).toMatch(/has all kernels of the model already/);
    const profile = target === "wgsl" ? "device" : `device-${target}`;
    const args = ["--profiles", profile, "--tuning", file, "--dim", "batch=24"];
    const built = await build(`tuned-${kind}`, ...args);
    expect(built).toMatchObject({ code: 0 });
  });
});

describeNative("inarch tune --device native", () => {
  test("keeps the model's programs, so that they need no compiler at a start that did not ask for native", async () => {
    vi.stubEnv("XDG_CACHE_HOME", join(folder, "cache"));
    const flags = ["--device", "native", "--dim", "batch=24", "--candidates", "2", "--rounds", "3"];
    expect(await inarch(["tune", model, ...flags], folder)).toMatchObject({ code: 0 });
    const timing = await keptTiming();
    await keepNativeTiming(1, 2);
    const opened = await openKeptNative();
    expect(timing).toMatchObject({ native: expect.any(Number), cpu: expect.any(Number) });
    if (typeof opened === "string") return expect(opened).toBe("a device");
    const { device } = opened;
    const graph = traceLoaded(await loadModel(model), "forward", { batch: 24 });
    const plan = compile(graph, { target: "c", profile: deviceProfile(device.capabilities) });
    const buffers = await device.allocate(plan.buffers);
    await device.load(plan, buffers);
    for (const buffer of buffers) buffer.destroy();
    device.destroy();
  });
});

describe("what is refused", () => {
  test("counts that are none", async () => {
    const { code, stderr } = await tune("--candidates", "one");
    expect(code).toBe(1);
    expect(stderr).toMatch(/E503.*--candidates is "one"/s);
  });

  test("E820 and E200: a tuning that is none, or not there", async () => {
    file(folder, "no.json", "[]");
    expect((await build("a", "--tuning", "no.json")).stderr).toMatch(/E820/);
    expect((await build("b", "--tuning", "none.json")).stderr).toMatch(/E200.*none\.json/s);
  });
});

test("the cache lies where the system's rules say", () => {
  expect(cachePath({ XDG_CACHE_HOME: "/c" })).toBe(join("/c", "inarch", "tuning.json"));
  expect(cachePath({})).toMatch(/\.cache.inarch.tuning\.json$/);
});
