/**
 * Every stage of a few small programs, as files to read: test/golden is a museum of the compiler.
 * After a wanted change, UPDATE_GOLDEN=1 writes them anew, to be reviewed like any other change.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileStages } from "../../compiler/compile.ts";
import { type Graph, type Model, type Plan, traceProgram } from "../../compiler/index.ts";
import { printStage, type Stage } from "../../compiler/inspect/index.ts";
import { kernelText } from "../../runtime/devices/device.ts";
import { webgpuDevice } from "../../runtime/devices/webgpu.ts";
import { type Gpu, requestNullGpu } from "../../runtime/node/index.ts";

const golden = join(dirname(import.meta.dirname), "golden");
const update = process.env.UPDATE_GOLDEN === "1";

const cases = await Promise.all(
  readdirSync(golden)
    .sort()
    .map(async (name) => {
      const { default: model } = (await import(`../golden/${name}/model.graph.ts`)) as {
        default: Model;
      };
      const graph = traceProgram(model, "forward");
      const plan = (target: "wgsl" | "cuda") => compileStages(graph, { name, target });
      return { name, graph, wgsl: plan("wgsl"), cuda: plan("cuda") };
    }),
);

/** The stages that are kept; of targets, those whose text is reviewed. */
const files = {
  graph: "graph.txt",
  rewritten: "rewritten.txt",
  regions: "regions.txt",
  kernels: "kernels.txt",
  wgsl: "kernel.wgsl",
  cuda: "kernel.cu",
  plan: "plan.txt",
} as const satisfies Readonly<Record<Stage, string>>;

describe.each(cases)("$name", ({ name, wgsl, cuda }) => {
  test.each(Object.entries(files))("stage %s is the text that was reviewed", (stage, file) => {
    const compilation = stage === "cuda" ? cuda : wgsl;
    check(join(golden, name, file), stageText(stage));
    if (stage === "plan") check(join(golden, name, "plan.json"), planJson(compilation.plan));

    function stageText(of: Stage): string {
      return printStage(of, compilation, ({ span }) => {
        const at = span.resolve();
        return at && `${basename(at.file)}:${at.line}`;
      });
    }
  });
});

function check(path: string, text: string): void {
  if (update) writeFileSync(path, text);
  expect(existsSync(path) ? readFileSync(path, "utf8") : "", path).toBe(text);
}

/** The plan without the text of its kernels, which has a file of its own. */
const planJson = (plan: Plan): string =>
  formatPlan({ ...plan, kernels: plan.kernels.map(({ source: _, ...kernel }) => kernel) });

/** JSON with one line for each buffer, kernel and step: small, and a change shows as few lines. */
function formatPlan(value: object): string {
  const members = Object.entries(value).map(([key, member]) => {
    const isList = Array.isArray(member) && member.length > 0;
    const text = isList
      ? `[\n${member.map((item) => `    ${JSON.stringify(item)}`).join(",\n")}\n  ]`
      : JSON.stringify(member);
    return `  ${JSON.stringify(key)}: ${text}`;
  });
  return `{\n${members.join(",\n")}\n}\n`;
}

test("the same program makes the same plan again", () => {
  const again = (graph: Graph, name: string) => compileStages(graph, { name }).plan;
  for (const { name, graph, wgsl } of cases) expect(again(graph, name)).toEqual(wgsl.plan);
});

describe("WGSL", () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await requestNullGpu();
  });
  afterAll(() => gpu.destroy());

  test.each(cases)("of $name is accepted by Dawn", async ({ wgsl }) => {
    const device = webgpuDevice(gpu.device);
    await device.load(wgsl.plan, await device.allocate(wgsl.plan.buffers));
  });
});

const nvcc = findNvcc();

describe("CUDA", () => {
  const folder = mkdtempSync(join(tmpdir(), "inarch-cuda-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const source = join(folder, "golden.cu");
  writeFileSync(source, cases.map(({ name, cuda }) => distinct(name, cuda.plan)).join("\n"));

  test.for(["sm_80", "sm_90"])("of every case compiles for %s", (arch, { skip }) => {
    if (nvcc === undefined) skip("nvcc is not installed, so no CUDA text was compiled");
    const flags = [`-arch=${arch}`, "-cubin", "-Werror", "all-warnings", "-o", `${source}.cubin`];
    execFileSync("nvcc", [...flags, source], { stdio: "pipe" });
    expect(existsSync(`${source}.cubin`)).toBe(true);
  });
});

/** All kernels of a plan in one file: starting nvcc takes longer than compiling them. */
const distinct = (name: string, { kernels }: Plan): string =>
  kernels
    .map((kernel, i) => {
      const { entry } = kernel;
      const own = `${entry}_${name.replaceAll("-", "_")}_${i}`;
      return kernelText(kernel).replace(new RegExp(`\\b${entry}\\(`), `${own}(`);
    })
    .join("\n");

function findNvcc(): string | undefined {
  try {
    execFileSync("nvcc", ["--version"], { stdio: "ignore" });
    return "nvcc";
  } catch {
    return undefined;
  }
}
