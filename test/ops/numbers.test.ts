/** Numbers that programs write are those of their dtype: E101 before anything is compiled. */
import { describe, expect, test } from "vitest";
import { input } from "../../compiler/graph/sources.ts";
import type { DType, Tensor } from "../../compiler/graph/tensor.ts";
import type { InarchError } from "../../diagnostics/index.ts";
import * as ops from "../../ops/index.ts";

const t = (dtype: DType): Tensor => input("x", dtype, [2]);
const refused: Readonly<Record<DType, readonly number[]>> = {
  f32: [1e39, -1e39, 3.4028236e38],
  i32: [0.5, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY],
  u32: [-1, 0.5, 2 ** 32, 2 ** 53, Number.NaN, Number.NEGATIVE_INFINITY],
  bool: [2, -1, 0.5, Number.NaN],
};
const accepted: Readonly<Record<DType, readonly number[]>> = {
  f32: [
    0.1,
    -0,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    3.4028234663852886e38,
  ],
  i32: [-(2 ** 31), 2 ** 31 - 1, 0],
  u32: [0, 2 ** 32 - 1],
  bool: [0, 1],
};

/** Every function that takes a number beside a tensor of a dtype. */
const places = (dtype: DType): Record<string, (n: number) => Tensor> => {
  const x = t(dtype);
  const c = t("bool");
  const anyOp = {
    full: (n: number) => ops.full(n, [2], dtype) as Tensor,
    pad: (n: number) => ops.pad(x, [[1, 1]], n),
    where: (n: number) => ops.where(c, x, n),
    "where, first": (n: number) => ops.where(c, n, x),
  };
  if (dtype === "bool") return { ...anyOp, and: (n) => ops.and(x as Tensor<"bool">, n) };
  const { add, sub, mul, div, maximum, minimum, eq, ne, lt, le, gt, ge } = ops;
  const all = {
    add,
    ...(dtype === "u32" ? {} : { sub }),
    mul,
    div,
    maximum,
    minimum,
    eq,
    ne,
    lt,
    le,
    gt,
    ge,
  };
  const two = Object.entries(all).flatMap(([name, op]) => {
    const call = op as (a: Tensor | number, b: Tensor | number) => Tensor;
    return [
      [name, (n: number) => call(x, n)],
      [`${name}, left`, (n: number) => call(n, x)],
    ] as const;
  });
  return { ...anyOp, ...Object.fromEntries(two) };
};

describe.each(["f32", "i32", "u32", "bool"] as const)("%s", (dtype) => {
  test.each(Object.entries(places(dtype)))("%s", (_name, call) => {
    for (const n of accepted[dtype]) expect(call(n).dtype).toBeTruthy();
    for (const n of [...refused[dtype], "3", null, 3n, [1], {}, true]) {
      let error: Partial<InarchError> = {};
      try {
        call(n as number);
      } catch (thrown) {
        error = thrown as InarchError;
      }
      expect(error.code, `${n}`).toBe("E101");
    }
  });
});

test("the message says what the dtype holds, and where the number was written", () => {
  let error: InarchError | undefined;
  try {
    ops.eq(t("u32"), -1);
  } catch (thrown) {
    error = thrown as InarchError;
  }
  expect(error?.details.message).toBe("eq: u32 cannot hold -1");
  expect(error?.details.help).toContain("from 0 to 4294967295");
  expect(error?.details.at?.resolve()?.file).toContain("numbers.test.ts");
});
