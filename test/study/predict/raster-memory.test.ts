/** The memory in which rasters are seen in tiles: that of their width, however high they are. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { writeLabelTiff } from "../../../predict/node/tiff-write.ts";
import { train } from "../../../study/train/node/train.ts";
import { buildPackage, repository } from "../../support/command-line.ts";
import { tinyRuns } from "../../support/tiny-run.ts";

const { folder, request, weights, config } = await tinyRuns(2);
const width = 2000;
const run = join(folder, "run");

/** A process of its own: what the training took is not the raster's. */
const script = `
import { predict } from "inarch/study";
await predict(JSON.parse(process.argv[1]));
console.log(1024 * process.resourceUsage().maxRSS);
`;

async function peakOf(height: number): Promise<number> {
  const path = join(folder, `${height}.tif`);
  const palette = Array.from({ length: 256 }, (_, i) => i * 0x010101);
  await writeLabelTiff(path, {
    ...{ width, height, palette, ground: new Map() },
    async write(put) {
      for (let y = 0; y < height; y += 100)
        await put(Uint8Array.from({ length: 100 * width }, (_, i) => (y + i * 13) % 251));
    },
  });
  const asked = JSON.stringify({
    ...{ pictures: [path], run, weights, config, out: join(folder, `${height}`) },
    ...{ tiles: { side: 500, overlap: 50 }, device: "cpu", format: "tiff" },
  });
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "-e", script, asked],
    { cwd: repository },
  );
  return Number(stdout.trim().split("\n").at(-1));
}

beforeAll(async () => {
  await Promise.all([buildPackage(), train(request("run", { settings: { steps: 1 } }))]);
});

test("does not grow with the height", async () => {
  const [low, high] = [3000, 12000] as const;
  const grown = (await peakOf(high)) - (await peakOf(low));
  // What the higher one has more than the lower if it is whole in memory. Peaks differ by 10 MB from run to run.
  const whole = (high - low) * width * 3;
  expect(grown / whole).toBeLessThan(0.5);
});
