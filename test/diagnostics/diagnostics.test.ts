/** Every diagnostic of the compiler: the program that causes it, its place, and what it says. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  compile,
  defineModel,
  graphOf,
  input,
  Parameters,
  state,
  trace,
  traceProgram,
} from "../../compiler/index.ts";
import { defaultProfile } from "../../compiler/profile.ts";
import { bug, InarchError, setSourceReader } from "../../diagnostics/index.ts";
import { add, cast, concat, matmul, relu } from "../../ops/index.ts";

setSourceReader((file) => readFileSync(file, "utf8"));

const x = () => input("x", "f32", [2, 256]);
const identity = defineModel({
  name: "identity",
  dims: { batch: 1 },
  build: () => ({ y: relu(x()) }),
});

/** What a mistake says, without the parts that depend on where this file stands. */
function said(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof InarchError) return error.message.replace(/^ {2}\S*\/test\//gm, "  test/");
    throw error;
  }
  return "nothing";
}

describe("a mistake in a model", () => {
  test("E101 shows both operands and what to type", () => {
    const h = relu(x());
    const up = new Parameters().f32("up", [64, 256]);
    const text = said(() => matmul(h, up as never));
    expect(text).toMatch(/^error\[E101\] matmul: left has 256 columns but right has 64 rows\n/);
    expect(text).toMatch(/\n {2}test\/diagnostics\/diagnostics\.test\.ts:\d+:\d+\n/);
    expect(text).toMatch(/const h = relu\(x\(\)\);\n +\| +-+ left: f32\[2, 256\]\n/);
    expect(text).toMatch(/matmul\(h, up as never\)\);\n +\| +\^+\n/);
    expect(text).toMatch(
      /help: to use a transpose write matmul\(a, b, \{ transpose: "right" \}\)$/,
    );
  });

  const model = (p: Parameters) => p;
  const cases: readonly (readonly [
    code: string,
    claim: string,
    act: () => unknown,
    words: RegExp,
  ])[] = [
    [
      "E102",
      "a dim without a size",
      () => input("x", "f32", ["batch", 2]),
      /the dim "batch" has no size/,
    ],
    ["E102", "a size that is none", () => input("x", "f32", [0.5]), /the dim {2}is 0.5|is 0\.5/],
    [
      "E103",
      "an asserted shape",
      () => x().is([2, 64]),
      /expected a tensor of shape \[2, 64\] but got f32\[2, 256\]/,
    ],
    [
      "E104",
      "one path, two shapes",
      () => {
        const p = model(new Parameters());
        p.at("a").f32("w", [2]);
        p.at("a").f32("w", [3]);
      },
      /parameter a\.w is used as f32\[3\] and as f32\[2\]/,
    ],
    ["E105", "no outputs", () => trace(() => ({}), {}), /returns no tensor/],
    [
      "E105",
      "an output that is no tensor",
      () => trace(() => ({ y: 3 as never }), {}),
      /output y is 3, not a tensor/,
    ],
    [
      "E106",
      "two inputs of one name",
      () => graphOf([{ name: "y", tensor: add(x(), input("x", "f32", [2, 1])) }]),
      /two inputs are called "x"/,
    ],
    [
      "E106",
      "two states of one name, of which only one is read",
      () =>
        trace(() => {
          state("s", "f32", [2]);
          return { y: add(state("s", "f32", [2]), 1) };
        }, {}),
      /two states are called "s"/,
    ],
    [
      "E106",
      "a state that is not read, called as an input",
      () =>
        trace(() => {
          state("x", "f32", [2, 128]);
          return { y: relu(x()) };
        }, {}),
      /two sources are called "x"/,
    ],
    [
      "E251",
      "a state of two numbers that becomes three",
      () =>
        trace(() => {
          state("s", "f32", [2]);
          return { s: add(input("x", "f32", [3]), 1) };
        }, {}),
      /the state "s" is f32\[2\], but the program returns f32\[3\] under its name/,
    ],
    [
      "E251",
      "a state of floats that becomes whole numbers",
      () => trace(() => ({ s: cast(state("s", "f32", [2]), "i32") }), {}),
      /the state "s" is f32\[2\], but the program returns i32\[2\]/,
    ],
    [
      "E107",
      "a tensor beyond the profile",
      () => compile(graphOf([{ name: "y", tensor: relu(input("x", "f32", [1 << 26])) }])),
      /f32\[67108864\] takes 268435456 bytes, but the profile "default" binds at most 134217728/,
    ],
    [
      "E108",
      "more operands than one kernel may bind",
      () =>
        compile(graphOf([{ name: "y", tensor: concat([x(), input("z", "f32", [2, 256])]) }]), {
          profile: { ...defaultProfile, maxBindings: 2 },
        }),
      /reads and writes 3 tensors, but the profile "default" allows 2 storage buffers/,
    ],
    [
      "E110",
      "a name that no file can have",
      () => defineModel({ name: "My Model", build: () => ({}) }),
      /"My Model" cannot name a model/,
    ],
    [
      "E110",
      "a model without programs",
      () => defineModel({ name: "empty", programs: {} }),
      /has no programs/,
    ],
    [
      "E110",
      "a program that is no function",
      () => defineModel({ name: "odd", programs: { forward: {} as never } }),
      /the program forward of model odd is no function/,
    ],
    [
      "E111",
      "a program that is not there",
      () => traceProgram(identity, "train"),
      /no program "train"[\s\S]*forward/,
    ],
    [
      "E111",
      "a dim that is not there",
      () => traceProgram(identity, "forward", { size: 2 }),
      /no dim "size"[\s\S]*batch/,
    ],
  ];
  for (const [code, claim, act, words] of cases)
    test(`${code} ${claim}`, () => {
      const text = said(act);
      expect(text.startsWith(`error[${code}] `)).toBe(true);
      expect(text).toMatch(words);
      expect(text).toMatch(/\n {2}help: /);
    });
});

test("E900 a broken invariant says that it is ours", () => {
  expect(said(() => bug("the moon is missing"))).toMatch(
    /error\[E900\] bug in inarch: the moon[\s\S]*report/,
  );
});

test("an error without a cause has none", () => {
  try {
    x().is([1]);
  } catch (error) {
    expect(Object.hasOwn(error as Error, "cause")).toBe(false);
  }
});
