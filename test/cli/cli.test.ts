/** The command line as such: what it answers to mistakes, and with which exit code. */
import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildPackage, file, inarch, scratchFolder } from "../support/command-line.ts";

const folder = scratchFolder("cli");
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(buildPackage);

const mlp = "examples/01-mlp.graph.ts";

const commands = [
  "build",
  "check",
  "convert",
  "doctor",
  "eval",
  "explain",
  "export",
  "masks",
  "merge",
  "params",
  "plan",
  "predict",
  "segment",
  "show",
  "study",
  "train",
  "tune",
  "verify",
] as const;

interface Mistake {
  readonly claim: string;
  readonly args: readonly string[];
  readonly code: string;
  /** Words that the message holds. */
  readonly says: readonly string[];
}

const mistakes: readonly Mistake[] = [
  {
    claim: "an unknown command names the nearest one",
    args: ["shwo", mlp],
    code: "E500",
    says: ['inarch has no command "shwo"', "did you mean show?"],
  },
  {
    claim: "a word far from every command lists them all",
    args: ["xyzzy"],
    code: "E500",
    says: [`its commands are ${commands.join(", ")}`],
  },
  {
    claim: "a word that is a flag",
    args: ["help", "show"],
    code: "E500",
    says: ['inarch has no command "help"', "did you mean inarch --help?"],
  },
  {
    claim: "a flag before the command",
    args: ["--stage", "wgsl"],
    code: "E501",
    says: ["inarch has no flag --stage", "the command comes first"],
  },
  {
    claim: "an unknown flag names the nearest one",
    args: ["show", mlp, "--stag", "wgsl"],
    code: "E501",
    says: ["inarch show has no flag --stag", "did you mean --stage?"],
  },
  {
    claim: "a flag like no other lists them all",
    args: ["show", mlp, "--turbo"],
    code: "E501",
    says: [
      "its flags are --config, --program, --dim, --stage, --limits, --precision, --weight-format, --verify, --time, --json",
    ],
  },
  {
    claim: "a missing model",
    args: ["show"],
    code: "E502",
    says: ["inarch show needs MODEL", "type inarch show MODEL"],
  },
  {
    claim: "a missing flag that is needed",
    args: ["build", mlp],
    code: "E502",
    says: ["inarch build needs --out", "type inarch build MODEL --out DIR"],
  },
  {
    claim: "a flag without its value",
    args: ["show", mlp, "--stage", "--dim"],
    code: "E502",
    says: [
      "--stage needs a value",
      "graph|rewritten|regions|tiles|kernels|c|cuda|ptx|reference|wasm|wgsl|plan",
    ],
  },
  {
    claim: "a value that a flag does not take",
    args: ["show", mlp, "--stage", "wgls"],
    code: "E503",
    says: ['--stage cannot be "wgls"', "did you mean wgsl?"],
  },
  {
    claim: "a switch with a value",
    args: ["show", mlp, "--json=please"],
    code: "E503",
    says: ['--json cannot be "please"', "leave the value out"],
  },
  {
    claim: "a dim that is no number",
    args: ["show", mlp, "--dim", "batch=two"],
    code: "E503",
    says: ['--dim cannot be "batch=two"', "--dim batch=2"],
  },
  {
    claim: "an argument too many",
    args: ["show", mlp, "wgsl"],
    code: "E504",
    says: ['"wgsl" was given too'],
  },
  {
    claim: "a dim that the model does not have",
    args: ["show", mlp, "--dim", "rows=2"],
    code: "E111",
    says: ['has no dim "rows"', "its dims are batch"],
  },
  {
    claim: "a program that the model does not have",
    args: ["show", mlp, "--program", "foward"],
    code: "E111",
    says: ['has no program "foward"', "did you mean forward?"],
  },
  {
    claim: "a built-in model that there is not",
    args: ["show", "sam-vit-x"],
    code: "E510",
    says: ['no built-in model "sam-vit-x"', "did you mean sam-vit-"],
  },
  {
    claim: "a file that there is not",
    args: ["show", "examples/none.graph.ts"],
    code: "E510",
    says: ["there is no file examples/none.graph.ts", "check the path"],
  },
  {
    claim: "a file without its ending",
    args: ["show", "examples/01-mlp"],
    code: "E510",
    says: ["there is no file examples/01-mlp", "did you mean examples/01-mlp.graph.ts?"],
  },
  {
    claim: "a folder",
    args: ["show", "./examples"],
    code: "E510",
    says: ["./examples is a folder", "give the path of a file in it"],
  },
  {
    claim: "weights in place of a model",
    args: ["show", "test/fixtures/sam_nano.pth"],
    code: "E510",
    says: ["sam_nano.pth holds weights, not a model", "--weights test/fixtures/sam_nano.pth"],
  },
];

describe("a mistake ends with code 1 and says what to type", () => {
  test.each(mistakes)("$claim", async ({ args, code, says }) => {
    const { code: exit, stdout, stderr } = await inarch(args);
    for (const words of [`error[${code}]`, "help: ", ...says]) expect(stderr).toContain(words);
    expect(stdout).toBe("");
    expect(exit).toBe(1);
  });
});

test("--json prints the error on stdout as JSON", async () => {
  const { code, stdout, stderr } = await inarch(["show", mlp, "--stag", "wgsl", "--json"]);
  expect(JSON.parse(stdout).error).toEqual({
    code: "E501",
    kind: "user",
    message: "inarch show has no flag --stag",
    help: "did you mean --stage?",
  });
  expect(stderr).toBe("");
  expect(code).toBe(1);
});

test("without a command the list of commands is printed, and the exit code is 1", async () => {
  const { code, stderr } = await inarch([]);
  expect(stderr).toContain("usage: inarch COMMAND");
  expect(code).toBe(1);
});

describe("help", () => {
  test("lists every command with a line about it", async () => {
    const { code, stdout } = await inarch(["--help"]);
    for (const name of commands) expect(stdout).toMatch(new RegExp(`^  ${name} +\\w`, "m"));
    expect(code).toBe(0);
  });

  test.each(commands)("of %s", async (name) => {
    const { code, stdout } = await inarch([name, "--help"]);
    expect(stdout).toContain(`usage: inarch ${name}`);
    expect(stdout).toContain("--json");
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    expect(code).toBe(0);
  });
});

test("--version prints the version of the package", async () => {
  const { stdout } = await inarch(["--version"]);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

describe("failures that are not the user's", () => {
  test("the system's refusal ends with code 3", async () => {
    const { code, stderr } = await inarch(["show", mlp], undefined, {
      TMPDIR: `${folder}/nowhere`,
    });
    expect(stderr).toContain("error[E520] the system refuses: ENOENT");
    expect(code).toBe(3);
  });

  // What looks like a tensor and is none is found where its node is read.
  const thrower = file(
    folder,
    "bug.graph.ts",
    `
import { defineModel, input } from "inarch";
import { gelu } from "inarch/ops";

export default defineModel({
  name: "bug",
  build() {
    const x = input("x", "f32", [4]);
    return { y: gelu(Object.create(Object.getPrototypeOf(x))) };
  },
});
`,
  );

  test("a failure inside inarch ends with code 2, at the user's place, without a stack", async () => {
    const { code, stderr } = await inarch(["show", thrower]);
    expect(stderr).toContain("error[E900] inarch itself fails: TypeError");
    expect(stderr).toContain("bug.graph.ts:9:17");
    expect(stderr).not.toMatch(/^ +at /m);
    expect(code).toBe(2);
  });

  test("INARCH_DEBUG=1 adds the stack", async () => {
    const { stderr } = await inarch(["show", thrower], undefined, { INARCH_DEBUG: "1" });
    expect(stderr).toMatch(/^ +at .*bug\.graph\.ts:9:17/m);
  });
});
