/** The parser of command lines: what it makes of what was typed. Its mistakes are in cli.test.ts. */
import { expect, test } from "vitest";
import type { Arguments } from "../../../cli/arguments/command.ts";
import { parse } from "../../../cli/arguments/parse.ts";
import { usage } from "../../../cli/arguments/usage.ts";
import { refusal } from "../../support/weights-files.ts";

const args = {
  model: { type: "positional", description: "" },
  file: { type: "positional", repeated: true, description: "" },
  out: { type: "string", required: true, letter: "o", valueHint: "DIR", description: "" },
  dim: { type: "string", repeated: true, description: "" },
  rounds: { type: "string", default: "9", description: "" },
  limits: {
    type: "enum",
    options: ["few", "many"],
    default: "few",
    formerly: { all: "many" },
    numbered: ["many"],
    description: "",
  },
  "as-text": { type: "boolean", description: "" },
  device: { type: "boolean", default: true, description: "" },
} as const satisfies Arguments;

const given = (...typed: string[]) => parse("inarch try", typed, args).given;

test("what is left out is the default, nothing, or an empty list", () => {
  expect(given("m", "f", "--out", "d")).toEqual({
    model: "m",
    file: ["f"],
    out: "d",
    dim: [],
    rounds: "9",
    limits: "few",
    "as-text": false,
    device: true,
  });
});

test("flags stand anywhere, with = or a letter; the last of one that is not repeated counts", () => {
  const typed = [
    "--dim=a=1",
    "m",
    "-o",
    "d",
    "f",
    "--rounds",
    "1",
    "g",
    "--rounds=2",
    "--dim",
    "b",
  ];
  expect(given(...typed)).toMatchObject({
    model: "m",
    file: ["f", "g"],
    out: "d",
    dim: ["a=1", "b"],
    rounds: "2",
  });
});

test("a number follows an option of which there are several", () => {
  const base = ["m", "f", "-o", "d", "--limits"];
  expect(given(...base, "many:2").limits).toBe("many:2");
  for (const value of ["few:2", "many:", "many:x", ":2"])
    expect(() => given(...base, value)).toThrow(/E503.*it takes one of few, many|E503.*did you/s);
});

test("switches are turned on and off", () => {
  const base = ["m", "f", "-o", "d"];
  expect(given(...base, "--as-text", "--no-device")).toMatchObject({
    "as-text": true,
    device: false,
  });
  expect(given(...base, "--as-text=false", "--device=true")).toMatchObject({
    "as-text": false,
    device: true,
  });
});

test("after -- everything is an argument by its place", () => {
  expect(given("-o", "d", "--", "m", "--dim")).toMatchObject({ model: "m", file: ["--dim"] });
});

test("an earlier name of an option still works, and a note says the one of now", () => {
  const { given: values, notes } = parse(
    "inarch try",
    ["m", "f", "-o", "d", "--limits", "all"],
    args,
  );
  expect(values.limits).toBe("many");
  expect(notes).toEqual(["--limits all is now --limits many; the old word still works"]);
});

test.each<[string, string[], string]>([
  ["E502", ["m"], "type inarch try MODEL FILE… --out DIR"],
  ["E502", ["m", "f", "-o"], "-o DIR"],
  ["E501", ["m", "f", "-x"], "its flags are --out"],
  ["E501", ["m", "f", "--no-rounds"], "--rounds"],
  ["E503", ["m", "f", "--limits", "toString"], "it takes one of few, many"],
])("%s for %j", async (code, typed, help) => {
  const error = await refusal(() => given(...typed));
  expect(error.code).toBe(code);
  expect(error.details.help).toContain(help);
});

test("--help spells each as it is typed", () => {
  const text = usage({ name: "try", description: "tries" }, args);
  expect(text).toContain("usage: inarch try MODEL FILE… --out DIR [FLAGS]");
  expect(text).toMatch(/^ {2}--limits few\|many +\(few unless told\)$/m);
});
