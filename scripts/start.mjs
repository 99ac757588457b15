/** `npm start`: from a fresh checkout to a report: a small SAM is fine-tuned in three ways, by `inarch train`. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { main, root, run, say } from "./processes.mjs";
import { setUpToRun } from "./setup.mjs";

const output = join("out", "start");
const set = join(output, "set");
const inarch = join("dist", "cli", "main.js");
const methods = ["decoder-only", "lora", "conv-lora"];

const folders = ["train", "held-out"].flatMap((part, i) => {
  const flags = i === 0 ? ["--pictures", "--masks"] : ["--val-pictures", "--val-masks"];
  return [flags[0], join(set, part, "pictures"), flags[1], join(set, part, "masks")];
});
const settings = ["--steps", "45", "--rate", "3e-3", "--validate-every", "15"];
const weights = ["--weights", join("examples", "small-sam", "small-sam.safetensors")];

const commands = [
  [join("examples", "start", "draw.mjs"), set],
  ...methods.map((method) => [
    ...[inarch, "train", ...folders, ...weights, "--method", method, ...settings],
    ...["--out", join(output, method)],
  ]),
  [join("examples", "start", "report.mjs"), output, ...methods],
];

await main(async () => {
  const env = await setUpToRun();
  rmSync(join(root, output), { recursive: true, force: true });
  for (const command of commands) {
    say(`node ${command.join(" ")}`);
    const code = await run(process.execPath, command, env);
    if (code !== 0) return code;
  }
  say(
    "your own pictures: inarch train --pictures DIR --masks DIR --weights sam_vit_b_01ec64.pth --out run",
  );
  return 0;
});
