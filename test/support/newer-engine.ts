/** Tests that run in Node 24: `INARCH_NODE_24`, or what npx has of it. Nothing is fetched for them; without it they are counted as skipped. */
import { spawnSync } from "node:child_process";
import { describe } from "vitest";

function node24(): string | undefined {
  const asked = process.env.INARCH_NODE_24;
  if (asked) return asked;
  const words = ["--offline", "--yes", "-p", "node@24", "node", "-p", "process.execPath"];
  const { status, stdout } = spawnSync("npx", words, { encoding: "utf8", timeout: 20_000 });
  return status === 0 ? stdout.trim() : undefined;
}

/** The path of a Node 24; undefined without one. */
export const newer = node24();
if (!newer) console.warn("Node 24 is not tested: npx has none (npx -p node@24 node -v fetches it)");

/** `describe` where there is a Node 24. */
export const describeNewer = describe.skipIf(!newer);
