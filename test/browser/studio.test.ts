/** The studio in Chromium: built by Vite, served from a sub-folder, without a GPU. */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Locator, Page } from "playwright-core";
import { build } from "vite";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type * as Models from "../../entries/models.ts";
import type * as Node from "../../entries/node.ts";
import { writePng } from "../../entries/node.ts";
import type { Image, Mask } from "../../entries/runtime.ts";
import { type Chromium, openChromium } from "../support/chromium.ts";
import { buildPackage, repository, scratchFolder } from "../support/command-line.ts";
import { describeInBrowser } from "../support/device.ts";
import { type Server, serveSite } from "../support/page-server.ts";

const studio = join(repository, "examples", "studio");
const folder = scratchFolder("browser-studio");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const load = (file: string) => import(pathToFileURL(join(studio, file)).href);
const { drawGarden } = (await load("garden.mjs")) as {
  drawGarden(seed: number): { readonly image: Image; readonly mask: Mask };
};
const gardens = Array.from({ length: 12 }, (_, i) => drawGarden(i + 1));
const [taught, heldOut] = [gardens.slice(0, 4), gardens.slice(4)];
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

function iou(found: ArrayLike<number>, truth: Uint8Array): number {
  let [both, either] = [0, 0];
  truth.forEach((inside, at) => {
    both += inside & found[at]!;
    either += inside | found[at]!;
  });
  return both / either;
}

/** What the page has for the console. */
interface Studio {
  label(index: number, mask: Uint8Array): void;
  selection(): Uint8Array | undefined;
  find(index: number, name?: string): Promise<Uint8Array>;
}
declare const window: { readonly studio: Studio };

describeInBrowser("the studio", () => {
  let chromium: Chromium;
  let server: Server;

  beforeAll(async () => {
    await buildPackage();
    const configFile = join(studio, "vite.config.mjs");
    await build({ configFile, logLevel: "silent", build: { outDir: folder } });
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => {
        const path = join(parentPath, name);
        const address = path
          .slice(folder.length)
          .replaceAll("\\", "/")
          .replace(/index\.html$/, "");
        return [`/some/where${address}`, new Uint8Array(readFileSync(path))] as const;
      });
    server = await serveSite({ files: Object.fromEntries(files), isolated: true });
    chromium = await openChromium({ gpu: "none" });
  });

  afterAll(async () => {
    await chromium?.close();
    server?.close();
  });

  /** What nobody in a page has caught. */
  const uncaught: Error[] = [];
  afterEach(() => expect(uncaught).toEqual([]));

  async function open(width = 1200): Promise<Page> {
    const page = await chromium.browser.newPage({ viewport: { width, height: 900 } });
    page.setDefaultTimeout(240_000);
    page.on("pageerror", (error) => uncaught.push(error));
    await page.goto(`${server.origin}/some/where/`);
    await page.locator("#busy").waitFor({ state: "hidden" });
    return page;
  }

  /** Waits for what is to be seen; a complaint of the page ends that. */
  async function seen(page: Page, what: Locator): Promise<void> {
    const problem = page.locator("#problem");
    await what.or(problem).first().waitFor();
    expect(await problem.textContent()).toBe("");
  }

  test("says that there is no GPU, and selects by a click, a box and keys", async () => {
    const page = await open();
    expect(await page.locator("#device").textContent()).toMatch(/^On the processor: ./);
    const truth = gardens[0]!.mask;
    const [left, top, right, bottom] = firstThing(truth);
    const box = (await page.locator("#stage").boundingBox())!;
    const side = Math.min(box.width, box.height);
    const place = (x: number, y: number) =>
      [
        box.x + (box.width - side) / 2 + (side * (x + 0.5)) / truth.width,
        box.y + (box.height - side) / 2 + (side * (y + 0.5)) / truth.height,
      ] as const;
    const selected = async (): Promise<Uint8Array> => {
      await page.waitForFunction(() => window.studio.selection() !== undefined);
      return Uint8Array.from(
        await page.evaluate(() => window.studio.selection()!.join("")),
        Number,
      );
    };
    const middle = [(left + right) >> 1, (top + bottom) >> 1] as const;
    await page.mouse.click(...place(...middle));
    const byClick = await selected();
    await page.keyboard.press("Backspace");
    await page.waitForFunction(() => window.studio.selection() === undefined);
    await page.mouse.move(...place(left, top));
    await page.mouse.down();
    await page.mouse.move(...place(right, bottom), { steps: 4 });
    await page.mouse.up();
    const byBox = await selected();
    const inNode = await selectedInNode(middle, [left, top, right, bottom]);
    expect(iou(byClick, inNode.byClick)).toBeGreaterThan(0.99);
    expect(iou(byBox, inNode.byBox)).toBeGreaterThan(0.99);
    expect(iou(byBox, only(truth, [left, top, right, bottom]))).toBeGreaterThan(0.5);
    await page.keyboard.press("a");
    expect(await page.locator("#strip .badge").count()).toBe(1);
    await page.locator("#stage").focus();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Enter");
    expect((await selected()).length).toBe(truth.data.length);
    const buffer = Buffer.from("no picture");
    await page.setInputFiles("#strip input", { name: "a.png", mimeType: "image/png", buffer });
    await page.locator("#problem", { hasText: "the browser reads no picture" }).waitFor();
    await page.close();
  });

  test("a few painted pictures make an adapter that finds 0.2 more, here and in Node", async () => {
    const page = await open();
    await page.keyboard.press("b");
    await page.locator("#stage").click();
    expect(await page.locator("#tune").textContent()).toBe("Fine-tune on 1 picture");
    // Eight pictures are built in; the others are opened.
    const files = await Promise.all(
      gardens.slice(8).map(async ({ image }, i) => {
        const file = join(folder, `garden-${i + 9}.png`);
        await writePng(file, image);
        return file;
      }),
    );
    await page.setInputFiles("#strip input", files);
    await seen(page, page.locator("#strip button").nth(gardens.length - 1));
    for (const [i, { mask }] of taught.entries())
      await page.evaluate(
        ([at, label]) => window.studio.label(at, Uint8Array.from(label, Number)),
        [i, mask.data.join("")] as const,
      );
    await page.selectOption("#method", "lora");
    await page.fill("#steps", "500");
    await page.click("#tune");
    await seen(
      page,
      page.locator("figcaption", { hasText: /^step (?:2[4-9]|[3-9]\d|\d{3}) of 500/ }),
    );
    expect(await page.locator("#curve polyline").count()).toBe(2);
    await page.click("#stop");
    await seen(page, page.locator("#adapters input:checked[value='LoRA, 4 pictures']"));
    const found = async (name?: string) => {
      const masks: Uint8Array[] = [];
      for (const i of heldOut.keys()) {
        const mask = await page.evaluate(
          async ([at, adapter]) => (await window.studio.find(at, adapter)).join(""),
          [taught.length + i, name] as const,
        );
        masks.push(Uint8Array.from(mask, Number));
      }
      return masks;
    };
    const score = (masks: readonly Uint8Array[]) =>
      mean(masks.map((mask, i) => iou(mask, heldOut[i]!.mask.data)));
    const [before, after] = [await found(""), await found()];
    expect(score(after) - score(before)).toBeGreaterThan(0.2);

    await page.locator("#strip button").nth(taught.length).click();
    await seen(page, page.locator("#wipe"));
    const saving = page.waitForEvent("download");
    await page.click("#save");
    const file = join(folder, "saved.safetensors");
    await (await saving).saveAs(file);
    await page.setInputFiles("#adapter-file", file);
    await seen(page, page.locator("#adapters input:checked[value='saved']"));
    await page.locator("#adapters input[value='']").check();
    await page.locator("#wipe").waitFor({ state: "hidden" });
    await page.close();
    for (const [i, mask] of (await inNode(file)).entries())
      expect(iou(mask.data, after[i]!)).toBeGreaterThan(0.999);
  }, 300_000);

  /** What Node finds by an adapter's file. */
  async function inNode(file: string): Promise<Mask[]> {
    const { openFinder } = (await load("model.mjs")) as {
      openFinder(given: object): Promise<{ find(image: Image): Promise<Mask> }>;
    };
    return withModel(async ({ device, weights, models }) => {
      const config = models.inferSamConfig(weights);
      const adapter = new Uint8Array(readFileSync(file));
      const { find } = await openFinder({ device, weights, config, method: "lora", adapter });
      const masks: Mask[] = [];
      for (const { image } of heldOut) masks.push(await find(image));
      return masks;
    });
  }

  /** What Node selects in the first picture by a click and by a box. */
  function selectedInNode(point: readonly [number, number], box: readonly number[]) {
    return withModel(async ({ device, weights, models }) => {
      const sam = await models.Sam.load(weights, { device });
      await sam.setImage(gardens[0]!.image);
      const clicked = await sam.predict({ points: [point], labels: [1], multimask: true });
      const best = clicked.scores.indexOf(Math.max(...clicked.scores));
      const boxed = await sam.predict({ box: box as [number, number, number, number] });
      return { byClick: clicked.masks[best]!.data, byBox: boxed.masks[0]!.data };
    });
  }

  test.each([1200, 360])("is accessible and fits %i pixels' width", async (width) => {
    const page = await open(width);
    await page.keyboard.press("b");
    await page.locator("#stage").click();
    const wide = await page.evaluate("document.documentElement.scrollWidth");
    expect(wide).toBeLessThanOrEqual(width);
    const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
    await page.addScriptTag({ path: axe });
    const { violations } = (await page.evaluate("axe.run()")) as {
      violations: { id: string; impact: string; nodes: { html: string }[] }[];
    };
    const serious = violations.filter(
      ({ impact }) => impact === "serious" || impact === "critical",
    );
    expect(serious.map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`)).toEqual([]);
    await page.close();
  });
});

/** The small SAM in Node, as examples import it: from the package's build, not its sources. */
async function withModel<T>(
  work: (given: {
    readonly device: Awaited<ReturnType<typeof Node.openDevice>>["device"];
    readonly weights: Awaited<ReturnType<typeof Node.openWeightsFile>>;
    readonly models: typeof Models;
  }) => Promise<T>,
): Promise<T> {
  const entry = (name: string) => load(join("..", "..", "dist", "entries", `${name}.js`));
  const models = (await entry("models")) as typeof Models;
  const { openDevice, openWeightsFile } = (await entry("node")) as typeof Node;
  const file = join(repository, "examples", "small-sam", "small-sam.safetensors");
  const weights = await openWeightsFile(file);
  const { device } = await openDevice({ kind: "cpu" });
  try {
    return await work({ device, weights, models });
  } finally {
    device.destroy();
    await weights.close();
  }
}

/** The bounds of one thing of a mask: that of its first pixel. */
function firstThing({ width, height, data }: Mask): readonly [number, number, number, number] {
  const start = data.indexOf(1);
  const seen = new Set([start]);
  const open = [start];
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const [x, y] = [at % width, Math.floor(at / width)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    for (const next of [at - 1, at + 1, at - width, at + width])
      if (data[next] === 1 && !seen.has(next)) {
        seen.add(next);
        open.push(next);
      }
  }
  return [left, top, right, bottom];
}

/** A mask of what lies within bounds alone. */
function only({ width, data }: Mask, [left, top, right, bottom]: readonly number[]): Uint8Array {
  return data.map((inside, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    return x >= left! && x <= right! && y >= top! && y <= bottom! ? inside : 0;
  });
}
