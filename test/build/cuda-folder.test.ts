/**
 * `inarch build --target cuda`: the folder's C program runs it through a driver for tests, and gives what the
 * reference device gives.
 */
import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildCuda, type CudaReport } from "../../build/cuda.ts";
import { ptxModule } from "../../build/cuda-module.ts";
import { profilesNamed } from "../../build/profiles.ts";
import {
  compile,
  defineModel,
  input,
  type Plan,
  state,
  type Tensor,
  traceProgram,
} from "../../compiler/index.ts";
import { targetNamed, usualProfile } from "../../compiler/targets/find.ts";
import { add, matmul, mul, softmax } from "../../ops/index.ts";
import { openDevice, openWeightsFile } from "../../runtime/node/index.ts";
import { createSession } from "../../runtime/session.ts";
import { type TensorData, writeSafetensors } from "../../runtime/weights/index.ts";
import { relativeError } from "../../verify/ops/evaluate.ts";
import { buildPackage, inarch, scratchFolder } from "../support/command-line.ts";
import { buildDriver, describeCuda, type TestDriver } from "../support/libcuda.ts";
import { mlp, mlpCheckpoint } from "../support/mlp.ts";
import { hasPtxas } from "../support/nvcc.ts";
import { refusal } from "../support/weights-files.ts";

const folder = scratchFolder("cuda-folder");
const at = (...path: string[]) => join(folder, ...path);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const init = { kind: "constant", value: 2 } as const;
const product = (weight: Tensor<"f32">) => matmul(input("x", "f32", [40, 48]), weight);

/** Two programs of one weight, whose products differ and are called alike, and states. */
const model = defineModel({
  name: "two",
  programs: {
    shares: (p) => ({ y: softmax(product(p.f32("w", [48, 32])), -1) }),
    counts: (p) => {
      const seen = state("seen", "f32", [40, 32], { init });
      const last = state("last", "f32", [40, 32]);
      const now = add(mul(matmul(product(p.f32("w", [48, 32])), p.f32("v", [32, 32])), 0.5), seen);
      return { seen: add(seen, 1), last: now, before: mul(last, 1), y: now };
    },
  },
});

const numbers = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * 0.37 + seed));
const w = numbers(48 * 32, 1);
const v = numbers(32 * 32, 2);
const x = numbers(40 * 48, 3);
const bytes = (values: Float32Array<ArrayBuffer>) => new Uint8Array(values.buffer);

const built = async (out: string, more: object = {}): Promise<CudaReport> => {
  const [profile] = await profilesNamed(["ptx"], () => Promise.reject());
  return buildCuda({
    ...{ loaded: { model, file: undefined }, out: at(out), profile: profile!, dims: {} },
    programs: ["shares", "counts"],
    weights: at("two.safetensors"),
    onProgress: () => {},
    ...more,
  });
};

/** Without a place where ptxas could be. */
async function withoutPtxas<T>(work: () => Promise<T>): Promise<T> {
  const { PATH, CUDA_HOME } = process.env;
  process.env.PATH = at("nothing");
  try {
    return await work();
  } finally {
    process.env.PATH = PATH;
    if (CUDA_HOME !== undefined) process.env.CUDA_HOME = CUDA_HOME;
  }
}

beforeAll(() => {
  mkdirSync(at("nothing"));
  writeFileSync(at("x.bin"), bytes(x));
  const tensors = new Map<string, TensorData>([
    ["w", { dtype: "f32", shape: [48, 32], data: bytes(w) }],
    ["v", { dtype: "f32", shape: [32, 32], data: bytes(v) }],
  ]);
  writeFileSync(at("two.safetensors"), writeSafetensors(tensors));
});

/** What the reference device gives after so many runs. */
async function wanted(program: string, runs: number) {
  const { device } = await openDevice({ kind: "reference" });
  const plan = compile(traceProgram(model, program), { target: device.target });
  const weights = await openWeightsFile(at("two.safetensors"));
  const session = await createSession(plan, device, { weights });
  for (let i = 1; i < runs; i++) await session.run({ x });
  const results = await session.run({ x });
  await session.close();
  await weights.close();
  device.destroy();
  return results as Record<string, Float32Array>;
}

test("the folder has every file that its manifest names, each kernel once, and says what is not assembled", async () => {
  const report = await built("all");
  expect(report.programs).toMatchObject({ shares: { steps: 2 }, counts: { steps: 5 } });
  expect(readdirSync(at("all")).sort()).toEqual(report.files);
  const manifest = readFileSync(at("all", "manifest.txt"), "utf8");
  const [, kernels] = /^kernels (\S+)$/m.exec(manifest)!;
  const ptx = readFileSync(at("all", `${kernels}.ptx`), "utf8");
  const entries = [...ptx.matchAll(/\.entry (\w+)\(/g)].map(([, name]) => name);
  expect(new Set(entries).size).toBe(entries.length);
  const steps = [...manifest.matchAll(/^step (\w+) /gm)].map(([, name]) => name);
  expect(new Set(steps)).toEqual(new Set(entries));
  expect(entries).toContain("matmul_kernel");
  // One weight that both programs have is stored once.
  expect(report.weights).toBe(4 * (48 * 32 + 32 * 32 + 40 * 32));
  const archs = ["sm_120", "sm_80", "sm_86", "sm_89", "sm_90a"];
  expect([...report.assembled, ...Object.keys(report.without)].sort()).toEqual(archs);
  if (hasPtxas) expect(report.without).toEqual({});
  for (const arch of report.assembled)
    expect(
      readFileSync(at("all", `${kernels}.${arch}.cubin`))
        .subarray(1, 4)
        .toString(),
    ).toBe("ELF");
  // The same again: it is the folder of an earlier build.
  expect(await built("all")).toEqual(report);
  expect((await built("all", { precision: "mixed" })).files).not.toEqual(report.files);
  expect(readdirSync(at("all"))).toHaveLength(report.files.length);
});

test("the manifest says how much shared memory a launch gives", async () => {
  const large = defineModel({
    name: "large",
    programs: {
      multiplies: (p) => ({ y: matmul(input("x", "f32", [4096, 64]), p.f32("w", [64, 1024])) }),
    },
  });
  const weights = new Map([
    ["w", { dtype: "f32", shape: [64, 1024], data: bytes(numbers(65536, 1)) }],
  ]);
  writeFileSync(at("large.safetensors"), writeSafetensors(weights as Map<string, TensorData>));
  const { files } = await built("large", {
    ...{ loaded: { model: large, file: undefined }, programs: ["multiplies"], precision: "mixed" },
    weights: at("large.safetensors"),
  });
  const manifest = readFileSync(at("large", "manifest.txt"), "utf8");
  const given = [...manifest.matchAll(/^step \w+(?: \d+){6} (\d+) /gm)].map(([, n]) => Number(n));
  const ptx = files.find((name) => name.endsWith(".ptx"))!;
  const [, told] = /(\d+) bytes are given/.exec(readFileSync(at("large", ptx), "utf8"))!;
  expect(Math.max(...given)).toBe(Number(told));
  expect(Number(told)).toBeGreaterThan(48 * 1024);
});

test("without ptxas it says so for every architecture", async () => {
  const { assembled, without } = await withoutPtxas(() => built("plain"));
  // /usr/local/cuda is looked into, too.
  if (assembled.length === 0)
    expect(Object.values(without)).toEqual(Array(5).fill(expect.stringMatching(/no ptxas/)));
});

test("E1144: a model that needs weights", async () => {
  const { code, details } = await refusal(() => built("none", { weights: undefined }));
  expect([code, details.help]).toEqual(["E1144", expect.stringContaining("--weights FILE")]);
});

describeCuda("the program in C", () => {
  let driver: TestDriver;
  beforeAll(async () => {
    await built("run");
    const file = readdirSync(at("run")).find((name) => name.endsWith(".ptx"))!;
    const plans = (target: string) =>
      Object.keys(model.programs).map((name) =>
        compile(traceProgram(model, name), { target, profile: usualProfile(targetNamed(target)) }),
      );
    const [ptx, cuda] = [plans("ptx"), plans("cuda")];
    const { entryOf, text } = ptxModule(ptx);
    expect(readFileSync(at("run", file), "utf8")).toBe(text);
    const renamed = (plan: Plan, of: Plan, source?: string) => ({
      name: plan.name,
      kernels: of.kernels.map((kernel, i) => {
        const entry = entryOf(plan.kernels[i]!);
        const own = (kernel.source as string).replace(` ${kernel.entry}(`, ` ${entry}(`);
        const sharedBytes = entry === large ? 60 * 1024 : kernel.sharedBytes;
        return { ...kernel, entry, source: source ?? own, sharedBytes };
      }),
    });
    // As if a kernel had more shared memory than kernels have by themselves.
    const large = ptx[0]!.kernels.map(entryOf)[0]!;
    const manifest = readFileSync(at("run", "manifest.txt"), "utf8");
    const step = new RegExp(`^(step ${large}(?: \\d+){6}) 0 `, "gm");
    writeFileSync(at("run", "manifest.txt"), manifest.replace(step, `$1 ${60 * 1024} `));
    expect(step.test(manifest)).toBe(true);
    driver = buildDriver(
      ptx.map((plan, i) => ({ ptx: renamed(plan, plan, text), cuda: renamed(plan, cuda[i]!) })),
    );
    symlinkSync(driver.path, at("libcuda.so.1"));
    const { status, stderr } = spawnSync(
      process.env.CC || "cc",
      ["-std=c11", "-Wall", "-Wextra", "-Werror", "-o", at("runner"), at("run", "run.c"), "-ldl"],
      { encoding: "utf8" },
    );
    expect(status, stderr).toBe(0);
  });
  afterAll(() => driver?.remove());

  const run = (args: readonly string[], env: Record<string, string> = {}) => {
    const { status, stdout, stderr } = spawnSync(at("runner"), [at("run"), ...args], {
      ...{ cwd: folder, encoding: "utf8", env: { LD_LIBRARY_PATH: folder, ...env } },
    });
    return { status, stdout, stderr };
  };
  const result = (name: string) =>
    new Float32Array(new Uint8Array(readFileSync(at(`${name}.bin`))).buffer);

  test("has at most 200 lines", () => {
    expect(readFileSync(at("run", "run.c"), "utf8").trim().split("\n").length).toBeLessThanOrEqual(
      200,
    );
  });

  test.each([
    ["shares", 1],
    ["counts", 1],
    ["counts", 4],
  ])("runs %s %i times as the reference device does", async (program, runs) => {
    const { status, stderr, stdout } = run([program, `x=${at("x.bin")}`, "--runs", String(runs)]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(runs > 1 ? /^[\d.]+ ms a run/ : /^$/);
    for (const [name, values] of Object.entries(await wanted(program, runs)))
      expect(relativeError(result(name), values), name).toBeLessThan(1e-6);
  });

  test("takes what was assembled for the GPU, else the text", async () => {
    const names = readdirSync(at("run"));
    const ptx = names.find((name) => name.endsWith(".ptx"))!;
    const cubin = ptx.replace(/ptx$/, "sm_90a.cubin");
    // The driver knows cubins of its own making: that of the real assembler it refuses.
    writeFileSync(at("run", cubin), `cubin\n${readFileSync(at("run", ptx), "utf8")}`);
    renameSync(at("run", ptx), at("ptx"));
    expect(run(["shares", `x=${at("x.bin")}`])).toMatchObject({ status: 0, stderr: "" });
    rmSync(at("run", cubin));
    expect(run(["shares", `x=${at("x.bin")}`])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("there are no kernels: kernels-"),
    });
    renameSync(at("ptx"), at("run", ptx));
    expect(run(["shares", `x=${at("x.bin")}`])).toMatchObject({ status: 0 });
  });

  test.each([
    [["counts"], 1, "no file is given for the input x"],
    [["counts", "z=a"], 1, "the program has no input z"],
    [["counts", "x"], 1, "write INPUT=FILE, not x"],
    [["counts", "x=nothing.bin"], 1, "there is no file nothing.bin"],
    [["counts", "x=two.safetensors"], 1, "another number of bytes than the input x"],
    [["other"], 1, "manifest.txt has no program other"],
    [[], 1, "write ./run FOLDER PROGRAM"],
  ])("says what is wrong with %j", (args, status, words) => {
    expect(run(args)).toMatchObject({ status, stderr: expect.stringContaining(words) });
  });

  test("says that there is no driver", () => {
    expect(run(["counts"], { LD_LIBRARY_PATH: at("nothing") })).toMatchObject({
      status: 3,
      stderr: expect.stringContaining("no driver of an NVIDIA GPU"),
    });
  });
});

test("the command builds it, and refuses flags of modules (E1143)", async () => {
  await buildPackage();
  writeFileSync(at("mlp.safetensors"), mlpCheckpoint());
  const build = (...more: string[]) =>
    inarch(
      ["build", mlp, "--target", "cuda", "--weights", "mlp.safetensors", "--out", "mlp", ...more],
      folder,
    );
  const { code, stdout } = await build();
  expect(code).toBe(0);
  expect(stdout).toMatch(/built tiny-mlp into mlp for NVIDIA's GPUs, 0.1 MiB of weights/);
  expect(stdout).toMatch(/assembled for sm_80|NOT ASSEMBLED for sm_80/);
  for (const [flags, words] of [
    [["--standalone", "--split", "24MiB"], "--standalone and --split are of modules"],
    [["--profiles", "wasm"], "--profiles is of modules"],
    [["--adapter", "a.safetensors"], "no adapters beside it"],
  ] as const) {
    const refused = await build(...flags);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("E1143");
    expect(refused.stderr).toContain(words);
  }
});
