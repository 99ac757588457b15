/** What an input may be given, and what is refused, with the element. */
import { describe, expect, test } from "vitest";
import { compile, graphOf, input } from "../../compiler/index.ts";
import { add, cast } from "../../ops/index.ts";
import { checkInputs } from "../../runtime/inputs.ts";
import { refusal } from "../support/weights-files.ts";

const floats = input("image", "f32", [2, 2]);
const plan = compile(
  graphOf([
    { name: "y", tensor: add(floats, cast(input("count", "i32", [2, 2]), "f32")) },
    { name: "z", tensor: cast(input("label", "u32", [2, 2]), "f32") },
    { name: "inside", tensor: cast(input("mask", "bool", [2, 2]), "f32") },
  ]),
  { target: "reference" },
);

const given = (inputs: object, isDouble = false) =>
  checkInputs(plan, inputs as Parameters<typeof checkInputs>[1], isDouble).map((c) => c.values);

const elsewhere = (values: readonly number[]) => values as unknown;

describe("inputs", () => {
  test.each([
    ["numbers", { image: [1, 2.5, -0, Number.NaN] }, Float32Array.of(1, 2.5, -0, Number.NaN)],
    ["infinities", { image: [1 / 0, -1 / 0, 0, 0] }, Float32Array.of(1 / 0, -1 / 0, 0, 0)],
    ["singles", { image: Float32Array.of(1, 2, 3, 4) }, Float32Array.of(1, 2, 3, 4)],
    ["doubles", { image: Float64Array.of(0.1, 2, 3, 4) }, Float32Array.of(0.1, 2, 3, 4)],
    ["bytes", { image: Uint8Array.of(255, 2, 3, 4) }, Float32Array.of(255, 2, 3, 4)],
    ["whole numbers", { count: [-(2 ** 31), 2 ** 31 - 1, 0, 1] }, [-(2 ** 31), 2 ** 31 - 1, 0, 1]],
    ["whole floats", { count: Float32Array.of(1, -2, 3, 4) }, Int32Array.of(1, -2, 3, 4)],
    ["unsigned numbers", { label: [0, 2 ** 32 - 1, 1, 2] }, Uint32Array.of(0, 2 ** 32 - 1, 1, 2)],
    ["truths", { mask: [true, false, 7, 0] }, Uint32Array.of(1, 0, 1, 0)],
  ])("take %s", (_, inputs, expected) => {
    const [values] = given(inputs);
    expect([...values!]).toEqual([...expected]);
  });

  test("are copied, doubles as they are where the device takes them", () => {
    const [singles, doubles] = [Float32Array.of(1, 2, 3, 4), Float64Array.of(0.1, 2, 3, 4)];
    for (const [values, isDouble] of [
      [singles, false],
      [doubles, true],
    ] as const) {
      const [own] = given({ image: values }, isDouble);
      expect(own).toEqual(values);
      expect(own!.buffer).not.toBe(values.buffer);
    }
  });

  test("are not copied where the device has them before the caller goes on", () => {
    const own = (image: Float32Array) =>
      checkInputs(plan, { image } as Parameters<typeof checkInputs>[1], false, true)[0]!.values;
    const singles = Float32Array.of(1, 2, 3, 4);
    expect(own(singles)).toBe(singles);
    // Devices are given no memory that others can write or resize meanwhile.
    const shared = new Float32Array(new SharedArrayBuffer(16));
    expect(own(shared).buffer).toBeInstanceOf(ArrayBuffer);
  });

  test.each([
    [
      "undefined",
      { image: [1, undefined, 3, 4] },
      "element 1 of input image is undefined, not a number",
    ],
    ["holes", { image: new Array(4) }, "of input image is undefined"],
    ["null", { image: [1, 2, null, 4] }, "element 2 of input image is null"],
    ["a string", { image: ["1", 2, 3, 4] }, 'element 0 of input image is "1", not a number'],
    ["a nested list", { image: [[1], [2], [3], [4]] }, "element 0 of input image is an array"],
    ["a truth", { image: [1, 2, 3, true] }, "element 3 of input image is true"],
    [
      "bigints",
      { count: BigInt64Array.of(1n, 2n, 3n, 4n) },
      "element 0 of input count is 1n, not a number",
    ],
    ["a fraction", { count: [1, 2, 1.5, 4] }, "element 2 of input count is 1.5, no whole number"],
    [
      "a fraction in floats",
      { count: Float32Array.of(1, 0.5, 3, 4) },
      "element 1 of input count is 0.5",
    ],
    ["NaN", { count: [1, 2, 3, Number.NaN] }, "element 3 of input count is NaN, no whole number"],
    [
      "infinity",
      { label: [1, 2, 3, 1 / 0] },
      "element 3 of input label is Infinity, no whole number",
    ],
    [
      "a wide number",
      { count: [1e12, 2, 3, 4] },
      "element 0 of input count is 1000000000000, not from",
    ],
    ["one too many", { count: [0, 2 ** 31, 0, 0] }, "element 1 of input count is 2147483648"],
    [
      "a wide unsigned number",
      { count: Uint32Array.of(2 ** 31, 0, 0, 0) },
      "element 0 of input count",
    ],
    [
      "a sign",
      { label: [0, -1, 0, 0] },
      "element 1 of input label is -1, not from 0 to 4294967295",
    ],
    ["signs", { label: Int32Array.of(0, 0, -7, 0) }, "element 2 of input label is -7"],
    [
      "a number beyond f32",
      { image: [0, 1e39, 0, 0] },
      "element 1 of input image is 1e+39, beyond",
    ],
    ["doubles beyond f32", { image: Float64Array.of(0, 0, 0, -1e300) }, "element 3 of input image"],
    ["NaN as a truth", { mask: [1, 0, 1, Number.NaN] }, "element 3 of input mask is NaN"],
    ["a string as a truth", { mask: [1, 0, "", 1] }, 'element 2 of input mask is "", not a number'],
    ["too few", { image: [1, 2, 3] }, "input image has 3 elements, but its shape [2, 2] holds 4"],
    [
      "rows",
      {
        image: [
          [1, 2],
          [3, 4],
        ],
      },
      "input image has 2 elements, but its shape",
    ],
    ["a length alone", { image: { length: 4 } }, "input image is an object (Object)"],
    ["bytes of no type", { image: new ArrayBuffer(16) }, "input image is an object (ArrayBuffer)"],
    ["a view of no type", { image: new DataView(new ArrayBuffer(4)) }, "input image is an object"],
    ["a number", { image: 4 }, "input image is 4, not an array"],
    ["text", { image: "1234" }, 'input image is "1234"'],
    ["nothing", { image: null }, "input image is null"],
    ["what is undefined", { image: undefined }, "input image is undefined"],
    ["a list for all", [1, 2, 3, 4], "given by name, not as an array"],
    ["null for all", null, "given by name, not as null"],
  ])("refuse (E420) %s", async (_, inputs, words) => {
    const error = await refusal(() => given(elsewhere(inputs as never) as object));
    expect(error.code).toBe("E420");
    expect(error.message).toContain(words);
  });

  test.each([
    ["imge", 'did you mean "image"? its inputs are image, count, label, mask'],
    ["something else", "its inputs are image, count, label, mask"],
    ["constructor", "its inputs are"],
  ])("refuse (E420) the name %s, with the names that there are", async (name, words) => {
    const error = await refusal(() => given({ [name]: [1, 2, 3, 4] }));
    expect(error.code).toBe("E420");
    expect(error.details.help).toContain(words);
  });

  test("are all checked before any is returned", async () => {
    const one = [1, 2, 3, 4];
    expect((await refusal(() => given({ image: one, count: one, label: "no" }))).code).toBe("E420");
  });
});
