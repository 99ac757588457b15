/** A small server of pages for tests: with isolation from other origins and without, under a policy of content. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Site {
  /** What can be fetched, by path; `/` is an empty page unless it is here. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** Whether pages are isolated from other origins: their memory can then be shared with threads. */
  readonly isolated?: boolean;
  /** The policy of content: what pages may load and run. */
  readonly policy?: string;
}

/** Nothing but files of the site: no text becomes code, no address of data becomes a script. */
export const strictPolicy = [
  "default-src 'none'",
  ...["script-src", "connect-src", "worker-src"].map((name) => `${name} 'self'`),
  "require-trusted-types-for 'script'",
].join("; ");

export interface Server {
  /** Where the site is: `http://localhost:PORT`. */
  readonly origin: string;
  /** Paths that were asked for, in order. */
  readonly requests: readonly string[];
  close(): void;
}

export async function serveSite(site: Site): Promise<Server> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(pathOf(request));
    answer(site, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    requests,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const pathOf = ({ url = "/" }: IncomingMessage) => new URL(url, "http://localhost").pathname;

const types: Readonly<Record<string, string>> = {
  ...{ html: "text/html; charset=utf-8", js: "text/javascript", mjs: "text/javascript" },
  ...{ json: "application/json", wasm: "application/wasm", png: "image/png", css: "text/css" },
};

const empty =
  '<!doctype html><meta charset="utf-8" /><title>inarch</title><link rel="icon" href="data:," />';

function answer(site: Site, request: IncomingMessage, response: ServerResponse): void {
  const path = pathOf(request);
  const files: Site["files"] = { "/": empty, ...site.files };
  const ending = path.endsWith("/") ? "html" : (/\.(\w+)$/.exec(path)?.[1] ?? "");
  response.writeHead(Object.hasOwn(files, path) ? 200 : 404, {
    "content-type": types[ending] ?? "application/octet-stream",
    ...(site.isolated ? isolation : {}),
    ...(site.policy ? { "content-security-policy": site.policy } : {}),
  });
  response.end(files[path] ?? "");
}

const isolation = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};
