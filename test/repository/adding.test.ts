/** What it takes to add something, shown by adding it to a copy of the sources and building that. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requestNullGpu } from "../../runtime/node/index.ts";
import { repository } from "../support/command-line.ts";
import { type CopiedSources, copySources } from "../support/copied-sources.ts";

const nano = ["sam", "--config", join(repository, "test", "fixtures", "sam_nano.config.json")];

/** The target of docs/add-a-target.md, whose language has no braces. */
const guide = readFileSync(join(repository, "docs", "add-a-target.md"), "utf8");
const toyTarget = /^```ts\n\/\/ compiler\/targets\/toy\/index\.ts\n(.*?)^```$/ms.exec(guide)![1]!;

/** 32 numbers share a scale, which comes before them; each is a byte, 128 more than what is scaled. */
const bytesFormat = `
const q8 = {
  name: "q8",
  scalar: "f32",
  block: { elements: 32, words: 9 },
  integers: 0,
  largest: Number.POSITIVE_INFINITY,
  encode(values: Floats): Bytes {
    const bytes = new Uint8Array(Math.ceil(values.length / 32) * 36);
    for (let at = 0, to = 0; at < values.length; at += 32, to += 36) {
      const block = values.subarray(at, at + 32);
      const scale = Math.fround(Math.max(...block.map(Math.abs)) / 127);
      new DataView(bytes.buffer).setFloat32(to, scale, true);
      block.forEach((v, i) => {
        bytes[to + 4 + i] = 128 + (scale === 0 ? 0 : Math.round(v / scale));
      });
    }
    return bytes;
  },
  widen(word, place, on) {
    const four = word(on.plus(on.shiftRight(place, 2), 1));
    const inFour = on.shiftRight(on.shiftLeft(place, 30), 30);
    const byte = on.shiftRight(on.shiftLeft(on.shiftRight(four, on.times(inFour, 8)), 24), 24);
    return on.times(on.plus(on.number(byte), -128), on.float(word(0)));
  },
} as const satisfies Format;
`;

describe("a number format is one file", () => {
  let sources: CopiedSources;
  const load = (path: string) => import(join(sources.folder, "dist", path));
  beforeAll(async () => {
    sources = copySources("format");
    const file = "formats/index.ts";
    sources.addLine(file, 'const i32 = whole("i32"', bytesFormat);
    sources.addLine(file, "  bf16,", "  q8,");
    await sources.build();
  });
  afterAll(() => rmSync(sources.folder, { recursive: true, force: true }));

  test("kernels read weights in it, on the reference device and in WGSL", async () => {
    const [{ compile, defineModel, input, traceProgram }, ops, runtime, { referenceDevice }] =
      await Promise.all(
        ["index", "ops", "runtime"]
          .map((name) => `entries/${name}.js`)
          .concat("runtime/devices/reference.js")
          .map(load),
      );
    // The largest of each 32 is 127 or -127: the scale is one, and nothing is rounded.
    const values = Float32Array.from({ length: 8 * 40 }, (_, i) =>
      i % 32 === 0 ? 127 : ((i * 37) % 255) - 127,
    );
    const model = defineModel({
      name: "product",
      build(p: { f32(name: string, shape: readonly number[]): unknown }) {
        const weight = p.f32("weight", [8, 40]);
        const x = input("x", "f32", [3, 40]);
        return { y: ops.matmul(x, weight, { transpose: "right" }), all: ops.neg(weight) };
      },
    });
    const x = Float32Array.from({ length: 3 * 40 }, (_, i) => (i % 5) - 2);
    const run = async (weightFormat: string) => {
      const plan = compile(traceProgram(model, "forward"), { target: "reference", weightFormat });
      const { floatEntry, createSession } = runtime;
      const weights = {
        source: "test",
        tensors: new Map([["weight", floatEntry([8, 40])]]),
        async *chunks() {
          for (let i = 0; i < values.length; i += 50) yield values.slice(i, i + 50);
        },
      };
      const session = await createSession(plan, referenceDevice(), { weights });
      return { results: await session.run({ x }), bytes: plan.parameters[0].bytes };
    };
    const [narrow, plain] = [await run("q8"), await run("f32")];
    expect(narrow.results).toEqual(plain.results);
    expect([narrow.bytes, plain.bytes]).toEqual([10 * 36, 10 * 128]);
    const { kernels } = compile(traceProgram(model, "forward"), { weightFormat: "q8" });
    const gpu = await requestNullGpu();
    for (const { source } of kernels) {
      gpu.device.pushErrorScope("validation");
      gpu.device.createShaderModule({ code: source });
      expect((await gpu.device.popErrorScope())?.message, source).toBe(undefined);
    }
    gpu.destroy();
  });
});

describe("a target is one folder and one line", () => {
  let sources: CopiedSources;
  beforeAll(async () => {
    sources = copySources("target");
    sources.add("compiler/targets/toy/index.ts", toyTarget);
    sources.addLine(
      "compiler/targets/index.ts",
      "./reference/index.ts",
      'export { toy } from "./toy/index.ts";',
    );
    await sources.build();
  });
  afterAll(() => rmSync(sources.folder, { recursive: true, force: true }));

  test("show prints its text, under comments of its own", async () => {
    const { stdout, code } = await sources.inarch(["show", ...nano, "--stage", "toy"]);
    expect(stdout).toMatch(/^-- program encode\n\n-- \w+: steps? [\d, ]+\nbegin\(/);
    expect(code).toBe(0);
  });

  test("the help lists it, and so does what a wrong stage is told", async () => {
    const help = await sources.inarch(["show", "--help"]);
    expect(help.stdout).toMatch(/--stage .*\|toy\|/s);
    const wrong = await sources.inarch(["show", ...nano, "--stage", "toys"]);
    expect(wrong.stderr).toContain("did you mean toy?");
  });

  test("explain shows it beside the text that runs", async () => {
    const page = join(sources.folder, "page.html");
    const args = ["--toy", "--no-device", "--program", "decode", "-o", page];
    const { code, stderr } = await sources.inarch(["explain", ...nano, ...args]);
    expect([code, stderr]).toEqual([0, expect.not.stringContaining("error")]);
    expect(readFileSync(page, "utf8")).toContain('<code class="toy">begin(');
  });

  test("plans are made for it, and bundles have a profile of its name", async () => {
    const load = (path: string) => import(join(sources.folder, "dist", path));
    const [{ compile, traceProgram }, { parseSamConfig, samModel }, { profilesNamed }] =
      await Promise.all(["entries/index.js", "entries/models.js", "build/profiles.js"].map(load));
    const config = parseSamConfig(readFileSync(nano.at(-1)!, "utf8"));
    const plan = compile(traceProgram(samModel(config), "decode"), { target: "toy" });
    expect(plan.target).toBe("toy");
    const [profile] = await profilesNamed(["toy"], () => expect.fail("no device is asked"));
    expect(profile).toMatchObject({ name: "toy", target: "toy" });
  });
});

/** The reference device under another name, which says what it runs. */
const toyDevice = `
import type { Device } from "./device.ts";
import { referenceDevice } from "./reference.ts";

export interface ToyOptions {
  readonly colour?: "red" | "blue";
}

export async function openToy({ colour = "red" }: ToyOptions) {
  const strict = referenceDevice();
  const name = \`\${colour} toy\`;
  const device: Device = { ...strict, name, capabilities: { ...strict.capabilities, name } };
  return { device };
}
`;

describe("a device is one file and one line", () => {
  let sources: CopiedSources;
  beforeAll(async () => {
    sources = copySources("device");
    sources.add("runtime/devices/toy.ts", toyDevice);
    sources.addLine(
      "runtime/node/devices.ts",
      "../devices/reference.ts",
      'export { openToy as toy } from "../devices/toy.ts";',
    );
    await sources.build();
  });
  afterAll(() => rmSync(sources.folder, { recursive: true, force: true }));

  test("commands list it, and what is asked for wrongly is told of it", async () => {
    const help = await sources.inarch(["segment", "--help"]);
    expect(help.stdout).toContain("--device cpu|cuda|native|reference|toy|webgpu");
    const wrong = await sources.inarch(["segment", "x.png", "--weights", "y", "--device", "tov"]);
    expect(wrong.stderr).toContain("did you mean toy?");
  });

  test("commands run on it", async () => {
    const file = join(repository, "test", "fixtures", "resample.safetensors");
    const { stdout, code } = await sources.inarch(["verify", file, "--device", "toy"]);
    expect(stdout).toMatch(/on red toy\n.*\n\d+ right, 0 past their tolerance/s);
    expect(code).toBe(0);
  });

  test("programs open it, with options of its own", async () => {
    const { openDevice } = await import(join(sources.folder, "dist", "entries", "node.js"));
    const { device } = await openDevice({ kind: "toy", colour: "blue" });
    expect([device.name, device.capabilities.name]).toEqual(["blue toy", "blue toy"]);
  });
});
