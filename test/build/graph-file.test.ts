/** A user's `*.graph.ts` on the command line: whatever is wrong with it is shown at its own lines. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildPackage, file, inarch, scratchFolder } from "../support/command-line.ts";

const folder = scratchFolder("graph file");
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(buildPackage);

const shown = (path: string) => inarch(["show", path, "--stage", "graph"], folder);

interface Wrong {
  readonly claim: string;
  readonly source: string;
  readonly code: string;
  /** Line and column of the place, and the line of source that is printed. */
  readonly at?: string;
  readonly frame?: string;
  readonly says: readonly string[];
}

const wrongs: readonly Wrong[] = [
  {
    claim: "a program that forgets its return",
    source: `import { defineModel, input } from "inarch";
import { relu } from "inarch/ops";

const build = () => {
  relu(input("x", "f32", [4]));
};
export default defineModel({ name: "wrong", build: build as never });
`,
    code: "E105",
    says: ["the program returns nothing", "the program forward of the model wrong", "return { y }"],
  },
  {
    claim: "a list of numbers where a tensor is wanted",
    source: `import { defineModel, input } from "inarch";
import { add } from "inarch/ops";

const build = () => ({
  y: add(input("x", "f32", [2]), [1, 2] as never),
});
export default defineModel({ name: "wrong", build });
`,
    code: "E101",
    at: "wrong.graph.ts:5:6",
    frame: '   5 |   y: add(input("x", "f32", [2]), [1, 2] as never),',
    says: ["add: an operand is an array, not a tensor or a number"],
  },
  {
    claim: "a shape that does not fit, with both operands",
    source: `import { defineModel, input } from "inarch";
import { matmul } from "inarch/ops";

export default defineModel({
  name: "wrong",
  build(p) {
    const x = input("x", "f32", [4, 64]);
    const w = p.f32("weight", [256 as number, 64]);
    return { y: matmul(x, w) };
  },
});
`,
    code: "E101",
    at: "wrong.graph.ts:9:17",
    frame: "   9 |     return { y: matmul(x, w) };",
    says: ["left has 64 columns but right has 256 rows", "left: f32[4, 64]", 'transpose: "right"'],
  },
  {
    claim: "a dim without a size",
    source: `import { defineModel, input } from "inarch";

export default defineModel({
  name: "wrong",
  build: () => ({ y: input("x", "f32", ["rows"]) }),
});
`,
    code: "E102",
    at: "wrong.graph.ts:5:22",
    frame: '   5 |   build: () => ({ y: input("x", "f32", ["rows"]) }),',
    says: ['the dim "rows" has no size', "--dim rows=1"],
  },
  {
    claim: "syntax",
    source: `export default {
  name: "wrong"
  dims: {},
};
`,
    code: "E511",
    at: "wrong.graph.ts:3:3",
    frame: "   3 |   dims: {},",
    says: ['Expected "}" but found "dims"'],
  },
  {
    claim: "an import that leads nowhere",
    source: `import { layer } from "./layers.ts";
export default layer;
`,
    code: "E511",
    at: "wrong.graph.ts:1:23",
    frame: '   1 | import { layer } from "./layers.ts";',
    says: ['Could not resolve "./layers.ts"', "help: check the path, which starts at the folder"],
  },
  {
    claim: "a package that is not installed",
    source: `import { layer } from "layers-of-nobody";
export default layer;
`,
    code: "E511",
    at: "wrong.graph.ts:1:23",
    says: ['Could not resolve "layers-of-nobody"', "npm install layers-of-nobody"],
  },
  {
    claim: "an entry that inarch does not have",
    source: `import { relu } from "inarch/opps";
export default relu;
`,
    code: "E511",
    at: "wrong.graph.ts:1:22",
    says: ['inarch has no entry "inarch/opps"', "did you mean inarch/ops?"],
  },
  {
    claim: "a name that an entry does not export",
    source: `import { defineModel, input } from "inarch";
import {
  add,
  gellu,
} from "inarch/ops";

export default defineModel({ name: "wrong", build: () => ({ y: gellu(add(input("x", "f32", [1]), 1)) }) });
`,
    code: "E511",
    at: "wrong.graph.ts:4:3",
    frame: "   4 |   gellu,",
    says: ['inarch/ops exports no "gellu"', "did you mean gelu?"],
  },
  {
    claim: "no default export",
    source: `export const name = "wrong";
`,
    code: "E512",
    says: ["the file has no default export", "export default defineModel("],
  },
  {
    claim: "a model that is not the default export",
    source: `import { defineModel, input } from "inarch";
export const layer = defineModel({ name: "layer", build: () => ({ y: input("x", "f32", [1]) }) });
`,
    code: "E512",
    says: [
      "exports the model layer, but not as its default",
      "help: end the file with export default layer",
    ],
  },
  {
    claim: "a promise where a model is expected",
    source: `import { defineModel, input } from "inarch";
const load = async () => defineModel({ name: "late", build: () => ({ y: input("x", "f32", [1]) }) });
export default load();
`,
    code: "E512",
    says: ["default export is a promise, not a model", "export default await"],
  },
  {
    claim: "a list where a model is expected",
    source: `export default [1];
`,
    code: "E512",
    says: ["default export is a list, not a model"],
  },
  {
    claim: "a program that is no function",
    source: `export default { name: "wrong", dims: {}, programs: { forward: 3 } };
`,
    code: "E512",
    says: ["the program forward of the model wrong is number 3, not a function"],
  },
  {
    claim: "a model without a program",
    source: `import { defineModel } from "inarch";
export default defineModel({ name: "wrong" } as never);
`,
    code: "E110",
    says: ["model wrong has no programs", "give build: (p, dims) => ({ y })"],
  },
  {
    claim: "a function where a model is expected",
    source: `export default () => ({});
`,
    code: "E512",
    says: ["default export is a function, not a model", "export default defineModel("],
  },
  {
    claim: "an object that is no model",
    source: `export default { name: "wrong", layers: 3 };
`,
    code: "E512",
    says: ["default export is an object of name, layers"],
  },
  {
    claim: "code that throws while the file loads",
    source: `const sizes: number[] | undefined = undefined;

// A comment, so that lines of the bundle differ from those of the file.
export default (sizes as unknown as number[]).length;
`,
    code: "E513",
    at: "wrong.graph.ts:4:47",
    frame: "   4 | export default (sizes as unknown as number[]).length;",
    says: ["throws TypeError: Cannot read properties of undefined (reading 'length')"],
  },
  {
    claim: "code that throws while the program is traced",
    source: `import { defineModel } from "inarch";

interface Options { readonly depth: number }

export default defineModel({
  name: "wrong",
  build() {
    throw new RangeError("depth must be even");
  },
});
`,
    code: "E513",
    at: "wrong.graph.ts:8:11",
    frame: '   8 |     throw new RangeError("depth must be even");',
    says: ["throws RangeError: depth must be even"],
  },
  {
    claim: "something thrown that is no error",
    source: `throw "nothing";
`,
    code: "E513",
    says: ["throws nothing", "wrong.graph.ts"],
  },
  {
    claim: "a name that a model cannot have",
    source: `import { defineModel, input } from "inarch";

export default defineModel({
  name: "Wrong Name",
  build: () => ({ y: input("x", "f32", [1]) }),
});
`,
    code: "E110",
    says: ['"Wrong Name" cannot name a model'],
  },
];

describe("what is wrong is shown at the user's own place", () => {
  test.each(wrongs)("$claim", async ({ source, code, at, frame, says }) => {
    file(folder, "wrong.graph.ts", source);
    const { code: exit, stderr } = await shown("wrong.graph.ts");
    for (const words of [`error[${code}]`, ...says]) expect(stderr).toContain(words);
    if (at) expect(stderr).toContain(`\n  ${at}\n`);
    if (frame) expect(stderr).toContain(`\n  ${frame}\n`);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(exit).toBe(1);
  });
});

test("files and packages beside the user's file are found from there", async () => {
  const project = join(folder, "project");
  mkdirSync(project);
  file(project, "package.json", '{ "name": "project" }');
  const packaged = "node_modules/sizes";
  file(project, `${packaged}/package.json`, '{ "name": "sizes", "main": "index.js" }');
  file(project, `${packaged}/index.js`, "exports.width = 12;");
  file(
    project,
    "layer.ts",
    `import type { Parameters, Tensor } from "inarch";
import { add } from "inarch/ops";

export const layer = (p: Parameters, x: Tensor<"f32">) => add(x, p.f32("bias", [x.shape.at(-1)!]));
`,
  );
  file(
    project,
    "model.graph.ts",
    `import { defineModel, input } from "inarch";
import { width } from "sizes";
import { layer } from "./layer.ts";

enum Kind { Plain = "plain" }

export default defineModel({
  name: Kind.Plain,
  build: (p) => ({ y: layer(p, input("x", "f32", [width])) }),
});
`,
  );
  const { code, stdout, stderr } = await inarch(
    ["show", "project/model.graph.ts", "--stage", "graph"],
    folder,
  );
  expect(stderr).toBe("");
  expect(stdout).toBe(`inputs
  x  f32[12]
parameters
  bias  f32[12]
nodes
  %0  add(x, bias)  f32[12]  layer.ts:4
outputs
  y  %0  f32[12]
`);
  expect(code).toBe(0);
});

test("a failure inside inarch is shown at the user's call", async () => {
  file(
    folder,
    "call.graph.ts",
    `import { defineModel, input } from "inarch";
import { Tensor } from "inarch";

const build = () => ({ y: new Tensor(undefined as never).is([2]) });

export default defineModel({ name: "call", build });
`,
  );
  const { code, stderr } = await shown("call.graph.ts");
  expect(stderr).toContain("error[E900] inarch itself fails: TypeError");
  expect(stderr).toContain("\n  call.graph.ts:4:58\n");
  expect(code).toBe(2);
});
