/**
 * WebGPU in a page whose policy lets no text become code: the small SAM gives Node's masks, and fine-tuning
 * Node's losses and weights.
 */
import { readFileSync, rmSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readImage } from "../../entries/node.ts";
import { relativeError } from "../../verify/ops/evaluate.ts";
import { bundlePage, type Chromium, openChromium, type Page } from "../support/chromium.ts";
import { file, scratchFolder } from "../support/command-line.ts";
import { describeInBrowser } from "../support/device.ts";
import { strictPolicy } from "../support/page-server.ts";
import { fixturePath, openBytes } from "../support/weights-files.ts";

const folder = scratchFolder("browser");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs in Node, on the processor, and in the page, on WebGPU. */
const source = `
import { adapt, input } from "./entries/index.ts";
import { decoderOnly, lora } from "./entries/adapters.ts";
import { cpuDevice } from "./entries/cpu.ts";
import { parseSamConfig, Sam, semanticSam } from "./entries/models.ts";
import { bytesSource, openWeights, webgpuDevice } from "./entries/runtime.ts";
import { adamW, createTrainer, structureLoss } from "./entries/training.ts";

async function openDevice() {
  if (globalThis.process) return cpuDevice();
  const adapter = await navigator.gpu.requestAdapter();
  return webgpuDevice(await adapter.requestDevice({ requiredFeatures: ["subgroups"] }));
}

async function given(from) {
  if (from) return from;
  const [weights, config, picture] = await Promise.all([
    fetch("/weights").then(async (file) => new Uint8Array(await file.arrayBuffer())),
    fetch("/config").then((file) => file.text()),
    fetch("/picture").then((file) => file.json()),
  ]);
  return { weights, config, picture: { ...picture, data: Uint8Array.from(picture.data) } };
}

export async function segment(from) {
  const { weights, config, picture } = await given(from);
  const device = await openDevice();
  const opened = await openWeights(bytesSource("the small SAM", weights));
  const sam = await Sam.load(opened, { device, config: parseSamConfig(config) });
  await sam.setImage(picture);
  const { width, height } = picture;
  const click = await sam.predict({ points: [[width / 2, height / 2]], multimask: true });
  const box = await sam.predict({ box: [width / 4, height / 4, width / 2, height / 2] });
  await sam.close();
  device.destroy();
  return [click, box].map(({ masks, scores, lowResLogits }) => ({
    masks: masks.map(({ data }) => [...data]),
    scores: [...scores],
    logits: [...lowResLogits.data],
  }));
}

export async function train(from) {
  const { weights, config: text } = await given(from);
  const device = await openDevice();
  const config = parseSamConfig(text);
  const base = adapt(semanticSam(config, { classes: 1 }), decoderOnly());
  const model = adapt(base, lora({ rank: 3 }), { where: "image_encoder.blocks.*.attn.qkv" });
  const side = config.imageSize;
  const trainer = await createTrainer(model, {
    loss: ({ logits }) => ({ structure: structureLoss(logits, input("target", "f32", logits.shape)) }),
    optimiser: adamW(),
    weights: await openWeights(bytesSource("the small SAM", weights)),
    device,
    rate: 0.001,
    seed: 1,
  });
  const image = Float32Array.from({ length: 3 * side * side }, (_, i) => Math.sin(i / 50) + Math.cos(i / 1111));
  const target = Float32Array.from({ length: side * side }, (_, i) => Number((i % side) > i / side));
  const losses = [];
  for (let step = 0; step < 3; step++) losses.push((await trainer.step({ image, target })).loss);
  const adapter = await trainer.saveAdapter();
  await trainer.close();
  device.destroy();
  return { losses, adapter: [...adapter] };
}
`;

interface Segmented {
  readonly masks: readonly (readonly number[])[];
  readonly scores: readonly number[];
  readonly logits: readonly number[];
}

interface Trained {
  readonly losses: readonly number[];
  readonly adapter: readonly number[];
}

const open = (bytes: readonly number[]) => openBytes(Uint8Array.from(bytes));

interface Script {
  segment(from?: unknown): Promise<readonly Segmented[]>;
  train(from?: unknown): Promise<Trained>;
}

describeInBrowser("in a page of Chromium without eval", () => {
  let chromium: Chromium;
  let page: Page;
  let given: unknown;
  let node: Script;

  beforeAll(async () => {
    const { data, ...picture } = await readImage(fixturePath("scene.png"));
    const weights = new Uint8Array(readFileSync(fixturePath("sam_nano.pth")));
    const config = readFileSync(fixturePath("sam_nano.config.json"), "utf8");
    given = { weights, config, picture: { ...picture, data } };
    const script = await bundlePage(source);
    node = await import(pathToFileURL(file(folder, "page.mjs", script)).href);
    const files = {
      "/weights": weights,
      "/config": config,
      "/picture": JSON.stringify({ ...picture, data: [...data] }),
    };
    chromium = await openChromium();
    page = await chromium.open({ script, files, policy: strictPolicy });
  });
  afterAll(() => chromium?.close());

  test("SAM gives the masks that it gives in Node", async () => {
    const [got, wanted] = await Promise.all([
      page.call<readonly Segmented[]>("segment"),
      node.segment(given),
    ]);
    for (const [i, right] of wanted.entries()) {
      const { masks, scores, logits } = got[i]!;
      expect(relativeError(logits, right.logits)).toBeLessThan(1e-5);
      expect(relativeError(scores, right.scores)).toBeLessThan(1e-5);
      for (const [k, mask] of right.masks.entries()) {
        expect(mask).toContain(1);
        const others = mask.filter((inside, at) => inside !== masks[k]![at]);
        expect(others.length).toBeLessThan(1e-4 * mask.length);
      }
    }
  });

  test("fine-tuning has the losses and makes the adapter of Node", async () => {
    const [got, wanted] = await Promise.all([page.call<Trained>("train"), node.train(given)]);
    expect(relativeError(got.losses, wanted.losses)).toBeLessThan(1e-5);
    expect(got.losses[2]).toBeLessThan(got.losses[0]!);
    const [mine, right] = await Promise.all([got, wanted].map(({ adapter }) => open(adapter)));
    expect([...mine!.tensors.keys()]).toEqual([...right!.tensors.keys()]);
    for (const name of right!.tensors.keys()) {
      const error = relativeError(await mine!.readF32(name), await right!.readF32(name));
      // Adam divides gradients by their size: where they are all but zero, so do their last digits count.
      expect(error, name).toBeLessThan(1e-3);
    }
  });
});
