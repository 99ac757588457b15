/** Plans as JSON text, kernels of bytes included. */
import { expect, test } from "vitest";
import { compile, graphOf, input } from "../../compiler/index.ts";
import { readable } from "../../compiler/targets/target.ts";
import { exp } from "../../ops/index.ts";
import { bytesFromJson, bytesToJson } from "../../runtime/index.ts";

const plan = compile(graphOf([{ name: "y", tensor: exp(input("x", "f32", [4])) }]));
const there = (value: unknown) => JSON.stringify(value, bytesToJson);
const back = (text: string): unknown => JSON.parse(text, bytesFromJson);

test("a plan of text is the JSON that it would be anyway", () => {
  expect(there(plan)).toBe(JSON.stringify(plan));
  expect(back(there(plan))).toEqual(plan);
});

// Longer than the arguments that one call takes, and every byte.
const bytes = Uint8Array.from({ length: 300_001 }, (_, i) => i ^ (i >> 8));

test.each([
  ["bytes", bytes],
  ["bytes of a buffer of Node's", Buffer.from(bytes)],
  ["no bytes at all", new Uint8Array()],
])("a kernel of %s comes back as it was", (_, source) => {
  const kernels = plan.kernels.map((kernel) => ({ ...kernel, source }));
  const [kernel] = (back(there({ ...plan, kernels })) as typeof plan).kernels;
  expect(kernel).toEqual({ ...plan.kernels[0], source: Uint8Array.from(source) });
});

test("bytes are shown as hexadecimal digits, text as it is", () => {
  expect(readable("text")).toBe("text");
  const line = "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f";
  expect(readable(Uint8Array.from({ length: 18 }, (_, i) => i))).toBe(`${line}\n10 11\n`);
});
