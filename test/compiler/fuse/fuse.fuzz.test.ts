/**
 * Random programs: fused, unfused and evaluated by oracles, they give the same values. A failing
 * program is shrunk by removing instructions, and printed as code to paste into a test.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Graph, graphOf, inputsOf } from "../../../compiler/graph/graph.ts";
import { input } from "../../../compiler/graph/sources.ts";
import { elements, type Tensor } from "../../../compiler/graph/tensor.ts";
import { defaultProfile } from "../../../compiler/profile.ts";
import { attention } from "../../../ops/attention/attention.ts";
import {
  add,
  concat,
  exp,
  full,
  gelu,
  layerNorm,
  matmul,
  mul,
  pad,
  permute,
  relu,
  reshape,
  sigmoid,
  slice,
  softmax,
  sub,
  sum,
  tanh,
} from "../../../ops/index.ts";
import {
  evaluate,
  randomNumbers,
  relativeError,
  runOnReference,
} from "../../../verify/ops/evaluate.ts";

/** One line of a program: an op, and numbers from which its operands and attributes are picked. */
interface Instruction {
  readonly op: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

type Line = { readonly tensor: Tensor; readonly code: string } | undefined;
type Make = (pick: (n: number) => { tensor: Tensor; name: string }, i: Instruction) => Line;

const unary =
  (name: string, f: (x: Tensor) => Tensor): Make =>
  (pick, { a }) => {
    const x = pick(a);
    return { tensor: f(x.tensor), code: `${name}(${x.name})` };
  };

const broadcasts = (a: readonly number[], b: readonly number[]) =>
  [...a].reverse().every((m, i) => {
    const n = b[b.length - 1 - i];
    return n === undefined || n === m || n === 1 || m === 1;
  });

const binary =
  (name: string, f: (x: Tensor, y: Tensor) => Tensor): Make =>
  (pick, { a, b }) => {
    const [x, y] = [pick(a), pick(b)];
    if (!broadcasts(x.tensor.shape, y.tensor.shape)) return undefined;
    return { tensor: f(x.tensor, y.tensor), code: `${name}(${x.name}, ${y.name})` };
  };

const rotate = (n: number, by: number) => Array.from({ length: n }, (_, i) => (i + by) % n);

const table: readonly Make[] = [
  unary("gelu", gelu),
  unary("relu", relu),
  unary("tanh", tanh),
  unary("sigmoid", sigmoid),
  unary("silu", (x) => mul(x, sigmoid(x))),
  unary("bell", (x) => exp(mul(mul(x, x), -1))),
  unary("softmax", softmax),
  binary("add", (x, y) => add(x, y)),
  binary("sub", (x, y) => sub(x, y)),
  binary("mul", (x, y) => mul(x, y)),
  (pick, { a, b }) => {
    const x = pick(a);
    const axes = rotate(x.tensor.shape.length, b);
    return { tensor: permute(x.tensor, axes), code: `permute(${x.name}, [${axes}])` };
  },
  (pick, { a, b }) => {
    const x = pick(a);
    const size = elements(x.tensor.shape);
    const rows = [1, 2, 3, 4, 5, 6, 7].filter((n) => size % n === 0);
    const n = rows[b % rows.length]!;
    return {
      tensor: reshape(x.tensor, [n, size / n]),
      code: `reshape(${x.name}, [${n}, ${size / n}])`,
    };
  },
  (pick, { a, b, c }) => {
    const x = pick(a);
    const axis = b % x.tensor.shape.length;
    const size = x.tensor.shape[axis]!;
    const start = c % size;
    const ranges = x.tensor.shape.map((n, i): [number, number] =>
      i === axis ? [start, n] : [0, n],
    );
    return {
      tensor: slice(x.tensor, ranges),
      code: `slice(${x.name}, ${JSON.stringify(ranges)})`,
    };
  },
  (pick, { a, b, c }) => {
    const x = pick(a);
    const axis = b % x.tensor.shape.length;
    const around = x.tensor.shape.map((_, i): [number, number] =>
      i === axis ? [c % 2, 1] : [0, 0],
    );
    return { tensor: pad(x.tensor, around), code: `pad(${x.name}, ${JSON.stringify(around)})` };
  },
  (pick, { a, b }) => {
    const x = pick(a);
    const axis = b % x.tensor.shape.length;
    return {
      tensor: concat([x.tensor, x.tensor], axis),
      code: `concat([${x.name}, ${x.name}], ${axis})`,
    };
  },
  (pick, { a, b }) => {
    const x = pick(a);
    const axis = b % x.tensor.shape.length;
    return {
      tensor: sum(x.tensor, axis, "keep"),
      code: `sum(${x.name}, ${axis}, "keep")`,
    };
  },
  (pick, { a, b }) => {
    const [x, y] = [pick(a), pick(b)];
    const [m, n] = [x.tensor, y.tensor];
    if (m.shape.length < 2 || n.shape.length !== 2 || m.shape.at(-1) !== n.shape[0])
      return undefined;
    return { tensor: matmul(m, n), code: `matmul(${x.name}, ${y.name})` };
  },
  (pick, { a }) => {
    const x = pick(a);
    if (x.tensor.shape.length !== 2) return undefined;
    const code = `matmul(${x.name}, ${x.name}, { transpose: "right" })`;
    return { tensor: matmul(x.tensor, x.tensor, { transpose: "right" }), code };
  },
  (pick, { a }) => {
    const x = pick(a);
    const size = x.tensor.shape.at(-1)!;
    const [gamma, beta] = [full(1.25, [size]), full(0.5, [size])];
    return {
      tensor: layerNorm(x.tensor, gamma, beta),
      code: `layerNorm(${x.name}, full(1.25, [${size}]), full(0.5, [${size}]))`,
    };
  },
  (pick, { a }) => {
    const x = pick(a);
    if (x.tensor.shape.length !== 2) return undefined;
    const heads = reshape(x.tensor, [1, 1, ...(x.tensor.shape as [number, number])]);
    return {
      tensor: reshape(attention(heads, heads, heads), x.tensor.shape),
      code: `selfAttention(${x.name})`,
    };
  },
];

/** Runs instructions; those that do not fit their operands are passed over. */
function build(
  instructions: readonly Instruction[],
  outputs: number,
): { graph: Graph; code: string } {
  const shapes = [[3, 4, 6], [4, 6], [6, 5], [5], [3, 1, 6]];
  const pool = shapes.map((shape, i) => ({
    name: `x${i}`,
    tensor: input(`x${i}`, "f32", shape) as Tensor,
  }));
  const code = shapes.map((s, i) => `const x${i} = input("x${i}", "f32", [${s}]);`);
  for (const instruction of instructions) {
    const pick = (n: number) => pool[pool.length - 1 - (n % pool.length)]!;
    const line = table[instruction.op % table.length]!(pick, instruction);
    if (!line || elements(line.tensor.shape) > 600) continue;
    const name = `v${pool.length}`;
    pool.push({ name, tensor: line.tensor });
    code.push(`const ${name} = ${line.code};`);
  }
  const returned = pool.slice(-outputs);
  code.push(`return { ${returned.map((r) => r.name).join(", ")} };`);
  return { graph: graphOf(returned), code: code.join("\n") };
}

const instruction = fc.record({
  op: fc.nat(table.length - 1),
  a: fc.nat(5),
  b: fc.nat(7),
  c: fc.nat(7),
});

const program = fc.record({
  instructions: fc.array(instruction, { minLength: 1, maxLength: 12 }),
  outputs: fc.integer({ min: 1, max: 3 }),
});

describe("random programs", () => {
  const seed = Number(process.env.INARCH_SEED ?? 20261121);
  test(`fused equals unfused equals oracle (seed ${seed})`, async () => {
    await fc.assert(
      fc.asyncProperty(program, async ({ instructions, outputs }) => {
        const { graph, code } = build(instructions, outputs);
        const values = Object.fromEntries(
          inputsOf(graph).map((s, i) => [s.name, randomNumbers(elements(s.type.shape), i + 1)]),
        );
        const oracle = await evaluate(graph, values);
        for (const policy of ["fused", "unfused"] as const) {
          const subgroup = policy === "fused" ? 4 * (instructions.length % 3) : 0;
          const profile = { ...defaultProfile, subgroup };
          const results = await runOnReference(graph, values, { policy, profile });
          for (const [name, expected] of Object.entries(oracle))
            expect(
              relativeError(results[name]!, expected),
              `${policy} ${name} of\n${code}`,
            ).toBeLessThan(2e-5);
        }
      }),
      { numRuns: Number(process.env.INARCH_FUZZ ?? 60), seed },
    );
  });
});
