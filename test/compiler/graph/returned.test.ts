/** What a program may not return, and what is no program, no model and no graph: what to write instead. */
import { expect, test } from "vitest";
import { compile, compileAsync } from "../../../compiler/compile.ts";
import { trace } from "../../../compiler/graph/graph.ts";
import { defineModel, traceProgram } from "../../../compiler/graph/model.ts";
import { input } from "../../../compiler/graph/sources.ts";
import type { Tensor } from "../../../compiler/graph/tensor.ts";
import { InarchError } from "../../../diagnostics/index.ts";
import { layerNorm, relu } from "../../../ops/index.ts";

const x = (): Tensor => input("x", "f32", [2, 3]);

/** The code of an error, what it says, where, and what to write. */
function refusal(call: () => unknown): readonly [code: string, text: string] {
  try {
    call();
  } catch (error) {
    if (error instanceof InarchError) return [error.code, error.message];
    throw error;
  }
  return ["none", ""];
}

const returned: readonly (readonly [claim: string, value: unknown, says: RegExp])[] = [
  ["nothing", undefined, /returns nothing.*return \{ y \}.*parentheses/s],
  ["null", null, /returns null.*return \{ y, z \}/s],
  ["a number", 3, /returns 3, not an object of named tensors/],
  ["a text", "y", /returns "y", not an object/],
  ["a tensor", x(), /returns a tensor without a name.*return \{ y \}/s],
  ["a list of tensors", [x()], /returns an array.*return \{ y, z \}/s],
  ["a map of tensors", new Map([["y", x()]]), /returns an object \(Map\), not an object of named/],
  ["a promise", Promise.resolve({ y: x() }), /returns a promise.*take async and await out/s],
  ["no tensor", {}, /returns no tensor.*return \{ y \}/s],
  ["a JavaScript array as a tensor", { y: [1, 2] }, /output y is an array, not a tensor.*relu/s],
  [
    "typed numbers as a tensor",
    { y: new Float32Array(2) },
    /output y is an object \(Float32Array\), not a tensor/,
  ],
  ["an output that is missing", { y: x(), z: undefined }, /output z is undefined, not a tensor/],
  ["a list of tensors as one", { y: [x()] }, /output y is an array, not a tensor/],
  [
    "a tensor of another copy",
    { y: { node: x().node, result: 0 } },
    /of this copy of inarch.*two copies of inarch are at work/s,
  ],
];

test.each(returned)("E105: a program that returns %s", (_claim, value, says) => {
  const program = () => value as Record<string, Tensor>;
  const [code, text] = refusal(() => trace(program, {}));
  expect(code).toBe("E105");
  expect(text).toMatch(says);
  const model = defineModel({ name: "tiny", programs: { decode: program } });
  const [sameCode, named] = refusal(() => traceProgram(model, "decode"));
  expect(sameCode).toBe("E105");
  expect(named).toContain("in the program decode of the model tiny");
});

const model = defineModel({ name: "tiny", programs: { encode: () => ({ y: relu(x()) }) } });

test("E113: a model is not compiled, its traced programs are", async () => {
  const [code, text] = refusal(() => compile(model as never));
  expect(code).toBe("E113");
  expect(text).toMatch(/is the model tiny, not a graph/);
  expect(text).toMatch(/compile\(traceProgram\(model, "encode"\)\)/);
  await expect(compileAsync(model as never)).rejects.toMatchObject({ code: "E113" });
  for (const other of [undefined, null, 3, "tiny", [], {}, x(), () => ({ y: x() })])
    expect(refusal(() => compile(other as never))[0]).toBe("E113");
});

test("E110: what is no model and no program is not traced", () => {
  for (const other of [undefined, null, 3, "tiny", {}, x()]) {
    expect(refusal(() => traceProgram(other as never, "forward"))[0]).toBe("E110");
    expect(refusal(() => trace(other as never, {}))[0]).toBe("E110");
    expect(refusal(() => defineModel(other as never))[0]).toBe("E110");
  }
  expect(refusal(() => trace(model as never, {}))[1]).toMatch(/traceProgram\(model/);
  const odd: readonly Readonly<Record<string, unknown>>[] = [
    { name: "tiny", programs: null },
    { name: "tiny", build: null },
    { name: 3, build: () => ({}) },
    { name: Symbol("tiny"), build: () => ({}) },
  ];
  for (const one of odd) expect(refusal(() => defineModel(one as never))[0]).toBe("E110");
});

test("E111: names that every object has are no programs and no dims", () => {
  for (const name of ["toString", "__proto__", "constructor"]) {
    expect(refusal(() => traceProgram(model, name))[0]).toBe("E111");
    const dims = Object.fromEntries([[name, 2]]);
    expect(refusal(() => traceProgram(model, "encode", dims))[0]).toBe("E111");
  }
});

test("E101: layerNorm without its gamma and beta says which is missing", () => {
  const call = layerNorm as (...given: unknown[]) => unknown;
  const [code, text] = refusal(() => call(x()));
  expect(code).toBe("E101");
  expect(text).toMatch(/layerNorm: gamma is undefined, not a tensor/);
  const options = refusal(() => call(x(), { epsilon: 1e-5 }));
  expect(options[1]).toMatch(/layerNorm: gamma is an object \(\w+\), not a tensor/);
});
