/**
 * `npm test`: set-up, formatting, lint, types, and the tests. Each of the first checks counts as
 * one; the last line is the sum. Arguments go to vitest: `npm test -- test/repository/tidy.test.ts`.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { findBrowser } from "./chromium.mjs";
import { findWebGpu } from "./driver.mjs";
import { main, root, run, SetupError, say } from "./processes.mjs";
import { setUp } from "./setup.mjs";

const counts = join(root, "out", "counts.json");
const tool = (...path) => join(root, "node_modules", ...path);

await main(async (args) => {
  const sum = { passed: 0, failed: 0, skipped: 0, skippedInBrowser: 0 };
  const missing = await runAll(args, sum);
  const notRun = (count, what, words) => {
    if (count > 0 && words)
      process.stdout.write(
        `NOT RUN: ${count} tests, since there is no ${what}. To run them: ${words}\n`,
      );
  };
  notRun(sum.skipped - sum.skippedInBrowser, "WebGPU device", missing.device);
  notRun(sum.skippedInBrowser, "Chromium", missing.browser);
  const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : "";
  process.stdout.write(`${sum.passed} passed, ${sum.failed} failed${skipped}\n`);
  return sum.failed === 0 ? 0 : 1;
});

/** @returns what to do for a WebGPU device and for a browser, where there is none. */
async function runAll(args, sum) {
  const ready = await setUp().catch((failure) => {
    if (!(failure instanceof SetupError)) throw failure;
    say(failure.message);
  });
  if (!ready) {
    sum.failed++;
    return {};
  }
  const { built } = ready;
  const device = await findWebGpu(ready.env);
  if (device.missing) say("no WebGPU device: the tests of WebGPU are not run, all others are");
  const browser = findBrowser(device.env);
  if (browser.missing) say("no Chromium: the tests in a browser are not run, all others are");
  const { env } = browser;
  const node = (...command) => run(process.execPath, command, env);
  const biome = (...flags) => node(tool("@biomejs", "biome", "bin", "biome"), "check", ...flags);
  await check("formatting", sum, () => biome("--linter-enabled=false"));
  await check("lint", sum, () =>
    biome("--formatter-enabled=false", "--assist-enabled=false", "--error-on-warnings"),
  );
  // The build leaves out tests and examples; its own failure, whatever the cause, counts here too.
  await check("types", sum, async () => {
    const tsc = (project) => node(tool("typescript", "bin", "tsc"), "--noEmit", "-p", project);
    let code = 0;
    for (const project of ["tsconfig.json", "tsconfig.page.json", "tsconfig.node.json"])
      code ||= await tsc(project);
    if (code === 0 && !built.ok) say(`dist cannot be built:\n${built.output}`);
    return built.ok ? code : 1;
  });
  await runTests(args, sum, env);
  return { device: device.missing, browser: browser.missing };
}

async function check(name, sum, work) {
  const code = await work();
  say(code === 0 ? `${name}: right` : `${name}: FAILED`);
  sum[code === 0 ? "passed" : "failed"]++;
}

async function runTests(args, sum, env) {
  rmSync(counts, { force: true });
  const code = await run(
    process.execPath,
    [
      tool("vitest", "vitest.mjs"),
      "run",
      "--reporter=default",
      `--reporter=${join(root, "scripts", "counts.mjs")}`,
      ...args,
    ],
    { ...env, INARCH_COUNTS: counts },
  );
  const result = existsSync(counts) ? JSON.parse(readFileSync(counts, "utf8")) : {};
  for (const [name, number] of Object.entries(result)) sum[name] += number;
  // A run that ended badly without saying where is a failure nonetheless.
  if (code === 0 || result.failed > 0) return;
  say(`the tests ended with code ${code}`);
  sum.failed++;
}
