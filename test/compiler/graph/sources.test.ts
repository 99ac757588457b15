/** Inputs, states and parameters of what is no name, no dtype, no shape and no option. */
import { describe, expect, test } from "vitest";
import { trace } from "../../../compiler/graph/graph.ts";
import { Parameters } from "../../../compiler/graph/parameters.ts";
import { input, state } from "../../../compiler/graph/sources.ts";
import { InarchError } from "../../../diagnostics/index.ts";

type Make = (name: unknown, dtype: unknown, shape: unknown, options?: unknown) => unknown;
const made: readonly (readonly [of: string, make: Make])[] = [
  ["input", input as Make],
  ["state", state as Make],
  [
    "parameter",
    (name, _dtype, shape, options) =>
      (new Parameters().f32 as (...given: unknown[]) => unknown).call(
        new Parameters(),
        name,
        shape,
        options,
      ),
  ],
];

function refusal(call: () => unknown): readonly [code: string, text: string, file: string] {
  try {
    call();
  } catch (error) {
    if (!(error instanceof InarchError)) throw error;
    return [error.code, error.message, error.details.at?.resolve()?.file ?? ""];
  }
  return ["none", "", ""];
}

describe.each(made)("%s", (of, make) => {
  test("E102: shapes that no tensor has", () => {
    const wrong: readonly (readonly [shape: unknown, says: string])[] = [
      [[0], "the dim is 0"],
      [[-1], "the dim is -1"],
      [[1.5], "the dim is 1.5"],
      [[Number.NaN], "the dim is NaN"],
      [[null], "the dim is null"],
      [[undefined], "the dim is undefined"],
      [new Array(2), "the dim is undefined"],
      [[[2]], "the dim is an array"],
      [["batch"], '"batch" has no size'],
      [["toString"], '"toString" has no size'],
      [["__proto__"], '"__proto__" has no size'],
      [[Symbol("a")], "the dim is a symbol"],
      [undefined, "the shape is undefined, not a list of sizes"],
      [null, "the shape is null"],
      [3, "the shape is 3"],
      ["abc", 'the shape is "abc"'],
      [new Float32Array(2), "the shape is an object (Float32Array)"],
      [[70000, 70000], "has 4900000000 elements"],
      [new Array(40).fill(1), "40 axes, more than 32"],
    ];
    for (const [shape, says] of wrong) {
      const [code, text, file] = refusal(() => make("x", "f32", shape));
      expect(code, says).toBe("E102");
      expect(text).toContain(`${of} x: `);
      expect(text).toContain(says);
      expect(file).toContain("sources.test.ts");
    }
  });

  test("E101: names and dtypes that are none", () => {
    for (const name of [undefined, null, 3, "", {}, Symbol("a")])
      expect(refusal(() => make(name, "f32", [2])).slice(0, 2), String(name)).toEqual([
        "E101",
        expect.stringContaining(`${of}: the name is`),
      ]);
    if (of === "parameter") return;
    for (const dtype of [undefined, null, "f64", "F32", 3, {}])
      expect(refusal(() => make("x", dtype, [2]))[0]).toBe("E101");
    expect(refusal(() => make("x", "i64", [2]))[1]).toMatch(/the dtype is "i64".*write "/s);
  });

  test("E460: options that there are not", () => {
    for (const options of [null, 3, "doc", [], new Map()])
      expect(refusal(() => make("x", "f32", [2], options))[0]).toBe("E460");
    const near = of === "input" ? { dok: "" } : { inti: 0 };
    const [code, text] = refusal(() => make("x", "f32", [2], near));
    expect(code).toBe("E460");
    expect(text).toContain(of === "input" ? "write doc" : "write init");
  });
});

test("E102: sizes of dims that are none", () => {
  for (const n of [0, -1, 1.5, Number.NaN, 2 ** 40, "3", null, {}]) {
    const call = () =>
      trace(() => ({ y: input("x", "f32", ["n"]) }), { n } as unknown as { n: number });
    expect(refusal(call)[0], String(n)).toBe("E102");
  }
});

test("E101: a part of a path that is no text and no number", () => {
  for (const part of [undefined, null, {}, Symbol("a")]) {
    const at = new Parameters().at as (...path: unknown[]) => unknown;
    const [code, text] = refusal(() => at.call(new Parameters(), "blocks", part));
    expect(code).toBe("E101");
    expect(text).toContain("a part of a path is");
  }
});

test("E103: an asserted shape that is none", () => {
  const x = input("x", "f32", [2]);
  for (const shape of [undefined, null, 3, "ab"])
    expect(refusal(() => x.is(shape as never))[0]).toBe("E103");
});
