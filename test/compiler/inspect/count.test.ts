/** Counted work, against counts by hand. */
import { describe, expect, test } from "vitest";
import { compileStages } from "../../../compiler/compile.ts";
import {
  apply,
  defaultProfile,
  type Graph,
  input,
  type KernelOp,
  type Parameters,
  type Profile,
  type Tensor,
  trace,
} from "../../../compiler/index.ts";
import { countWork } from "../../../compiler/inspect/count.ts";
import { samModel } from "../../../models/index.ts";
import { add, concat, exp, gelu, mul, relu, transpose } from "../../../ops/index.ts";
import { op as matmulOp } from "../../../ops/matmul/matmul.ts";
import { tinySam } from "../../support/sam-small.ts";

const x = (rows: number, columns: number, name = "x") => input(name, "f32", [rows, columns]);

const { rules: _rules, small: _small, ...product } = matmulOp;

/**
 * A product that is what it is: no law applies to it. Its kernel reads its left operand three times
 * and its right one five times.
 */
const often: KernelOp<null> = {
  ...product,
  name: "often",
  spelled: 1,
  forms: product.forms.map((form) => ({
    ...form,
    variants: (problem) =>
      form.variants(problem).map((v) => ({ ...v, reads: (input) => (input === 0 ? 3 : 5) })),
  })),
};
const oftenOf = (a: Tensor, b: Tensor) => apply(often, [a, b], null)[0] as Tensor<"f32">;

interface Counted {
  readonly claim: string;
  readonly program: (p: Parameters) => Record<string, Tensor>;
  readonly multiplications: number;
  readonly bytes: number;
  readonly dispatches: number;
}

const counts: readonly Counted[] = [
  {
    claim: "a product is rows x depth x columns, and each tensor moves once",
    program: (p) => ({ y: oftenOf(x(8, 16), p.f32("w", [16, 4])) }),
    multiplications: 8 * 16 * 4,
    bytes: 4 * (8 * 16 + 16 * 4 + 8 * 4),
    dispatches: 1,
  },
  {
    claim: "what melts behind counts once for each element, and what it passes on moves no bytes",
    program: (p) => ({ y: gelu(add(oftenOf(x(8, 16), p.f32("w", [16, 4])), p.f32("b", [4]))) }),
    multiplications: 8 * 16 * 4 + 8 * 4 * (1 + 40),
    bytes: 4 * (8 * 16 + 16 * 4 + 4 + 8 * 4),
    dispatches: 1,
  },
  {
    claim: "what melts in front counts as often as the kernel reads it",
    program: () => ({ y: oftenOf(exp(x(8, 16)), exp(x(16, 4, "w"))) }),
    multiplications: 8 * 16 * 4 + 16 * (3 * 8 * 16 + 5 * 16 * 4),
    bytes: 4 * (8 * 16 + 16 * 4 + 8 * 4),
    dispatches: 1,
  },
  {
    claim: "a value that one kernel uses twice at one place counts once",
    program: () => {
      const both = mul(x(8, 16), x(8, 16, "z"));
      return { y: oftenOf(add(both, exp(both)), x(16, 4, "w")) };
    },
    multiplications: 8 * 16 * 4 + 3 * 8 * 16 * (1 + 16 + 1),
    bytes: 4 * (2 * 8 * 16 + 16 * 4 + 8 * 4),
    dispatches: 1,
  },
  {
    claim: "a value that one kernel uses at two places counts twice",
    program: () => {
      const grown = exp(x(8, 8));
      return { y: add(grown, transpose(grown) as Tensor<"f32">) };
    },
    multiplications: 8 * 8 * (16 + 16 + 1),
    bytes: 4 * 2 * 8 * 8,
    dispatches: 1,
  },
  {
    claim: "parts of a concatenation count for their share of it",
    program: () => ({ y: concat([exp(x(8, 2)), relu(x(8, 6, "z"))], 1) }),
    multiplications: 8 * 8 + 8 * 2 * 16 + 8 * 6,
    bytes: 4 * (8 * 2 + 8 * 6 + 8 * 8),
    dispatches: 1,
  },
  {
    claim: "regions add up, and what lies between them is written and read",
    program: (p) => {
      const up = gelu(oftenOf(x(8, 16), p.f32("up", [16, 32])));
      return { y: oftenOf(up, p.f32("down", [32, 4])) };
    },
    multiplications: 8 * 16 * 32 + 8 * 32 * 40 + 8 * 32 * 4,
    bytes: 4 * (8 * 16 + 16 * 32 + 8 * 32 + 8 * 32 + 32 * 4 + 8 * 4),
    dispatches: 2,
  },
];

const compiled = (graph: Graph, profile: Profile = defaultProfile) =>
  countWork(compileStages(graph, { profile }));

describe("counted by hand", () => {
  test.each(counts)("$claim", ({ program, multiplications, bytes, dispatches }) => {
    const work = compiled(trace(program, {}));
    expect({ ...work, regions: work.regions.length }).toEqual({
      regions: dispatches,
      multiplications,
      bytes,
      dispatches,
    });
  });

  test("halves move two bytes", () => {
    const graph = trace((p) => ({ y: oftenOf(x(8, 64), p.f32("w", [64, 64])) }), {});
    const profile = { ...defaultProfile, half: true };
    const stages = compileStages(graph, { profile, precision: "mixed" });
    expect(countWork(stages).bytes).toBe(4 * 8 * 64 + 2 * 64 * 64 + 4 * 8 * 64);
  });
});

test("names change no count", () => {
  const program = (path: string, name: string) =>
    trace((p) => {
      const inner = p.at(path);
      const up = gelu(oftenOf(x(8, 16, name), inner.f32("w", [16, 32])));
      return { [`${name}.out`]: oftenOf(up, inner.f32(`${name}.down`, [32, 4])) };
    }, {});
  expect(compiled(program("blocks.0", "image"))).toEqual(compiled(program("z", "a")));
});

test("an encoder's sums are its regions', and fusion moves fewer bytes in fewer dispatches", () => {
  const graph = trace(samModel(tinySam).programs.encode!, { batch: 1 });
  const fused = compiled(graph);
  const sum = (key: "multiplications" | "bytes" | "dispatches") =>
    fused.regions.reduce((total, region) => total + region[key], 0);
  const { regions: _regions, ...totals } = fused;
  expect(totals).toEqual({
    multiplications: sum("multiplications"),
    bytes: sum("bytes"),
    dispatches: sum("dispatches"),
  });
  const unfused = countWork(compileStages(graph, { policy: "unfused" }));
  expect(fused.bytes).toBeLessThan(unfused.bytes);
  expect(fused.dispatches).toBeLessThan(unfused.dispatches);
});
