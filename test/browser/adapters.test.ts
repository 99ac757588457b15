/** Adapters of a generated bundle in a page: they change while it runs, and the browser compiles nothing. */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildAdapters, writeAdapters } from "../support/adapters-built.ts";
import { type Chromium, openChromium, type Page } from "../support/chromium.ts";
import { buildPackage, scratchFolder } from "../support/command-line.ts";
import { describeInBrowser } from "../support/device.ts";
import { x } from "../support/two-adapters.ts";

const folder = scratchFolder("browser-adapters");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = `
import { load, openDevice } from "/halves/halves.mjs";

const counts = { modules: 0, pipelines: 0 };
const counted = (name, what) => {
  const own = GPUDevice.prototype[name];
  GPUDevice.prototype[name] = function (...given) {
    counts[what]++;
    return own.apply(this, given);
  };
};

export async function run(kind, x) {
  if (kind === "webgpu") {
    counted("createShaderModule", "modules");
    counted("createComputePipelineAsync", "pipelines");
    counted("createComputePipeline", "pipelines");
  }
  const { device } = await openDevice({ kind });
  const model = await load(device);
  const memory = model.memory();
  const before = { ...counts };
  const results = [];
  for (const name of ["first", "second", "first", "second"]) {
    await model.use(name);
    results.push([...(await model.both({ x })).y]);
  }
  const after = { ...counts };
  await model.close();
  device.destroy();
  return { results, before, after, isSame: JSON.stringify(memory) === JSON.stringify(model.memory()) };
}
`;

interface Ran {
  readonly results: readonly (readonly number[])[];
  readonly before: Readonly<Record<string, number>>;
  readonly after: Readonly<Record<string, number>>;
  readonly isSame: boolean;
}

describeInBrowser("adapters in Chromium", () => {
  let chromium: Chromium;
  let page: Page;
  let wanted: Awaited<ReturnType<typeof writeAdapters>>;

  beforeAll(async () => {
    await buildPackage();
    wanted = await writeAdapters(folder);
    const built = await buildAdapters(folder, "halves", "--standalone", "--program", "both");
    expect(built.code, built.stderr).toBe(0);
    const files = Object.fromEntries(
      readdirSync(join(folder, "halves")).map((name) => [
        `/halves/${name}`,
        new Uint8Array(readFileSync(join(folder, "halves", name))),
      ]),
    );
    chromium = await openChromium();
    page = await chromium.open({ script, files });
  });

  afterAll(async () => {
    await page.close();
    await chromium.close();
  });

  test.each(["webgpu", "cpu"])("on %s", async (kind) => {
    const { results, before, after, isSame } = await page.call<Ran>("run", kind, x);
    if (kind === "webgpu") expect(before.pipelines).toBeGreaterThan(0);
    expect(after).toEqual(before);
    expect(isSame).toBe(true);
    const { first, second } = wanted;
    for (const [i, { y }] of [first, second, first, second].entries())
      expect(Math.max(...results[i]!.map((v, at) => Math.abs(v - y[at]!)))).toBeLessThan(1e-5);
    expect(results[2]).toEqual(results[0]);
    expect(results[1]).not.toEqual(results[0]);
    // Each file is fetched once, whatever is asked for.
    const fetched = page.server.requests.filter((path) => path.includes("/adapter-"));
    expect(new Set(fetched).size).toBe(2);
  });
});
