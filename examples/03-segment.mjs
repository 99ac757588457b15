/**
 * Segments a picture with SAM: encoded once, then a prompt at a time:
 *   node examples/03-segment.mjs [PICTURE CHECKPOINT CONFIG]
 * Without arguments it takes a small SAM with random weights, which finds shapes but no objects.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseSamConfig, Sam } from "inarch/models";
import { openDevice, openWeightsFile, readImage, writePng } from "inarch/node";
import { drawOverlay, pickLogits } from "inarch/runtime";

const fixture = (name) => fileURLToPath(new URL(`../test/fixtures/${name}`, import.meta.url));
const [
  picture = fixture("scene.png"),
  checkpoint = fixture("sam_nano.pth"),
  configuration = fixture("sam_nano.config.json"),
] = process.argv.slice(2);

const { device } = await openDevice();
const weights = await openWeightsFile(checkpoint);
const config = parseSamConfig(readFileSync(configuration, "utf8"), configuration);
const sam = await Sam.load(weights, { device, config });

const image = await readImage(picture);
await sam.setImage(image);

// A first click: where it could mean several things, ask for several masks and take the best.
const point = [image.width / 2, image.height / 2];
const { masks, scores, lowResLogits } = await sam.predict({ points: [point], multimask: true });
const best = scores.indexOf(Math.max(...scores));
console.log(
  `one click: ${masks.length} masks, scores ${scores.map((s) => s.toFixed(3)).join(" ")}`,
);

// A second click, beside the object, refines that mask. Nothing is compiled for it.
const refined = await sam.predict({
  points: [point, [4, 4]],
  labels: [1, 0],
  mask: pickLogits(lowResLogits, best),
});
console.log(`two clicks: score ${refined.scores[0].toFixed(3)}`);

mkdirSync("out/examples", { recursive: true });
await writePng("out/examples/segment.png", drawOverlay(image, refined.masks));
console.log("wrote out/examples/segment.png");

await sam.close();
await weights.close();
device.destroy();
