/** `npm start`: from a fresh checkout to pictures; segments a picture with the small SAM. */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { main, root, run, say } from "./processes.mjs";
import { setUpToRun } from "./setup.mjs";

const fixtures = join("test", "fixtures");
const output = join("out", "start");

await main(async () => {
  const env = await setUpToRun();
  rmSync(join(root, output), { recursive: true, force: true });
  const command = [
    ...["segment", join(fixtures, "scene.png")],
    ...["--weights", join(fixtures, "sam_nano.pth")],
    ...["--config", join(fixtures, "sam_nano.config.json")],
    ...["--point", "166,104"],
    ...["--out", output],
  ];
  say(`inarch ${command.join(" ")}`);
  const code = await run(process.execPath, [join("dist", "cli", "main.js"), ...command], env);
  if (code !== 0) return code;
  for (const name of readdirSync(join(root, output)).sort()) say(join(output, name));
  say("the small SAM has random weights, made to check numbers: its mask means nothing");
  say(
    "for real masks: node dist/cli/main.js segment PICTURE --weights sam_vit_b_01ec64.pth --point X,Y --out masks",
  );
  return 0;
});
