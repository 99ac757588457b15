/**
 * A SAM as `inarch build --standalone` writes it, in a page and in a worker whose policies let no text become code: the masks
 * of Node, from one of its profiles.
 */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readImage } from "../../entries/node.ts";
import { relativeError } from "../../verify/ops/evaluate.ts";
import { type Chromium, openChromium, type Page } from "../support/chromium.ts";
import { buildPackage, file, inarch, scratchFolder } from "../support/command-line.ts";
import { describeInBrowser } from "../support/device.ts";
import { strictPolicy } from "../support/page-server.ts";
import { fixturePath } from "../support/weights-files.ts";

const folder = scratchFolder("browser-bundle");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs in a page, in a worker and in Node: what is compared is what one text gives. */
const script = `
export async function segment(kind, picture, at = "/sam/sam.mjs") {
  const { load, openDevice } = await import(at);
  const { device } = await openDevice({ kind });
  const sam = await load(device);
  const { width, height } = picture;
  await sam.setImage({ ...picture, data: Uint8Array.from(picture.data) });
  const { masks, scores, lowResLogits } = await sam.predict({
    points: [[width / 2, height / 2]],
    multimask: true,
  });
  await sam.close();
  device.destroy();
  return { masks: masks.map(({ data }) => [...data]), scores: [...scores], logits: [...lowResLogits.data] };
}

export const inWorker = (...given) =>
  new Promise((resolve, reject) => {
    const worker = new Worker("/worker.js", { type: "module" });
    worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data));
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(given);
  });
`;

const worker = `
import { segment } from "/page.js";
globalThis.onmessage = async ({ data }) => {
  try {
    postMessage(await segment(...data));
  } catch (error) {
    postMessage({ error: String(error?.stack ?? error) });
  }
};
`;

interface Segmented {
  readonly masks: readonly (readonly number[])[];
  readonly scores: readonly number[];
  readonly logits: readonly number[];
}

describeInBrowser("a generated SAM in Chromium", () => {
  let chromium: Chromium;
  let picture: object;
  let wanted: Segmented;
  let files: Record<string, Uint8Array | string>;

  beforeAll(async () => {
    await buildPackage();
    const flags = ["--config", fixturePath("sam_nano.config.json"), "--out", "sam"];
    const weights = ["--weights", fixturePath("sam_nano.pth"), "--standalone"];
    // Chromium's software device has subgroups of four.
    const profiles = ["--profiles", "default,subgroups,subgroups-4,wasm"];
    const built = await inarch(["build", "sam", ...flags, ...weights, ...profiles], folder);
    expect(built).toMatchObject({ code: 0 });
    const names = readdirSync(join(folder, "sam"));
    files = Object.fromEntries(
      names.map((name) => [
        `/sam/${name}`,
        new Uint8Array(readFileSync(join(folder, "sam", name))),
      ]),
    );
    files["/worker.js"] = worker;
    const { data, ...size } = await readImage(fixturePath("scene.png"));
    picture = { ...size, data: [...data] };
    const { segment } = (await import(
      /* @vite-ignore */ pathToFileURL(file(folder, "page.mjs", script)).href
    )) as { segment(kind: string, picture: object, at: string): Promise<Segmented> };
    wanted = await segment("cpu", picture, pathToFileURL(join(folder, "sam", "sam.mjs")).href);
    chromium = await openChromium();
  });
  afterAll(() => chromium?.close());

  function check({ masks, scores, logits }: Segmented) {
    expect(relativeError(logits, wanted.logits)).toBeLessThan(1e-5);
    expect(relativeError(scores, wanted.scores)).toBeLessThan(1e-5);
    for (const [k, mask] of wanted.masks.entries()) {
      expect(mask).toContain(1);
      const others = mask.filter((inside, at) => inside !== masks[k]![at]);
      expect(others.length).toBeLessThan(1e-4 * mask.length);
    }
  }

  /** The kinds of files that were asked for, each file once. */
  const kindsOf = ({ server }: Page) => {
    const files = server.requests.filter((path) => path.startsWith("/sam/"));
    expect(new Set(files).size).toBe(files.length);
    return [...new Set(files.map((path) => path.replace(/-[0-9A-Za-z]{8,12}\./, ".")))].sort();
  };
  /** The module, pieces of the runtime, the profile that fits, the weights. */
  const own = [
    ...["/sam/sam-runtime.mjs", "/sam/sam-subgroups-4.mjs"],
    ...["/sam/sam.mjs", "/sam/weights.safetensors"],
  ];

  test("in a page it gives Node's masks, and downloads one profile", async () => {
    const page = await chromium.open({ script, files, policy: strictPolicy });
    check(await page.call<Segmented>("segment", "webgpu", picture));
    expect(kindsOf(page)).toEqual(own);
    await page.close();
  });

  test("in a worker too", async () => {
    // Addresses of workers are what trusted types are about.
    const policy = strictPolicy.replace(/; require-trusted-types.*/, "");
    const page = await chromium.open({ script, files, policy });
    check(await page.call<Segmented>("inWorker", "webgpu", picture));
    expect(kindsOf(page)).toEqual(own);
    await page.close();
  });
});
