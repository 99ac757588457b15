/** The pages of runs and studies open without a network and without an error, and fit the screen of a telephone. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { formatSamConfig } from "../../models/sam/config.ts";
import { hashedWeights } from "../../models/sam/hashed.ts";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import { runStudy } from "../../study/grid/node/run-study.ts";
import { type Chromium, openChromium } from "../support/chromium.ts";
import { describeInBrowser } from "../support/device.ts";
import { drawSquares } from "../support/drawn-squares.ts";
import { tinySam } from "../support/sam-small.ts";
import { readAll } from "../support/weights-files.ts";

const folder = mkdtempSync(join(tmpdir(), "inarch-reports-"));
const at = (name: string) => join(folder, name);
/** A name that does not break by itself. */
const long = "an_area_that_is_as_bright_as_the_squares_of_these_pictures";
let chromium: Chromium;

describeInBrowser("pages", () => {
  beforeAll(async () => {
    chromium = await openChromium({ gpu: "none" });
    const file = writeSafetensors(await readAll(hashedWeights(tinySam, "reports")), {});
    writeFileSync(at("tiny.safetensors"), file);
    writeFileSync(at("tiny.json"), JSON.stringify(formatSamConfig(tinySam)));
    drawSquares(at("pictures"), at("masks"), 6);
    const classes = ["ground", long, "below"];
    await runStudy({
      ...{ weights: at("tiny.safetensors"), config: at("tiny.json"), out: at("study") },
      set: {
        ...{ format: "folders", pictures: at("pictures") },
        targets: { kinds: { kind: "classes", classes, folder: at("masks"), ignore: 9 } },
      },
      settings: { method: "conv-lora", steps: 2, emptyClasses: "allowed" },
      ...{ grid: { gate: [true, false] }, seeds: [1], part: 0.34, device: "cpu" },
    });
  });
  afterAll(() => chromium?.close());

  test.each([
    ["a run", "study/gate-true/seed-1/report.html"],
    ["a study", "study/study.html"],
  ])("of %s", async (_name, page) => {
    for (const width of [360, 1280]) {
      const context = await chromium.browser.newContext({
        ...{ offline: true, viewport: { width, height: 800 } },
      });
      const opened = await context.newPage();
      const said: string[] = [];
      opened.on("console", (message) => said.push(message.text()));
      opened.on("pageerror", (error) => said.push(String(error)));
      opened.on("request", (request) => {
        if (!/^(?:file|data):/.test(request.url())) said.push(request.url());
      });
      await opened.goto(pathToFileURL(at(page)).href);
      const seen = await opened.evaluate(() => ({
        width: document.documentElement.scrollWidth,
        heading: document.querySelector("h1")?.textContent,
        broken: [...document.images].filter((image) => image.naturalWidth === 0).length,
      }));
      expect([said, seen.broken, seen.heading]).toEqual([[], 0, expect.stringMatching(/of|on/)]);
      expect([page, seen.width]).toEqual([page, width]);
      await context.close();
    }
  });
});
