/**
 * `npm run bench` compares inarch with its peers; `npm run bench -- NAME [ARGUMENTS]` runs one
 * benchmark of the folder bench/. Peers are installed when a comparison needs them.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { installPeers } from "./peers.mjs";
import { main, root, run, SetupError } from "./processes.mjs";
import { setUpToRun } from "./setup.mjs";

await main(async (given) => {
  const [name, ...args] = (given[0]?.startsWith("--") ?? true) ? ["compare", ...given] : given;
  const env = await setUpToRun();
  const script = join("dist", "bench", `${name}.js`);
  if (!existsSync(join(root, script))) {
    const names = readdirSync(join(root, "bench")).flatMap(
      (file) => /^(.*)\.ts$/.exec(file)?.[1] ?? [],
    );
    throw new SetupError(`npm run bench -- NAME, where NAME is one of: ${names.join(", ")}`);
  }
  if (name === "compare" && !args.includes("--list")) env.INARCH_PEERS = await installPeers();
  return run(process.execPath, [script, ...args], env);
});
