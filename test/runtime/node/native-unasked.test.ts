/** The native device where nobody asked for it: when it is used, for what, and what is said where it is not. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest";
import { compile, deviceProfile, graphOf, input, type Tensor } from "../../../compiler/index.ts";
import { mul } from "../../../ops/index.ts";
import { openDevice, withDevice } from "../../../runtime/node/index.ts";
import { keepNativeTiming, openKeptNative } from "../../../runtime/node/native.ts";
import { deviceWords, type OpenedDevice } from "../../../runtime/node/opened.ts";
import { createSession } from "../../../runtime/session.ts";
import { describeNative } from "../../support/native.ts";
import { refusal } from "../../support/weights-files.ts";

const folders: string[] = [];
let cache = "";

beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "inarch-unasked-"));
  folders.push(cache);
  vi.stubEnv("XDG_CACHE_HOME", cache);
  vi.stubEnv("VK_DRIVER_FILES", "/no/such/driver.json");
  for (const name of ["INARCH_DEVICE", "INARCH_GPU", "INARCH_ADAPTER", "INARCH_CC"])
    vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.doUnmock("koffi");
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

const file = () => join(cache, "inarch", "native.json");

/** Runs a program of its own for each factor. */
async function times(factor: number, { device }: Pick<OpenedDevice, "device">): Promise<number> {
  const tensor = mul(input("x", "f32", [5]), factor) as Tensor;
  const profile = deviceProfile(device.capabilities);
  const plan = compile(graphOf([{ name: "y", tensor }]), { target: device.target, profile });
  const session = await createSession(plan, device);
  const { y } = await session.run({ x: new Float32Array(5).fill(2) });
  await session.close();
  return y![4]!;
}

/** What was used, and for how many tries the work was begun. */
async function used(factor: number) {
  const tried: string[] = [];
  const found = await withDevice({}, async (opened) => {
    tried.push(opened.kind);
    return { value: await times(factor, opened), words: deviceWords(opened) };
  });
  expect(found.value).toBe(2 * factor);
  return { ...found, tried };
}

/** As `--device native` does. */
async function runNatively(factor: number) {
  const opened = await openDevice({ kind: "native" });
  await times(factor, opened);
  opened.device.destroy();
}

test("a machine that was not timed computes on the processor, and says what times it", async () => {
  const { words, tried } = await used(3);
  expect(tried).toEqual(["cpu"]);
  expect(words).toMatch(
    /^cpu \(processor.*\): .*, and native was not timed on this machine \(inarch doctor does that\)$/,
  );
});

describeNative("on a machine that was timed", () => {
  test("a program is run natively once it was compiled, and no compiler is there to wait for", async () => {
    await runNatively(3);
    await keepNativeTiming(1, 2);
    vi.stubEnv("PATH", "/nowhere");
    const { words, tried } = await used(3);
    expect(tried).toEqual(["native"]);
    expect(words).toMatch(/^native \(native-\d+\): /);
  });

  test("another program goes on to the processor, and the line says why", async () => {
    await runNatively(3);
    await keepNativeTiming(1, 2);
    const { words, tried } = await used(4);
    expect(tried).toEqual(["native", "cpu"]);
    expect(words).toMatch(/^cpu .*, and native has no build of this program \(--device native /);
    // Nothing was compiled for it.
    expect((await used(4)).tried).toEqual(["native", "cpu"]);
  });

  test("behind a first program that was kept, others are compiled", async () => {
    await runNatively(3);
    await keepNativeTiming(1, 2);
    const values = await withDevice({}, async (opened) => [
      opened.kind,
      await times(3, opened),
      await times(4, opened),
    ]);
    expect(values).toEqual(["native", 6, 8]);
  });

  test("E486: what is not kept is not compiled unasked", async () => {
    await runNatively(3);
    await keepNativeTiming(1, 2);
    const opened = await openKeptNative();
    if (typeof opened === "string") return expect(opened).toBe("a device");
    const { code, message } = await refusal(() => times(4, opened));
    expect([code, message]).toEqual([
      "E486",
      expect.stringMatching(/ask for it once: --device native/),
    ]);
    opened.device.destroy();
  });

  test("openDevice, which knows no program, does not take it", async () => {
    await runNatively(3);
    await keepNativeTiming(1, 2);
    const { kind, device } = await openDevice();
    expect(kind).toBe("cpu");
    device.destroy();
  });

  const changed = (change: (of: Record<string, unknown>) => object) => () => {
    const found = JSON.parse(readFileSync(file(), "utf8"));
    writeFileSync(file(), JSON.stringify({ ...found, ...change(found) }));
  };

  test.each<[string, RegExp, () => unknown]>([
    ["a slower device", /native was no faster when it was timed/, changed(() => ({ native: 3 }))],
    ["a timing of another machine", /not timed on this machine/, changed(() => ({ machine: "m" }))],
    ["a timing of another format", /not timed on this machine/, changed(() => ({ format: 0 }))],
    ["half a timing", /not timed on this machine/, changed(() => ({ compiler: {} }))],
    ["a file that is none", /not timed on this machine/, () => writeFileSync(file(), "{")],
    ["another compiler", /timed with another/, () => vi.stubEnv("INARCH_CC", "other-cc")],
    [
      "builds that are gone",
      /no build of native is kept \(inarch doctor makes one\)/,
      () => rmSync(join(cache, "inarch", "native"), { recursive: true }),
    ],
    [
      "builds that were changed",
      /no build of native is kept/,
      () => {
        const folder = join(cache, "inarch", "native");
        for (const name of readdirSync(folder)) writeFileSync(join(folder, name), "no library");
      },
    ],
  ])("%s leaves work to the processor, with a reason", async (_, reason, change) => {
    await runNatively(3);
    await keepNativeTiming(1, 2);
    expect((await used(3)).tried).toEqual(["native"]);
    change();
    const { words, tried } = await used(3);
    expect(tried).toEqual(["cpu"]);
    expect(words).toMatch(reason);
  });

  test("a koffi that does not load does too", async () => {
    await runNatively(3);
    await keepNativeTiming(1, 2);
    vi.doMock("koffi", () => {
      throw new Error("built for another Node");
    });
    const { words, tried } = await used(3);
    expect(tried).toEqual(["cpu"]);
    expect(words).toMatch(/native cannot be used \(E401 the npm package koffi/);
  });
});

test("what work throws is thrown, and its device is destroyed", async () => {
  let device: OpenedDevice["device"] | undefined;
  const failing = withDevice({ kind: "cpu" }, async (opened) => {
    device = opened.device;
    throw new RangeError("mine");
  });
  await expect(failing).rejects.toThrow("mine");
  expect(() => device!.checkAlive()).toThrow(/E422/);
});
