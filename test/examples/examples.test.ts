/** Every example runs by itself and says what is expected of it. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { readImage } from "../../entries/node.ts";
import { buildPackage, inarch, node, repository } from "../support/command-line.ts";

beforeAll(buildPackage);

/** In a first run the software device compiles every kernel, which takes it a while. */
const patience = 600_000;

interface Script {
  readonly name: string;
  readonly args?: readonly string[];
  /** Lines of its output. */
  readonly says: readonly (string | RegExp)[];
}

const scripts: readonly Script[] = [
  {
    name: "02-run.mjs",
    // Softmax of (0.5, -0.5) and of (-1.5, 1.5).
    says: [/^on (?:cpu|webgpu): ./, "row 0: 0.7311 0.2689", "row 1: 0.0474 0.9526"],
  },
  {
    name: "03-segment.mjs",
    says: [
      /^one click: 3 masks, scores -?\d\.\d{3} -?\d\.\d{3} -?\d\.\d{3}$/,
      /^two clicks: score -?\d\.\d{3}$/,
      "wrote out/examples/segment.png",
    ],
  },
  {
    name: "05-ahead-of-time.mjs",
    // 64 ones and a bias of one are 65, which gelu keeps, and 256 of them are summed.
    says: ["4 rows of 10 results, the first is 16640"],
  },
  {
    name: "07-fine-tune.mjs",
    // Conv-LoRA's kernels take a software device another minute; `npm start` runs it.
    args: ["--steps", "3", "--scenes", "4", "--method", "LoRA", "--out", "out/examples/fine-tune"],
    says: [
      "LoRA: 127584 of 667328 parameters train (19.1 %)",
      /^LoRA: step 3 of 3, loss \d\.\d{3}, \d+\.\d\d s each$/,
      /^LoRA {6}before 0\.\d{3}, after 0\.\d{3}$/,
      /^wrote out.examples.fine-tune.masks\.png: /,
      /^wrote out.examples.fine-tune.losses\.png: /,
    ],
  },
  {
    name: "08-vera.mjs",
    says: [
      "192 of 6400 parameters train",
      /^loss 0\.2\d{3}, after 30 steps 0\.1\d{3}$/,
      "the file holds down.vera_b, down.vera_d, up.vera_b, up.vera_d, vera.A_32, vera.B_32",
      /^a session of the base and the file is (?:0|\de-\d+) apart from training$/,
    ],
  },
];

interface GraphFile {
  readonly name: string;
  readonly regions: string;
}

const graphFiles: readonly GraphFile[] = [
  {
    name: "01-mlp.graph.ts",
    regions: `r0 matmul -> %3 f32[4, 256]
  views   broadcast %1
  behind  add %2, gelu %3
  reads   x f32[4, 64], up.weight f32[64, 256], up.bias f32[256]
r1 matmul -> %4 f32[4, 10]
  reads  %3 f32[4, 256], down.weight f32[256, 10]
`,
  },
  {
    name: "04-own-op.graph.ts",
    regions: `r0 matmul -> %1 f32[16, 8]
  behind  hardSwish %1
  reads   x f32[16, 32], weight f32[32, 8]
`,
  },
  {
    name: "06-own-adapter.graph.ts",
    regions: `r0 matmul -> %4 f32[16, 64]
  views   broadcast %2, permute %0
  behind  add %3, gelu %4
  reads   x f32[16, 32], up.weight f32[64, 32], up.bias f32[64]
r1 sum -> %18 f32[8]
  views     full %6, broadcast %7
  in front  matmul %5, mul %8, add %9, mul %15
  behind    reshape %17, sqrt %18
  reads     down.weight f32[8, 64], down.lora_B f32[8, 4], down.lora_A f32[4, 64]
r2 sum -> %20 f32[8, 1]
  in front  mul %10
  behind    reshape %12, sqrt %13, add %14, div %19, reshape %20
  reads     down.weight f32[8, 64], down.magnitude_change f32[8], %18 f32[8]
r3 matmul -> %26 f32[16, 8]
  views     broadcast %25, broadcast %21, full %6, broadcast %7, permute %23
  in front  matmul %5, mul %8, add %9, mul %22
  behind    add %26
  reads     %4 f32[16, 64], down.weight f32[8, 64], down.lora_B f32[8, 4], down.lora_A f32[4, 64], %20 f32[8, 1], down.bias f32[8]
`,
  },
];

test("every numbered example is among those that are tested", () => {
  const numbered = readdirSync(join(repository, "examples")).filter((name) => /^\d/.test(name));
  const tested = [...scripts, ...graphFiles].map(({ name }) => name);
  expect(tested.sort()).toEqual(numbered.sort());
});

describe("a model's file", () => {
  test.each(graphFiles)("$name becomes these regions", async ({ name, regions }) => {
    const { stdout, stderr } = await inarch(["show", `examples/${name}`]);
    expect(stderr).toBe("");
    expect(stdout).toBe(regions);
  });
});

describe("a script", () => {
  test.each(scripts)("$name runs", { timeout: patience }, async ({ name, args = [], says }) => {
    const { code, stdout, stderr } = await node([`examples/${name}`, ...args]);
    expect(code, stderr).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    for (const words of says)
      expect(lines).toContainEqual(
        typeof words === "string" ? words : expect.stringMatching(words),
      );
  });

  test("the picture that is written has the size of the one that was read", async () => {
    const { width, height } = await readImage(join(repository, "out", "examples", "segment.png"));
    expect({ width, height }).toEqual(await sizeOf("scene.png"));
  });
});

test("fine-tuning refuses arguments that it cannot use", async () => {
  const refused = (...args: string[]) => node(["examples/07-fine-tune.mjs", ...args]);
  const words = "--steps, --scenes and --seed are whole numbers from 1 up\n";
  expect(await refused("--steps", "many")).toMatchObject({ code: 2, stderr: words });
  const other = "--method is LoRA or Conv-LoRA, not VPT\n";
  expect(await refused("--method", "VPT")).toMatchObject({ code: 2, stderr: other });
});

interface Scene {
  readonly image: { readonly data: Uint8Array };
  readonly mask: { readonly data: Uint8Array };
}

describe("a drawn scene", async () => {
  const file = join(repository, "examples", "fine-tune", "scenes.mjs");
  const { drawScene } = (await import(pathToFileURL(file).href)) as {
    drawScene(seed: number): Scene;
  };
  const seeds = Array.from({ length: 16 }, (_, seed) => seed);

  test("depends on its seed alone", () => {
    expect(drawScene(7)).toEqual(drawScene(7));
    expect(drawScene(7).image).not.toEqual(drawScene(8).image);
  });

  test("has a shape in it, which is less than a third of it", () => {
    for (const seed of seeds) {
      const share = mean(drawScene(seed).mask.data);
      expect(share).toBeGreaterThan(0.005);
      expect(share).toBeLessThan(0.33);
    }
  });

  test("hides its shape: the colour is within an eighth of the range from the ground's", () => {
    for (const seed of seeds)
      expect(contrast(drawScene(seed))).toBeLessThan(0.125 * 255 * Math.sqrt(3));
  });
});

/** How far the mean colour of the shape is from that of the ground. */
function contrast({ image, mask }: Scene): number {
  const colour = (inside: number, channel: number) => {
    const places = [...mask.data.keys()].filter((i) => mask.data[i] === inside);
    return mean(places.map((i) => image.data[3 * i + channel]!));
  };
  return Math.hypot(...[0, 1, 2].map((channel) => colour(1, channel) - colour(0, channel)));
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}

async function sizeOf(fixture: string) {
  const { width, height } = await readImage(join(repository, "test", "fixtures", fixture));
  return { width, height };
}
