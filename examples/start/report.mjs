/**
 * Several runs of `inarch train` on one set, side by side: a page that needs no network, and a line for each.
 *   node examples/start/report.mjs FOLDER RUN...    the runs are folders in FOLDER, beside its set
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readImage, saveTo, writePng } from "inarch/node";
import { drawOverlay } from "inarch/runtime";
import { predict } from "inarch/study";
import { page } from "./page.mjs";

const [folder, ...names] = process.argv.slice(2);
const weights = join("examples", "small-sam", "small-sam.safetensors");
const set = join(folder, "set", "held-out");
const scratch = mkdtempSync(join(tmpdir(), "inarch-start-"));
const read = (run, file) => JSON.parse(readFileSync(join(folder, run, file), "utf8"));

const files = chosen(readdirSync(join(set, "pictures")).sort(), 4);
const pictures = files.map((file) => join(set, "pictures", file));
const truth = await overlays(join(set, "masks"));
const runs = [];
for (const name of names) {
  const out = join(scratch, name);
  await predict({ pictures, run: join(folder, name), weights, out, batch: files.length });
  const { before, best, parameters } = read(name, "result.json");
  const seconds = read(name, "times.json").reduce((sum, start) => sum + start.seconds, 0);
  const log = readFileSync(join(folder, name, "log.jsonl"), "utf8")
    .trim()
    .split("\n");
  const checks = log.map((line) => JSON.parse(line)).filter((line) => "validation" in line);
  const curve = checks.map(({ step, validation }) => [step, validation.score]);
  runs.push({ name, before, best, parameters, seconds, curve, found: await overlays(out) });
}
rmSync(scratch, { recursive: true });

const plain = await Promise.all(pictures.map((file) => dataUrl(file)));
const html = page({ runs, pictures: plain, truth });
await saveTo(join(folder, "report.html"), html);
for (const { name, before, best, seconds } of runs)
  console.log(
    `${name.padEnd(14)} IoU ${before.score.toFixed(3)} before, ${best.score.toFixed(3)} after ${best.step} steps, ${seconds.toFixed(0)} s`,
  );
console.log(`wrote ${join(folder, "report.html")}`);

/** Files from all over a list. */
function chosen(all, count) {
  const length = Math.min(count, all.length);
  return Array.from({ length }, (_, i) => all[Math.floor((i * all.length) / length)]);
}

/** The pictures with the masks of a folder on them, as data URLs. */
async function overlays(masks) {
  const drawn = [];
  for (const [i, file] of files.entries()) {
    const image = await readImage(pictures[i]);
    const { width, height, data, channels } = await readImage(join(masks, file));
    const inside = Uint8Array.from({ length: width * height }, (_, at) =>
      data[at * channels] > 0 ? 1 : 0,
    );
    const to = join(scratch, "overlay.png");
    await writePng(to, drawOverlay(image, [{ width, height, data: inside }]));
    drawn.push(await dataUrl(to));
  }
  return drawn;
}

async function dataUrl(file) {
  return `data:image/png;base64,${readFileSync(file).toString("base64")}`;
}
