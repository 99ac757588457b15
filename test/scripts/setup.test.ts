/** The scripts that make a fresh checkout ready: what they decide, on data. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { buildPackage } from "../support/command-line.ts";

const repository = dirname(dirname(import.meta.dirname));
const folder = mkdtempSync(join(tmpdir(), "inarch-setup-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = (name: string) => pathToFileURL(join(repository, "scripts", name)).href;
const { backportsSource, installWords, majorVersion } = (await import(script("mesa.mjs"))) as {
  backportsSource(text: string, suite: string): string | undefined;
  installWords(system: Record<string, string>): string;
  majorVersion(version: string): number;
};
const { findWebGpu } = (await import(script("driver.mjs"))) as {
  findWebGpu(env: NodeJS.ProcessEnv): Promise<{ env: NodeJS.ProcessEnv; missing?: string }>;
};
const { findBrowser, findChromium } = (await import(script("chromium.mjs"))) as {
  findBrowser(env: NodeJS.ProcessEnv, path?: string): { env: NodeJS.ProcessEnv; missing?: string };
  findChromium(env: NodeJS.ProcessEnv): string | undefined;
};
const { satisfies } = (await import(script("setup.mjs"))) as {
  satisfies(version: string, range: string): boolean;
};

describe("backports come from where the system's own packages come from", () => {
  const cases: [claim: string, text: string, source: string | undefined][] = [
    [
      "the first stanza alone, without its comments",
      `Types: deb
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/archive.gpg

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main
`,
      `Types: deb
URIs: http://mirror.example/debian
Suites: bookworm-backports
Components: main
Signed-By: /usr/share/keyrings/archive.gpg
`,
    ],
    [
      "the first line of the older format",
      `# deb http://old.example/debian bookworm main
deb-src http://mirror.example/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/archive.gpg] http://mirror.example/debian bookworm main contrib
deb http://mirror.example/security bookworm-security main
`,
      `Types: deb
URIs: http://mirror.example/debian
Suites: bookworm-backports
Components: main contrib
Signed-By: /usr/share/keyrings/archive.gpg
`,
    ],
    ["nothing where there is no source", "# empty\n", undefined],
  ];
  test.each(cases)("%s", (_, text, source) => {
    expect(backportsSource(text, "bookworm-backports")).toBe(source);
  });
});

test.each([
  ["22.3.6-1+deb12u1", 22],
  ["25.0.7-2~bpo12+1", 25],
  ["1:26.2.6-1", 26],
  ["(none)", 0],
  ["", 0],
])("the major version of %s is %i", (version, major) => {
  expect(majorVersion(version)).toBe(major);
});

test.each([
  [{ ID: "debian" }, "sudo node scripts/setup.mjs driver"],
  [{ ID: "linuxmint", ID_LIKE: "ubuntu debian" }, "sudo node scripts/setup.mjs driver"],
  [{ ID: "fedora" }, "sudo dnf install vulkan-loader mesa-vulkan-drivers"],
  [{ ID: "arch" }, "sudo pacman -S vulkan-icd-loader vulkan-swrast"],
  [{ ID: "nixos" }, "install the Vulkan loader and Mesa's lavapipe driver, version 25 or newer"],
])("who may not install a driver on %o is told what to type", (system, words) => {
  expect(installWords(system)).toBe(words);
});

test("without a driver the tests of WebGPU are left out, and one line says what to do", async () => {
  await buildPackage();
  const { VK_ICD_FILENAMES: _, DAWNNODE_BACKEND: __, ...others } = process.env;
  const found = await findWebGpu({ ...others, VK_DRIVER_FILES: join(folder, "none.json") });
  expect(found.env.INARCH_WEBGPU_TESTS).toBe("skip");
  expect(found.missing).toMatch(/^no WebGPU device: .*; .+$|^.* VK_DRIVER_FILES, or let it name/);
  expect(found.missing).not.toContain("\n");
});

describe("a browser for the tests in one", () => {
  const bin = join(folder, "bin");

  test("is what INARCH_CHROMIUM names, or lies on PATH under a usual name", () => {
    mkdirSync(bin);
    writeFileSync(join(bin, "chromium-browser"), "");
    expect(findChromium({ PATH: `${folder}${delimiter}${bin}` })).toBe(
      join(bin, "chromium-browser"),
    );
    expect(findChromium({ PATH: bin, INARCH_CHROMIUM: "mine" })).toBe("mine");
    expect(findBrowser({ PATH: bin })).toEqual({ env: { PATH: bin }, missing: undefined });
  });

  test("is missed in one line, and its tests are left out, unless it is required", () => {
    const found = findBrowser({ PATH: folder }, "");
    expect(found.env.INARCH_BROWSER_TESTS).toBe("skip");
    expect(found.missing).toMatch(/^.*install.*, or let INARCH_CHROMIUM name one$/);
    const required = { PATH: folder, INARCH_REQUIRE: "chromium" };
    expect(findBrowser(required, "")).toEqual({ env: required, missing: undefined });
  });
});

test.each([
  ["18.20.8", false],
  ["20.18.1", false],
  ["20.19.0", true],
  ["21.7.3", false],
  ["22.11.0", false],
  ["22.12.0", true],
  ["23.11.0", false],
  ["24.0.0", true],
  ["26.1.0", true],
])("Node %s is supported: %s", (version, supported) => {
  expect(satisfies(version, "^20.19.0 || ^22.12.0 || >=24.0.0")).toBe(supported);
});

describe("one set-up at a time", () => {
  const enter = (lock: string) =>
    promisify(execFile)(process.execPath, [
      "--input-type=module",
      "--eval",
      `import { alone } from "${script("lock.mjs")}";
       await alone(async () => {
         const from = Date.now();
         await new Promise((done) => setTimeout(done, 150));
         console.log("busy " + from + " " + Date.now());
       }, ${JSON.stringify(lock)});`,
    ]);
  const busy = (stdout: string) =>
    stdout
      .match(/busy (\d+) (\d+)/)!
      .slice(1)
      .map(Number);

  test("the second waits for the first", async () => {
    const lock = join(folder, "two.lock");
    const runs = await Promise.all([enter(lock), enter(lock), enter(lock)]);
    const spans = runs.map(({ stdout }) => busy(stdout)).sort((a, b) => a[0]! - b[0]!);
    expect(spans[1]![0]).toBeGreaterThanOrEqual(spans[0]![1]!);
    expect(spans[2]![0]).toBeGreaterThanOrEqual(spans[1]![1]!);
  });

  test("a lock whose holder is dead holds nobody up", async () => {
    const lock = join(folder, "dead.lock");
    const { pid } = await ended();
    writeFileSync(lock, String(pid));
    expect((await enter(lock)).stdout).toMatch(/busy/);
  });

  const ended = () =>
    new Promise<{ pid: number }>((resolve) => {
      const child = execFile(process.execPath, ["--version"], () => resolve({ pid: child.pid! }));
    });
});

test("every way in which a test file can go wrong is counted as a failure", async () => {
  const place = join(repository, "out", `counts-${process.pid}`);
  const files = {
    "right.test.ts": `test("one", () => {}); test("two", () => {});`,
    "wrong.test.ts": `test("one", () => { throw 1; }); test("two", () => {});`,
    "unloaded.test.ts": `await import("./missing.ts");`,
    "died.test.ts": `test("one", () => process.kill(process.pid, "SIGSEGV")); test("two", () => {});`,
  };
  mkdirSync(join(place, "test"), { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(place, "test", name), `import { test } from "vitest";\n${text}`);
  }
  try {
    const counts = await countTests(place);
    // One test and one file failed; two tests were lost, with one error for the process that died.
    expect(counts).toEqual({ passed: 3, failed: 5, skipped: 0, skippedInBrowser: 0 });
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
});

/** Runs the tests under `place` with the repository's own settings. */
async function countTests(place: string) {
  const counts = join(place, "counts.json");
  const reporter = `--reporter=${join(repository, "scripts", "counts.mjs")}`;
  const vitest = join(repository, "node_modules", "vitest", "vitest.mjs");
  await promisify(execFile)(process.execPath, [vitest, "run", "--root", place, reporter], {
    env: { ...process.env, INARCH_COUNTS: counts },
  }).catch(() => undefined);
  return JSON.parse(readFileSync(counts, "utf8"));
}
