/** Grafting adapters on models by path: where they work, what trains, and what is refused. */
import { describe, expect, test } from "vitest";
import { defineAdapter } from "../../../adapters/adapter.ts";
import {
  adapt,
  compile,
  defineModel,
  input,
  kaiming,
  matchesPath,
  report,
  selects,
  traceProgram,
  zeros,
} from "../../../compiler/index.ts";
import { linear, norm } from "../../../models/layers.ts";
import { add, matmul } from "../../../ops/index.ts";
import { evaluate, randomNumbers } from "../../../verify/ops/evaluate.ts";
import { refusal } from "../../support/weights-files.ts";

const model = defineModel({
  name: "two-layers",
  build(p) {
    const x = input("x", "f32", [3, 8]);
    const h = norm(p.at("norm"), linear(p.at("layers", 0), x, 8, 6), 1e-6);
    return { y: linear(p.at("layers", 1), h, 6, 4) };
  },
});

const low = (rank: number, name = "low") =>
  defineAdapter({
    name,
    linear({ own, inputs, outputs }, x, base) {
      const down = own.f32("down", [inputs!, rank], { init: kaiming(inputs!) });
      const up = own.f32("up", [rank, outputs!], { init: zeros });
      return add(base(x), matmul(matmul(x, down), up));
    },
  });

describe("patterns", () => {
  test.each([
    ["a.b", "a.b", true],
    ["a.*", "a.b", true],
    ["a.*", "a.b.c", false],
    ["a.**", "a.b.c", true],
    ["a.**", "a", true],
    ["**.bias", "a.b.bias", true],
    ["**.bias", "bias", true],
    ["**", "a.b", true],
    ["a.**.d", "a.b.c.d", true],
    ["a.**.d", "a.d", true],
    ["rel_pos_*", "rel_pos_h", true],
    ["rel_pos_*", "rel", false],
    ["a+", "aa", false],
  ])("%s and %s: %s", (pattern, path, matches) => {
    expect(matchesPath(pattern, path)).toBe(matches);
  });

  test("the last pattern that matches decides", () => {
    expect(selects(["a.**", "!a.b.**", "a.b.c"], "a.b.c")).toBe(true);
    expect(selects(["a.**", "!a.b.**", "a.b.c"], "a.b.d")).toBe(false);
    expect(selects([], "a", true)).toBe(true);
  });
});

describe("adapt", () => {
  test("computes around the places that match, and nowhere else", async () => {
    const numbers = (n: number, seed: number) => randomNumbers(n, seed);
    const weights = {
      x: numbers(24, 1),
      "layers.0.weight": numbers(48, 2),
      "layers.0.bias": numbers(6, 3),
      "norm.weight": numbers(6, 4),
      "norm.bias": numbers(6, 5),
      "layers.1.weight": numbers(24, 6),
      "layers.1.bias": numbers(4, 7),
      "layers.1.down": numbers(12, 8),
      "layers.1.up": Array<number>(8).fill(0),
    };
    const adapted = adapt(model, low(2), { where: "layers.1" });
    const [plain] = [await evaluate(traceProgram(model, "forward"), weights)];
    const graph = traceProgram(adapted, "forward");
    expect((await evaluate(graph, weights)).y).toEqual(plain!.y);
    const moved = await evaluate(graph, { ...weights, "layers.1.up": numbers(8, 9) });
    expect(moved.y).not.toEqual(plain!.y);
  });

  test("reports what was adapted, how much trains, and its share", () => {
    const found = report(adapt(model, low(2), { train: ["norm.*", "!norm.bias"] }));
    expect(found.adapters).toEqual([{ name: "low", places: ["layers.0", "layers.1"] }]);
    expect(found.trainable).toBe(8 * 2 + 2 * 6 + 6 * 2 + 2 * 4 + 6);
    expect(found.total).toBe(48 + 6 + 12 + 24 + 4 + 48);
    expect(found.trained.has("norm.weight")).toBe(true);
    expect(found.trained.has("norm.bias")).toBe(false);
  });

  test("adapters combine; the later one computes around the earlier", () => {
    const both = adapt(adapt(model, low(2), { where: "layers.0" }), low(3), { where: "layers.1" });
    expect(report(both).adapters.map((a) => a.places)).toEqual([["layers.0"], ["layers.1"]]);
  });

  /** A frozen factor that all places share, and one of each place that trains. */
  const shares = defineAdapter({
    name: "shares",
    linear({ own, inputs, outputs }, x, base) {
      const down = own.shared("factors").f32(`down_${inputs}`, [inputs!, 2], {
        init: kaiming(inputs!),
        train: false,
      });
      return add(base(x), matmul(matmul(x, down), own.f32("up", [2, outputs!], { init: zeros })));
    },
  });
  const wide = defineModel({
    name: "three-layers",
    build(p) {
      const h = linear(p.at("a"), input("x", "f32", [3, 6]), 6, 6);
      return { y: linear(p.at("c"), linear(p.at("b"), h, 6, 6), 6, 4) };
    },
  });

  test("what an adapter shares is one parameter of all its places; frozen, it does not train", () => {
    const { parameters } = compile(traceProgram(adapt(wide, shares), "forward"));
    const own = parameters.map(({ name }) => name).filter((name) => !/weight|bias/.test(name));
    expect(own.sort()).toEqual(["a.up", "b.up", "c.up", "shares.factors.down_6"]);
    expect([...report(adapt(wide, shares)).trained.keys()].sort()).toEqual([
      "a.up",
      "b.up",
      "c.up",
    ]);
    const train = ["shares.**"];
    expect(report(adapt(wide, shares, { train })).trained.has("shares.factors.down_6")).toBe(true);
  });

  test("E132 for an adapter that is bound twice and shares a parameter", async () => {
    const twice = () => adapt(adapt(wide, shares, { where: "a" }), shares, { where: "b" });
    const { code, details } = await refusal(twice);
    expect([code, details.help]).toEqual([
      "E132",
      "bind the adapter once, to all of its places: adapt(model, adapter, { where: [...] })",
    ]);
  });

  test("E130 for a pattern that matches no place, with the nearest", async () => {
    const { code, details } = await refusal(() => adapt(model, low(2), { where: "layer.1" }));
    expect([code, details.help]).toEqual(["E130", 'did you mean "layers.1"?']);
  });

  test("E130 for a pattern of parameters that matches none", async () => {
    const wrong = () => adapt(model, low(2), { where: "layers.1", train: ["norm.wieght"] });
    const { code, details } = await refusal(wrong);
    expect([code, details.help]).toEqual(["E130", 'did you mean "norm.weight"?']);
  });

  test("E130 lists what the model has where the beginning of a pattern leads, if nothing is near", async () => {
    const said = async (pattern: string) =>
      (await refusal(() => adapt(model, low(2), { where: "layers.1", train: [pattern] }))).details;
    const whole = await said("!nowhere.at.all.to.be.found");
    expect(whole.message).toContain('"nowhere.at.all.to.be.found" matches no parameter');
    expect(whole.help).toMatch(/^there is ("[a-z]+\.\*\*"(, |$))+$/);
    expect((await said("norm.somethingElse")).help).toBe('there is "norm.weight", "norm.bias"');
  });

  test("E132 for two adapters with the same names at one place", async () => {
    const twice = () => adapt(adapt(model, low(2, "one")), low(2, "other"));
    const { code, details } = await refusal(twice);
    expect([code, details.message]).toEqual([
      "E132",
      "the adapters one and other both make the parameter layers.0.down",
    ]);
  });

  test("E132 for an adapter that takes a name of the model's", async () => {
    const greedy = defineAdapter({
      name: "greedy",
      linear({ own, inputs, outputs }, x, base) {
        const y = base(x);
        return add(y, matmul(x, own.f32("weight", [inputs!, outputs!])));
      },
    });
    expect((await refusal(() => adapt(model, greedy))).code).toBe("E132");
  });
});
