/** The model of `two-adapters.ts` as a user's file, with two adapters built into a bundle. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { lora } from "../../adapters/index.ts";
import { file, inarch } from "./command-line.ts";
import { baseFile, trained } from "./two-adapters.ts";

const graph = `import { adapt, defineModel, input } from "inarch";
import { lora } from "inarch/adapters";
import { linear } from "inarch/models";
import { relu } from "inarch/ops";

const x = (name) => input(name, "f32", [2, 2, 3, 6]);
const layer = (p, rows) => linear(p.forTask(1), rows, 6, 6);
const halves = defineModel({
  name: "halves",
  programs: {
    encode: (p) => ({ z: relu(layer(p.at("a"), x("x"))) }),
    decode: (p) => ({ y: layer(p.at("b"), x("z")) }),
    both: (p) => ({ y: layer(p.at("b"), relu(layer(p.at("a"), x("x")))) }),
  },
});
export default adapt(halves, lora({ rank: 2, alpha: 6 }), { where: "**" });
`;

/** Writes the model, its base and the files `first` and `second`; returns what training computed with each. */
export async function writeAdapters(folder: string) {
  const low = lora({ rank: 2, alpha: 6 });
  const [first, second] = [await trained(low, 0.05, ["b.bias"]), await trained(low, 0.2)];
  file(folder, "halves.graph.ts", graph);
  for (const [name, bytes] of [
    ["base", baseFile()],
    ["other", baseFile(40)],
    ["first", first.bytes],
    ["second", second.bytes],
  ] as const)
    writeFileSync(join(folder, `${name}.safetensors`), bytes);
  return { first, second };
}

export const buildAdapters = (folder: string, out: string, ...more: string[]) =>
  inarch(
    [
      ...["build", "halves.graph.ts", "--out", out, "--weights", "base.safetensors"],
      ...["--adapter", "first.safetensors", "--adapter", "second.safetensors", ...more],
    ],
    folder,
  );
