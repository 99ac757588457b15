/** Optional packages: whether one is absent or broken, the error says which and what to type. */
import { expect, test } from "vitest";
import { optionalPackage } from "../../diagnostics/packages.ts";

const notFound = (words: string) =>
  Object.assign(new Error(words), { code: "ERR_MODULE_NOT_FOUND" });

test("a package that is not installed (E400)", async () => {
  const load = () =>
    Promise.reject(notFound("Cannot find package 'sharp' imported from /app/image.js"));
  await expect(optionalPackage("sharp", load)).rejects.toThrow(
    "error[E400] the npm package sharp, which reads and writes pictures, is not installed\n" +
      "  help: npm install sharp",
  );
});

test("a package that lacks a package of its own does not load (E401)", async () => {
  const load = () =>
    Promise.reject(notFound("Cannot find package 'detect-libc' imported from /app/sharp.js"));
  await expect(optionalPackage("sharp", load)).rejects.toThrow(
    /E401.* sharp, .*does not load: Cannot find package 'detect-libc'.*help: npm install --include=/s,
  );
});

test("a package without a binary for this machine does not load (E401)", async () => {
  const load = () => Promise.reject(new Error('Could not load the "sharp" module\nPossible …'));
  await expect(optionalPackage("sharp", load)).rejects.toThrow(
    /E401.*does not load: Could not load the "sharp" module\n {2}help: npm install --include=/,
  );
});

test("what loads is handed on", async () => {
  expect(await optionalPackage("webgpu", async () => 1)).toBe(1);
});
