/**
 * How Node loads the sources of this repository as they are: each file's types are stripped as it is
 * loaded. A fault of `faults/` is put back on the way.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";

const repository = fileURLToPath(new URL("../../", import.meta.url));

let changes = [];

export async function initialize({ fault }) {
  if (fault === undefined) return;
  const { faults } = await import(await bundled(new URL("faults/index.ts", import.meta.url)));
  const found = faults.find(({ name }) => name === fault);
  if (!found) throw new RangeError(`there is no fault ${fault}`);
  changes = found.changes;
}

export async function load(url, context, next) {
  if (!url.startsWith("file:") || !url.endsWith(".ts")) return next(url, context);
  return { format: "module", source: await javascript(url), shortCircuit: true };
}

async function javascript(url) {
  const path = fileURLToPath(url);
  let text = await readFile(path, "utf8");
  for (const { file, find, replace } of changes) {
    if (path !== join(repository, file)) continue;
    const parts = text.split(find);
    if (parts.length !== 2) throw new RangeError(`${file} has ${parts.length - 1} times: ${find}`);
    text = parts.join(replace);
  }
  const options = { loader: "ts", target: "node20", sourcefile: path, sourcemap: "inline" };
  return (await transform(text, options)).code;
}

/** A module with all that it imports, as an address: these hooks do not load sources for themselves. */
async function bundled(url) {
  const entryPoints = [fileURLToPath(url)];
  const { outputFiles } = await build({ entryPoints, bundle: true, format: "esm", write: false });
  return `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`;
}
