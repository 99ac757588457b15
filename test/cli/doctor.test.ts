/** `inarch doctor`: its report, its words and its exit code. */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";
import {
  type DoctorReport,
  describeReport,
  doctor,
  type KernelCheck,
  tooOld,
} from "../../cli/doctor.ts";
import { describeOnDevice } from "../support/device.ts";

const repository = dirname(dirname(import.meta.dirname));

/** Work for the device without a shader: copies numbers through its memory. */
const copy: KernelCheck = async (device) => {
  const numbers = new Float32Array([1, 2, 3, 4]);
  const usage = GPUBufferUsage;
  const from = device.createBuffer({ size: 16, usage: usage.COPY_SRC | usage.COPY_DST });
  const to = device.createBuffer({ size: 16, usage: usage.COPY_DST | usage.MAP_READ });
  device.queue.writeBuffer(from, 0, numbers);
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(from, 0, to, 0, 16);
  device.queue.submit([encoder.finish()]);
  await to.mapAsync(GPUMapMode.READ);
  const result = new Float32Array(to.getMappedRange().slice(0));
  const maxError = Math.max(...numbers.map((value, index) => Math.abs(value - result[index]!)));
  return { ok: maxError === 0, maxError, ms: 0 };
};

describeOnDevice("on a device", () => {
  test("a kernel that is right makes the machine ready", async () => {
    const report = await doctor(copy);
    expect(report.problems).toEqual([]);
    expect(report.ok).toBe(true);
    expect(report.kernel).toEqual({ ok: true, maxError: 0, ms: 0 });
    const text = describeReport(report);
    expect(text).toContain(`adapter   ${report.adapter!.description}`);
    expect(text).toMatch(/kernel {4}right: largest error 0\.0e\+0, 0\.0 ms/);
    expect(text).toMatch(/ready: the device computes/);
  });

  test("a kernel with wrong numbers is a problem of the machine (E407)", async () => {
    const report = await doctor(async () => ({ ok: false, maxError: 0.5, ms: 1 }));
    expect(report.ok).toBe(false);
    expect(describeReport(report)).toMatch(/kernel {4}wrong.*E407.* off by 0\.5.*help: update/s);
  });

  test("a kernel that fails is a problem of the machine (E407)", async () => {
    const report = await doctor(() => Promise.reject(new TypeError("device lost")));
    expect(describeReport(report)).toMatch(/kernel {4}not run.*E407.*fails: device lost/s);
  });
});

test.each([
  ["text", [], /adapter {3}none\n.*error\[E403\].*help: unset DAWNNODE_BACKEND/s],
  ["JSON", ["--json"], /"adapter": null,\n.*"code": "E403"/s],
] as const)(
  "without an adapter the command ends with 3 and says what to type, in %s",
  async (_, args, words) => {
    const { code, stdout } = await runCommand(args, { DAWNNODE_BACKEND: "nonsense" });
    expect(stdout).toMatch(words);
    expect(code).toBe(3);
  },
);

test("the JSON has these keys in this order", async () => {
  const { stdout } = await runCommand(["--json"], { DAWNNODE_BACKEND: "nonsense" });
  const report = JSON.parse(stdout) as DoctorReport;
  expect(Object.keys(report)).toEqual([
    "ok",
    "node",
    "webgpu",
    "sharp",
    "esbuild",
    "adapter",
    "kernel",
    "vulkan",
    "nvcc",
    "problems",
  ]);
  expect(Object.keys(report.problems[0]!)).toEqual(["code", "kind", "message", "help"]);
  expect(report.node.version).toBe(process.versions.node);
  for (const name of ["webgpu", "sharp", "esbuild"] as const)
    expect(report[name], name).toMatch(/^\d+\.\d+\.\d+$/);
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

/** Runs the command in a process of its own; exit codes exist nowhere else. */
async function runCommand(args: readonly string[], env: Record<string, string>) {
  const outfile = join(repository, "out", `doctor-${process.pid}.mjs`);
  mkdirSync(dirname(outfile), { recursive: true });
  await build({
    stdin: {
      contents: `import { runMain } from "citty";
        import { doctorCommand } from "./cli/doctor.ts";
        runMain(doctorCommand(async () => ({ ok: true, maxError: 0, ms: 0 })));`,
      resolveDir: repository,
    },
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    outfile,
    logLevel: "silent",
  });
  const options = { env: { ...process.env, ...env }, timeout: 300_000 };
  return new Promise<{ code: number | null; stdout: string }>((resolve) => {
    const child = execFile(process.execPath, [outfile, ...args], options, (_, stdout) => {
      rmSync(outfile, { force: true });
      resolve({ code: child.exitCode, stdout });
    });
  });
}
