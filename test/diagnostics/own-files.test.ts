/** Which files are inarch's own: places in the user's source are found by leaving those out. */
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { captureSpan, isOwnFile } from "../../diagnostics/span.ts";
import { buildPackage, repository } from "../support/command-line.ts";

const usersFolders = ["bench", "docs", "examples", "out", "scripts", "test", "node_modules"];

describe("a checkout's own files", () => {
  test("lie in every folder of the package, and in dist/", () => {
    const folders = readdirSync(repository, { withFileTypes: true }).filter(
      (entry) => entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "dist",
    );
    for (const { name } of folders) {
      const isOwn = !usersFolders.includes(name);
      expect(isOwnFile(join(repository, name, "x.ts")), name).toBe(isOwn);
      expect(isOwnFile(join(repository, "dist", name, "x.js")), name).toBe(isOwn);
    }
  });

  test("are not those that a user puts beside them", () => {
    for (const path of ["net.graph.ts", "my-models/net.graph.ts", "opsy/net.ts"])
      expect(isOwnFile(join(repository, path)), path).toBe(false);
  });

  test("are not this test", () => {
    expect(captureSpan().resolve()?.file).toContain("own-files.test.ts");
  });
});

/** What a clone that was built knows of files; its folder's name needs encoding in an address. */
describe("a clone that runs from dist/, its stacks mapped to sources", () => {
  const clone = join(mkdtempSync(join(tmpdir(), "inarch clone ")), "a b");
  const load = async () => {
    const built = join(repository, "dist", "diagnostics");
    await buildPackage();
    cpSync(built, join(clone, "dist", "diagnostics"), { recursive: true });
    writeFileSync(join(clone, "package.json"), '{ "type": "module" }');
    const url = pathToFileURL(join(clone, "dist", "diagnostics", "span.js")).href;
    return (await import(/* @vite-ignore */ url)) as { isOwnFile: typeof isOwnFile };
  };

  test("names the user's file, and not inarch's own source", async () => {
    const { isOwnFile: ofClone } = await load();
    for (const path of ["ops/elementwise/add.ts", "dist/ops/elementwise/add.js", "compiler/op.ts"])
      expect(ofClone(join(clone, path)), path).toBe(true);
    for (const path of ["net.graph.ts", "examples/net.graph.ts", "dist/examples/net.js"])
      expect(ofClone(join(clone, path)), path).toBe(false);
    rmSync(clone, { recursive: true });
  });
});
