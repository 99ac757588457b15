/** Every public function that takes options refuses one of no known name, and says which is meant. */
import { expect, test } from "vitest";
import * as adapters from "../../entries/adapters.ts";
import * as cpu from "../../entries/cpu.ts";
import * as core from "../../entries/index.ts";
import * as models from "../../entries/models.ts";
import * as node from "../../entries/node.ts";
import * as onnx from "../../entries/onnx.ts";
import * as ops from "../../entries/ops.ts";
import * as page from "../../entries/page.ts";
import * as runtime from "../../entries/runtime.ts";
import * as training from "../../entries/training.ts";
import { tinySam } from "../support/sam-small.ts";
import { refusal } from "../support/weights-files.ts";

const { defineModel, input, traceProgram, compile } = core;
const model = defineModel({
  name: "layer",
  build: (p) => ({ y: models.linear(p.at("a"), input("x", "f32", [1, 2]), 2, 2) }),
});
const graph = traceProgram(model, "forward");
const plan = compile(graph, { name: "layer", target: "reference" });
const device = (await node.openDevice({ kind: "reference" })).device;
const picture = runtime.image(1, 1, new Uint8Array(3));
const none = new Uint8Array(9);
const bytes = () => runtime.bytesSource("f", none);
const weights = models.hashedWeights(tinySam, "s");
const single = (data: readonly number[], shape: readonly number[]) =>
  ({ dtype: "f32", shape, data: new Uint8Array(Float32Array.from(data).buffer) }) as const;
const layerWeights = await runtime.openWeights(
  runtime.bytesSource(
    "layer",
    runtime.writeSafetensors(
      new Map([
        ["a.weight", single([1, 2, 3, 4], [2, 2])],
        ["a.bias", single([0, 0], [2])],
      ]),
    ),
  ),
);
const x = input("x", "f32", [1, 2, 4, 4]);
const [depths, normals] = [1, 3].map((c) => input("z", "f32", [1, c, 4, 4])) as [
  typeof x,
  typeof x,
];
const trainingPlan = training.compileTraining(core.adapt(model, adapters.lora({ rank: 1 })), {
  loss: ({ y }) => ({ y: ops.mean(y!) }),
  optimiser: training.sgd(),
  target: "reference",
});

/** How each is called with other options, which it is given beside those that it needs. */
type Call = (options: never) => unknown;

/** By name: the option misspelt, the one that is meant, and the call. */
const table: Readonly<Record<string, readonly [given: string, meant: string, Call]>> = {
  adapt: ["wher", "where", (o) => core.adapt(model, adapters.lora(), o)],
  compile: ["precison", "precision", (o) => compile(graph, o)],
  compileAsync: ["targett", "target", (o) => core.compileAsync(graph, o)],
  compileStages: ["weightformat", "weightFormat", (o) => core.compileStages(graph, o)],
  compileStagesAsync: ["Profile", "profile", (o) => core.compileStagesAsync(graph, o)],
  defineModel: [
    "program",
    "programs",
    (o: object) => defineModel({ name: "layer", ...o } as never),
  ],
  input: ["docs", "doc", (o) => input("x", "f32", [1], o)],
  state: ["inits", "init", (o) => core.state("x", "f32", [1], o)],
  convLora: ["topk", "topK", (o) => adapters.convLora(o)],
  defineAdapter: ["setings", "settings", (o) => adapters.defineAdapter(o)],
  houlsby: ["botleneck", "bottleneck", (o) => adapters.houlsby(o)],
  lora: ["alpa", "alpha", (o) => adapters.lora(o)],
  lst: ["reducton", "reduction", (o) => adapters.lst(o)],
  mtan: ["stage", "stages", (o) => adapters.mtan(o)],
  pfeiffer: ["bottlenek", "bottleneck", (o) => adapters.pfeiffer(o)],
  samAdapter: ["scalefactor", "scaleFactor", (o) => adapters.samAdapter(o)],
  taLora: ["task", "tasks", (o) => adapters.taLora(o)],
  vera: ["ranks", "rank", (o) => adapters.vera(o)],
  vptDeep: ["token", "tokens", (o) => adapters.vptDeep(o)],
  vptShallow: ["dropouts", "dropout", (o) => adapters.vptShallow(o)],
  "Sam.load": ["weightformat", "weightFormat", (o) => models.Sam.load(weights, o)],
  compileSam: ["tablerows", "tableRows", (o) => models.compileSam(tinySam, o)],
  compileSamAsync: ["tagret", "target", (o) => models.compileSamAsync(tinySam, o)],
  inferSamConfig: ["decoderHeads", "decoderNumHeads", (o) => models.inferSamConfig(weights, o)],
  mSam: ["frames", "frame", (o) => models.mSam(tinySam, { tasks: [] } as never, o)],
  promptedSam: ["names", "name", (o) => models.promptedSam(tinySam, { prompts: 1, slots: 2 }, o)],
  samModel: ["tap", "taps", (o) => models.samModel(tinySam, o)],
  semanticSam: ["names", "name", (o) => models.semanticSam(tinySam, { classes: 1 }, o)],
  openDevice: ["toggle", "toggles", (o) => node.openDevice(o)],
  withDevice: ["toggle", "toggles", (o) => node.withDevice(o, async () => 1)],
  openWeightsFile: ["keys", "key", (o) => node.openWeightsFile("x.json", o)],
  requestGpu: ["limit", "limits", (o) => node.requestGpu(o)],
  requestNullGpu: ["feature", "features", (o) => node.requestNullGpu(o)],
  exportOnnx: ["weight", "weights", (o) => onnx.exportOnnx(graph, o)],
  exportOnnxOutside: ["fiel", "file", (o) => onnx.exportOnnxOutside(graph, o)],
  automaticMasks: ["iuo", "iou", (o) => runtime.automaticMasks({} as never, picture, o)],
  createSamPredictor: ["plan", "plans", (o) => runtime.createSamPredictor(o)],
  createSession: ["weight", "weights", (o) => runtime.createSession(plan, device, o)],
  createSessions: ["adaptor", "adapter", (o) => runtime.createSessions({ plan }, device, o)],
  createTrainingSession: [
    "rates",
    "rate",
    (o) => runtime.createTrainingSession(trainingPlan, device, o),
  ],
  levelsOf: ["maskvalue", "maskValue", (o) => runtime.levelsOf({} as never, o)],
  logitsOfPicture: [
    "onnote",
    "onNote",
    (o) => runtime.logitsOfPicture({} as never, {} as never, 4, o),
  ],
  imageDataOf: [
    "color",
    "colour",
    (o) => page.imageDataOf({ width: 1, height: 1, data: new Uint8Array(1) }, o),
  ],
  readImage: ["onnote", "onNote", (o) => node.readImage("x.png", o)],
  readMaskFile: ["maskvalue", "maskValue", (o) => node.readMaskFile("x.png", o)],
  drawOverlay: ["point", "points", (o) => runtime.drawOverlay(picture, [], o)],
  loadBundle: ["wieghts", "weights", (o) => runtime.loadBundle({} as never, device, o)],
  loadAdapted: [
    "wieghts",
    "weights",
    (o) => runtime.loadAdapted(runtime.loadBundle, {} as never, device, o),
  ],
  useAdapter: [
    "signl",
    "signal",
    async (o) => {
      const session = await runtime.createSession(plan, device, { weights: layerWeights });
      return runtime.useAdapter(session, layerWeights, o);
    },
  ],
  connect: ["onprogress", "onProgress", (o) => page.connect(new MessageChannel().port1, o)],
  openWeightsCache: ["byts", "bytes", (o) => page.openWeightsCache(o)],
  loadSamBundle: ["onprogress", "onProgress", (o) => runtime.loadSamBundle({} as never, device, o)],
  openTrainingBundle: ["ur", "url", (o) => runtime.openTrainingBundle({} as never, device, o)],
  trainBundle: ["sed", "seed", (o) => runtime.trainBundle({} as never, device, o)],
  openBundle: ["singal", "signal", (o) => runtime.openBundle({} as never, device, o)],
  openTorch: ["keys", "key", (o) => runtime.openTorch(bytes(), o)],
  openWeights: ["keys", "key", (o) => runtime.openWeights(bytes(), o)],
  cpuDevice: ["thread", "threads", (o) => cpu.cpuDevice(o)],
  webgpuDevice: ["matrix", "matrices", (o) => runtime.webgpuDevice({} as never, o)],
  adam: ["beta", "betas", (o) => training.adam(o)],
  adamW: ["decays", "decay", (o) => training.adamW(o)],
  compileTraining: ["optimizer", "optimiser", (o) => training.compileTraining(model, o)],
  compileTrainingAsync: ["los", "loss", (o) => training.compileTrainingAsync(model, o)],
  createTrainer: ["weigths", "weights", (o) => training.createTrainer(model, o)],
  balancedBce: ["weights", "weight", (o) => training.balancedBce(x, x, o)],
  bce: ["weights", "weight", (o) => training.bce(x, x, o)],
  classDice: ["ignored", "ignore", (o) => training.classDice(x as never, x as never, o)],
  cosineNormals: ["weights", "weight", (o) => training.cosineNormals(normals, normals, o)],
  dice: ["weights", "weight", (o) => training.dice(x, x, o)],
  iou: ["weights", "weight", (o) => training.iou(x, x, o)],
  l1Depth: ["weights", "weight", (o) => training.l1Depth(depths, depths, o)],
  structureLoss: ["weights", "weight", (o) => training.structureLoss(x, x, o)],
  crossEntropy: ["ignored", "ignore", (o) => training.crossEntropy(x as never, x as never, o)],
  focal: ["gama", "gamma", (o) => training.focal(x, x, o)],
  mergeAdapters: ["tasks", "task", (o) => training.mergeAdapters(model, [], o)],
  setLoss: ["clas", "class", (o) => training.setLoss({} as never, {} as never, o)],
  sgd: ["momentm", "momentum", (o) => training.sgd(o)],
  attentionWithStatistics: ["bais", "bias", (o) => ops.attentionWithStatistics(x, x, x, o)],
  attention: ["scales", "scale", (o) => ops.attention(x, x, x, o)],
  conv2d: ["strid", "stride", (o) => ops.conv2d(x, x, o)],
  convTranspose2d: ["strides", "stride", (o) => ops.convTranspose2d(x, x, o)],
  fold: ["pading", "padding", (o) => ops.fold(x, [2, 2], o)],
  dropout: ["steam", "stream", (o) => ops.dropout(x, 0.5, o)],
  matmul: ["transposed", "transpose", (o) => ops.matmul(x, x, o)],
  resample: ["modes", "mode", (o) => ops.resample(x, o)],
  resampleAxis: ["modes", "mode", (o) => ops.resampleAxis(x, 0, o)],
  scaledConvolution: ["scale", "scales", (o) => ops.scaledConvolution(x, x, x, x, o)],
  unfold: ["pading", "padding", (o) => ops.unfold(x, o)],
};

test.each(Object.entries(table))("%s refuses what is no option", async (_name, entry) => {
  const [given, meant, call] = entry;
  const { code, details } = await refusal(async () => call({ [given]: 1 } as never));
  expect([code, details.message]).toEqual([
    "E460",
    expect.stringContaining(`no option "${given}"`),
  ]);
  expect(details.help).toContain(`write ${meant};`);
});

test("calls of a session refuse them, too", async () => {
  const session = await runtime.createSession(plan, device, { weights: layerWeights });
  const call = session.run({ x: [1, 2] }, undefined, { singal: 1 } as never);
  expect((await refusal(() => call)).details.help).toContain("write signal;");
});

test("E470: a device of no kind that there is", async () => {
  const { code, details } = await refusal(() => node.openDevice({ kind: "refrence" } as never));
  expect([code, details.help]).toEqual([
    "E470",
    'write kind: "reference"; the kinds are cpu, cuda, native, reference, webgpu',
  ]);
  const nothing = await refusal(() => node.openDevice({ kind: null } as never));
  expect([nothing.code, nothing.details.help]).toEqual([
    "E470",
    "the kinds are cpu, cuda, native, reference, webgpu",
  ]);
});

/** The text between a function's first parentheses, or none. */
function parametersOf(text: string): string {
  const start = text.indexOf("(");
  let depth = 0;
  for (let i = start; i >= 0 && i < text.length; i++) {
    if (text[i] === "(") depth++;
    if (text[i] === ")" && --depth === 0) return text.slice(start + 1, i);
  }
  return "";
}

/** Their objects are values: weights, shapes, sizes, facts, dims that the model has, whole results. */
const others = [
  ...["checkFloats", "checkPrompts", "deviceKey", "emptyScope", "encodeNpy", "gradient", "linear"],
  ...["longestSideSize", "mSamTensors", "pickLogits", "plainExpert", "refuseForeign", "seenAs"],
  ...["polygonsOf", "preprocess", "resizeImage", "resizeLongestSide"],
  ...["site", "splitMasks", "streamSafetensors", "toModelPixels", "traceProgram", "withCuts"],
  ...["writeSafetensors", "writeWithChecksums"],
];

test("no public function that takes options is left out", () => {
  const entries = { ...core, ...adapters, ...cpu, ...models, ...node, ...onnx, ...ops, ...page };
  const taking = Object.entries({ ...entries, ...runtime, ...training }).filter(([name, value]) => {
    if (typeof value !== "function" || /^class /.test(String(value))) return false;
    if (others.includes(name)) return false;
    return /\b(?:options|given|definition)\b|[{]/.test(parametersOf(String(value)));
  });
  const missing = taking.map(([name]) => name).filter((name) => !(name in table));
  expect(missing.sort()).toEqual([]);
});
