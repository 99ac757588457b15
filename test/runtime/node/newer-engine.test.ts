/**
 * SAM on the processor gives in Node 24 what it gives in the Node that runs the tests, bit for bit, and so where two
 * vectors are one instruction there.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { repository } from "../../support/command-line.ts";
import { describeNewer, newer } from "../../support/newer-engine.ts";
import { fixturePath } from "../../support/weights-files.ts";

const entry = (name: string) =>
  JSON.stringify(pathToFileURL(join(repository, "dist", "entries", `${name}.js`)).href);

const source = `
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Sam, parseSamConfig } from ${entry("models")};
import { openDevice, openWeightsFile, readImage } from ${entry("node")};

const [weightsPath, configPath, picturePath, pairs] = process.argv.slice(1);
const { device } = await openDevice({ kind: "cpu", threads: 1, pairs: pairs === "pairs" });
const weights = await openWeightsFile(weightsPath);
const config = parseSamConfig(readFileSync(configPath, "utf8"));
const sam = await Sam.load(weights, { device, config });
const picture = await readImage(picturePath);
await sam.setImage(picture);
const { lowResLogits: { data }, scores } = await sam.predict({ points: [[picture.width / 2, picture.height / 2]] });
console.log(JSON.stringify({
  major: Number.parseInt(process.versions.node, 10),
  pairs: device.capabilities.pairs ?? false,
  scores: [...scores],
  logits: createHash("sha256").update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)).digest("hex"),
}));
process.exit();
`;

interface Told {
  readonly major: number;
  readonly pairs: boolean;
  readonly scores: readonly number[];
  readonly logits: string;
}

function runIn(node: string, pairs: "pairs" | "single"): Told {
  const files = ["sam_nano.pth", "sam_nano.config.json", "scene.png"].map(fixturePath);
  const given = ["--input-type=module", "-e", source, ...files, pairs];
  const { stdout, stderr } = spawnSync(node, given, { encoding: "utf8", timeout: 300_000 });
  if (!stdout) throw new Error(stderr);
  return JSON.parse(stdout) as Told;
}

describeNewer("in Node 24", () => {
  test("SAM gives the same bits, with single vectors and with pairs", () => {
    const here = runIn(process.execPath, "single");
    const [single, pairs] = (["single", "pairs"] as const).map((way) => runIn(newer!, way));
    expect(single).toEqual({ ...here, major: 24, pairs: false });
    expect(pairs).toEqual({ ...here, major: 24, pairs: process.arch === "x64" });
  });
});
