/** `npm run studio`: builds the studio and serves it; `npm run studio -- --build` builds it alone, into out/studio. */
import { join } from "node:path";
import { main, root, say } from "./processes.mjs";
import { setUpToRun } from "./setup.mjs";

await main(async () => {
  await setUpToRun();
  // On a fresh checkout it was not there before.
  const { build, preview } = await import("vite");
  const configFile = join(root, "examples", "studio", "vite.config.mjs");
  await build({ configFile, logLevel: "warn" });
  if (process.argv.includes("--build")) {
    say(`wrote ${join("out", "studio")}: any server of files can serve it, from any folder`);
    return 0;
  }
  const server = await preview({ configFile, preview: { port: 4173, open: false } });
  say(`the studio is at ${server.resolvedUrls.local[0]} (Ctrl-C ends it)`);
  return new Promise((resolve) => process.once("SIGINT", () => resolve(0)));
});
