/** Runs a script in a page of Chromium, which gives its result back to a server of the test's own. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** INARCH_CHROMIUM, or what the system calls it; undefined where there is none. */
export function findChromium(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const { INARCH_CHROMIUM, PATH = "" } = environment;
  if (INARCH_CHROMIUM) return INARCH_CHROMIUM;
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  return [
    ...PATH.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name))),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  ].find((path) => existsSync(path));
}

export interface Page {
  /** The text of a module whose default export is called; the page gives back what it resolves to, as JSON. */
  readonly script: string;
  /** What it can fetch, by path. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** Whether it is isolated from other origins: its memory can then be shared with threads. */
  readonly isolated: boolean;
}

/** @throws what the script throws, or where the browser ends before it has an answer. */
export async function inChromium(browser: string, page: Page): Promise<unknown> {
  const profile = mkdtempSync(join(tmpdir(), "inarch-chromium-"));
  let answer: (text: string) => void = () => {};
  const answered = new Promise<string>((resolve) => {
    answer = resolve;
  });
  const server = await serve(page, answer);
  const { port } = server.address() as AddressInfo;
  const child = spawn(browser, [
    ...flags,
    `--user-data-dir=${profile}`,
    `http://localhost:${port}/`,
  ]);
  try {
    const text = await Promise.race([answered, endOf(child)]);
    const { result, failure } = JSON.parse(text) as { result?: unknown; failure?: string };
    if (failure !== undefined) throw new Error(failure);
    return result;
  } finally {
    const ended = new Promise((resolve) => child.once("close", resolve));
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await ended;
    }
    server.closeAllConnections();
    server.close();
    // Its own children may still write there for a moment.
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

const flags = [
  ...["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  ...["--no-first-run", "--disable-extensions", "--disable-background-networking"],
];

const html = `<!doctype html><meta charset="utf-8" /><script type="module">
  const send = (answer) => fetch("/answer", { method: "POST", body: JSON.stringify(answer) });
  try {
    const { default: run } = await import("/page.js");
    await send({ result: await run() });
  } catch (error) {
    await send({ failure: String(error?.stack ?? error) });
  }
</script>`;

function serve({ script, files, isolated }: Page, answer: (text: string) => void) {
  const isolation = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
  };
  const all: Page["files"] = { "/": html, "/page.js": script, ...files };
  const server = createServer(async (request, response) => {
    const path = request.url ?? "/";
    if (path === "/answer") {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      response.end();
      answer(Buffer.concat(chunks).toString("utf8"));
      return;
    }
    const type = path === "/" ? "text/html" : path.endsWith(".js") ? "text/javascript" : "";
    const found = Object.hasOwn(all, path);
    response.writeHead(found ? 200 : 404, {
      "content-type": type || "application/octet-stream",
      ...(isolated ? isolation : {}),
    });
    response.end(found ? all[path] : "");
  });
  return new Promise<Server>((resolve) => server.listen(0, "localhost", () => resolve(server)));
}

function endOf(child: ChildProcess): Promise<never> {
  const told: string[] = [];
  child.stderr?.on("data", (chunk: Buffer) => told.push(chunk.toString("utf8")));
  return new Promise((_, reject) => {
    child.on("error", reject);
    child.on("close", (code) =>
      reject(new Error(`Chromium ended with ${code}:\n${told.join("").slice(-2000)}`)),
    );
  });
}
