/**
 * Exports to ONNX mean what the programs mean: every op, the models, every adapter. They are run in
 * double precision by an evaluator of the tests, and in ONNX Runtime where that is installed.
 */
import { describe, expect, test } from "vitest";
import {
  apply,
  type Graph,
  graphOf,
  input,
  inputsOf,
  parametersOf,
  state,
  type Tensor,
  trace,
  traceProgram,
} from "../../../compiler/index.ts";
import { exportOnnx, exportOnnxOutside } from "../../../export/onnx/index.ts";
import { samModel } from "../../../models/sam/program.ts";
import {
  add,
  conv2d,
  dropout,
  matmul,
  mul,
  normalize,
  permute,
  resample,
  reshape,
  unfold,
} from "../../../ops/index.ts";
import { op as normalizeGradient } from "../../../ops/lines/layer-norm-gradient.ts";
import { type Arrays, evaluate, type Results } from "../../../verify/ops/evaluate.ts";
import { type Example, findOps } from "../../../verify/ops/programs.ts";
import { checkEqual, checkKnown } from "../../ops/walker/check.ts";
import { openGraph } from "../../support/adapted-graphs.ts";
import { decodeModel } from "../../support/onnx-file.ts";
import { tinySam } from "../../support/sam-small.ts";
import { refusal } from "../../support/weights-files.ts";
import { evaluateOnnx } from "./evaluate.ts";
import { adaptedModels, models, valuesOf } from "./programs.ts";
import { findRuntime, missing, runModel } from "./runtime.ts";

const { subjects } = await findOps();

const runtime = findRuntime();
if (!runtime) console.warn(`${missing}: exports are not run in ONNX Runtime`);

/**
 * Relative to the largest element: ONNX Runtime computes in single precision, in its own order. In a
 * whole model large numbers cancel.
 */
const single = { op: 1e-5, model: 1e-4 } as const;

async function checkRuntime(
  graph: Graph,
  arrays: Arrays,
  wanted: Results,
  tolerance: number,
): Promise<void> {
  if (!runtime) return;
  const sources = [...inputsOf(graph), ...parametersOf(graph)];
  const got = await runModel(runtime, exportOnnx(graph), sources, arrays);
  for (const [name, values] of Object.entries(wanted))
    expectClose(got[name]!, values, tolerance, name);
}

function expectClose(
  got: readonly number[],
  wanted: readonly number[],
  tolerance: number,
  where: string,
): void {
  expect(got.length, where).toBe(wanted.length);
  const largest = wanted.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const worst = wanted.reduce((most, v, i) => Math.max(most, Math.abs(v - got[i]!)), 0);
  // Exponentials of large negative numbers may become zero.
  expect(worst, where).toBeLessThanOrEqual(tolerance * largest + 1e-12);
}

/** What training alone has. An op that is neither here nor spelled fails below. */
const refused: ReadonlySet<string> = new Set([
  "assignment",
  "attentionKeyValueGradient",
  "attentionQueryGradient",
  "dropout",
  "geluSlope",
  "normalizeGradient",
  "random",
  "scaledConvolutionGradient",
  "softmaxGradient",
  "stepVerdict",
]);

describe("the spelling gives the op's values", () => {
  const spelled = subjects.filter(({ op }) => !refused.has(op?.name ?? ""));
  test.each(spelled.map((subject) => [subject.name, subject] as const))(
    "%s",
    async (_name, { examples, claims }) => {
      for (const [i, make] of examples.entries()) await checkExample(make(), claims[i]!);
    },
  );

  async function checkExample(example: Example, claim: string): Promise<void> {
    const { graph, arrays, known } = example;
    const got = evaluateOnnx(exportOnnx(graph), arrays);
    if (known) checkKnown(example, got);
    const wanted = known ? got : await evaluate(graph, arrays);
    checkEqual(example, got, wanted, claim);
    await checkRuntime(graph, arrays, wanted, single.op);
  }
});

describe("ops of training are refused", () => {
  const own = subjects.filter(({ op }) => refused.has(op?.name ?? ""));
  test.each(own.map(({ op, examples }) => [op!.name, examples[0]!] as const))(
    "E800 for %s",
    async (name, example) => {
      const { code, details } = await refusal(() => exportOnnx(example().graph));
      expect([code, details.message]).toEqual([
        "E800",
        `${name} has no spelling in ONNX's operators`,
      ]);
    },
  );
});

describe("an export means what the program means", () => {
  test.each([...models, ...adaptedModels].map(({ name, graph }) => [name, graph] as const))(
    "%s",
    async (_name, trace) => {
      const graph = trace();
      const arrays = valuesOf(graph);
      const got = evaluateOnnx(exportOnnx(graph), arrays);
      const wanted = await (await openGraph(graph))(arrays);
      // Sines and error functions of ours are approximations of single precision.
      for (const [name, values] of Object.entries(wanted))
        expectClose(got[name]!, values, 2e-6, name);
      await checkRuntime(graph, arrays, wanted, single.model);
    },
  );
});

/** How often each operator occurs. */
function operatorsOf(graph: Graph): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { opType } of decodeModel(exportOnnx(graph)).graph.node)
    counts[opType] = (counts[opType] ?? 0) + 1;
  return counts;
}

describe("compositions become the operators that a runtime knows", () => {
  test("SAM's encoder: Gemm, LayerNormalization, Gelu and Conv, and views no more than needed", () => {
    const { Reshape: _, ...counts } = operatorsOf(traceProgram(samModel(tinySam), "encode"));
    expect(counts).toEqual({
      Add: 9,
      Concat: 2,
      Conv: 1,
      Gather: 8,
      Gelu: 2,
      Gemm: 9,
      LayerNormalization: 6,
      MatMul: 7,
      Mul: 2,
      Pad: 1,
      Slice: 7,
      Softmax: 2,
      Transpose: 23,
    });
  });

  const image = () => input("x", "f32", [2, 4, 9, 7]) as Tensor;
  const weight = (shape: readonly number[]) => input("w", "f32", shape) as Tensor;
  test.each<[string, () => Tensor, Record<string, number>]>([
    ["a convolution", () => conv2d(image(), weight([6, 4, 3, 3]), { padding: 1 }), { Conv: 1 }],
    ["one in groups", () => conv2d(image(), weight([6, 2, 3, 3]), { groups: 2 }), { Conv: 1 }],
    ["a depthwise one", () => conv2d(image(), weight([4, 1, 3, 3]), { groups: 4 }), { Conv: 1 }],
    ["a resizing", () => resample(image(), { scale: 2, mode: "bicubic" }), { Resize: 1 }],
    [
      "a linear layer",
      () =>
        add(
          matmul(input("x", "f32", [5, 3]), input("w", "f32", [4, 3]), { transpose: "right" }),
          input("b", "f32", [4]),
        ),
      { Gemm: 1 },
    ],
  ])("%s", (_name, make, wanted) => {
    expect(operatorsOf(graphOf([{ name: "y", tensor: make() }]))).toEqual(wanted);
  });

  test("a row that broadcasts is never spread out, unless it is a result", () => {
    const [x, row] = [input("x", "f32", [5, 3]) as Tensor, input("row", "f32", [3]) as Tensor];
    const outputs = [
      { name: "sum", tensor: add(x, row) },
      { name: "rows", tensor: add(row, 0) },
    ];
    expect(operatorsOf(graphOf(outputs))).toEqual({ Add: 2 });
  });
});

describe("what only looks like them is not taken for them", () => {
  const given = (name: string, shape: readonly number[]) => input(name, "f32", shape) as Tensor;
  test.each<[string, () => Tensor]>([
    [
      "a product with a matrix that is not turned",
      () => {
        const product = matmul(given("x", [5, 3]), permute(given("w", [3, 3]), [0, 1]));
        return add(product, given("b", [3]));
      },
    ],
    [
      "windows seen by a kernel for each image, as many as there are groups",
      () => {
        const windows = unfold(given("x", [2, 4, 5, 5]), { kernel: 3 });
        const columns = reshape(windows, [2, 2, 18, 9]) as Tensor;
        return matmul(given("w", [2, 1, 6, 18]), columns);
      },
    ],
    [
      "windows laid out as something else than columns",
      () => {
        const windows = unfold(given("x", [3, 2, 5, 5]), { kernel: 3 });
        return matmul(given("w", [4, 54]), reshape(windows, [54, 9]) as Tensor);
      },
    ],
    [
      "a norm shifted by another number for each row",
      () => add(mul(normalize(given("x", [3, 3]), 1, 1e-6), given("w", [3])), given("b", [3, 1])),
    ],
  ])("%s", async (_name, make) => {
    const graph = graphOf([{ name: "y", tensor: make() }]);
    const arrays = valuesOf(graph);
    const { y } = await evaluate(graph, arrays);
    expectClose(evaluateOnnx(exportOnnx(graph), arrays).y!, y!, 1e-6, "y");
  });
});

describe("a file", () => {
  const graph = trace(
    (p) => ({
      y: matmul(input("x", "f32", [2, 3], { doc: "Rows." }), p.at("up").f32("weight", [3, 2])),
    }),
    {},
  );
  const weights = new Map([["up.weight", Float32Array.of(1, 2, 3, 4, 5, 6)]]);

  test("has the parameters inside, under their paths", () => {
    const model = decodeModel(exportOnnx(graph, { name: "rows", weights }));
    expect(model.opsetImport).toEqual([{ domain: "", version: 20 }]);
    expect(model.graph.name).toBe("rows");
    expect(model.graph.initializer.map(({ name, dims }) => [name, dims])).toEqual([
      ["up.weight", [3, 2]],
    ]);
    expect(model.graph.input.map(({ name, docString }) => [name, docString])).toEqual([
      ["x", "Rows."],
    ]);
    expect(model.graph.node.map(({ name }) => name)).toEqual(["up/MatMul_0"]);
    const y = evaluateOnnx(exportOnnx(graph, { weights }), { x: [1, 0, 0, 0, 1, 1] });
    expect(y).toEqual({ y: [1, 2, 8, 10] });
  });

  test("without weights takes the parameters as inputs", () => {
    const model = decodeModel(exportOnnx(graph));
    expect(model.graph.initializer).toEqual([]);
    expect(model.graph.input.map(({ name }) => name)).toEqual(["x", "up.weight"]);
  });

  test("with its weights outside says where they are", () => {
    const { model, tensors } = exportOnnxOutside(graph, { file: "rows.data" });
    const [tensor] = decodeModel(model).graph.initializer;
    expect(tensor!.dataLocation).toBe(1);
    expect(Object.fromEntries(tensor!.externalData!.map(({ key, value }) => [key, value]))).toEqual(
      {
        location: "rows.data",
        offset: "0",
        length: "24",
      },
    );
    expect(tensors).toMatchObject([{ path: "up.weight", offset: 0, bytes: 24 }]);
  });

  test("is the same bytes every time", () => {
    const encode = () => exportOnnx(traceProgram(samModel(tinySam), "encode"));
    expect(Buffer.compare(encode(), encode())).toBe(0);
  });

  test("E803 names what the weights lack, and what has another size", async () => {
    const none = await refusal(() => exportOnnx(graph, { weights: new Map() }));
    expect(none.code).toBe("E803");
    expect(none.details.message).toContain("1 of the 1 parameters");
    expect(none.details.message).toContain("up.weight is missing");
    const short = new Map([["up.weight", Float32Array.of(1)]]);
    const { details } = await refusal(() => exportOnnx(graph, { weights: short }));
    expect(details.message).toContain("up.weight is [1], the model has [3, 2]");
  });

  test("E804 for weights beyond 2 GiB", async () => {
    const large = trace((p) => ({ y: add(p.f32("weight", [2 ** 15, 2 ** 14]), 1) }), {});
    // The values are looked at in length alone: no memory is touched.
    const values = new Map([["weight", { length: 2 ** 29 } as Float32Array]]);
    const { code, details } = await refusal(() => exportOnnx(large, { weights: values }));
    expect([code, details.message]).toEqual([
      "E804",
      "the weights of graph take 2.00 GiB, and a file holds less than 2",
    ]);
  });
});

describe("what cannot be exported is refused", () => {
  test("E800 says where the op was written", async () => {
    const key = input("key", "u32", [2]);
    const y = dropout(input("x", "f32", [3]), 0.5, { key, stream: 1 });
    const { code, message } = await refusal(() => exportOnnx(graphOf([{ name: "y", tensor: y }])));
    expect(code).toBe("E800");
    expect(message).toContain("onnx.test.ts");
    expect(message).toContain("without gradients, noise and dropout");
  });

  test("E800 for the gradient of a norm", async () => {
    const x = input("x", "f32", [2, 3]);
    const [g] = apply(normalizeGradient, [x, x], { axis: 1, epsilon: 1e-6 });
    const { code } = await refusal(() => exportOnnx(graphOf([{ name: "g", tensor: g! }])));
    expect(code).toBe("E800");
  });

  test("E801 for a program that writes a state and reads none", async () => {
    const graph = trace(() => {
      state("last", "f32", [1]);
      return { last: input("x", "f32", [1]) };
    }, {});
    const { message } = await refusal(() => exportOnnx(graph));
    expect(message).toContain('keeps the state "last"');
  });

  test("E801 for a program with states", async () => {
    const count = add(state("count", "f32", [1]), 1);
    const graph = graphOf([{ name: "count", tensor: count }]);
    const { code, details } = await refusal(() => exportOnnx(graph));
    expect([code, details.message]).toEqual([
      "E801",
      'the program keeps the state "count" from run to run, which ONNX has no word for',
    ]);
  });

  test("E802 for an output that is called like a parameter", async () => {
    const graph = trace((p) => ({ scale: add(p.f32("scale", [2]), 1) }), {});
    const { code, details } = await refusal(() => exportOnnx(graph));
    expect([code, details.message]).toEqual([
      "E802",
      'a parameter and an output are both called "scale", which an ONNX model cannot tell apart',
    ]);
  });
});
