/** Faults of numbers, of what ops refuse, of the compiler's depth and of work that it does twice. */
import { type Fault, inGraphs } from "./fault.ts";

const wgsl = "compiler/targets/wgsl/index.ts";
const reference = "compiler/targets/reference/index.ts";

const numbers: readonly Fault[] = [
  inGraphs(
    "a number is not checked against its dtype",
    ["what=refusals"],
    "compiler/graph/checks.ts",
    "if (problem !== undefined) refuse(name, inputs, problem, numbersOf[dtype]);",
  ),
  inGraphs(
    "infinities are spelled in digits",
    ["devices=webgpu"],
    wgsl,
    "if (!Number.isFinite(value) || Object.is(value, -0))",
    "if (Number.isNaN(value) || Object.is(value, -0))",
  ),
  inGraphs(
    "the least integer is spelled in digits",
    ["devices=webgpu", "dtypes=i32"],
    wgsl,
    "value === lowest ? `i32(${value})` : ",
  ),
  inGraphs(
    "the oracle's products of integers do not wrap",
    ["ops=mul", "dtypes=i32"],
    reference,
    "mul: (a, b) => `Math.imul(${a}, ${b})`",
    "mul: (a, b) => `(${a} * ${b})`",
  ),
  inGraphs(
    "the oracle divides integers by 0",
    ["ops=div", "dtypes=i32"],
    reference,
    "(b === 0 ? a : a / b)",
    "(b === 0 ? 0 : a / b)",
  ),
  inGraphs(
    "the oracle's casts to integers have no range",
    ["ops=cast"],
    reference,
    "Math.trunc(Math.min(Math.max((${arg}) || 0, ${low}), ${high}))",
    "[Math.trunc((${arg}) || 0), ${low}, ${high}][0]",
  ),
  inGraphs(
    "a NaN vanishes behind max and min",
    ["devices=webgpu"],
    wgsl,
    'if ((fn === "max" || fn === "min") && type === "f32")',
    'if ((fn === "max" || fn === "min") && type === "bool")',
  ),
  inGraphs(
    "a NaN vanishes behind tanh",
    ["devices=webgpu", "ops=tanh"],
    "compiler/targets/wgsl/functions.ts",
    "return select(value, x, is_nan(x));",
    "return clamp(value, -1.0, 1.0);",
  ),
  inGraphs(
    "NaNs have no place in an order",
    ["ops=topK"],
    "ops/lines/top-k.ts",
    "a.gt(b).or(isNaNOf(a).and(isNaNOf(b).not()));",
    "a.gt(b).or(isNaNOf(a).and(isNaNOf(a).not()));",
  ),
];

const extremes: readonly Fault[] = [
  inGraphs(
    "softmax begins at -3.4e38",
    ["ops=softmax"],
    "ops/lines/softmax.ts",
    'k.var("most", literal(Number.NEGATIVE_INFINITY, "f32"))',
    'k.var("most", literal(-3.4e38, "f32"))',
  ),
  inGraphs(
    "the largest element is at least -3.4e38",
    ["ops=max"],
    "ops/lines/reduce.ts",
    'dtype === "f32" ? Number.NEGATIVE_INFINITY',
    'dtype === "f32" ? -3.4e38',
  ),
  inGraphs(
    "erf and gelu of infinities are NaN",
    ["ops=gelu"],
    "ops/elementwise/erf.ts",
    'k.let("near", z.min(30))',
    'k.let("near", z)',
  ),
  inGraphs(
    "a fractional power of a negative number is a number",
    ["ops=pow"],
    "ops/elementwise/pow.ts",
    "isUnreal.select(Number.NaN, power)",
    "power",
  ),
  inGraphs(
    "angles far from zero have no whole turns",
    ["ops=sin"],
    "ops/elementwise/sin.ts",
    "attrs.isNear ? undefined : farTurns(k, x)",
    "undefined as ReturnType<typeof farTurns> | undefined",
  ),
  inGraphs(
    "workgroups of ops with forms are not folded",
    ["profiles=few groups"],
    "compiler/lower/lower.ts",
    "foldGroups(kernel, profile.maxGroups)",
    "(region.variant ? kernel : foldGroups(kernel, profile.maxGroups))",
  ),
];

const refusals: readonly Fault[] = [
  inGraphs(
    "sizes of shapes are not looked at",
    ["what=refusals"],
    "compiler/graph/shapes.ts",
    "Number.isSafeInteger(size) && (size as number) >= 1;",
    "size !== undefined;",
  ),
  inGraphs(
    "an unknown word is taken",
    ["what=refusals"],
    "compiler/graph/checks.ts",
    'if (typeof value === "string" && names.includes(value)) return;',
    'if (typeof value === "string" && names.length > 0) return;',
  ),
  inGraphs(
    "numbers of options have no limits",
    ["what=refusals"],
    "compiler/graph/checks.ts",
    "if (isNumber && value >= least && value <= most) return;",
    "return;",
  ),
  inGraphs(
    "what is no tensor is taken for one",
    ["what=refusals"],
    "compiler/graph/tensor.ts",
    "if (value instanceof Tensor) continue;",
    "continue;",
  ),
  inGraphs(
    "what a program returns is not looked at",
    ["what=misuse"],
    "compiler/graph/graph.ts",
    "checkReturned(made, called);",
  ),
];

const compiler: readonly Fault[] = [
  inGraphs(
    "the order of nodes is found by recursion",
    ["what=depth"],
    "compiler/graph/graph.ts",
    "const stack: Node[] = outputs.map((o) => o.tensor.node).reverse();",
    `const walk = (node: Node): void => {
      if (state.has(node)) return;
      state.set(node, "open");
      for (const x of node.inputs) walk(x.node);
      state.set(node, "done");
      nodes.push(node);
    };
    for (const o of outputs) walk(o.tensor.node);
    const stack: Node[] = [];`,
  ),
  inGraphs(
    "what a region contains is counted to the end",
    ["what=depth"],
    "compiler/fuse/contents.ts",
    "running.has(tensor) || nodes.size > most",
    "running.has(tensor)",
  ),
  inGraphs(
    "equal work is done twice",
    ["what=values"],
    "compiler/rewrite/rewrite.ts",
    "const merged = yield* mergeEqual(graph);",
    "const merged = graph;",
  ),
  inGraphs(
    "what memory holds is copied to be reshaped",
    ["ops=reshape"],
    "compiler/fuse/element.ts",
    "(node.op as ElementOp).reshapes === true || ",
  ),
];

export const graphFaults: readonly Fault[] = [...numbers, ...extremes, ...refusals, ...compiler];
