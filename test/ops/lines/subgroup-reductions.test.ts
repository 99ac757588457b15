/** Lines that are combined by reductions over subgroups, of whatever width the device has. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Compilation, compileStages } from "../../../compiler/compile.ts";
import { graphOf } from "../../../compiler/graph/graph.ts";
import { input, type Tensor } from "../../../compiler/index.ts";
import { Builder } from "../../../compiler/kernel/builder.ts";
import type { Fold, Kernel } from "../../../compiler/kernel/ir.ts";
import { literal, type Value } from "../../../compiler/kernel/value.ts";
import { unverified } from "../../../compiler/kernel/verify.ts";
import type { Plan } from "../../../compiler/plan.ts";
import { defaultProfile, deviceProfile, type Profile } from "../../../compiler/profile.ts";
import { reference } from "../../../compiler/targets/reference/index.ts";
import { softmax, sum, topK } from "../../../ops/index.ts";
import { kernelText } from "../../../runtime/devices/device.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { webgpuDevice } from "../../../runtime/devices/webgpu.ts";
import { openDevice, requestNullGpu } from "../../../runtime/node/index.ts";
import { createSession } from "../../../runtime/session.ts";
import { evaluate } from "../../../verify/ops/evaluate.ts";
import { type Example, findOps } from "../../../verify/ops/programs.ts";
import { deviceTest } from "../../support/device.ts";
import { runPlan } from "../../support/run-plan.ts";
import { withoutBarriers } from "../../support/without-barriers.ts";
import { checkEqual } from "../walker/check.ts";

const { subjects } = await findOps();

const profile: Profile = { ...defaultProfile, name: "reductions", reduces: true };

const sizeOf = ({ arrays }: Example) => Math.max(...Object.values(arrays).map((v) => v.length));

const compiled = (
  { graph }: Pick<Example, "graph">,
  target: Plan["target"],
  of: Profile = profile,
): Compilation => compileStages(graph, { target, profile: of });

const reduces = ({ plan }: Compilation) => plan.kernels.some((k) => k.reduces);

/** Every sample and case of a few thousand elements whose kernels reduce. */
const programs = subjects
  .filter(({ op }) => op?.kind === "kernel")
  .flatMap(({ name, examples, claims }) =>
    examples.map((example, i) => ({ op: name, name: `${name}: ${claims[i]}`, example: example() })),
  )
  .filter(({ example }) => sizeOf(example) < 10_000 && reduces(compiled(example, "reference")));

const isSmall = ({ example }: { readonly example: Example }) => sizeOf(example) < 2000;

/** One of each op, the longest. */
const longest = [
  ...new Map(
    programs.toSorted((a, b) => sizeOf(a.example) - sizeOf(b.example)).map((p) => [p.op, p]),
  ).values(),
];

test("sums, norms, softmax, their gradients and the verdict reduce", () => {
  expect(longest.map(({ op }) => op).sort()).toEqual([
    "broadcast: sum",
    ...["layer-norm", "layer-norm-gradient", "reduce"],
    ...["softmax", "softmax: softmaxGradient", "step-verdict"],
  ]);
});

test.each(programs)("$name: right at any width, every barrier needed", async ({ example }) => {
  const { arrays, graph } = example;
  const { plan, kernels } = compiled(example, "reference");
  const wanted = await evaluate(graph, arrays);
  // Subgroups of 1 and 5 are not full, or have fewer than four threads: nothing promises they are.
  for (const width of isSmall({ example }) ? [1, 4, 5, 8, 16, 32, 64, 128] : [8]) {
    const got = await runPlan(plan, arrays, referenceDevice({ width }));
    checkEqual(example, got, wanted, `subgroups of ${width}`);
  }
  for (const [step, { kernel }] of kernels.entries())
    for (const broken of withoutBarriers(plan, step, kernel))
      await expect(runPlan(broken, arrays, referenceDevice({ width: 8 }))).rejects.toThrow(/E450/);
});

test.each(programs.filter(isSmall))(
  "$name: right where a workgroup is narrower than a subgroup",
  async ({ example }) => {
    const { plan } = compiled(example, "reference", { ...profile, maxThreads: 16 });
    const got = await runPlan(plan, example.arrays, referenceDevice({ width: 64 }));
    checkEqual(example, got, await evaluate(example.graph, example.arrays), "16 threads");
  },
);

const f32 = (shape: readonly number[]) => input("x", "f32", shape) as Tensor;

describe("a line of 256 threads", () => {
  const graph = graphOf([{ name: "y", tensor: sum(f32([1, 600]), -1) }]);
  const { plan, kernels } = compiled({ graph }, "reference");
  const values = Array.from({ length: 600 }, (_, i) => (i % 17) - 5);

  test.each([1, 2, 3, 7, 8, 16, 63, 64, 100, 256, 512])("in subgroups of %i", async (width) => {
    const { y } = await runPlan(plan, { x: values }, referenceDevice({ width }));
    expect(y).toEqual([values.reduce((a, b) => a + b)]);
  });

  test("has one barrier, and one store for each subgroup beside that of the result", () => {
    const source = kernelText(plan.kernels[0]!);
    expect(kernels[0]!.kernel.threads).toEqual([256, 1, 1]);
    expect(source.match(/^ *yield;/gm)).toHaveLength(1);
    expect(source.match(/\.write\(/g)).toHaveLength(2);
  });
});

test("lines that share a workgroup, and pairs that no fold combines, keep the tree", () => {
  const keeps: readonly Tensor[] = [softmax(f32([2, 300, 3]), 1), topK(f32([3, 77]), 2).values];
  for (const tensor of keeps) {
    const graph = graphOf([{ name: "y", tensor }]);
    const without = compiled({ graph }, "wgsl", { ...defaultProfile, name: "reductions" });
    expect(compiled({ graph }, "wgsl").plan).toEqual(without.plan);
  }
});

describe("the reference device", () => {
  const built = (threads: number, body: (k: Builder, thread: Value) => Value): Kernel => {
    const k = new Builder();
    const y = k.param("y", "f32", threads, "write");
    const thread = k.thread(0, threads);
    k.store(y, thread, k.let("value", body(k, thread)));
    return k.finish("reducing", [threads, 1, 1], [1, 1, 1]);
  };
  const numbered = (fold: Fold) => built(10, (k, thread) => k.reduce(fold, thread.cast("f32")));

  test.each([
    // Nobody promises that the threads of a subgroup follow each other, so here they do not.
    ["add", [20, 25, 20, 25, 20, 25, 20, 25, 20, 25]],
    ["max", [8, 9, 8, 9, 8, 9, 8, 9, 8, 9]],
    ["min", [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]],
  ] as const)("combines the threads of each subgroup: %s", async (fold, wanted) => {
    expect(await runKernel(numbered(fold), 8)).toEqual(wanted);
  });

  test("numbers subgroups and their members", async () => {
    const all = built(5, (k) => {
      const digits = [k.subgroups(), k.subgroup(), k.members(), k.member()];
      return digits.map((d) => d.cast("f32")).reduce((a, b) => a.mul(10).add(b));
    });
    expect(await runKernel(all, 4)).toEqual([2030, 2120, 2031, 2121, 2032]);
    expect(await runKernel(all, 64)).toEqual([1050, 1051, 1052, 1053, 1054]);
  });

  const odd: readonly (readonly [string, Kernel])[] = unverified(() => [
    [
      "that some threads do not reach",
      built(8, (k, thread) => {
        const total = k.var("total", literal(0, "f32"));
        k.if(thread.lt(3), () => total.set(k.reduce("add", literal(1, "f32"))));
        return total.get;
      }),
    ],
    [
      "that is another one in some threads",
      built(8, (k, thread) => {
        const total = k.var("total", literal(0, "f32"));
        k.if(thread.lt(3), () => total.set(k.reduce("add", literal(1, "f32"))));
        k.if(thread.lt(3).not(), () => total.set(k.reduce("max", literal(1, "f32"))));
        return total.get;
      }),
    ],
  ]);

  test.each(odd)("objects to a reduction %s (E450)", async (_, kernel) => {
    await expect(runKernel(kernel, 4)).rejects.toMatchObject({
      code: "E450",
      message: expect.stringMatching(/divergent reduction/),
    });
  });
});

describe("the profile of a device", () => {
  const { capabilities } = referenceDevice();
  const reduces = (numbered: boolean, slowBarriers = false) =>
    deviceProfile({ ...capabilities, slowBarriers, subgroups: { least: 8, most: 64, numbered } })
      .reduces;

  test("reduces where kernels can number subgroups, and barriers are no slower than that", () => {
    expect([reduces(true), reduces(false), reduces(true, true)]).toEqual([true, false, false]);
    expect(deviceProfile(capabilities).reduces).toBe(false);
    expect(defaultProfile.reduces).toBe(false);
  });
});

describe("WebGPU", () => {
  const { plan } = compiled(longest[0]!.example, "wgsl");

  test("Dawn accepts the text", async () => {
    const gpu = await requestNullGpu();
    for (const { example, name } of programs)
      for (const source of compiled(example, "wgsl").plan.kernels.map(kernelText)) {
        gpu.device.pushErrorScope("validation");
        gpu.device.createShaderModule({ code: source });
        const error = await gpu.device.popErrorScope();
        expect(error?.message, `${name}\n${source}`).toBe(undefined);
      }
    gpu.destroy();
  });

  test.each([
    ["the feature", ["timestamp-query"], ["subgroup_id"]],
    ["WGSL's numbers of subgroups", ["subgroups"], []],
  ] as const)("a device without %s refuses the plan (E424)", async (_, features, language) => {
    const gpu = await requestNullGpu({ features });
    const device = webgpuDevice(gpu.device, { language: new Set(language) });
    expect(deviceProfile(device.capabilities).reduces).toBe(false);
    await expect(createSession(plan, device)).rejects.toMatchObject({
      code: "E424",
      message: expect.stringMatching(/numbers subgroups/),
    });
    gpu.destroy();
  });

  deviceTest("a device gives what the oracles give", async () => {
    const { device } = await openDevice({ kind: "webgpu" });
    expect(device.capabilities.subgroups?.numbered).toBe(true);
    for (const { example, name } of longest) {
      const { plan } = compiled(example, "wgsl");
      const got = await runPlan(plan, example.arrays, device);
      checkEqual(example, got, await evaluate(example.graph, example.arrays), name);
    }
    device.destroy();
  });
});

const hasNvcc = spawnSync("nvcc", ["--version"]).status === 0;
if (!hasNvcc) console.warn("nvcc is missing: the CUDA text of reductions is not compiled");

test("CUDA reduces by shuffles within warps, and nvcc accepts it where it is there", () => {
  const sources = longest.flatMap(({ example }, n) =>
    compiled(example, "cuda")
      .plan.kernels.filter((k) => k.reduces)
      .map((k, i) => kernelText(k).replace(` ${k.entry}(`, ` program_${n}_${i}_${k.entry}(`)),
  );
  for (const source of sources) expect(source).toMatch(/__shfl_down_sync/);
  if (!hasNvcc) return;
  const folder = mkdtempSync(join(tmpdir(), "inarch-reductions-"));
  writeFileSync(join(folder, "all.cu"), sources.join("\n"));
  const quick = ["-arch=sm_90", "-Xcicc", "-O0", "-Xptxas", "-O0", "-cubin"];
  execFileSync("nvcc", [...quick, "-o", join(folder, "out"), join(folder, "all.cu")]);
  rmSync(folder, { recursive: true, force: true });
}, 120_000);

/** Runs a kernel of one result as it is, and returns what it wrote. */
async function runKernel(kernel: Kernel, width: number): Promise<number[]> {
  const device = referenceDevice({ width });
  const size = kernel.params[0]!.size;
  const buffers = await device.allocate([{ role: "output", bytes: size * 4 }]);
  const printed = {
    ...{ name: kernel.name, source: reference.print(kernel, () => true), entry: kernel.name },
    ...{ threads: kernel.threads, sharedBytes: 0, subgroup: kernel.subgroup },
    params: [{ scalar: "f32", size, access: "read-write", writes: true }] as const,
    ...(kernel.reduces ? { reduces: true as const } : {}),
  };
  const bindings = [{ buffer: 0, offset: 0, bytes: size * 4 }];
  const steps = [{ kernel: 0, groups: kernel.groups, bindings, label: "test" }];
  const plan = { name: "test", kernels: [printed], steps, commits: [] };
  await (await device.load(plan, buffers)).run();
  return [...(await device.read(buffers[0]!, 0, size, "f32"))];
}
