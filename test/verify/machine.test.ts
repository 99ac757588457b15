/** What is found of this machine, and what a device is proved by. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { examineMachine, type KernelCheck, tooOld } from "../../verify/machine.ts";

const repository = dirname(dirname(import.meta.dirname));

const cache = mkdtempSync(join(tmpdir(), "inarch-machine-"));
beforeAll(() => void vi.stubEnv("XDG_CACHE_HOME", cache));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

/** Work for the device without a kernel: copies numbers through its memory. */
const copy: KernelCheck = async (device) => {
  const numbers = new Float32Array([1, 2, 3, 4]);
  const [buffer] = await device.allocate([{ role: "input", bytes: 16 }]);
  await device.write(buffer!, 0, numbers);
  const result = await device.read(buffer!, 0, 4, "f32");
  buffer!.destroy();
  const maxError = Math.max(...numbers.map((value, index) => Math.abs(value - result[index]!)));
  return { ok: maxError === 0, maxError, ms: 0 };
};

describe("on the device that is there", () => {
  test("a kernel that is right makes the machine ready", async () => {
    const report = await examineMachine(copy);
    expect(report).toMatchObject({ ok: true, problems: [] });
    expect(report.kernel).toEqual({ ok: true, maxError: 0, ms: 0 });
  });

  test("the kernel that is run unless told is right", async () => {
    const { kernel } = await examineMachine();
    expect(kernel!.ok).toBe(true);
    expect(kernel!.maxError).toBeLessThan(1e-4);
  });

  test("a kernel with wrong numbers is a problem of the machine (E407)", async () => {
    const report = await examineMachine(async () => ({ ok: false, maxError: 0.5, ms: 1 }));
    expect(report.ok).toBe(false);
    expect(report.problems).toMatchObject([
      { code: "E407", message: "the check kernel is off by 0.5" },
    ]);
  });

  test("a kernel that fails is a problem of the machine (E407)", async () => {
    const report = await examineMachine(() => Promise.reject(new TypeError("device lost")));
    expect(report).toMatchObject({ ok: false, kernel: null });
    expect(report.problems).toMatchObject([
      { code: "E407", message: "the check kernel fails: device lost" },
    ]);
  });
});

test("versions of Node that package.json does not name are too old (E408)", async () => {
  const setup = pathToFileURL(join(repository, "scripts", "setup.mjs")).href;
  const { satisfies } = (await import(setup)) as {
    satisfies(version: string, range: string): boolean;
  };
  const manifest = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
  for (let major = 18; major < 27; major++) {
    for (const minor of [0, 11, 12, 18, 19, 20]) {
      const version = `${major}.${minor}.0`;
      const supported = satisfies(version, manifest.engines.node);
      expect(tooOld(version)?.code, version).toBe(supported ? undefined : "E408");
    }
  }
});
