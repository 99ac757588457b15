/** A command is one file: it is found, listed, explained and run by its being there. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildPackage, file, node, repository, scratchFolder } from "../../support/command-line.ts";

const folder = scratchFolder("commands");
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(buildPackage);

const program = (name: string) =>
  pathToFileURL(join(repository, "dist", "cli", "program", name)).href;

file(
  folder,
  "cli/greet.js",
  `export const command = {
  description: "greet somebody",
  args: {
    name: { type: "positional", description: "who is greeted" },
    times: { type: "string", default: "1", description: "how often" },
  },
  async run({ name, times }, { print }) {
    for (let i = 1; i < Number(times); i++) print("hello " + name);
    return { report: { name }, text: "hello " + name };
  },
};
`,
);
file(folder, "cli/empty.js", "export const nothing = 1;\n");
const line = file(
  folder,
  "line.mjs",
  `import { commandsIn } from ${JSON.stringify(program("commands.js"))};
import { run } from ${JSON.stringify(program("run.js"))};
const commands = commandsIn(new URL("./cli/", import.meta.url));
process.exitCode = await run(process.argv.slice(2), commands);
`,
);
const type = (...args: readonly string[]) => node([line, ...args], folder);

test("the file's command runs, with its arguments and --json", async () => {
  expect(await type("greet", "ada", "--times", "2")).toEqual({
    code: 0,
    stdout: "hello ada\nhello ada\n",
    stderr: "",
  });
  expect(JSON.parse((await type("greet", "ada", "--json")).stdout)).toEqual({ name: "ada" });
});

test("its mistakes are said in the words of all commands", async () => {
  const { code, stderr } = await type("greet");
  expect(stderr).toContain("error[E502] inarch greet needs NAME");
  expect(code).toBe(1);
  expect((await type("great")).stderr).toContain("did you mean greet?");
});

test("its help is made of what it says of itself", async () => {
  const { stdout } = await type("greet", "--help");
  expect(stdout).toContain("inarch greet: greet somebody\n\nusage: inarch greet NAME [FLAGS]\n");
  expect(stdout).toMatch(/^ {2}--times TIMES +how often \(1 unless told\)$/m);
});

test("a file without a command is a bug that names the file", async () => {
  const { code, stderr } = await type("empty");
  expect(stderr).toContain("empty.js exports no command");
  expect(code).toBe(2);
});

test("the list holds each with its line", async () => {
  rmSync(join(folder, "cli", "empty.js"));
  const { stdout } = await type("--help");
  expect(stdout).toMatch(/^ {2}greet +greet somebody$/m);
});
