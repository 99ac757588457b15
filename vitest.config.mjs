/**
 * How the tests run. A process for each file: a native crash of Dawn then takes one file with it,
 * which fails, and every file gets a device of its own.
 */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { build } from "./scripts/build.mjs";
import { builtSources } from "./scripts/built-sources.mjs";

/** They load a module anew or another in its place, or read lines of sources in this process, which only sources let them. */
const replacing = [
  "test/build/plugins/plugins.test.ts",
  "test/compiler/tile/lowering.test.ts",
  "test/compiler/tile/shuffles.test.ts",
  "test/runtime/node/lent.test.ts",
  "test/runtime/node/native-unasked.test.ts",
];
const all = ["test/**/*.test.ts"];

// Who watches changes sources; and those that do not compile can be tested all the same.
const isBuilt = process.argv.includes("run") && (await build()).ok;

export default defineConfig({
  test: {
    projects: isBuilt
      ? [
          {
            extends: true,
            plugins: [builtSources],
            test: {
              name: "built",
              include: all,
              exclude: replacing,
              server: { deps: { external: [/\/dist\//] } },
            },
          },
          { extends: true, test: { name: "sources", include: replacing } },
        ]
      : [{ extends: true, test: { name: "sources", include: all } }],
    // By its whole path: the tests of the counts run under another root.
    setupFiles: [fileURLToPath(new URL("test/support/verify-kernels.ts", import.meta.url))],
    pool: "forks",
    // What was compiled and timed for the one who runs the tests is no part of them.
    env: { XDG_CACHE_HOME: fileURLToPath(new URL("node_modules/.cache", import.meta.url)) },
    // The software device uses every core by itself, so more files at once only wait for each other.
    maxWorkers: Math.min(availableParallelism(), 4),
    // These end what hangs; nothing is timed. A loaded machine was seen to need four times as long.
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
