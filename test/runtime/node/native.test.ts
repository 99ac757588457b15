/** The native device: its threads change no result, what it keeps is checked, and what it refuses. */
import { createHash } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { compile, graphOf, input, state, type Tensor } from "../../../compiler/index.ts";
import { deviceProfile } from "../../../compiler/profile.ts";
import { add, matmul, mul } from "../../../ops/index.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { openDevice } from "../../../runtime/node/index.ts";
import { cachedLibrary } from "../../../runtime/node/native-cache.ts";
import { findCompiler } from "../../../runtime/node/native-compiler.ts";
import { createSession } from "../../../runtime/session.ts";
import { describeNative, openQuickDevice } from "../../support/native.ts";
import { expectEqualTraining } from "../../support/thread-training.ts";
import { refusal } from "../../support/weights-files.ts";

const folders: string[] = [];
const newFolder = async () => {
  const folder = await mkdtemp(join(tmpdir(), "inarch-native-test-"));
  folders.push(folder);
  return folder;
};
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});
afterEach(() => vi.unstubAllEnvs());

const outputs = (tensors: Record<string, Tensor>) =>
  graphOf(Object.entries(tensors).map(([name, tensor]) => ({ name, tensor })));
const square = (side: number) => input("x", "f32", [side, side]) as Tensor;
const ones = (side: number) => new Float32Array(side * side).fill(1);
const opened = async (threads: number) => (await openDevice({ kind: "native", threads })).device;

async function sessionOf(device: Device, tensors: Record<string, Tensor>) {
  const profile = deviceProfile(device.capabilities);
  return createSession(compile(outputs(tensors), { target: device.target, profile }), device);
}

describe("what it refuses", () => {
  test("E482: no compiler, and one that is not there", async () => {
    const none = await refusal(() => findCompiler({ PATH: "/nowhere" }));
    expect([none.code, none.kind]).toEqual(["E482", "environment"]);
    expect(none.message).toMatch(/none of cc, clang, gcc.*INARCH_CC.*the device cpu needs none/s);
    const other = await refusal(() => findCompiler({ PATH: "/nowhere", INARCH_CC: "tcc-9" }));
    expect(other.message).toMatch(/no C compiler tcc-9, which INARCH_CC names/);
  });

  test("E483: what fails is not taken for a compiler, and its words are passed on", async () => {
    const file = join(await newFolder(), "cc");
    await writeFile(file, "#!/bin/sh\necho 'licence expired' >&2\nexit 3\n");
    await chmod(file, 0o755);
    const { code, message } = await refusal(() =>
      findCompiler({ ...process.env, INARCH_CC: file }),
    );
    expect([code, message]).toEqual(["E483", expect.stringMatching(/fails: licence expired/)]);
  });

  test("E465: numbers of threads that cannot be", async () => {
    for (const threads of [0, 1.5, 300])
      expect((await refusal(() => openDevice({ kind: "native", threads }))).code).toBe("E465");
  });
});

describe("what is kept", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const kept = async (home: string) => {
    const folder = join(home, "inarch", "native");
    return (await readdir(folder)).map((name) => join(folder, name));
  };

  test("is made once, and made again where its file was changed or cut short", async () => {
    const env = { XDG_CACHE_HOME: await newFolder() };
    const make = vi.fn(async () => bytes);
    for (let i = 0; i < 2; i++) await cachedLibrary("key", make, env);
    expect(make).toHaveBeenCalledTimes(1);
    const [file] = await kept(env.XDG_CACHE_HOME);
    for (const broken of [Uint8Array.of(1, 2, 4), Uint8Array.of(1)]) {
      await writeFile(file!, broken);
      make.mockClear();
      const { path } = await cachedLibrary("key", make, env);
      expect(make).toHaveBeenCalledTimes(1);
      expect(new Uint8Array(await readFile(path))).toEqual(bytes);
      expect(await kept(env.XDG_CACHE_HOME)).toEqual([path]);
    }
    await cachedLibrary("another key", make, env);
    expect(await kept(env.XDG_CACHE_HOME)).toHaveLength(2);
  });

  test("is what was used last, up to 256 MB", async () => {
    const env = { XDG_CACHE_HOME: await newFolder() };
    const large = async () => new Uint8Array(100 * 2 ** 20);
    await cachedLibrary("first", large, env);
    const [first] = await kept(env.XDG_CACHE_HOME);
    await cachedLibrary("second", large, env);
    // It is used again, so the second one goes.
    await cachedLibrary("first", large, env);
    await cachedLibrary("third", large, env);
    const files = await kept(env.XDG_CACHE_HOME);
    expect(files).toHaveLength(2);
    expect(files).toContain(first);
  });

  test("two that make the same at once both have it", async () => {
    const env = { XDG_CACHE_HOME: await newFolder() };
    const made = await Promise.all(
      [0, 1, 2, 3].map(() => cachedLibrary("key", async () => bytes, env)),
    );
    const found = await Promise.all(made.map(({ path }) => readFile(path)));
    expect(found.map((of) => [...of])).toEqual([0, 1, 2, 3].map(() => [...bytes]));
    expect(await kept(env.XDG_CACHE_HOME)).toHaveLength(1);
  });

  test("is nothing where the folder cannot be: the file lives until it is loaded", async () => {
    const home = join(await newFolder(), "file");
    await writeFile(home, "");
    const { path, release } = await cachedLibrary("key", async () => bytes, {
      XDG_CACHE_HOME: home,
    });
    expect(new Uint8Array(await readFile(path))).toEqual(bytes);
    await release();
    await expect(readFile(path)).rejects.toThrow(/ENOENT/);
  });
});

describeNative("the device", () => {
  test("one, two and seven threads give equal bytes", async () => {
    const side = 150;
    const x = square(side);
    const y = matmul(mul(matmul(x, x), 1 / side), x) as Tensor;
    const values = Float32Array.from({ length: side * side }, (_, i) => ((i * 7919) % 1013) / 1013);
    const hashes = [];
    for (const threads of [1, 2, 7]) {
      const device = await opened(threads);
      const session = await sessionOf(device, { y });
      for (let i = 0; i < 3; i++) {
        const found = (await session.run({ x: values })).y as Float32Array;
        hashes.push(createHash("sha256").update(new Uint8Array(found.buffer)).digest("hex"));
      }
      device.destroy();
    }
    expect(new Set(hashes).size).toBe(1);
  });

  test("so do they in training, gone on from a checkpoint with another number of threads", () =>
    expectEqualTraining(async (threads) => (await openQuickDevice(threads))!));

  test("E485: what a compiler makes and cannot be loaded", async () => {
    vi.stubEnv("XDG_CACHE_HOME", await newFolder());
    const file = join(await newFolder(), "cc");
    const { command } = await findCompiler();
    // It says what it is, then writes no library.
    await writeFile(
      file,
      `#!/bin/sh\ncase "$*" in *-dM*) exec ${command} "$@";; esac\nwhile [ "$1" != -o ]; do shift; done; echo no > "$2"\n`,
    );
    await chmod(file, 0o755);
    vi.stubEnv("INARCH_CC", file);
    const { code, message } = await refusal(() => openDevice({ kind: "native" }));
    expect([code, message]).toEqual(["E485", expect.stringMatching(/does not load/)]);
  });

  test("kernels of subgroups run at every width of vectors; E424: at no other", async () => {
    const device = await opened(1);
    const plan = compile(outputs({ y: mul(square(4), 2) as Tensor }), { target: "c" });
    const ofWidth = (subgroup: number) => ({
      ...plan,
      kernels: plan.kernels.map((kernel) => ({ ...kernel, subgroup })),
    });
    for (const width of [4, 8, 16]) await (await createSession(ofWidth(width), device)).close();
    const { code, details } = await refusal(() => createSession(ofWidth(32), device));
    expect(code).toBe("E424");
    expect(details.message).toMatch(/needs subgroups of 32 threads, but the device has (4|8|16)$/);
    device.destroy();
  });

  test("E425: kernels that are bytes are for another device; E424: too many workgroups", async () => {
    const device = await opened(1);
    const graph = outputs({ y: mul(square(4), 2) as Tensor });
    const bytes = { ...compile(graph, { target: "wasm" }), target: "c" };
    expect((await refusal(() => createSession(bytes, device))).code).toBe("E425");
    const plan = compile(graph, { target: "c" });
    const steps = plan.steps.map((step) => ({ ...step, groups: [2 ** 20, 2 ** 11, 1] as const }));
    expect((await refusal(() => createSession({ ...plan, steps }, device))).code).toBe("E424");
    device.destroy();
    expect((await refusal(() => createSession(plan, device))).code).toBe("E422");
  });

  test("states begin as zeros, and go on from run to run", async () => {
    const device = await opened(2);
    const sum = add(state("sum", "f32", [70, 70]), square(70) as Tensor<"f32">);
    const session = await sessionOf(device, { sum, y: mul(sum, 1) as Tensor });
    const runs = [await session.run({ x: ones(70) }), await session.run({ x: ones(70) })];
    expect(runs.map(({ y }) => y![4899])).toEqual([1, 2]);
    await session.close();
    device.destroy();
  });

  test("an abort is heard while a run is under way, and says its reason", async () => {
    const device = await opened(2);
    const x = square(70);
    let y = x;
    for (let i = 0; i < 400; i++) y = matmul(mul(y, 1 / 70), x) as Tensor;
    const session = await sessionOf(device, { y });
    const reason = new Error("enough");
    const controller = new AbortController();
    const running = session.run({ x: ones(70) }, undefined, { signal: controller.signal });
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect((await session.run({ x: ones(70) })).y![0]).toBeGreaterThan(0);
    await session.close();
    device.destroy();
  });
});
