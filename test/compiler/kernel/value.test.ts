/** Index arithmetic folds without changing its value, and its bounds and divisors hold. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Builder } from "../../../compiler/kernel/builder.ts";
import type { Expr } from "../../../compiler/kernel/ir.ts";
import { flatten, unflatten } from "../../../compiler/kernel/ports.ts";
import { index, literal, Value } from "../../../compiler/kernel/value.ts";

const variable = (name: string, bound: number) =>
  new Value({ kind: "ref", type: "u32", name, mutable: false }, bound);

type Environment = Readonly<Record<string, number>>;

function evaluate(e: Expr, env: Environment): number {
  switch (e.kind) {
    case "lit":
      return e.value;
    case "ref":
      return env[e.name]!;
    case "call": {
      const [a, b, c] = e.args.map((x) => evaluate(x, env)) as [number, number, number];
      switch (e.fn) {
        case "add":
          return a + b;
        case "sub":
          return a - b;
        case "mul":
          return a * b;
        case "div":
          return Math.floor(a / b);
        case "mod":
          return a % b;
        case "min":
          return Math.min(a, b);
        case "max":
          return Math.max(a, b);
        case "select":
          return c ? a : b;
        case "lt":
          return Number(a < b);
        case "le":
          return Number(a <= b);
        case "eq":
          return Number(a === b);
        default:
          throw new TypeError(e.fn);
      }
    }
    default:
      throw new TypeError(e.kind);
  }
}

/** A random expression, folded by `Value` and computed plainly beside it. */
interface Pair {
  readonly value: Value;
  plain(env: Environment): number;
}

const bounds: Environment = { x: 13, y: 5, z: 195 };

const leaf: fc.Arbitrary<Pair> = fc.oneof(
  fc.constantFrom("x", "y", "z").map((name) => ({
    value: variable(name, bounds[name]!),
    plain: (env: Environment) => env[name]!,
  })),
  fc.nat(14).map((n) => ({ value: index(n), plain: () => n })),
);

const { tree } = fc.letrec<{ tree: Pair }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    leaf,
    fc.tuple(tie("tree"), tie("tree")).map(([a, b]) => ({
      value: a.value.add(b.value),
      plain: (env: Environment) => a.plain(env) + b.plain(env),
    })),
    fc.tuple(tie("tree"), fc.integer({ min: 0, max: 14 })).map(([a, n]) => ({
      value: a.value.mul(n),
      plain: (env: Environment) => a.plain(env) * n,
    })),
    fc.tuple(tie("tree"), fc.integer({ min: 1, max: 14 })).map(([a, n]) => ({
      value: a.value.div(n),
      plain: (env: Environment) => Math.floor(a.plain(env) / n),
    })),
    fc.tuple(tie("tree"), fc.integer({ min: 1, max: 14 })).map(([a, n]) => ({
      value: a.value.mod(n),
      plain: (env: Environment) => a.plain(env) % n,
    })),
    fc.tuple(tie("tree"), tie("tree")).map(([a, b]) => ({
      value: a.value.min(b.value),
      plain: (env: Environment) => Math.min(a.plain(env), b.plain(env)),
    })),
    fc.tuple(tie("tree"), tie("tree")).map(([a, b]) => ({
      value: a.value.add(b.value).sub(b.value),
      plain: (env: Environment) => a.plain(env),
    })),
    fc.tuple(tie("tree"), tie("tree"), tie("tree")).map(([a, b, c]) => ({
      value: a.value.lt(b.value).select(c.value, a.value),
      plain: (env: Environment) => (a.plain(env) < b.plain(env) ? c.plain(env) : a.plain(env)),
    })),
  ),
}));

const environments = fc.record({
  x: fc.nat(bounds.x!),
  y: fc.nat(bounds.y!),
  z: fc.nat(bounds.z!),
});

describe("index arithmetic", () => {
  test("folding keeps the value, the bound holds, and the divisor divides", () => {
    fc.assert(
      fc.property(tree, environments, ({ value, plain }, env) => {
        const expected = plain(env);
        expect(evaluate(value.expr, env)).toBe(expected);
        expect(expected).toBeLessThanOrEqual(value.bound);
        if (value.divisor !== 0) expect(expected % value.divisor).toBe(0);
        else expect(expected).toBe(0);
      }),
      { numRuns: 3000, seed: 7 },
    );
  });

  test("a reshape and its inverse cancel", () => {
    const at = [variable("x", 13), variable("y", 5), variable("z", 195)];
    const there = unflatten([14 * 6, 14, 14], flatten([14, 6, 196], at));
    const back = unflatten([14, 6, 196], flatten([14 * 6, 14, 14], there));
    expect(back.map((v) => v.expr)).toEqual(at.map((v) => v.expr));
  });

  test("what is at most 0 is 0", () => {
    expect(variable("i", 9).add(2).min(0).expr).toEqual(index(0).expr);
  });

  test("what stays below a unit of the divisor changes no quotient, and is part of the remainder", () => {
    const [row, column] = [variable("row", 83), variable("column", 13)];
    const at = row.mul(14).add(column);
    expect(at.div(196).expr).toEqual(row.div(14).expr);
    expect(at.mod(196).expr).toEqual(row.mod(14).mul(14).add(column).expr);
    expect(at.add(28).div(196).expr).toEqual(row.add(2).div(14).expr);
    // One column more would be a row.
    const wide = row.mul(14).add(variable("column", 14)).div(196);
    expect(evaluate(wide.expr, { row: 13, column: 14 })).toBe(1);
  });

  test("a guard that always holds is no guard", () => {
    expect(variable("x", 13).lt(14).expr).toEqual(literal(1, "bool").expr);
    expect(variable("x", 13).lt(13).expr.kind).toBe("call");
  });
});

describe("the builder", () => {
  test("index arithmetic written in a loop is computed before it", () => {
    const k = new Builder();
    const from = k.param("from", "f32", 1000, "read");
    const to = k.param("to", "f32", 10, "write");
    k.for("i", 10, (i) => {
      const row = k.thread(0, 10).div(3);
      k.store(to, i, k.let("x", k.load(from, row.mul(100).add(i))));
    });
    const { body } = k.finish("test", [10, 1, 1], [1, 1, 1]);
    expect(body.map((s) => s.kind)).toEqual(["let", "let", "for"]);
  });

  test("a load stays inside the condition that guards it", () => {
    const k = new Builder();
    const from = k.param("from", "f32", 4, "read");
    const to = k.param("to", "f32", 10, "write");
    const t = k.thread(0, 10);
    k.if(t.lt(4), () => k.store(to, t, k.let("x", k.load(from, t))));
    const { body } = k.finish("test", [10, 1, 1], [1, 1, 1]);
    expect(body.map((s) => s.kind)).toEqual(["if"]);
  });

  test("four neighbours are read at once, where they are aligned and nothing else reads the tensor", () => {
    const build = (offset: number, extra: boolean) => {
      const k = new Builder();
      const from = k.param("from", "f32", 64, "read");
      const to = k.param("to", "f32", 64, "write");
      const first = k.thread(0, 8).mul(4).add(offset);
      for (let j = 0; j < 4; j++) k.store(to, first.add(j), k.let("x", k.load(from, first.add(j))));
      if (extra) k.store(to, k.thread(0), k.let("y", k.load(from, k.thread(0))));
      return k.finish("test", [8, 1, 1], [1, 1, 1]).vectors.size;
    };
    expect([build(0, false), build(8, false), build(1, false), build(0, true)]).toEqual([
      1, 1, 0, 0,
    ]);
  });
});
