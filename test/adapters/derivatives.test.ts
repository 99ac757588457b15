/** Every adapter's derivative, in double precision, against differences. */
import { describe, test } from "vitest";
import * as adapters from "../../adapters/index.ts";
import type { Adapter, Graph } from "../../compiler/index.ts";
import type { Arrays } from "../../verify/ops/evaluate.ts";
import { checkAdapterDerivative, randomArrays } from "../support/adapted-graphs.ts";
import { encoder, layer } from "../support/adapted-programs.ts";

/** Maps go to different experts, and far enough from where the choice changes. */
const routed = (graph: Graph): Arrays => ({
  ...randomArrays(graph),
  "lora_moe_gating.w_gate": [3, -3, -2, 2],
  "noise..gate.1": [0.1, 0.9, 0.8, 0.2],
});
describe("derivatives agree with differences", () => {
  const { lora, convLora, taLora, houlsby, pfeiffer, ssf } = adapters;
  test.each<[string, Adapter, ((graph: Graph) => Arrays)?]>([
    ["lora", lora({ rank: 2, dropout: 0.3 })],
    ["lora on q and v", lora({ rank: 2, parts: ["q", "v"] })],
    ["conv-lora", convLora({ rank: 2, experts: [1, 6] }), routed],
    [
      "conv-lora, depthwise, two experts a map",
      convLora({ rank: 2, experts: [2, 5], topK: 2, convolution: "depthwise" }),
      routed,
    ],
    ["ta-lora", taLora({ tasks: 2, ranks: [3, 4, 5] })],
    ["ta-lora on q and v", taLora({ tasks: 2, ranks: [2, 3, 1], parts: ["v", "q"], dropout: 0 })],
    ["houlsby", houlsby({ bottleneck: 2 })],
    ["pfeiffer", pfeiffer({ bottleneck: 3 })],
    ["ssf", ssf()],
    ["vera", adapters.vera({ rank: 3, dropout: 0.3 })],
  ])("%s", async (_name, adapter, arrays) => {
    await checkAdapterDerivative(adapter, layer, arrays);
  });

  const { vptDeep, vptShallow, lst, samAdapter } = adapters;
  const ofTheModel = /bias$|norm/;
  test.each<[string, Adapter, RegExp?]>([
    ["vpt-deep", vptDeep({ tokens: 3 })],
    ["vpt-shallow", vptShallow({ tokens: 3, dropout: 0.4 })],
    ["lst", lst({ reduction: 2, heads: 1 })],
    ["sam-adapter, with biases and norms of the model", samAdapter({ scaleFactor: 2 }), ofTheModel],
  ])("%s", async (_name, adapter, also) => {
    await checkAdapterDerivative(
      adapter,
      encoder,
      randomArrays,
      (path) => also?.test(path) ?? false,
    );
  });
});
