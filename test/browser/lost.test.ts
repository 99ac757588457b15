/**
 * Devices that are lost in a page, at any moment: while a model is loaded, while it computes, while it trains. On the
 * next device it goes on, and its results are those of one that lost none. A small model loses its device by
 * `destroy()`, a SAM by the end of the browser's own GPU process.
 */
import { readFileSync, rmSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cpuDevice } from "../../entries/cpu.ts";
import { parseSamConfig, Sam } from "../../entries/models.ts";
import { openWeightsFile, readImage } from "../../entries/node.ts";
import { relativeError } from "../../verify/ops/evaluate.ts";
import { bundlePage, type Chromium, openChromium, type Page } from "../support/chromium.ts";
import { file, scratchFolder } from "../support/command-line.ts";
import { describeInBrowser } from "../support/device.ts";
import { fixturePath } from "../support/weights-files.ts";

const folder = scratchFolder("browser-lost");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const source = `
import { adapt, compile, defineModel, deviceProfile, input, traceProgram } from "./entries/index.ts";
import { decoderOnly, lora } from "./entries/adapters.ts";
import { linear, parseSamConfig, Sam, semanticSam } from "./entries/models.ts";
import { gelu, mean, mul, sigmoid, sub } from "./entries/ops.ts";
import { openDevice } from "./entries/page.ts";
import { bytesSource, createSession, openWeights, webgpuDevice, writeSafetensors } from "./entries/runtime.ts";
import { adamW, createTrainer } from "./entries/training.ts";

const numbers = (count, seed) => Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7 + seed));

const layer = defineModel({
  name: "layer",
  build: (p) => ({ y: linear(p.at("b"), gelu(linear(p.at("a"), input("x", "f32", [3, 8]), 8, 16)), 16, 2) }),
});
const tensor = (shape, seed) => ({ dtype: "f32", shape, data: new Uint8Array(numbers(shape.reduce((a, b) => a * b), seed).buffer) });
const file = writeSafetensors(new Map([
  ["a.weight", tensor([16, 8], 1)], ["a.bias", tensor([16], 2)], ["b.weight", tensor([2, 16], 3)], ["b.bias", tensor([2], 4)],
]), {});
const weights = await openWeights(bytesSource("layer", file));

const open = async () => openDevice({ kind: "webgpu" });

/** Loses a device at a random moment of some work; whether it was before the work's end. */
async function losing(gpu, work, most) {
  const wait = Math.random() * most;
  const losing = new Promise((done) => setTimeout(() => { gpu.destroy(); done(); }, wait));
  let code;
  try { await work(); } catch (error) { code = error.code ?? String(error); }
  await losing;
  return code;
}

/** What was seen: how often each error, and how many results were right. */
function tally() {
  const seen = {};
  return { seen, count: (what) => { seen[what ?? "in time"] = (seen[what ?? "in time"] ?? 0) + 1; } };
}

const x = numbers(24, 5);

export async function loading(times) {
  const first = await open();
  const plan = compile(traceProgram(layer, "forward"), { target: "wgsl", profile: deviceProfile(first.device.capabilities) });
  const started = performance.now();
  const session = await createSession(plan, first.device, { weights });
  const most = performance.now() - started;
  const wanted = String((await session.run({ x })).y);
  const { seen, count } = tally();
  let right = 0;
  for (let time = 0; time < times; time++) {
    const { device, gpu } = await open();
    count(await losing(gpu, () => createSession(plan, device, { weights }), most));
    const next = await open();
    const again = await createSession(plan, next.device, { weights });
    if (String((await again.run({ x })).y) === wanted) right++;
    next.device.destroy();
  }
  first.device.destroy();
  return { right, seen };
}

export async function inference(times) {
  const plan = (device) => compile(traceProgram(layer, "forward"), { target: "wgsl", profile: deviceProfile(device.capabilities) });
  let now = await open();
  const session = await createSession(plan(now.device), now.device, { weights });
  const wanted = String((await session.run({ x })).y);
  const { seen, count } = tally();
  let right = 0;
  for (let time = 0; time < times; time++) {
    const runs = async () => {
      for (let run = 0; run < 20; run++) if (String((await session.run({ x })).y) !== wanted) return "wrong";
    };
    let result;
    count(await losing(now.gpu, async () => { result = await runs(); }, 40));
    now = await open();
    await session.restore(now.device);
    if (result !== "wrong" && String((await session.run({ x })).y) === wanted) right++;
  }
  now.device.destroy();
  return { right, seen };
}

export async function training(times) {
  const create = (device, more) => createTrainer(adapt(layer, lora({ rank: 2 }), { where: "*" }), {
    loss: ({ y }) => { const e = sub(y, input("target", "f32", y.shape)); return { squares: mean(mul(e, e)) }; },
    optimiser: adamW(), weights, device, rate: 0.01, seed: 3, ...more,
  });
  const given = (step) => ({ x: numbers(24, step), target: numbers(6, -step) });
  const calm = await open();
  const other = await create(calm.device, {});
  const wanted = [];
  for (let step = 0; step < 2 * times; step++) wanted.push((await other.step(given(step))).loss);
  let now = await open();
  const trainer = await create(now.device, { recoverable: true });
  const { seen, count } = tally();
  let [right, step, most] = [0, 0, 30];
  for (let time = 0; time < times; time++) {
    const began = performance.now();
    let loss;
    const code = await losing(now.gpu, async () => { loss = (await trainer.step(given(step))).loss; }, most);
    count(code);
    // A step that had its report was taken; one that had none was not.
    if (code === undefined && loss === wanted[step++]) right += 0.5;
    now.device.destroy();
    now = await open();
    await trainer.restore(now.device);
    const next = (await trainer.step(given(step))).loss;
    if (next === wanted[step++]) right += code === undefined ? 0.5 : 1;
  }
  return { right, seen };
}

/** The training of a small SAM, and what its steps are given. */
export async function samTraining(bytes, configText, device) {
  const config = parseSamConfig(configText);
  const adapted = adapt(semanticSam(config, { classes: 1 }), decoderOnly());
  const model = adapt(adapted, lora({ rank: 3 }), { where: "image_encoder.blocks.*.attn.qkv" });
  const side = config.imageSize;
  const trainer = await createTrainer(model, {
    loss: ({ logits }) => {
      const error = sub(sigmoid(logits), input("target", "f32", logits.shape));
      return { squares: mean(mul(error, error)) };
    },
    optimiser: adamW(), weights: await openWeights(bytesSource("the small SAM", bytes)), device, rate: 0.001, seed: 1,
    recoverable: true,
  });
  const given = (step) => ({
    image: Float32Array.from({ length: 3 * side * side }, (_, i) => Math.sin(i / 50 + step)),
    target: Float32Array.from({ length: side * side }, (_, i) => Number((i % side) > i / side + 9 * step)),
  });
  return { trainer, given };
}

/** The losses of three steps, of which the GPU process ends in the second. */
export async function crashedTraining() {
  const bytes = new Uint8Array(await (await fetch("/weights")).arrayBuffer());
  const config = await (await fetch("/config")).text();
  const { trainer, given } = await samTraining(bytes, config, await reopened());
  const losses = [];
  const step = async () => { losses.push((await trainer.step(given(losses.length))).loss); return "in time"; };
  const tried = () => step().catch((error) => error.code ?? String(error));
  await step();
  const [ended] = await Promise.all([tried(), crash()]);
  const seen = [ended, await tried()];
  for (;;) {
    const code = await trainer.restore(await reopened()).then(() => "in time", (error) => error.code ?? String(error));
    seen.push(code);
    if (code !== "E422") break;
  }
  while (losses.length < 3) await step();
  return { seen, losses };
}

/** A new device, once the browser has a GPU process again. */
async function reopened() {
  for (let tries = 0; ; tries++) {
    try { return (await open()).device; } catch (error) { if (tries > 100) throw error; }
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** A SAM whose GPU process ends at some moment. */
export async function crashed(moment) {
  const [bytes, config, { data, ...size }] = await Promise.all([
    fetch("/weights").then(async (file) => new Uint8Array(await file.arrayBuffer())),
    fetch("/config").then((file) => file.text()),
    fetch("/picture").then((file) => file.json()),
  ]);
  const picture = { ...size, data: Uint8Array.from(data) };
  const click = { points: [[size.width / 2, size.height / 2]], multimask: true };
  const base = await openWeights(bytesSource("the small SAM", bytes));
  const load = async (device) => Sam.load(base, { device, config: parseSamConfig(config) });
  const code = (work) => work.then(() => "in time", (error) => error.code ?? String(error));
  const first = await reopened();
  let seen = [];
  let sam;
  if (moment === "loading") {
    const loading = code(load(first));
    await crash();
    seen.push(await loading);
    // The device may still be one of the process that has ended: then it says so.
    while (!sam) {
      const again = load(await reopened());
      const ended = await code(again);
      seen.push(ended);
      if (ended === "in time") sam = await again;
      else if (ended !== "E422") throw new Error(ended);
    }
    await sam.setImage(picture);
  } else {
    sam = await load(first);
    await sam.setImage(picture);
    const before = await sam.predict(click);
    const work = { setImage: () => sam.setImage(picture), predict: () => sam.predict(click), rest: async () => {} }[moment]();
    const [ended] = await Promise.all([code(work), crash()]);
    await sam.lost;
    seen.push(ended, await code(sam.predict(click)));
    await sam.restore(await reopened());
    const after = await sam.predict(click);
    if (String(after.lowResLogits.data) !== String(before.lowResLogits.data)) throw new Error("other masks than before");
  }
  const { lowResLogits, masks } = await sam.predict(click);
  return { seen, logits: [...lowResLogits.data], areas: masks.map(({ data }) => data.reduce((a, b) => a + b, 0)) };
}
`;

describeInBrowser("in a page whose device is destroyed at any moment", () => {
  let chromium: Chromium;
  let page: Page;

  beforeAll(async () => {
    chromium = await openChromium();
    page = await chromium.open({ script: await bundlePage(source), files: {} });
  });
  afterAll(() => chromium?.close());

  test.each(["loading", "inference", "training"])(
    "%s: 50 times of 50 the next result is right",
    async (what) => {
      const { right, seen } = await page.call<{ right: number; seen: Record<string, number> }>(
        what,
        50,
      );
      expect(right).toBe(50);
      expect(Object.keys(seen).filter((one) => one !== "in time" && one !== "E422")).toEqual([]);
      expect(seen.E422).toBeGreaterThan(0);
    },
  );
});

describeInBrowser("a SAM in a page whose GPU process ends", () => {
  let script: string;
  let files: Record<string, string | Uint8Array>;
  let wanted: ArrayLike<number>;
  const losses: number[] = [];

  beforeAll(async () => {
    script = await bundlePage(source);
    const { data, ...size } = await readImage(fixturePath("scene.png"));
    const config = readFileSync(fixturePath("sam_nano.config.json"), "utf8");
    files = {
      "/weights": readFileSync(fixturePath("sam_nano.pth")),
      "/config": config,
      "/picture": JSON.stringify({ ...size, data: [...data] }),
    };
    const device = cpuDevice();
    const weights = await openWeightsFile(fixturePath("sam_nano.pth"));
    const sam = await Sam.load(weights, { device, config: parseSamConfig(config) });
    await sam.setImage({ ...size, data });
    const click = [[size.width / 2, size.height / 2]] as const;
    wanted = (await sam.predict({ points: click, multimask: true })).lowResLogits.data;
    await sam.close();
    await weights.close();
    const { samTraining } = await import(pathToFileURL(file(folder, "page.mjs", script)).href);
    const { trainer, given } = await samTraining(files["/weights"], config, device);
    for (let step = 0; step < 3; step++) losses.push((await trainer.step(given(step))).loss);
    device.destroy();
  });

  /** A browser of its own each time: after some such ends a browser gives up its GPU. */
  async function inBrowser<T>(name: string, ...args: readonly unknown[]): Promise<T> {
    const chromium = await openChromium();
    try {
      const devtools = await chromium.browser.newBrowserCDPSession();
      const crash = async () => {
        await devtools.send("Browser.crashGpuProcess");
      };
      const page = await chromium.open({ script, files, functions: { crash } });
      return await page.call<T>(name, ...args);
    } finally {
      await chromium.close();
    }
  }

  test("trains on with the same losses", async () => {
    const found = await inBrowser<{ seen: string[]; losses: number[] }>("crashedTraining");
    expect(found.seen).toContain("E422");
    expect(found.seen.filter((one) => one !== "E422" && one !== "in time")).toEqual([]);
    expect(relativeError(found.losses, losses)).toBeLessThan(1e-5);
  });

  test.each(["loading", "setImage", "predict", "rest"])(
    "goes on with the same masks (%s)",
    async (moment) => {
      const { seen, logits, areas } = await inBrowser<{
        seen: string[];
        logits: number[];
        areas: number[];
      }>("crashed", moment);
      expect(seen).toContain("E422");
      expect(seen.filter((one) => one !== "E422" && one !== "in time")).toEqual([]);
      expect(relativeError(logits, wanted)).toBeLessThan(1e-5);
      expect(Math.max(...areas)).toBeGreaterThan(0);
    },
  );
});
