/** What an export to ONNX refuses of its arguments, as compiling does. */
import { expect, test } from "vitest";
import { graphOf, input } from "../../../compiler/index.ts";
import { exportOnnx, exportOnnxOutside } from "../../../export/onnx/index.ts";
import { OnnxWriter } from "../../../export/onnx/writer.ts";
import { add } from "../../../ops/index.ts";
import { refusal } from "../../support/weights-files.ts";

const graph = graphOf([{ name: "y", tensor: add(input("x", "f32", [2]), 1) }]);

test("E113: what is no graph", async () => {
  for (const other of [
    undefined,
    null,
    "encoder",
    {},
    { name: "m", programs: { run: () => ({}) } },
  ])
    for (const write of [exportOnnx, exportOnnxOutside]) {
      const { code, message } = await refusal(() => write(other as never, { file: "f" } as never));
      expect([code, message]).toEqual(["E113", expect.stringContaining("what is to be exported")]);
    }
});

test.each<[string, () => unknown]>([
  ["a name that is a number", () => exportOnnx(graph, { name: 3 } as never)],
  ["weights that are no map", () => exportOnnx(graph, { weights: { a: [1] } } as never)],
  ["no file", () => exportOnnxOutside(graph, {} as never)],
  ["no options where the file is needed", () => exportOnnxOutside(graph, undefined as never)],
])("E460: %s", async (_claim, call) => {
  expect((await refusal(call)).code).toBe("E460");
});

test.each([
  ["i32", 2 ** 31],
  ["i32", 1.5],
  ["u32", -1],
  ["i64", 2 ** 60 + 0.5 * 2 ** 60],
  ["bool", 2],
] as const)("E101: a constant that %s does not hold: %s", async (dtype, value) => {
  const { code } = await refusal(() => new OnnxWriter().constant(dtype, [1], [value]));
  expect(code).toBe("E101");
});
