/**
 * How Node loads the sources of this repository as they are: each file's types are stripped as it is
 * loaded.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";

export async function load(url, context, next) {
  if (!url.startsWith("file:") || !url.endsWith(".ts")) return next(url, context);
  return { format: "module", source: await javascript(url), shortCircuit: true };
}

async function javascript(url) {
  const path = fileURLToPath(url);
  const text = await readFile(path, "utf8");
  const options = { loader: "ts", target: "node20", sourcefile: path, sourcemap: "inline" };
  return (await transform(text, options)).code;
}
