/** `inarch doctor`: its words and its exit code. */
import { beforeAll, expect, test } from "vitest";
import { describeReport } from "../../cli/doctor.ts";
import type { MachineReport } from "../../verify/machine.ts";
import { buildPackage, inarch } from "../support/command-line.ts";
import { deviceTest } from "../support/device.ts";

beforeAll(buildPackage);

const noGpu = { DAWNNODE_BACKEND: "nonsense" };
const noDevice = { ...noGpu, INARCH_DEVICE: "webgpu" };

test("a machine without a GPU computes, and says on what and why: the command ends with 0", async () => {
  const { code, stdout } = await inarch(["doctor"], undefined, noGpu);
  expect(stdout).toMatch(/used {6}cpu \(processor\S*\): the(?:re is no hardware| GPU cannot)/);
  expect(stdout).toMatch(/kernel {4}right: largest error \S+, \S+ ms/);
  expect(stdout).toMatch(/speed {5}cpu +\S+ ms for a product of 384 x 384 x 384\n/);
  expect(stdout).toMatch(/\n +webgpu +none: E403 .*\n +unset DAWNNODE_BACKEND/);
  expect(stdout).toMatch(/ready: the device computes/);
  expect(code).toBe(0);
});

deviceTest("both are timed where there is a WebGPU device", async () => {
  const { code, stdout } = await inarch(["doctor"], undefined, { INARCH_DEVICE: "webgpu" });
  expect(stdout).toMatch(/used {6}webgpu \(.*\): INARCH_DEVICE asks for it\n/);
  expect(stdout).toMatch(/speed {5}webgpu +\S+ ms for a product.*\n +cpu +\S+ ms for a product/);
  expect(code).toBe(0);
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
    "koffi",
    "used",
    "device",
    // The old word, for programs that read it.
    "adapter",
    "kernel",
    "devices",
    "absent",
    "vulkan",
    "nvcc",
    "problems",
  ]);
  expect(report.devices).toEqual([
    { kind: "cpu", name: expect.stringMatching(/^processor/), milliseconds: expect.any(Number) },
  ]);
  expect(Object.keys(report.problems[0]!)).toEqual(["code", "kind", "message", "help"]);
  expect(report.node.version).toBe(process.versions.node);
  for (const name of ["webgpu", "sharp", "esbuild", "yaml", "koffi"] as const)
    expect(report[name], name).toMatch(/^\d+\.\d+\.\d+$/);
});
