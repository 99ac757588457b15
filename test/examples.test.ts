/** Every example runs by itself and says what is expected of it. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readImage } from "../runtime/node/index.ts";
import { buildPackage, inarch, node, repository } from "./command-line.ts";
import { describeOnDevice } from "./device.ts";

beforeAll(buildPackage, 120_000);

/** In a first run the software device compiles every kernel, which takes it a while. */
const patience = 600_000;

interface Script {
  readonly name: string;
  /** Lines of its output. */
  readonly says: readonly (string | RegExp)[];
}

const scripts: readonly Script[] = [
  {
    name: "02-run.mjs",
    // Softmax of (0.5, -0.5) and of (-1.5, 1.5).
    says: [/^on ./, "row 0: 0.7311 0.2689", "row 1: 0.0474 0.9526"],
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

describeOnDevice("a script", () => {
  test.each(scripts)("$name runs", { timeout: patience }, async ({ name, says }) => {
    const { code, stdout, stderr } = await node([`examples/${name}`]);
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

async function sizeOf(fixture: string) {
  const { width, height } = await readImage(join(repository, "test", "fixtures", fixture));
  return { width, height };
}
