/** `npm run bench -- NAME [ARGUMENTS]`: runs one benchmark of the folder bench/. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { main, root, run, SetupError } from "./processes.mjs";
import { setUpToRun } from "./setup.mjs";

await main(async ([name, ...args]) => {
  const env = await setUpToRun();
  const script = join("dist", "bench", `${name}.js`);
  if (name !== undefined && existsSync(join(root, script))) {
    return run(process.execPath, [script, ...args], env);
  }
  const names = readdirSync(join(root, "bench")).map((file) => file.replace(/\.ts$/, ""));
  throw new SetupError(`npm run bench -- NAME, where NAME is one of: ${names.join(", ")}`);
});
