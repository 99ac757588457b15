/**
 * Pages in a real Chromium, headless, with WebGPU on its own software device. Where there is none, `npm test` says
 * so and sets INARCH_BROWSER_TESTS=skip; everywhere else these tests run, and fail without one.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { type Browser, chromium } from "playwright-core";
import { repository } from "./command-line.ts";
import { type Server, type Site, serveSite } from "./page-server.ts";

const { findChromium, chromiumWords } = (await import(
  pathToFileURL(join(repository, "scripts", "chromium.mjs")).href
)) as { findChromium(): string | undefined; chromiumWords: string };

/** Its own software device, which has neither halves nor matrix fragments, and subgroups of four. */
const softwareGpu = [
  ...["--enable-unsafe-webgpu", "--enable-features=Vulkan", "--use-webgpu-adapter=swiftshader"],
];

/** A name of this machine that is no `localhost`: pages from there are not served securely. */
export const insecureHost = "page.test";

const flags = [
  ...["--no-sandbox", "--disable-dev-shm-usage"],
  `--host-resolver-rules=MAP ${insecureHost} 127.0.0.1`,
];

export interface ChromiumOptions {
  /** Whether there is a GPU: a software one, unless given. */
  readonly gpu?: "software" | "none";
}

export interface Page {
  /** Calls a function that the module exports. @throws what it throws, or what the page itself reports. */
  call<T>(name: string, ...args: readonly unknown[]): Promise<T>;
  readonly server: Server;
  /** Loads the page anew: what its modules knew is gone, and what the site keeps stays. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

export interface PageSite extends Site {
  readonly script: string;
  /** Under which name the page asks for it: `localhost` unless given. */
  readonly host?: string;
  /** What the page may call in the test, by name. */
  readonly functions?: Readonly<Record<string, () => Promise<unknown>>>;
}

export interface Chromium {
  readonly browser: Browser;
  /** Opens a site, with `script` as the module `/page.js`. */
  open(site: PageSite): Promise<Page>;
  close(): Promise<void>;
}

export async function openChromium({ gpu = "software" }: ChromiumOptions = {}): Promise<Chromium> {
  const executablePath = findChromium();
  if (!executablePath) throw new Error(`no Chromium is installed: ${chromiumWords}`);
  const browser = await chromium.launch({
    executablePath,
    args: gpu === "none" ? flags : [...flags, ...softwareGpu],
  });
  return {
    browser,
    open: (site) => openPage(browser, site),
    close: () => browser.close(),
  };
}

async function openPage(
  browser: Browser,
  { script, host = "localhost", functions = {}, ...site }: PageSite,
): Promise<Page> {
  const server = await serveSite({ ...site, files: { ...site.files, "/page.js": script } });
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  /** What nobody in the page has caught. */
  const uncaught: Error[] = [];
  page.on("pageerror", (error) => uncaught.push(error));
  for (const [name, work] of Object.entries(functions)) await page.exposeFunction(name, work);
  await page.goto(server.origin.replace("localhost", host));
  return {
    server,
    async call<T>(name: string, ...args: readonly unknown[]) {
      const result = await page.evaluate(callExport, { name, args });
      if (uncaught.length > 0) throw uncaught[0];
      return result as T;
    },
    async reload() {
      await page.reload();
    },
    async close() {
      await page.close();
      server.close();
    },
  };
}

/** Runs in the page. Of text, because the test's own process would translate an import here. */
const callExport = new Function(
  "given",
  'return import("/page.js").then((module) => module[given.name](...given.args));',
) as (given: { readonly name: string; readonly args: readonly unknown[] }) => Promise<unknown>;

/** A module and all that it imports, in one text. `source` imports the sources by `from`. */
export async function bundlePage(source: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: repository, loader: "ts" },
    bundle: true,
    platform: "browser",
    format: "esm",
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0]!.text;
}
