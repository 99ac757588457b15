/** A model in a real worker, by `serve` and `connect`: the same numbers, progress, an abort, a script that is not there. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { relativeError } from "../../verify/ops/evaluate.ts";
import { bundlePage, type Chromium, openChromium, type Page } from "../support/chromium.ts";
import { buildPackage, inarch, scratchFolder } from "../support/command-line.ts";
import { describeInBrowser } from "../support/device.ts";
import { mlp, mlpCheckpoint, mlpNumbers, mlpResult } from "../support/mlp.ts";
import { strictPolicy } from "../support/page-server.ts";

const folder = scratchFolder("browser-worker");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const worker = `
import { serve } from "./entries/page.ts";
const own = "/mlp/tiny-mlp.mjs";
serve(async (loading) => {
  const { load, openDevice } = await import(own);
  return load((await openDevice({ kind: "webgpu" })).device, loading);
});
`;

const page = `
import { connect } from "./entries/page.ts";
const open = (name = "/worker.js") => new Worker(name, { type: "module" });

export async function run(x) {
  const worker = open();
  const told = new Set();
  const model = await connect(worker, { onProgress: (done, total, unit) => told.add(unit) });
  const { y } = await model.forward({ x: Float32Array.from(x) });
  const controller = new AbortController();
  const aborted = model.forward({ x }, { signal: controller.signal }).catch((error) => error.name);
  controller.abort();
  const { y: again } = await model.forward({ x });
  const refused = await model.forward({ x: [1] }).catch((error) => error.code);
  await model.close();
  worker.terminate();
  return { y: [...y], again: [...again], told: [...told].sort(), aborted: await aborted, refused, profile: model.profile };
}

export async function aborted() {
  const controller = new AbortController();
  const connecting = connect(open(), { signal: controller.signal });
  controller.abort(new RangeError("enough"));
  return connecting.catch((error) => String(error));
}

export const missing = async () => connect(open("/none.js")).catch((error) => [error.code, error.message]);
`;

interface Ran {
  readonly y: readonly number[];
  readonly again: readonly number[];
  readonly told: readonly string[];
  readonly aborted: string;
  readonly refused: string;
  readonly profile: string;
}

describeInBrowser("a model in a worker", () => {
  let chromium: Chromium;
  let opened: Page;

  beforeAll(async () => {
    await buildPackage();
    writeFileSync(join(folder, "mlp.safetensors"), mlpCheckpoint());
    const flags = ["--weights", "mlp.safetensors", "--out", "mlp", "--standalone"];
    const built = await inarch(["build", mlp, ...flags, "--profiles", "default"], folder);
    expect(built.code, built.stderr).toBe(0);
    const files: Record<string, string | Uint8Array> = Object.fromEntries(
      readdirSync(join(folder, "mlp")).map((name) => [
        `/mlp/${name}`,
        new Uint8Array(readFileSync(join(folder, "mlp", name))),
      ]),
    );
    files["/worker.js"] = await bundlePage(worker);
    chromium = await openChromium();
    // No text becomes code; trusted types would ask for a policy of the page's own for a worker's address.
    const policy = strictPolicy.replace(/; require-trusted-types.*/, "");
    opened = await chromium.open({ script: await bundlePage(page), files, policy });
  });

  afterAll(async () => {
    await opened?.close();
    await chromium?.close();
  });

  test("computes what the model says, reports, and is aborted", async () => {
    const ran = await opened.call<Ran>("run", mlpNumbers.x);
    expect(relativeError([...ran.y], await mlpResult())).toBeLessThan(1e-5);
    expect(ran).toMatchObject({
      again: ran.y,
      told: ["bytes of weights", "kernels"],
      aborted: "AbortError",
      refused: "E420",
      profile: "default",
    });
  });

  test("is aborted while it is loaded", async () => {
    expect(await opened.call("aborted")).toBe("RangeError: enough");
  });

  test("E414: a script that is not there", async () => {
    expect(await opened.call("missing")).toEqual([
      "E414",
      expect.stringContaining("the worker fails"),
    ]);
  });
});
