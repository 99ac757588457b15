/** `npm start`: from a fresh checkout to pictures; fine-tunes a small SAM in two ways. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { main, root, run, say } from "./processes.mjs";
import { setUpToRun } from "./setup.mjs";

const output = join("out", "start");

await main(async () => {
  const env = await setUpToRun();
  rmSync(join(root, output), { recursive: true, force: true });
  const command = [join("examples", "07-fine-tune.mjs"), "--out", output];
  say(`node ${command.join(" ")}`);
  const code = await run(process.execPath, command, env);
  if (code !== 0) return code;
  say("the small SAM knows drawn scenes alone. Masks of photographs, with a published checkpoint:");
  say(
    "node dist/cli/main.js segment PICTURE --weights sam_vit_b_01ec64.pth --point X,Y --out masks",
  );
  return 0;
});
