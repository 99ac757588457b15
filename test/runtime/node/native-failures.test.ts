/** The native device where something is missing or fails: what is said, and that nothing else is lost. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { compile, deviceProfile, graphOf, input, type Tensor } from "../../../compiler/index.ts";
import { layerNorm, mul } from "../../../ops/index.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { openDevice } from "../../../runtime/node/index.ts";
import { librariesOf } from "../../../runtime/node/native-libraries.ts";
import { openMachine } from "../../../runtime/node/native-machine.ts";
import { machineLanes } from "../../../runtime/node/native-vectors.ts";
import { createSession } from "../../../runtime/session.ts";
import { buildPackage, node, repository } from "../../support/command-line.ts";
import { compiler, describeNative } from "../../support/native.ts";
import { refusal } from "../../support/weights-files.ts";

const folder = mkdtempSync(join(tmpdir(), "inarch-native-failures-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

/** Rows of normed numbers: a kernel of vectors of the profile's width. */
function rows(factor: number) {
  const of = (name: string, ...shape: number[]) => input(name, "f32", shape) as Tensor;
  const normed = layerNorm(of("x", 7, 64), of("g", 64), of("b", 64)) as Tensor;
  return graphOf([{ name: "y", tensor: mul(normed, factor) as Tensor }]);
}

const given = {
  x: Float32Array.from({ length: 7 * 64 }, (_, i) => Math.sin(i)),
  g: new Float32Array(64).fill(1),
  b: new Float32Array(64).fill(0.5),
};

async function run(device: Device, factor: number, profile = deviceProfile(device.capabilities)) {
  const session = await createSession(compile(rows(factor), { target: "c", profile }), device);
  const { y } = await session.run(given);
  await session.close();
  return y as Float32Array;
}

/** A compiler that does `instead` for texts that match a word, and is the machine's own otherwise. */
function compilerThat(instead: string, word: string): string {
  const file = join(mkdtempSync(join(folder, "cc-")), "cc");
  const own = `text=$(mktemp); cat > $text; if grep -q ${word} $text; then rm $text; ${instead}; fi`;
  const text = `#!/bin/sh\ncase "$*" in *-dM*) exec ${compiler!.command} "$@";; esac\n${own}\n${compiler!.command} "$@" < $text; code=$?; rm $text; exit $code\n`;
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  return file;
}

describeNative("vectors", () => {
  test("E487: those that the processor lacks", async () => {
    for (const lanes of [32, 5, 2 * machineLanes()!]) {
      const given = { kind: "native", lanes: lanes as 8 } as const;
      const { code, message } = await refusal(() => openDevice(given));
      expect([code, message]).toEqual(["E487", expect.stringMatching(/this processor have 4/)]);
    }
  });

  test("kernels for vectors of every width run here, made of several where the machine's are narrower", async () => {
    const { device } = await openDevice({ kind: "native" });
    const wanted = await run(device, 2);
    const { subgroups: _, ...capabilities } = device.capabilities;
    for (const lanes of [4, 8, 16] as const) {
      const subgroups = { least: lanes, most: lanes, numbered: true };
      const profile = deviceProfile({ ...capabilities, subgroups });
      const found = await run(device, 2, profile);
      expect(Math.max(...found.map((y, i) => Math.abs(y - wanted[i]!)))).toBeLessThan(1e-5);
    }
    device.destroy();
  });

  test("what is compiled for narrower ones lies beside, and is not mistaken", async () => {
    vi.stubEnv("XDG_CACHE_HOME", mkdtempSync(join(folder, "cache-")));
    const kept = () => readdirSync(join(process.env.XDG_CACHE_HOME!, "inarch", "native")).length;
    const all = ([4, 8, 16] as const).filter((lanes) => lanes <= machineLanes()!);
    for (const [before, lanes] of all.entries()) {
      const { device } = await openDevice({ kind: "native", lanes });
      expect(device.name).toBe(`native-${lanes}`);
      await run(device, 2);
      // Threads and memory have one library, whatever the vectors.
      expect(kept()).toBe(1 + before + 1);
      device.destroy();
    }
  });
});

describeNative("a compiler", () => {
  test.each([
    ["that fails for one program", "echo 'out of space' >&2; exit 4", /fails: out of space/],
    ["that is killed", "kill -9 $$", /fails: ended by SIGKILL/],
    ["that writes nothing", "exit 0", /fails: it ends well and writes no library/],
  ])("E483: %s leaves the device as it was", async (_, instead, words) => {
    vi.stubEnv("XDG_CACHE_HOME", mkdtempSync(join(folder, "cache-")));
    vi.stubEnv("INARCH_CC", compilerThat(instead, "7[.]0"));
    const { device } = await openDevice({ kind: "native" });
    const { code, message } = await refusal(() => run(device, 7));
    expect([code, message]).toEqual(["E483", expect.stringMatching(words)]);
    expect(await run(device, 2)).toHaveLength(7 * 64);
    device.destroy();
  });

  test("E485: that compiles for another machine", async () => {
    vi.stubEnv("XDG_CACHE_HOME", mkdtempSync(join(folder, "cache-")));
    // The number of the machine in an ELF file, or of the processor in a Mach-O file.
    const patch = `while [ "$1" != -o ]; do shift; done; ${compiler!.command} -shared -x c /dev/null -o "$2"; printf '\\\\377' | dd of="$2" bs=1 seek=$([ "$(uname)" = Darwin ] && echo 4 || echo 18) conv=notrunc 2>/dev/null; exit 0`;
    vi.stubEnv("INARCH_CC", compilerThat(patch, "7[.]0"));
    const { device } = await openDevice({ kind: "native" });
    // What is kept is tried again, and is the same.
    for (let i = 0; i < 2; i++) {
      const { code, message } = await refusal(() => run(device, 7));
      expect([code, message]).toEqual(["E485", expect.stringMatching(/does not load/)]);
    }
    expect(await run(device, 2)).toHaveLength(7 * 64);
    device.destroy();
  });
});

describeNative("memory", () => {
  test("E423: more than there is, for a buffer; what was there before is whole", async () => {
    const { device } = await openDevice({ kind: "native" });
    const before = await run(device, 2);
    const all = [1000, 2 ** 46].map((bytes) => ({ bytes, role: "output" }) as const);
    const { code, message } = await refusal(() => device.allocate(all));
    expect([code, message]).toEqual(["E423", expect.stringMatching(/no memory for 70368744177/)]);
    expect(await run(device, 2)).toEqual(before);
    device.destroy();
  });

  test("E423: more than there is, for what threads need in a run", async () => {
    const libraries = librariesOf({
      ...{ lanes: machineLanes()!, compiler: async () => compiler!, compiles: "always" },
    });
    const machine = await openMachine(libraries, 2);
    const run = { steps: 0n, count: 0, stop: 0n, isTimed: false, isShort: false };
    const { code } = await refusal(async () => machine.run({ ...run, scratchBytes: 2 ** 46 }));
    expect(code).toBe("E423");
    expect(await machine.run({ ...run, scratchBytes: 100 })).toBe(0);
    machine.close();
  });
});

describeNative("threads that the system does not give", () => {
  const shim = join(folder, "threads.so");
  const use = `
    const { openDevice } = await import("./dist/entries/node.js");
    const { createSession } = await import("./dist/entries/runtime.js");
    const { compile, input, trace } = await import("./dist/entries/index.js");
    const { mul } = await import("./dist/entries/ops.js");
    const options = { kind: "native", ...JSON.parse(process.argv[1]) };
    const { device } = await openDevice(options);
    const plan = compile(trace(() => ({ y: mul(input("x", "f32", [99999]), 2) }), {}), { target: device.target });
    const session = await createSession(plan, device);
    const { y } = await session.run({ x: new Float32Array(99999).fill(4) });
    console.log(y[99998]);
    device.destroy();`;

  beforeAll(async () => {
    await buildPackage();
    // Of the libraries that are compiled here the first thread is given, and no other.
    const text = `#define _GNU_SOURCE
      #include <dlfcn.h>
      #include <errno.h>
      #include <pthread.h>
      #include <string.h>
      int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *x) {
        static int given;
        static int (*own)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
        if (!own) own = dlsym(RTLD_NEXT, "pthread_create");
        Dl_info info;
        if (dladdr((void *)f, &info) && strstr(info.dli_fname, "inarch/native/") && given++) return EAGAIN;
        return own(t, a, f, x);
      }`;
    execFileSync(compiler!.command, ["-shared", "-fPIC", "-x", "c", "-", "-o", shim, "-ldl"], {
      input: text,
    });
  });

  const start = (options: object) =>
    node(["--input-type=module", "-e", use, JSON.stringify(options)], repository, {
      LD_PRELOAD: shim,
    });

  // Elsewhere libraries are put in front in another way.
  if (process.platform !== "linux") return;

  test("are done without where nobody asked for a number", async () => {
    expect(await start({})).toMatchObject({ code: 0, stdout: "8\n" });
  });

  test("E484: are an error where somebody did", async () => {
    const { code, stderr } = await start({ threads: 4 });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/E484.*the system gives 2 threads, and 4 were asked for.*ulimit -u/s);
  });
});
