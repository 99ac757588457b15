/** `inarch show`: every stage of any model, as text or as JSON. */

import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { compileStages } from "../../compiler/compile.ts";
import { portable } from "../../compiler/forms/form.ts";
import {
  apply,
  defaultProfile,
  defineModel,
  input,
  type KernelOp,
  type Pass,
  type Plan,
  traceProgram,
} from "../../compiler/index.ts";
import { printStage } from "../../compiler/inspect/index.ts";
import { unverified } from "../../compiler/kernel/verify.ts";
import { show } from "../../explain/show.ts";
import { full, matmul, mul, topK, transpose } from "../../ops/index.ts";
import { buildPackage, inarch, repository } from "../support/command-line.ts";
import { deviceTest } from "../support/device.ts";

beforeAll(buildPackage);

const mlp = join("examples", "01-mlp.graph.ts");
const nano = ["sam", "--config", join("test", "fixtures", "sam_nano.config.json")];

const stagesOfMlp = [
  {
    stage: "graph",
    says: ["inputs\n  x  f32[4, 64]  One row for each sample.\n", "01-mlp.graph.ts:1"],
  },
  { stage: "regions", says: ["r0 matmul -> ", "  behind  add %2, gelu %3\n"] },
  { stage: "kernels", says: ["kernel matmul_add_gelu, ", "\n  reads  x: f32[256]\n", "barrier;"] },
  { stage: "wgsl", says: ["// matmul_add_gelu: step 0\n@group(0) @binding(0)"] },
  { stage: "cuda", says: ['extern "C" ', " matmul_add_gelu_kernel("] },
  { stage: "ptx", says: [".target sm_80", ".visible .entry matmul_add_gelu_kernel("] },
  { stage: "plan", says: ["plan tiny-mlp.forward for wgsl, profile default\n", "  total "] },
];

describe("on the command line", () => {
  test.each(stagesOfMlp)("--stage $stage", async ({ stage, says }) => {
    const { code, stdout, stderr } = await inarch(["show", mlp, "--stage", stage]);
    for (const words of says) expect(stdout).toContain(words);
    expect(stderr).toBe("");
    expect(code).toBe(0);
  });

  test("--json with --stage plan prints the plan itself", async () => {
    const args = ["show", mlp, "--stage", "plan", "--json", "--dim", "batch=9"];
    const { stdout } = await inarch(args);
    const { model, stage, programs } = JSON.parse(stdout);
    expect({ model, stage }).toEqual({ model: "tiny-mlp", stage: "plan" });
    expect(programs.forward.outputs[0]).toMatchObject({ name: "y", shape: [9, 10] });
    expect(programs.forward.kernels[0].source).toContain("fn main(");
  });

  test("of several programs each has a heading, which is a comment in source text", async () => {
    const { stdout } = await inarch(["show", ...nano, "--stage", "wgsl"]);
    expect(stdout.match(/^\/\/ program .*$/gm)).toEqual(["// program encode", "// program decode"]);
  });

  test("--program shows one of them, without a heading", async () => {
    const { stdout } = await inarch(["show", ...nano, "--program", "decode", "--stage", "graph"]);
    expect(stdout.startsWith("inputs\n")).toBe(true);
    // A built-in model has no places of the user's.
    expect(stdout).not.toContain(".ts:");
  });

  test("a reader that stops early is no failure", async () => {
    const script = `"${process.execPath}" dist/cli/main.js show ${nano.join(" ")} --stage wgsl | head -n 1`;
    const { execFile } = await import("node:child_process");
    const [stdout, stderr] = await new Promise<[string, string]>((resolve) => {
      execFile("sh", ["-c", script], { cwd: repository }, (_, out, err) => resolve([out, err]));
    });
    expect(stdout).toBe("// program encode\n");
    expect(stderr).toBe("");
  });

  test.each([
    { args: ["sam"], code: "E502", says: "the model sam needs --config" },
    {
      args: ["sam-vit-b", "--config", "x.json"],
      code: "E503",
      says: "has the configuration that was published",
    },
    {
      args: [mlp, "--config", "x.json"],
      code: "E503",
      says: "goes with a built-in model, not with a file",
    },
    {
      args: ["sam", "--config", "none.json"],
      code: "E200",
      says: "the configuration cannot be read",
    },
  ])("$args: $says", async ({ args, code, says }) => {
    const { code: exit, stderr } = await inarch(["show", ...args]);
    expect(stderr).toContain(`error[${code}]`);
    expect(stderr).toContain(says);
    expect(exit).toBe(1);
  });

  deviceTest(
    "--limits device compiles for this machine's; its old word does too, and says so",
    async () => {
      const shown = (word: string) => inarch(["show", mlp, "--stage", "plan", "--limits", word]);
      const { stdout } = await shown("device");
      expect(stdout).toMatch(/^plan tiny-mlp\.forward for wgsl, profile (?!default)./);
      const old = await shown("adapter");
      expect(old).toMatchObject({ code: 0, stdout });
      expect(old.stderr).toContain(
        "--limits adapter is now --limits device; the old word still works\n",
      );
    },
  );
});

describe("--time", () => {
  test("prints each pass with its time and what it made, and the sum", async () => {
    const { stdout } = await inarch(["show", mlp, "--time", "--stage", "cuda"]);
    const [heading, ...rows] = stdout.trimEnd().split("\n");
    expect(heading).toMatch(/^pass +ms {2}made$/);
    const words = rows.map((row) => /^(\w+) +(\d+\.\d)( {2}\S.*)?$/.exec(row)!);
    const names = ["rewrite", "join", "pick", "fuse", "store", "lower", "place", "print", "all"];
    expect(words.map((word) => word[1])).toEqual(names);
    expect(
      words.map((word) => word[3]?.trim().replaceAll(/(?<![a-z\d])\d+(?:,\d{3})*/g, "N")),
    ).toEqual([
      ...["nodes before N, nodes N", "joins N", "kernels N, forms N", "regions N", "f32 N"],
      ...["kernels N", "buffers N, bytes N", "texts N, bytes N", undefined],
    ]);
  });

  test("with --json prints what the plan says, by program", async () => {
    const args = ["show", ...nano, "--json"];
    const { programs, stage } = JSON.parse((await inarch([...args, "--time"])).stdout);
    const { programs: plans } = JSON.parse((await inarch([...args, "--stage", "plan"])).stdout);
    expect(stage).toBe("passes");
    for (const [name, { kernels, steps, buffers }] of Object.entries<Plan>(plans)) {
      const passes: readonly Pass[] = programs[name];
      const made = Object.fromEntries(passes.map((pass) => [pass.name, pass.made]));
      expect(made.fuse).toEqual({ regions: steps.length });
      expect(made.place).toMatchObject({ buffers: buffers.length });
      expect(made.print).toMatchObject({ texts: kernels.length });
    }
  });

  test("changes nothing of the plan", () => {
    const model = defineModel({ name: "one", build: () => ({ y: full(1, [3]) }) });
    const graph = traceProgram(model, "forward");
    const passes: Pass[] = [];
    const { plan } = compileStages(graph, { onPass: (pass) => passes.push(pass) });
    expect(passes.every(({ milliseconds }) => milliseconds >= 0)).toBe(true);
    expect(plan).toEqual(compileStages(graph).plan);
  });
});

test("--verify prints the same where every kernel is what it should be", async () => {
  const args = ["show", mlp, "--stage", "kernels"];
  const [plain, verified] = [await inarch(args), await inarch([...args, "--verify"])];
  expect(verified).toEqual(plain);
});

test("kernels that a model's own op breaks are shown, unless they are to be verified", () => {
  const broken: KernelOp = {
    name: "broken",
    kind: "kernel",
    type: ([x]) => [x!],
    forms: [
      portable({ reads: () => 1, kernel: ({ k }) => k.finish("broken", [4, 1, 1], [1, 1, 1]) }),
    ],
    oracle: ([x]) => [x!.data],
    work: () => 0,
    tests: { samples: [{ inputs: [1], call: (x) => x!, outputs: [1] }] },
  };
  const model = defineModel({
    name: "model",
    build: () => ({ y: apply(broken, [input("x", "f32", [4])], {})[0]! }),
  });
  const request = { stage: "kernels", programs: ["forward"], dims: {} } as const;
  const shown = (verify: boolean) => () =>
    unverified(() =>
      show({ model, file: undefined }, { ...request, profile: defaultProfile, verify }),
    );
  expect(shown(false)()[0]!.text).toContain("kernel broken, ");
  expect(shown(true)).toThrow("after building, kernel broken: broken is never written");
});

describe("the printed stages", () => {
  const shown = (stage: "graph" | "regions" | "plan", build: Parameters<typeof defineModel>[0]) => {
    const graph = traceProgram(defineModel(build), "forward");
    return printStage(stage, compileStages(graph, { name: "shown", profile: defaultProfile }));
  };

  test("an op with several results has a name for each", () => {
    const text = shown("graph", {
      name: "several",
      build: () => {
        const { values, indices } = topK(input("x", "f32", [3, 9]), 2);
        return { values, indices };
      },
    });
    expect(text).toMatch(/%0\.0, %0\.1 {2}topK?\(x\).* {2}f32\[3, 2\], i32\[3, 2\]/i);
    expect(text).toMatch(/values +%0\.0/);
  });

  test("regions give the reason why something did not melt", () => {
    const text = shown("regions", {
      name: "shared",
      build: (p) => {
        const product = matmul(input("x", "f32", [32, 32]), p.f32("w", [32, 32]));
        return { scaled: mul(product, p.f32("scale", [32])), turned: transpose(product) };
      },
    });
    // What is stored for both is scaled on the way; to turn it takes a kernel of its own.
    expect(text).toContain("r0 matmul -> %2 f32[32, 32], %0 f32[32, 32]");
    expect(text).toContain(`
decided against
  %3 permute  f32[32, 32] has other users, so memory must hold it
`);
  });

  test("a plan's memory adds up, and says how well the arena is packed", () => {
    const text = shown("plan", {
      name: "chain",
      build: (p) => {
        const w = p.f32("w", [256, 256]);
        const x = input("x", "f32", [256, 256]);
        return { y: matmul(matmul(matmul(x, w), w), w) };
      },
    });
    expect(text).toContain("  arena         0.500  0.500 live at one step: 100 % of the arena\n");
    expect(text).toContain("  total         1.250\n");
    expect(text).toContain("steps (3, with ");
  });

  test("a plan says which parameters are stored as halves", () => {
    const graph = traceProgram(
      defineModel({
        name: "halves",
        build: (p) => ({ y: matmul(input("x", "f32", [8, 64]), p.f32("w", [64, 64])) }),
      }),
      "forward",
    );
    const frozen = { state: "frozen.0", offset: 0, stored: "f16" } as const;
    const layout = {
      states: [{ name: "frozen.0", bytes: 2 * 64 * 64 }],
      parameters: new Map([["w", frozen]]),
      outputs: new Map(),
    };
    const profile = { ...defaultProfile, half: true };
    const text = printStage("plan", compileStages(graph, { layout, profile, precision: "mixed" }));
    expect(text).toContain("frozen.0 w f16[64, 64]\n");
  });
});
