/**
 * Weights that a browser keeps: a later visit fetches none and computes the same. What goes when there is no room, what is fetched
 * again, and what is not kept.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { relativeError } from "../../verify/ops/evaluate.ts";
import {
  bundlePage,
  type Chromium,
  insecureHost,
  openChromium,
  type Page,
} from "../support/chromium.ts";
import { buildPackage, inarch, scratchFolder } from "../support/command-line.ts";
import { describeInBrowser } from "../support/device.ts";
import { mlp, mlpCheckpoint, mlpNumbers, mlpResult } from "../support/mlp.ts";
import { strictPolicy } from "../support/page-server.ts";

const folder = scratchFolder("browser-cache");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const source = `
import { openWeightsCache } from "./entries/page.ts";

const wrapper = (name) => "/" + name + "/tiny-mlp.mjs";

/** What the model computes, by weights of the cache; or the code of the error. */
export async function run(name, x, { bytes, url } = {}) {
  const cache = await openWeightsCache(bytes === undefined ? {} : { bytes });
  const { bundle, load, openDevice } = await import(wrapper(name));
  const notKept = [];
  try {
    const weights = await cache.weights(bundle, { url, onNotKept: ({ code }) => notKept.push(code) });
    const { device } = await openDevice({ kind: "cpu" });
    const model = await load(device, { weights });
    await weights.close();
    const { y } = await model.forward({ x: Float32Array.from(x) });
    await model.close();
    device.destroy();
    return { y: [...y], notKept, size: await cache.size() };
  } catch ({ code }) {
    return { code, notKept, size: await cache.size() };
  }
}

export async function close(name) {
  const cache = await openWeightsCache();
  const { bundle } = await import(wrapper(name));
  const weights = await cache.weights(bundle);
  await weights.close();
  return cache.size();
}

/** The bytes of the weights of a bundle. */
export const bytesOf = async (name) => (await import(wrapper(name))).bundle.weights.bytes;

/** Changes some bytes of everything that is kept. */
export async function damage(position) {
  const root = await navigator.storage.getDirectory();
  const kept = await root.getDirectoryHandle("inarch-weights");
  for await (const [name, handle] of kept.entries()) {
    if (!name.endsWith(".safetensors")) continue;
    const writer = await handle.createWritable({ keepExistingData: true });
    await writer.write({ type: "write", position, data: "damaged" });
    await writer.close();
  }
}

export async function clear() {
  const cache = await openWeightsCache();
  await cache.clear();
  return cache.size();
}

/** The same model, where all is removed by another tab once the weights are open. */
export async function cleared(name, x) {
  const cache = await openWeightsCache();
  const { bundle, load, openDevice } = await import(wrapper(name));
  const weights = await cache.weights(bundle);
  await clear();
  const { device } = await openDevice({ kind: "cpu" });
  const model = await load(device, { weights });
  await weights.close();
  const { y } = await model.forward({ x: Float32Array.from(x) });
  device.destroy();
  return [...y];
}

export const opened = () => openWeightsCache().then(() => "fine", ({ code }) => code);
`;

interface Ran {
  readonly y?: readonly number[];
  readonly code?: string;
  readonly notKept: readonly string[];
  readonly size: number;
}

describeInBrowser("weights that a browser keeps", () => {
  let chromium: Chromium;
  let files: Record<string, string | Uint8Array>;
  let script: string;
  let page: Page;
  let bytes: number;

  /** Whose weights were fetched since the last call. */
  let seen = 0;
  const fetched = () => {
    const all = page.server.requests.filter((path) => path.endsWith(".safetensors"));
    const since = all.slice(seen).map((path) => path.split("/")[1]);
    seen = all.length;
    return since;
  };
  /** The page as its browser's driver has it. */
  const tab = () => chromium.browser.contexts()[0]!.pages()[0]!;
  const run = (name: string, options: object = {}) =>
    page.call<Ran>("run", name, mlpNumbers.x, options);

  beforeAll(async () => {
    await buildPackage();
    files = {};
    for (const [name, change] of Object.entries({ first: {}, second: { "up.bias": 2 } })) {
      writeFileSync(join(folder, `${name}.safetensors`), mlpCheckpoint(undefined, change));
      const flags = ["--weights", `${name}.safetensors`, "--out", name, "--standalone"];
      const built = await inarch(["build", mlp, ...flags, "--profiles", "wasm"], folder);
      expect(built.code, built.stderr).toBe(0);
      for (const one of readdirSync(join(folder, name)))
        files[`/${name}/${one}`] = new Uint8Array(readFileSync(join(folder, name, one)));
    }
    for (const [path, content] of Object.entries(files)) {
      const isCut = path.startsWith("/first/") && path.endsWith(".safetensors");
      files[path.replace("/first/", "/cut/")] = isCut ? content.slice(0, -4) : content;
    }
    script = await bundlePage(source);
    chromium = await openChromium({ gpu: "none" });
    const policy = strictPolicy.replace(
      "script-src 'self'",
      "script-src 'self' 'wasm-unsafe-eval'",
    );
    page = await chromium.open({ script, files, policy });
    bytes = await page.call<number>("bytesOf", "first");
  });

  afterAll(async () => {
    await page?.close();
    await chromium?.close();
  });

  test("are fetched once, and give the same later", async () => {
    const first = await run("first");
    expect(relativeError([...first.y!], await mlpResult())).toBeLessThan(1e-5);
    expect([first.notKept, first.size, fetched()]).toEqual([[], bytes, ["first"]]);
    await page.reload();
    expect(await run("first")).toEqual(first);
    expect(fetched()).toEqual([]);
  });

  test("make room by what was used longest ago", async () => {
    await run("second");
    await run("first");
    expect(fetched()).toEqual(["second"]);
    const room = { bytes: 2 * bytes - 1 };
    // With room for one, the first stays while it is only read, and goes when the second is fetched anew.
    await page.call("clear");
    await run("first", room);
    const second = await run("second", room);
    expect([second.notKept, second.size]).toEqual([[], bytes]);
    fetched();
    await run("second", room);
    expect(fetched()).toEqual([]);
    await run("first", room);
    expect(fetched()).toEqual(["first"]);
  });

  test("E623: what is larger than the cache is used and not kept", async () => {
    await page.call("clear");
    const { y, notKept, size } = await run("first", { bytes: bytes - 1 });
    expect([y?.length, notKept, size]).toEqual([40, ["E623"], 0]);
    expect(fetched()).toEqual(["first"]);
  });

  test("that are not whole are not kept: they were cut off, not found, or closed before they had come", async () => {
    expect(await run("cut")).toEqual({ code: "E614", notKept: [], size: 0 });
    expect(await run("first", { url: "/none" })).toEqual({ code: "E613", notKept: [], size: 0 });
    expect([0, bytes]).toContain(await page.call("close", "first"));
    fetched();
  });

  test.each([
    ["their header", () => 20],
    ["a tensor", () => bytes - 7],
  ])("that were damaged are fetched again (%s)", async (_, position) => {
    const first = await run("first");
    await page.call("damage", position());
    fetched();
    expect(await run("first")).toEqual(first);
    expect(fetched()).toEqual(["first"]);
    expect(await run("first")).toEqual(first);
    expect(fetched()).toEqual([]);
  });

  test("are those of two tabs, which fetch them at once", async () => {
    await page.call("clear");
    const own = tab();
    const [other] = await Promise.all([
      own.waitForEvent("popup"),
      own.evaluate('void window.open("/")'),
    ]);
    const there = `import("/page.js").then(({ run }) => run("first", ${JSON.stringify(mlpNumbers.x)}))`;
    const [here, second] = await Promise.all([run("first"), other.evaluate(there)]);
    expect([here.y?.length, here.notKept, here.size]).toEqual([40, [], bytes]);
    expect(second).toEqual(here);
    fetched();
    expect(await other.evaluate(there)).toEqual(here);
    expect(fetched()).toEqual([]);
    await other.close();
  });

  test("come over the network where another tab removes them meanwhile", async () => {
    const { y } = await run("first");
    fetched();
    expect(await page.call("cleared", "first", mlpNumbers.x)).toEqual(y);
    expect(fetched()).toEqual(["first"]);
  });

  test("E623: where the browser's quota is full, they are used and not kept, or the oldest go", async () => {
    const devtools = await tab().context().newCDPSession(tab());
    const { origin } = page.server;
    await page.call("clear");
    const { usage } = await devtools.send("Storage.getUsageAndQuota", { origin });
    const allow = (quotaSize?: number) =>
      devtools.send("Storage.overrideQuotaForOrigin", {
        origin,
        ...(quotaSize === undefined ? {} : { quotaSize }),
      });
    await allow(usage + bytes / 2);
    const none = await run("first");
    expect([none.y?.length, none.notKept, none.size]).toEqual([40, ["E623"], 0]);
    await allow(usage + 1.5 * bytes);
    for (const name of ["first", "second"])
      expect(await run(name)).toMatchObject({ notKept: [], size: bytes });
    await allow();
    fetched();
    await run("second");
    expect(fetched()).toEqual([]);
  });

  test("are gone when the cache is cleared", async () => {
    await run("first");
    expect(await page.call("clear")).toBe(0);
  });

  test("E623: a page that is not served securely has no cache", async () => {
    const insecure = await chromium.open({ script, files, host: insecureHost });
    expect(await insecure.call("opened")).toBe("E623");
    await insecure.close();
  });
});
