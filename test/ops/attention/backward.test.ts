/** The backward passes that have kernels of their own: what they compute, and what they never store. */
import { describe, expect, test } from "vitest";
import { compile, compileStages } from "../../../compiler/compile.ts";
import { deviceProfile, graphOf, input } from "../../../compiler/index.ts";
import { gradient, type Tensor } from "../../../compiler/op-kit.ts";
import { attention, layerNorm, softmax } from "../../../ops/index.ts";
import { createSession } from "../../../runtime/index.ts";
import { openDevice } from "../../../runtime/node/index.ts";
import {
  evaluate,
  randomNumbers,
  relativeError,
  runOnReference,
} from "../../../verify/ops/evaluate.ts";
import { runs } from "../../../verify/ops/op.ts";
import { deviceTest } from "../../support/device.ts";

const grid = [3, 7] as const;
const tokens = grid[0] * grid[1];

const f32 = (name: string, shape: readonly number[]): Tensor => input(name, "f32", shape);

/** q, k and v of two heads, tables of relative positions, and a cotangent. */
const shapes: Readonly<Record<string, readonly number[]>> = {
  ...Object.fromEntries(["q", "k", "v", "g"].map((name) => [name, [1, 2, tokens, 4]])),
  height: [2 * grid[0] - 1, 4],
  width: [2 * grid[1] - 1, 4],
};

/** The gradients of attention on a grid that are asked for. */
function attentionGradients(wanted: readonly string[]) {
  const x = Object.fromEntries(Object.entries(shapes).map(([n, shape]) => [n, f32(n, shape)]));
  const out = attention(x.q!, x.k!, x.v!, {
    relative: { height: x.height!, width: x.width!, grid },
  });
  const wrt = wanted.map((name) => x[name]!);
  const found = gradient([out], [x.g!], wrt);
  return graphOf(found.map((tensor, i) => ({ name: wanted[i]!, tensor: tensor! })));
}

const numbers = Object.fromEntries(
  Object.entries(shapes).map(([name, shape], i) => [
    name,
    randomNumbers(
      shape.reduce((a, b) => a * b, 1),
      50 + i,
    ),
  ]),
);

const all = ["q", "k", "v", "height", "width"];

describe("the gradient of attention", () => {
  test.each(runs)(
    "%s, is that of its definition, all in one program",
    async (_, policy, profile) => {
      const graph = attentionGradients(all);
      const wanted = await evaluate(graph, numbers);
      const got = await runOnReference(graph, numbers, { policy, profile });
      for (const name of all)
        expect(relativeError(got[name]!, wanted[name]!), name).toBeLessThan(2e-6);
    },
  );

  deviceTest("is the same on a device", async () => {
    const trained = ["q", "k", "v"];
    const graph = attentionGradients(trained);
    const wanted = await evaluate(graph, numbers);
    const { device } = await openDevice({ kind: "webgpu" });
    const session = await createSession(
      compile(graph, { profile: deviceProfile(device.capabilities) }),
      device,
    );
    const got = await session.run(numbers);
    session.close();
    device.destroy();
    for (const name of trained)
      expect(relativeError([...got[name]!], wanted[name]!), name).toBeLessThan(2e-6);
  });

  test.each(runs.filter(([, policy]) => policy === "fused"))(
    "%s, stores nothing of queries times keys",
    (_, policy, profile) => {
      const { fusion } = compileStages(attentionGradients(all), { policy, profile });
      const stored = fusion.regions.flatMap(({ writes }) => writes.map((t) => t.shape));
      for (const shape of stored)
        expect(shape.filter((n) => n >= tokens)).toHaveLength(
          shape.some((n) => n >= tokens) ? 1 : 0,
        );
    },
  );

  test.each([
    [["q"], ["attention", "attentionQueryGradient"]],
    [["k"], ["attention", "attentionKeyValueGradient"]],
    [
      ["q", "v"],
      ["attention", "attentionKeyValueGradient", "attentionQueryGradient"],
    ],
  ])("of %s runs only %s, once each", (wanted, expected) => {
    const names = attentionGradients(wanted).nodes.map((n) => n.op.name);
    expect(names.filter((name) => name.startsWith("attention")).sort()).toEqual(expected);
  });

  test("taken twice of one attention, computes the attention once", () => {
    const [q, g, h] = ["q", "g", "h"].map((name) => f32(name, [1, 1, 6, 4])) as Tensor[];
    const out = attention(q!, q!, q!);
    const results = [g!, h!].map((one) => gradient([out], [one], [q!])[0]!);
    const graph = graphOf(results.map((tensor, i) => ({ name: `dq${i}`, tensor })));
    expect(graph.nodes.filter((n) => n.op.name === "attention")).toHaveLength(1);
  });
});

describe("one kernel is the whole backward pass", () => {
  const x = f32("x", [40, 96]);
  const gamma = f32("gamma", [96]);
  test.each([
    ["of layer norm with its scale", layerNorm(x, gamma, gamma), "normalizeGradient"],
    ["of softmax", softmax(x), "softmaxGradient"],
  ])("%s", (_, y, name) => {
    const [dx] = gradient([y], [f32("g", [40, 96])], [x]);
    const { kernels } = compileStages(graphOf([{ name: "dx", tensor: dx! }]));
    const used = kernels.map(({ kernel }) => kernel.name);
    expect(used.filter((kernel) => kernel !== "softmax")).toEqual([name]);
  });
});
