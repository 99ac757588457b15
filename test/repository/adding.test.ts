/** What it takes to add something, shown by adding it to a copy of the sources and building that. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repository } from "../support/command-line.ts";
import { type CopiedSources, copySources } from "../support/copied-sources.ts";

const nano = ["sam", "--config", join(repository, "test", "fixtures", "sam_nano.config.json")];

/** A target whose language has no braces. It can do without what no kernel of the default profile has. */
const toyTarget = `
import { bug } from "../../../diagnostics/index.ts";
import { type Dialect, floatLiteral, infix, print } from "../../kernel/printer.ts";
import type { Target } from "../target.ts";

const dialect: Dialect = {
  call: (fn, args) => infix[fn](...args),
  reserved: new Set(["begin", "end"]),
  literal: (value, type) => (type === "f32" ? floatLiteral(value) : String(value)),
  id: (of, axis) => \`\${of}_\${axis}\`,
  lane: "lane",
  broadcast: () => bug("a kernel of subgroups in toy"),
  reduce: () => bug("a kernel of subgroups in toy"),
  cast: (arg, _from, to) => \`\${to}(\${arg})\`,
  declare: (_mutable, name, _type, value) => \`\${name} = \${value};\`,
  loop: (name, count) => \`for \${name} below \${count}\`,
  load: (_from, name, index) => \`\${name}[\${index}]\`,
  load4: (_from, name, index, names) => names.map((n, j) => \`\${n} = \${name}[4 * (\${index}) + \${j}];\`),
  store: (_to, name, index, value) => \`\${name}[\${index}] = \${value};\`,
  store4: (_to, name, index, values) => values.map((v, j) => \`\${name}[4 * (\${index}) + \${j}] = \${v};\`),
  fragment: () => bug("a kernel of fragments in toy"),
  barrier: "wait;",
  kernel: ({ params }, name, body) => \`begin(\${params.map((p) => name(p.name))})\\n\${body}\\nend\\n\`,
};

export const toy: Target = {
  name: "toy",
  title: "Toy",
  ending: "ty",
  comment: "--",
  half: true,
  fragments: false,
  entry: () => "begin",
  print: (kernel) => print(kernel, dialect),
};
`;

describe("a target is one folder and one line", () => {
  let sources: CopiedSources;
  beforeAll(async () => {
    sources = copySources("target");
    sources.add("compiler/targets/toy/index.ts", toyTarget);
    sources.addLine(
      "compiler/targets/index.ts",
      "./reference/index.ts",
      'export { toy } from "./toy/index.ts";',
    );
    await sources.build();
  });
  afterAll(() => rmSync(sources.folder, { recursive: true, force: true }));

  test("show prints its text, under comments of its own", async () => {
    const { stdout, code } = await sources.inarch(["show", ...nano, "--stage", "toy"]);
    expect(stdout).toMatch(/^-- program encode\n\n-- \w+: steps? [\d, ]+\nbegin\(/);
    expect(code).toBe(0);
  });

  test("the help lists it, and so does what a wrong stage is told", async () => {
    const help = await sources.inarch(["show", "--help"]);
    expect(help.stdout).toMatch(/--stage .*\|toy\|/s);
    const wrong = await sources.inarch(["show", ...nano, "--stage", "toys"]);
    expect(wrong.stderr).toContain("did you mean toy?");
  });

  test("explain shows it beside the text that runs", async () => {
    const page = join(sources.folder, "page.html");
    const args = ["--toy", "--no-device", "--program", "decode", "-o", page];
    const { code, stderr } = await sources.inarch(["explain", ...nano, ...args]);
    expect([code, stderr]).toEqual([0, expect.not.stringContaining("error")]);
    expect(readFileSync(page, "utf8")).toContain('<code class="toy">begin(');
  });

  test("plans are made for it, and bundles hold its files", async () => {
    const load = (path: string) => import(join(sources.folder, "dist", path));
    const [{ compile, traceProgram }, { parseSamConfig, samModel }, { bundleFiles }] =
      await Promise.all(
        ["entries/index.js", "entries/models.js", "build/bundle-files.js"].map(load),
      );
    const config = parseSamConfig(readFileSync(nano.at(-1)!, "utf8"));
    const plan = compile(traceProgram(samModel(config), "decode"), { target: "toy" });
    expect(plan.target).toBe("toy");
    const { files } = bundleFiles({ name: "nano", plans: new Map([["decode", plan]]) });
    const kernels = [...files.keys()].filter((path) => path.startsWith("kernels/"));
    expect(kernels.length).toBeGreaterThan(10);
    expect(kernels.every((path) => path.endsWith(".ty"))).toBe(true);
  });
});
