/** `inarch build --profiles c`: a bundle for processors whose kernels were compiled before, where a compiler was there. */
import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { machineLanes } from "../../runtime/node/native-vectors.ts";
import { relativeError } from "../../verify/ops/evaluate.ts";
import {
  buildPackage,
  file,
  inarch,
  installRuntime,
  node,
  repository,
  scratchFolder,
} from "../support/command-line.ts";
import { mlp, mlpCheckpoint, mlpNumbers, mlpResult } from "../support/mlp.ts";
import { describeNative } from "../support/native.ts";

const folder = scratchFolder("native-bundle");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const build = (out: string, profiles = "c", env: Record<string, string> = {}) =>
  inarch(
    ["build", mlp, "--weights", "mlp.safetensors", "--out", out, "--profiles", profiles],
    folder,
    env,
  );
const everyFile = (out: string) =>
  (readdirSync(join(folder, out), { recursive: true, withFileTypes: true }) ?? [])
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [path.slice(join(folder, out).length), readFileSync(path, "base64")] as const)
    .sort();
/** The text of the module of plans and kernels. */
const profileOf = (out: string) => {
  const name = readdirSync(join(folder, out)).find((file) => /^tiny-mlp-.*\.mjs$/.test(file))!;
  return readFileSync(join(folder, out, name), "utf8");
};

beforeAll(async () => {
  await buildPackage();
  installRuntime(folder);
  symlinkSync(join(repository, "node_modules", "koffi"), join(folder, "node_modules", "koffi"));
  symlinkSync(
    join(repository, "node_modules", "@koromix"),
    join(folder, "node_modules", "@koromix"),
  );
  writeFileSync(join(folder, "mlp.safetensors"), mlpCheckpoint());
});

/** Runs the model of a folder in a process of its own, with an empty cache. */
async function run(out: string, options: object, env: Record<string, string>) {
  const lines = `
    import { openDevice } from "inarch/node";
    import { load } from "./${out}/tiny-mlp.mjs";
    const { device } = await openDevice({ kind: "native", ...${JSON.stringify(options)} });
    const model = await load(device);
    const { y } = await model.forward({ x: ${JSON.stringify(mlpNumbers.x)} });
    console.log(JSON.stringify([...y]));
    await model.close();
    device.destroy();`;
  const cache = join(folder, "cache");
  rmSync(cache, { recursive: true, force: true });
  file(folder, "use.mjs", lines);
  return node(["use.mjs"], folder, { XDG_CACHE_HOME: cache, ...env });
}

const noCompiler = { INARCH_CC: "no-such-cc" };

test("without a compiler a bundle is text alone, says why, and is for vectors that compilers make everywhere", async () => {
  const { code, stdout } = await build("text", "c", noCompiler);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /without libraries, so that machines compile the kernels: E482 .*no-such-cc/,
  );
  expect(profileOf("text")).toMatch(/"target":"c","profile":"native-8"/);
  expect(everyFile("text").some(([path]) => path.includes("native"))).toBe(false);
  expect(readFileSync(join(folder, "text", "tiny-mlp.mjs"), "utf8")).not.toMatch(/inarch.node/);
});

describeNative("where there is a compiler", () => {
  test("the same model gives the same files, with libraries among them", async () => {
    const { stdout } = await build("built");
    expect(stdout).not.toMatch(/without libraries/);
    await build("again");
    const files = everyFile("built");
    expect(everyFile("again")).toEqual(files);
    // A library of kernels, and one of memory and threads.
    expect(files.filter(([path]) => /native.[0-9a-f-]+\.so$/.test(path))).toHaveLength(2);
    expect(profileOf("text")).toBe(profileOf("built"));
  });

  test("it is loaded where no compiler is", async () => {
    const { code, stdout, stderr } = await run("built", {}, noCompiler);
    expect(code, stderr).toBe(0);
    expect(relativeError(JSON.parse(stdout), await mlpResult())).toBeLessThan(1e-5);
    // Nothing had to be kept either.
    expect(() => readdirSync(join(folder, "cache"))).toThrow(/ENOENT/);
  });

  test("what has no library that fits is compiled, or an error says that there is no compiler: E482", async () => {
    const compiled = await run("text", {}, {});
    expect(compiled.code, compiled.stderr).toBe(0);
    expect(relativeError(JSON.parse(compiled.stdout), await mlpResult())).toBeLessThan(1e-5);
    const { code, stderr } = await run("text", {}, noCompiler);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/E482/)]);
    // Libraries for wider vectors than the device has.
    const narrow = await run("built", { lanes: 4 }, noCompiler);
    expect([narrow.code, narrow.stderr]).toEqual([1, expect.stringMatching(/E482/)]);
  });

  test("for this machine's own vectors with --profiles device-c", async () => {
    await build("own", "device-c");
    expect(profileOf("own")).toContain(`"profile":"native-${machineLanes()}"`);
    const { code, stdout, stderr } = await run("own", {}, noCompiler);
    expect(code, stderr).toBe(0);
    expect(relativeError(JSON.parse(stdout), await mlpResult())).toBeLessThan(1e-5);
  });

  test("a library that was changed is not loaded", async () => {
    await build("changed");
    for (const name of readdirSync(join(folder, "changed", "native"))) {
      const path = join(folder, "changed", "native", name);
      const bytes = readFileSync(path);
      bytes[bytes.length - 1]! ^= 1;
      writeFileSync(path, bytes);
    }
    const { code, stderr } = await run("changed", {}, noCompiler);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/E482/)]);
    expect((await run("changed", {}, {})).code).toBe(0);
  });
});
