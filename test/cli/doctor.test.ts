/** `inarch doctor`: its words and its exit code. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeReport } from "../../cli/doctor.ts";
import type { MachineReport } from "../../verify/machine.ts";
import { buildPackage, inarch, scratchFolder } from "../support/command-line.ts";
import { deviceTest } from "../support/device.ts";
import { describeNative } from "../support/native.ts";

const folder = scratchFolder("doctor");
beforeAll(buildPackage);
afterAll(() => rmSync(folder, { recursive: true }));

/** Where timings are kept. */
const cache = { XDG_CACHE_HOME: folder };

const noGpu = { ...cache, INARCH_CUDA: "/nowhere/libcuda.so.1", DAWNNODE_BACKEND: "nonsense" };
const noCompiler = { ...noGpu, INARCH_CC: "no-such-cc" };
const noDevice = { ...noCompiler, INARCH_DEVICE: "webgpu" };

test("a machine without a GPU computes, and says on what and why: the command ends with 0", async () => {
  const { code, stdout } = await inarch(["doctor"], undefined, noCompiler);
  expect(stdout).toMatch(
    /used {6}cpu \(processor\S*\): cuda cannot be used: .*, and the(?:re is no hardware| GPU cannot)/,
  );
  expect(stdout).toMatch(/kernel {4}right: largest error \S+, \S+ ms/);
  expect(stdout).toMatch(/speed {5}cpu +\S+ ms for a product of 384 x 384 x 384\n/);
  expect(stdout).toMatch(/\n +webgpu +none: E403 .*\n +unset DAWNNODE_BACKEND/);
  expect(stdout).toMatch(/\n +native +none: E482 .*no-such-cc.*\n +install gcc or clang/);
  expect(stdout).toMatch(/ready: the device computes/);
  expect(code).toBe(0);
});

deviceTest("both are timed where there is a WebGPU device", async () => {
  const { code, stdout } = await inarch(["doctor"], undefined, {
    ...cache,
    INARCH_DEVICE: "webgpu",
  });
  expect(stdout).toMatch(/used {6}webgpu \(.*\): INARCH_DEVICE asks for it\n/);
  expect(stdout).toMatch(
    /speed {5}webgpu +\S+ ms for a product.*\n(?: +native.*\n)? +cpu +\S+ ms for a product/,
  );
  expect(code).toBe(0);
});

describeNative("where there is a compiler", () => {
  test("native is timed too, and the timing is kept for starts that do not ask for it", async () => {
    const { stdout } = await inarch(["doctor"], undefined, noGpu);
    expect(stdout).toMatch(/speed {5}native +\S+ ms for a product.*\n +cpu +\S+ ms for a product/);
    const kept = JSON.parse(readFileSync(join(folder, "inarch", "native.json"), "utf8"));
    expect(kept).toMatchObject({ native: expect.any(Number), cpu: expect.any(Number) });
    expect(stdout.includes("native is used unasked from now on")).toBe(kept.native < kept.cpu);
  });
});

test("wrong numbers are said with what to type", async () => {
  const { stdout } = await inarch(["doctor", "--json"], undefined, noDevice);
  const report: MachineReport = {
    ...(JSON.parse(stdout) as MachineReport),
    kernel: { ok: false, maxError: 0.5, ms: 1 },
    problems: [
      {
        code: "E407",
        kind: "environment",
        message: "off by 0.5",
        where: "the device x",
        at: undefined,
        help: "update the GPU's driver",
      },
    ],
  };
  expect(describeReport(report)).toMatch(
    /kernel {4}wrong: largest error 5.0e-1, 1.0 ms.*E407. off by 0\.5\n {2}in the device x\n {2}help: update/s,
  );
});

test.each([
  ["text", [], /used {6}none\n.*error\[E403\].*help: unset DAWNNODE_BACKEND/s],
  ["JSON", ["--json"], /"device": null,\n.*"code": "E403"/s],
] as const)(
  "without the device that is asked for the command ends with 3 and says what to type, in %s",
  async (_, args, words) => {
    const { code, stdout } = await inarch(["doctor", ...args], undefined, noDevice);
    expect(stdout).toMatch(words);
    expect(code).toBe(3);
  },
);

test("the JSON has these keys in this order", async () => {
  const { stdout } = await inarch(["doctor", "--json"], undefined, noDevice);
  const report = JSON.parse(stdout) as MachineReport;
  expect(Object.keys(report)).toEqual([
    "ok",
    "node",
    "webgpu",
    "sharp",
    "esbuild",
    "yaml",
    "geotiff",
    "koffi",
    "used",
    "device",
    // The old word, for programs that read it.
    "adapter",
    "kernel",
    "devices",
    "absent",
    "vulkan",
    "cuda",
    "nvcc",
    "problems",
  ]);
  expect(report.devices).toEqual([
    { kind: "cpu", name: expect.stringMatching(/^processor/), milliseconds: expect.any(Number) },
  ]);
  expect(Object.keys(report.problems[0]!)).toEqual(["code", "kind", "message", "help"]);
  expect(report.cuda).toEqual({ gpus: [], absent: expect.stringMatching(/^E446 there is no /) });
  expect(report.node.version).toBe(process.versions.node);
  for (const name of ["webgpu", "sharp", "esbuild", "yaml", "geotiff", "koffi"] as const)
    expect(report[name], name).toMatch(/^\d+\.\d+\.\d+$/);
});
