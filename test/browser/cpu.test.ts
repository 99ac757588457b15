/** The processor device in a real page: SAM gives the masks that it gives in Node, on one thread and on several. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readImage } from "../../entries/node.ts";
import { openDevice } from "../../runtime/node/device.ts";
import { bundlePage, type Chromium, openChromium } from "../support/chromium.ts";
import { file, repository, scratchFolder } from "../support/command-line.ts";
import { describeInBrowser } from "../support/device.ts";
import { fixturePath } from "../support/weights-files.ts";

const folder = scratchFolder("browser");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs in Node and in the page: what is compared is what one and the same text gives. */
const source = `
import { Sam, parseSamConfig } from ${JSON.stringify(join(repository, "entries", "models.ts"))};
import { bytesSource, openWeights } from ${JSON.stringify(join(repository, "entries", "runtime.ts"))};
import { cpuDevice } from ${JSON.stringify(join(repository, "entries", "cpu.ts"))};

export async function masksOf({ weights: bytes, config, picture }, device = cpuDevice()) {
  const weights = await openWeights(bytesSource("the small SAM", bytes));
  const sam = await Sam.load(weights, { device, config: parseSamConfig(config) });
  await sam.setImage(picture);
  const click = { points: [[picture.width / 2, picture.height / 2]], multimask: true };
  const { masks, scores, lowResLogits } = await sam.predict(click);
  await sam.close();
  device.destroy();
  return {
    device: device.name,
    scores: [...scores],
    inside: masks.map(({ data }) => data.join("")),
    logits: [...lowResLogits.data],
  };
}

export async function masksOfFiles() {
  const [weights, config, { data, ...picture }] = await Promise.all([
    fetch("/weights").then(async (file) => new Uint8Array(await file.arrayBuffer())),
    fetch("/config").then((file) => file.text()),
    fetch("/picture").then((file) => file.json()),
  ]);
  const masks = await masksOf({ weights, config, picture: { ...picture, data: Uint8Array.from(data) } });
  return { ...masks, isolated: crossOriginIsolated, shares: typeof SharedArrayBuffer === "function" };
}
`;

interface Masks {
  readonly device: string;
  readonly scores: readonly number[];
  readonly inside: readonly string[];
  readonly logits: readonly number[];
}

describeInBrowser("in a page of Chromium", () => {
  test.each([
    { isolated: true, words: "isolated from other origins, on several threads" },
    { isolated: false, words: "not isolated, on one thread" },
  ])("$words, SAM gives the masks that it gives in Node", async ({ isolated }) => {
    const { data, ...picture } = given.picture;
    const files = {
      "/weights": given.weights,
      "/config": given.config,
      "/picture": JSON.stringify({ ...picture, data: [...data] }),
    };
    const page = await chromium.open({ script, files, isolated });
    const got = await page.call<Masks>("masksOfFiles");
    await page.close();
    expect(got).toMatchObject({ isolated, shares: isolated });
    const { device, scores, inside, logits } = got;
    expect(device).toBe(wanted.device);
    expect({ scores, inside, logits }).toEqual({
      scores: wanted.scores,
      inside: wanted.inside,
      logits: wanted.logits,
    });
    expect(new Set(inside.map((mask) => mask.includes("1")))).toContain(true);
  });

  let chromium: Chromium;
  beforeAll(async () => {
    chromium = await openChromium();
  });
  afterAll(() => chromium?.close());
});

let script = "";
let given: { weights: Uint8Array; config: string; picture: Awaited<ReturnType<typeof readImage>> };
let wanted: Masks;

beforeAll(async () => {
  given = {
    weights: new Uint8Array(readFileSync(fixturePath("sam_nano.pth"))),
    config: readFileSync(fixturePath("sam_nano.config.json"), "utf8"),
    picture: await readImage(fixturePath("scene.png")),
  };
  script = await bundlePage(source);
  const { masksOf } = (await import(pathToFileURL(file(folder, "page.mjs", script)).href)) as {
    masksOf(from: typeof given, device: unknown): Promise<Masks>;
  };
  // It asks Node for fma, which pages have.
  const { device } = await openDevice({ kind: "cpu" });
  wanted = await masksOf(given, device);
});
