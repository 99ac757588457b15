/**
 * Pictures as a page has them give the bytes that Node reads of the same file, masks are drawn as they are, and a
 * picture of 12 megapixels does not keep the page from its events.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readImage } from "../../entries/node.ts";
import { type Image, preprocess } from "../../entries/runtime.ts";
import { bundlePage, type Chromium, openChromium, type Page } from "../support/chromium.ts";
import { describeInBrowser } from "../support/device.ts";
import { fixturePath } from "../support/weights-files.ts";

const source = `
import { parseSamConfig, Sam } from "./entries/models.ts";
import { imageDataOf, openDevice, outlineOf, readImage } from "./entries/page.ts";
import { bytesSource, openWeights, preprocess, resizeImage } from "./entries/runtime.ts";

const hash = (bytes) => {
  let sum = 0x811c9dc5;
  for (const byte of bytes) sum = Math.imul(sum ^ byte, 0x01000193) >>> 0;
  return sum;
};
const bytesOf = (array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
const told = ({ width, height, data }) => ({ width, height, hash: hash(data) });
const code = (work) => work.then(() => "fine", (error) => error.code);

async function forms() {
  const blob = await (await fetch("/scene.png")).blob();
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none" });
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
  const context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0);
  const img = new Image();
  img.src = URL.createObjectURL(blob);
  await img.decode();
  return {
    blob, bitmap, img, canvas,
    file: new File([blob], "scene.png"),
    pixels: context.getImageData(0, 0, canvas.width, canvas.height),
    offscreen: Object.assign(new OffscreenCanvas(canvas.width, canvas.height), {}),
    frame: new VideoFrame(bitmap, { timestamp: 0 }),
  };
}

export async function read() {
  const { offscreen, ...all } = await forms();
  offscreen.getContext("2d").drawImage(all.bitmap, 0, 0);
  const found = {};
  for (const [name, one] of Object.entries({ ...all, offscreen })) {
    const picture = await readImage(one);
    found[name] = { ...told(picture), input: hash(bytesOf(preprocess(picture, 128).input)) };
  }
  return found;
}

/** What is read is what was there when it was asked for. */
export async function changed() {
  const { canvas } = await forms();
  const reading = readImage(canvas);
  canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  return told(await reading);
}

/** Larger than what is read at a time. */
async function large() {
  const { blob } = await forms();
  return resizeImage(await readImage(blob), { width: 4000, height: 3000 });
}
export async function parts() {
  const picture = await large();
  const pixels = new ImageData(picture.width, picture.height);
  for (let i = 0; i < picture.width * picture.height; i++) {
    for (let c = 0; c < 3; c++) pixels.data[4 * i + c] = picture.data[3 * i + c];
    pixels.data[4 * i + 3] = 255;
  }
  return [told(picture), told(await readImage(pixels))];
}

export async function faults() {
  const { bitmap } = await forms();
  bitmap.close();
  const aborted = AbortSignal.abort(Object.assign(new Error("stop"), { code: "own" }));
  return {
    text: await code(readImage(new Blob(["no picture"]))),
    closed: await code(readImage(bitmap)),
    nothing: await code(readImage(undefined)),
    number: await code(readImage(7)),
    aborted: await code(readImage(new Blob([]), { signal: aborted })),
  };
}

export function drawn() {
  const [width, height] = [23, 17];
  const data = Uint8Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return (x - 9) ** 2 + (y - 8) ** 2 < 50 && (x - 9) ** 2 + (y - 8) ** 2 > 6 || (x > 19 && (x + y) % 2) ? 1 : 0;
  });
  const mask = { width, height, data };
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.fillStyle = "#fff";
  context.fill(outlineOf(mask), "evenodd");
  const inside = (pixels) => [...pixels.data].filter((_, i) => i % 4 === 3).map((alpha) => (alpha === 255 ? 1 : alpha === 0 ? 0 : -1));
  const filled = inside(context.getImageData(0, 0, width, height));
  const image = imageDataOf(mask, { colour: [1, 2, 3, 255] });
  const at = data.indexOf(1);
  return { wanted: [...data], filled, painted: inside(image), pixel: [...image.data.subarray(4 * at, 4 * at + 4)], usual: [...imageDataOf(mask).data.subarray(4 * at, 4 * at + 4)] };
}

let sam;
let picture;
export async function prepare() {
  const [bytes, config] = await Promise.all([
    fetch("/weights").then(async (file) => new Uint8Array(await file.arrayBuffer())),
    fetch("/config").then((file) => file.text()),
  ]);
  const { device } = await openDevice({ kind: "webgpu" });
  const weights = await openWeights(bytesSource("the small SAM", bytes));
  sam = await Sam.load(weights, { device, config: parseSamConfig(config) });
  picture = await large();
}
export async function segment() {
  const { originalSize: { width, height } } = await sam.setImage(picture);
  const { masks } = await sam.predict({ points: [[width / 2, height / 2]], multimask: true });
  return masks.map(({ data }) => data.length);
}
`;

interface Told {
  readonly width: number;
  readonly height: number;
  readonly hash: number;
}

describeInBrowser("pictures in a page", () => {
  let chromium: Chromium;
  let page: Page;
  let scene: Image;

  beforeAll(async () => {
    chromium = await openChromium();
    const files = {
      "/scene.png": readFileSync(fixturePath("scene.png")),
      "/weights": readFileSync(fixturePath("sam_nano.pth")),
      "/config": readFileSync(fixturePath("sam_nano.config.json"), "utf8"),
    };
    page = await chromium.open({ script: await bundlePage(source), files });
    scene = await readImage(fixturePath("scene.png"));
  });
  afterAll(() => chromium?.close());

  const told = ({ width, height, data }: Image): Told => ({ width, height, hash: hashOf(data) });

  test("whatever shows or holds them, their bytes are Node's, and so is the model's input", async () => {
    const input = hashOf(new Uint8Array(preprocess(scene, 128).input.buffer));
    const found = await page.call<Record<string, object>>("read");
    expect(Object.keys(found)).toHaveLength(8);
    for (const one of Object.values(found)) expect(one).toEqual({ ...told(scene), input });
  });

  test("a canvas is read as it was when that was asked for", async () => {
    expect(await page.call("changed")).toEqual(told(scene));
  });

  test("large ones are read in parts", async () => {
    const [wanted, found] = await page.call<Told[]>("parts");
    expect(found).toEqual(wanted);
  });

  test("E624: what is no picture", async () => {
    expect(await page.call("faults")).toEqual({
      ...{ text: "E624", closed: "E624", nothing: "E624", number: "E624" },
      aborted: "own",
    });
  });

  test("masks as ImageData and as outlines cover the same pixels", async () => {
    const { wanted, filled, painted, pixel, usual } =
      await page.call<Record<string, number[]>>("drawn");
    expect(filled).toEqual(wanted);
    expect(painted).toEqual(wanted);
    expect(pixel).toEqual([1, 2, 3, 255]);
    expect(usual).toEqual([30, 144, 255, 128]);
  });

  test("12 megapixels: no task of the page works for more than 50 ms", async () => {
    await page.call("prepare");
    // What other processes of the machine add differs from time to time.
    let longest = Number.POSITIVE_INFINITY;
    for (let time = 0; time < 4 && longest > 50; time++) longest = await longestTask();
    expect(longest).toBeLessThan(50);
  });

  /** Milliseconds that the page's thread itself works in one task, at most. */
  async function longestTask() {
    await chromium.browser.startTracing(undefined, { categories: ["toplevel"] });
    expect(await page.call("segment")).toEqual(Array(3).fill(12e6));
    const { traceEvents } = JSON.parse(String(await chromium.browser.stopTracing())) as {
      traceEvents: readonly TraceEvent[];
    };
    const isMain = ({ pid, tid }: TraceEvent) =>
      traceEvents.some(
        (one) => one.args?.name === "CrRendererMain" && one.pid === pid && one.tid === tid,
      );
    // What promises go on with after a task is an event of its own.
    const tasks = traceEvents.filter(isMain);
    expect(tasks.length).toBeGreaterThan(100);
    return Math.max(...tasks.map(({ tdur = 0 }) => tdur / 1000));
  }
});

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds that the thread itself worked. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

function hashOf(bytes: Uint8Array): number {
  let sum = 0x811c9dc5;
  for (const byte of bytes) sum = Math.imul(sum ^ byte, 0x01000193) >>> 0;
  return sum;
}
