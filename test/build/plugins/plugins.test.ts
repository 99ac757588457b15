/** `import sam from "./sam.graph.ts"` in an app: the plugins of Vite and esbuild compile the model as the app is built. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { context, build as esbuild } from "esbuild";
import { createLogger, createServer, build as vite } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  buildPackage,
  file,
  installRuntime,
  node,
  repository,
  scratchFolder,
} from "../../support/command-line.ts";

const folder = scratchFolder("plugins");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The package as an app has it: what users import, from dist. */
const packageOf = (name: string) => pathToFileURL(join(repository, "dist", "entries", name)).href;
type Vite = typeof import("../../../entries/vite.ts");
type Esbuild = typeof import("../../../entries/esbuild.ts");
let plugins: { readonly vite: Vite["inarch"]; readonly esbuild: Esbuild["inarch"] };

const bias = (value: number) => `export const bias = ${value};\n`;

const graph = `
import { defineModel, input } from "inarch";
import { add, matmul } from "inarch/ops";
import { bias } from "./bias.ts";

export default defineModel({
  name: "two-by-two",
  build: (p) => ({ y: add(matmul(input("x", "f32", [1, 2]), p.f32("w", [2, 2])), bias) }),
});
`;

const use = `
import { cpuDevice } from "inarch/cpu";
import { loadBundle } from "inarch/runtime";
import model from "./layer.graph.ts";
export async function run() {
  const device = cpuDevice({ threads: 1 });
  const loaded = await loadBundle(model, device);
  const { y } = await loaded.run("forward", { x: [1, 10] });
  await loaded.close();
  device.destroy();
  return { y: [...y], profile: loaded.profile };
}
globalThis.result = run();
`;

const options = {
  profiles: ["default", "wasm"],
  models: { "src/layer.graph.ts": { weights: "layer.safetensors" } },
};

beforeAll(async () => {
  await buildPackage();
  installRuntime(folder);
  file(folder, "src/bias.ts", bias(0.5));
  file(folder, "src/layer.graph.ts", graph);
  file(folder, "src/main.ts", use);
  file(folder, "index.html", '<!doctype html><script type="module" src="./src/main.ts"></script>');
  const { writeSafetensors } = await import("../../../runtime/weights/index.ts");
  const data = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
  const w = { dtype: "f32", shape: [2, 2], data } as const;
  writeFileSync(join(folder, "layer.safetensors"), writeSafetensors(new Map([["w", w]])));
  plugins = {
    vite: (await import(packageOf("vite.js"))).inarch,
    esbuild: (await import(packageOf("esbuild.js"))).inarch,
  };
});

/** 1 · 1 + 10 · 3 and 1 · 2 + 10 · 4. */
const expected = { y: [31.5, 42.5], profile: "wasm" };

async function resultOf(module: string) {
  const url = JSON.stringify(pathToFileURL(module).href);
  const lines = `await import(${url}); console.log(JSON.stringify(await globalThis.result));`;
  const { code, stdout, stderr } = await node(["--input-type=module", "-e", lines], folder);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

/** Does something while files hold other texts than they are to hold for the next test. */
async function having<T>(name: string, text: string, work: () => Promise<T>): Promise<T> {
  const path = join(folder, name);
  const before = readFileSync(path, "utf8");
  writeFileSync(path, text);
  try {
    return await work();
  } finally {
    writeFileSync(path, before);
  }
}

const misspelt = graph.replace("matmul(input(", "matmul(inputt(");
const wrong = graph.replace("[2, 2])", "[3, 2])");

describe("Vite", () => {
  const config = (given = options) => ({
    ...({ root: folder, configFile: false, logLevel: "silent", base: "./" } as const),
    cacheDir: join(folder, "node_modules", ".vite"),
    plugins: [plugins.vite(given)],
  });
  const built = async () => {
    const build = { outDir: join(folder, "vite"), emptyOutDir: true, target: "es2022" };
    const rest = { modulePreload: false, assetsInlineLimit: 0 };
    await vite({ ...config(), build: { ...build, ...rest } });
    const scripts = readdirSync(join(folder, "vite", "assets"));
    return join(folder, "vite", "assets", scripts.find((name) => /^index.*\.js$/.test(name))!);
  };

  test("builds the app with the model compiled, its weights beside it and no compiler in it", async () => {
    const main = await built();
    expect(await resultOf(main)).toEqual(expected);
    const names = readdirSync(join(folder, "vite", "assets"));
    expect(names.filter((name) => name.endsWith(".safetensors"))).toHaveLength(1);
    expect(names.filter((name) => /two-by-two-(default|wasm)/.test(name))).toHaveLength(2);
    for (const name of names.filter((one) => one.endsWith(".js")))
      expect(readFileSync(join(folder, "vite", "assets", name), "utf8")).not.toMatch(/defineModel/);
  });

  test("shows what is wrong at the user's own line", async () => {
    const failure = await having("src/layer.graph.ts", wrong, () =>
      built().catch((error: unknown) => error),
    );
    expect(failure).toMatchObject({
      message: expect.stringMatching(/E101/),
    });
    expect(String((failure as Error).message)).toMatch(/layer\.graph\.ts:8:/);
  });

  test("in development a changed file of the model builds it again, and the page is loaded anew", async () => {
    const said: string[] = [];
    const customLogger = { ...createLogger("info"), info: (words: string) => said.push(words) };
    const server = await createServer({
      ...config(),
      customLogger: { ...customLogger, error: () => {} },
      server: { port: 0, host: "127.0.0.1" },
    });
    await server.listen();
    try {
      const sent: string[] = [];
      const { hot } = server.environments.client;
      const send = hot.send.bind(hot);
      hot.send = (...given: unknown[]) => {
        sent.push((given[0] as { type: string }).type ?? String(given[0]));
        (send as (...given: unknown[]) => void)(...given);
      };
      const kernels = async () => {
        const { code } = (await server.transformRequest("/src/main.ts"))!;
        const [, address] = /from "([^"]*two-by-two\.mjs[^"]*)"/.exec(code)!;
        const built = (await server.transformRequest(address!))!.code;
        return [...built.matchAll(/"hash":"(\w+)"/g)].map(([, hash]) => hash).join();
      };
      const first = await kernels();
      expect(said.join("\n")).toMatch(/built src\/layer\.graph\.ts in [\d.]+ s/);
      expect(first).toMatch(/^\w+,\w+$/);
      expect(await kernels()).toBe(first);
      const reload = () =>
        expect.poll(() => sent.includes("full-reload"), { timeout: 60_000 }).toBe(true);
      const second = await having("src/bias.ts", bias(7), async () => {
        await reload();
        return kernels();
      });
      expect(second).not.toBe(first);
      sent.length = 0;
      await reload();
      await having("src/layer.graph.ts", misspelt, async () => {
        await expect.poll(() => kernels().catch(String), { timeout: 60_000 }).toMatch(/inputt/);
      });
      await expect.poll(() => kernels().catch(String), { timeout: 60_000 }).toBe(first);
    } finally {
      await server.close();
    }
  });
});

describe("esbuild", () => {
  const config = (outdir: string, more: object = {}) => ({
    ...{ absWorkingDir: folder, entryPoints: ["src/main.ts"], outdir: join(folder, outdir) },
    ...{ bundle: true, outExtension: { ".js": ".mjs" } },
    ...({ format: "esm", platform: "browser", logLevel: "silent" } as const),
    plugins: [plugins.esbuild(options)],
    ...more,
  });

  test.each([
    ["one file", {}],
    ["a chunk for each profile", { splitting: true, minify: true }],
    ["an entry in a folder", { entryPoints: [{ in: "src/main.ts", out: "deep/main" }] }],
    ["assets in a folder", { splitting: true, assetNames: "assets/[name]-[hash]" }],
  ])("%s", async (_, more) => {
    const { warnings } = await esbuild(config("esbuild", more));
    expect(warnings).toEqual([]);
    const deep = "entryPoints" in more ? "deep" : ".";
    expect(await resultOf(join(folder, "esbuild", deep, "main.mjs"))).toEqual(expected);
    rmSync(join(folder, "esbuild"), { recursive: true });
  });

  test("shows what is wrong at the user's own line", async () => {
    const failure = await having("src/layer.graph.ts", wrong, () =>
      esbuild(config("esbuild")).catch((error: unknown) => error),
    );
    expect(failure).toMatchObject({
      errors: [
        {
          text: expect.stringMatching(/^\[E101\]/),
          location: { file: expect.stringMatching(/layer\.graph\.ts$/), line: 8 },
        },
      ],
    });
  });

  test("under watch a changed file of the model builds it again, an error too", async () => {
    const watching = await context(config("watched"));
    const result = async () => {
      await watching.rebuild();
      return (await resultOf(join(folder, "watched", "main.mjs"))).y;
    };
    try {
      expect(await result()).toEqual(expected.y);
      expect(await having("src/bias.ts", bias(1.5), result)).toEqual([32.5, 43.5]);
      await having("src/layer.graph.ts", misspelt, async () => {
        await expect(watching.rebuild()).rejects.toThrow(/inputt/);
      });
      expect(await result()).toEqual(expected.y);
    } finally {
      await watching.dispose();
    }
  });
});

test("a source that is written while the model is built has it built again", async () => {
  const writing = `import { writeFileSync } from "node:fs";
    if (!globalThis.hasWritten) writeFileSync(${JSON.stringify(join(folder, "src", "bias.ts"))}, ${JSON.stringify(bias(2.5))});
    globalThis.hasWritten = true;\n`;
  const outdir = join(folder, "meanwhile");
  const watching = await context({
    ...{ absWorkingDir: folder, entryPoints: ["src/main.ts"], outdir, bundle: true },
    ...({ format: "esm", outExtension: { ".js": ".mjs" }, logLevel: "silent" } as const),
    plugins: [plugins.esbuild(options)],
  });
  const before = readFileSync(join(folder, "src", "bias.ts"), "utf8");
  await having("src/layer.graph.ts", writing + graph, async () => {
    await watching.rebuild();
    await watching.rebuild();
    expect((await resultOf(join(outdir, "main.mjs"))).y).toEqual([33.5, 44.5]);
  });
  writeFileSync(join(folder, "src", "bias.ts"), before);
  await watching.dispose();
});

describe("refused", () => {
  const refusal = (given: object) => {
    try {
      plugins.esbuild(given).setup({ initialOptions: {} } as never);
    } catch (error) {
      return (error as Error).message;
    }
  };

  test("options of other names, also of a model", () => {
    expect(refusal({ profile: ["wasm"] })).toMatch(/E460.*write profiles/s);
    expect(refusal({ models: { "a.graph.ts": { weight: "" } } })).toMatch(/E460.*write weights/s);
  });

  test("a model that is nowhere", () => {
    expect(refusal({ models: { "sam.graph.ts": {} } })).toMatch(/E510.*sam\.graph\.ts/s);
  });

  test.each([
    [["default", "wasmm"], /E503.*did you mean wasm/s],
    [["device"], /E503.*leave device out/s],
  ])("profiles %j", async (profiles, words) => {
    const failure = await esbuild({
      ...{ absWorkingDir: folder, entryPoints: ["src/main.ts"], bundle: true, write: false },
      ...{ logLevel: "silent", plugins: [plugins.esbuild({ ...options, profiles })] },
    }).catch(({ errors: [first] }) => `${first.text}; ${first.notes[0].text}`);
    expect(failure).toMatch(words);
  });

  test("E610 says how a model that was not compiled is", async () => {
    const lines = `
      import { cpuDevice } from "inarch/cpu";
      import { loadBundle } from "inarch/runtime";
      const model = { name: "a", programs: { forward: () => ({}) }, dims: {} };
      await loadBundle(model, cpuDevice({ threads: 1 })).catch(({ message }) => console.log(message));
      process.exit(0);`;
    const { stdout } = await node(["--input-type=module", "-e", lines], folder);
    expect(stdout).toMatch(/E610.*inarch\/vite/s);
  });
});
