/** What the editor says of a user's graph file: the same words as the compiler, before it runs. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildPackage, file, node, repository, scratchFolder } from "../support/command-line.ts";

const folder = scratchFolder("types");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Case {
  readonly claim: string;
  /** The body of `build(p)`. */
  readonly body: string;
  /** Words of the message on the marked line; nothing when all is right. */
  readonly says?: readonly string[];
}

const cases: readonly Case[] = [
  {
    claim: "a product that fits",
    body: `
      const x = input("x", "f32", ["batch", 64]);
      const y = matmul(x, p.f32("w", [256, 64]), { transpose: "right" });
      const z: Tensor<"f32", readonly ["batch", 256]> = y;
      return { z };`,
  },
  {
    claim: "inner sizes that differ",
    body: `
      const x = input("x", "f32", [4, 64]);
      return { y: matmul(x, p.f32("w", [256, 64])) }; // here`,
    says: ["left has 64 columns but right has 256 rows"],
  },
  {
    claim: "inner sizes that differ once transposed",
    body: `
      const x = input("x", "f32", [4, 64]);
      return { y: matmul(x, p.f32("w", [64, 256]), { transpose: "right" }) }; // here`,
    says: ["left has 64 columns but right has 256 rows"],
  },
  {
    claim: "named sizes that differ",
    body: `
      const x = input("x", "f32", ["batch", "width"]);
      return { y: matmul(x, p.f32("w", ["depth", 8])) }; // here`,
    says: ["left has width columns but right has depth rows"],
  },
  {
    claim: "a name and a number",
    body: `
      const x = input("x", "f32", ["batch", 16]);
      return { y: add(x, p.f32("b", [12])) }; // here`,
    says: ["sizes 16 and 12 do not broadcast"],
  },
  {
    claim: "dtypes that differ",
    body: `
      const x = input("x", "f32", [4, 64]);
      return { y: matmul(x, input("i", "i32", [64, 8])) }; // here`,
    says: ['Tensor<"i32", readonly [64, 8]>', 'Tensor<"f32"'],
  },
  {
    claim: "what `is` asserts holds from there on",
    body: `
      const x = input("x", "f32", [4, 64]);
      const halves = reshape(x, [8, 32]).is([8, 32]);
      return { y: matmul(halves, p.f32("w", [64, 8])) }; // here`,
    says: ["left has 32 columns but right has 64 rows"],
  },
  {
    claim: "a number that goes with a tensor of another dtype",
    body: `
      const i = input("i", "i32", [4]);
      return { y: add(add(1, input("x", "f32", [4])), i) }; // here`,
    says: ['Tensor<"i32", readonly [4]>', 'Tensor<"f32"'],
  },
];

/** The file of a case, and the line that is marked in it. */
const files = cases.map(({ body }, i) => {
  const text = `import { defineModel, input, type Tensor } from "inarch";
import { add, matmul, reshape } from "inarch/ops";

export const used = [add, matmul, reshape, input] satisfies unknown[];
export type Used = Tensor;
export default defineModel({
  name: "case",
  dims: { batch: 2, width: 4, depth: 4 },
  build(p) {${body}
  },
});
`;
  const line = text.split("\n").findIndex((words) => words.endsWith("// here")) + 1;
  return { name: `case-${i}.graph.ts`, text, line };
});

let printed: string[] = [];
beforeAll(async () => {
  await buildPackage();
  for (const { name, text } of files) file(folder, name, text);
  const compilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: true, target: "es2022", types: [] },
    ...{ module: "nodenext", moduleResolution: "nodenext" },
  };
  const project = { compilerOptions, files: files.map(({ name }) => name) };
  file(folder, "tsconfig.json", JSON.stringify(project));
  const tsc = join(repository, "node_modules", "typescript", "bin", "tsc");
  const { stdout } = await node([tsc, "-p", folder, "--pretty", "false"], folder);
  printed = stdout.split("\n");
}, 120_000);

test.each(cases.map((one, i) => ({ ...one, ...files[i]! })))("$claim", ({ says, name, line }) => {
  const start = printed.findIndex((words) => words.startsWith(name));
  if (!says) {
    expect(printed.slice(start < 0 ? printed.length : start)).toEqual([]);
    return;
  }
  // A message is one line, and indented ones that explain it.
  const rest = printed.slice(start + 1);
  const end = rest.findIndex((words) => !words.startsWith(" "));
  const message = [printed[start], ...rest.slice(0, end < 0 ? rest.length : end)].join("\n");
  expect(message).toMatch(new RegExp(`^case-\\d+\\.graph\\.ts\\(${line},\\d+\\): error`));
  for (const words of says) expect(message).toContain(words);
});
