/** The memory that a run's process is said to take, against the most that it has taken. */
import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";
import { beforeAll, expect, test } from "vitest";
import { buildPackage, repository } from "../../support/command-line.ts";
import { tinyRuns } from "../../support/tiny-run.ts";

const { folder, request } = await tinyRuns(4);
beforeAll(buildPackage);

/** A process of its own: what tests took before is not the run's. */
const script = `
import { train } from "inarch/study";
let forecast;
const asked = JSON.parse(process.argv[1]);
await train({ ...asked, onForecast: (told) => { forecast = told.process; } });
console.log(JSON.stringify({ forecast, peak: 1024 * process.resourceUsage().maxRSS }));
`;

async function drawLarge(side: number, count: number) {
  const [pictures, masks] = [join(folder, "large"), join(folder, "large-masks")];
  for (const at of [pictures, masks]) mkdirSync(at);
  const create = (channels: 3, background: string) =>
    sharp({ create: { width: side, height: side, channels, background } });
  for (let i = 0; i < count; i++) {
    await create(3, "#346")
      .png()
      .toFile(join(pictures, `${i}.png`));
    const half = { width: side, height: side / 2, channels: 3, background: "#fff" } as const;
    await create(3, "#000")
      .composite([{ input: { create: half }, top: 0, left: 0 }])
      .toColourspace("b-w")
      .png()
      .toFile(join(masks, `${i}.png`));
  }
  const half = { kind: "mask", folder: masks } as const;
  return { set: { format: "folders", pictures, targets: { half } } } as const;
}

test.each(["small", "large"])("of %s pictures is forecast within a quarter", async (size) => {
  const more = size === "large" ? await drawLarge(1024, 12) : {};
  const settings = { steps: 4, validateEvery: 4 };
  const asked = JSON.stringify(request(`run-${size}`, { ...more, settings }));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "-e", script, asked],
    { cwd: repository },
  );
  const { forecast, peak } = JSON.parse(stdout) as Readonly<Record<"forecast" | "peak", number>>;
  expect(peak / forecast).toBeGreaterThan(0.75);
  expect(peak / forecast).toBeLessThan(1.25);
});
