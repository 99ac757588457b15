/** What the README shows is what the examples hold. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const readme = readFileSync("README.md", "utf8");
const blocks = [...readme.matchAll(/```[jt]s\n\/\/ (examples\/\S+)\n([\s\S]*?)```/g)];

describe("README.md", () => {
  test("shows code", () => {
    expect(blocks.length).toBeGreaterThanOrEqual(2);
  });

  for (const [, file, code] of blocks)
    test(`quotes ${file} as it is`, () => {
      expect(readFileSync(file!, "utf8")).toContain(code!.trim());
    });

  test("names only scripts that exist", () => {
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: object };
    const named = [...readme.matchAll(/npm (?:run )?(start|test|verify|bench|build)\b/g)];
    for (const [, name] of named) expect(Object.keys(scripts)).toContain(name);
  });
});
