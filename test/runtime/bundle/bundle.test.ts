/** Bundles in memory: what is written can be opened and run, and what is damaged is refused. */
import { describe, expect, test } from "vitest";
import { bundleFiles } from "../../../build/bundle-files.ts";
import { generateWrapper } from "../../../build/wrapper.ts";
import { compile } from "../../../compiler/compile.ts";
import { defineModel, input, type Program, traceProgram } from "../../../compiler/index.ts";
import { InarchError } from "../../../diagnostics/index.ts";
import { add, gelu, matmul } from "../../../ops/index.ts";
import { loadSamBundle } from "../../../predict/bundle.ts";
import { openBundle } from "../../../runtime/bundle/bundle.ts";
import { bundleFormat, manifestText } from "../../../runtime/bundle/manifest.ts";
import { loadBundle } from "../../../runtime/bundle/model.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { bytesSource, openWeights, writeWithChecksums } from "../../../runtime/weights/index.ts";
import { evaluate, randomNumbers, relativeError } from "../../../verify/ops/evaluate.ts";
import { openBytes, readAll } from "../../support/weights-files.ts";

const forward: Program = (p) => {
  const x = input("x", "f32", [3, 5], { doc: "Three rows." });
  return { y: gelu(add(matmul(x, p.f32("weight", [5, 7])), p.f32("bias", [7]))) };
};
const model = defineModel({
  name: "small",
  doc: "A layer.",
  programs: {
    forward,
    twice: () => {
      const x = input("x", "f32", [4]);
      return { y: add(x, x) };
    },
  },
});
const graph = traceProgram(model, "forward");
const counts = Object.entries({ x: 15, weight: 35, bias: 7 });
const numbers = Object.fromEntries(
  counts.map(([name, count], seed) => [name, randomNumbers(count, seed)]),
);
const plans = new Map(
  Object.keys(model.programs).map((program) => {
    const traced = traceProgram(model, program);
    return [program, compile(traced, { name: `small.${program}`, target: "reference" })] as const;
  }),
);

/** The files of the model's bundle, with weights. */
async function built() {
  const bytes = (name: string) => new Uint8Array(Float32Array.from(numbers[name]!).buffer);
  const weights = writeWithChecksums(
    new Map([
      ["weight", { dtype: "f32", shape: [5, 7], data: bytes("weight") }],
      ["bias", { dtype: "f32", shape: [7], data: bytes("bias") }],
    ]),
  );
  const { checksum = "" } = await openWeights(bytesSource("weights", weights));
  const stored = { file: "weights.safetensors", bytes: weights.byteLength, checksum };
  const { files, manifest } = bundleFiles({ ...model, plans, weights: stored });
  const all = new Map<string, Uint8Array>([[stored.file, weights]]);
  for (const [path, content] of files) all.set(path, bytesIn(content));
  return { files: all, manifest };
}

const bytesIn = (content: string | Uint8Array) =>
  typeof content === "string" ? new TextEncoder().encode(content) : content;

const open = (files: ReadonlyMap<string, Uint8Array>) =>
  openBundle(
    async (path) => {
      const bytes = files.get(path);
      if (!bytes) throw new RangeError(`no ${path}`);
      return bytes;
    },
    { source: "small/" },
  );

/** The files with one of them changed; `undefined` removes it. */
async function changed(path: string, change: (text: string) => string | undefined) {
  const { files } = await built();
  const text = change(new TextDecoder().decode(files.get(path)));
  if (text === undefined) files.delete(path);
  else files.set(path, new TextEncoder().encode(text));
  return files;
}

async function failure(work: () => unknown): Promise<InarchError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof InarchError) return error;
    throw error;
  }
  return expect.fail("nothing was thrown");
}

describe("a bundle", () => {
  test("opens as the plans that were compiled", async () => {
    const { plans: opened } = await open((await built()).files);
    expect(Object.entries(opened)).toEqual([...plans]);
  });

  test("holds kernels that are bytes as they are", async () => {
    // No text in any encoding: 0xff is nowhere in UTF-8.
    const bytes = Uint8Array.of(0, 97, 115, 109, 0xff, 0xfe, 13, 10);
    const inBytes = new Map(
      [...plans].map(([program, plan]) => {
        const kernels = plan.kernels.map((kernel) => ({ ...kernel, source: bytes }));
        return [program, { ...plan, kernels }] as const;
      }),
    );
    const { files } = bundleFiles({ ...model, plans: inBytes });
    const kernels = [...files].filter(([path]) => path.startsWith("kernels/"));
    expect(kernels.map(([, content]) => content)).toEqual(kernels.map(() => bytes));
    const { plans: opened } = await open(
      new Map([...files].map(([path, content]) => [path, bytesIn(content)])),
    );
    expect(Object.entries(opened)).toEqual([...inBytes]);
  });

  test("runs with its own weights, and with weights that are given", async () => {
    const { y: expected } = await evaluate(graph, numbers);
    const { files } = await built();
    const given = await openWeights(bytesSource("given", files.get("weights.safetensors")!));
    for (const options of [{}, { weights: given }]) {
      const running = await loadBundle(await open(files), referenceDevice(), options);
      const { y } = await running.run("forward", { x: numbers.x! });
      expect(relativeError(y!, expected!)).toBeLessThan(1e-6);
      await running.close();
    }
  });

  test("does not mix the inputs of runs at the same time", async () => {
    const running = await loadBundle(await open((await built()).files), referenceDevice());
    const results = await Promise.all(
      [1, 2, 3].map((n) => running.run("twice", { x: [n, n, n, n] })),
    );
    expect(results.map(({ y }) => [...y!])).toEqual([1, 2, 3].map((n) => Array(4).fill(2 * n)));
    await running.close();
  });

  test("keeps the model's facts, and refuses those that JSON cannot keep", async () => {
    const facts = { kind: "layer", sizes: [5, 7], nested: { flag: true } };
    const { manifest } = bundleFiles({ ...model, plans, facts });
    expect(JSON.parse(JSON.stringify(manifest)).facts).toEqual(facts);
    const lost = { mean: Number.NaN, build: () => 1, kind: "layer" };
    const { code, message } = await failure(() => bundleFiles({ ...model, plans, facts: lost }));
    expect(message).toContain("facts of the model small are not JSON: mean, build");
    expect(code).toBe("E602");
  });

  test("keeps each kernel once, under its hash", () => {
    const twice = new Map(
      [...plans].flatMap(
        ([name, plan]) =>
          [
            [name, plan],
            [`${name}-2`, plan],
          ] as const,
      ),
    );
    const paths = (of: typeof plans) =>
      [...bundleFiles({ ...model, plans: of }).files.keys()].filter((p) =>
        p.startsWith("kernels/"),
      );
    expect(paths(twice)).toEqual(paths(plans));
    for (const path of paths(plans)) expect(path).toMatch(/^kernels\/\w+-[0-9a-f]{12}\.js$/);
  });
});

const kernel = [...(await built()).files.keys()].find((path) => path.startsWith("kernels/"))!;
const plan = [...(await built()).files.keys()].find((path) => path.startsWith("forward-"))!;

interface Damage {
  readonly claim: string;
  readonly path: string;
  readonly change: (text: string) => string | undefined;
  readonly code: string;
  readonly says: readonly string[];
}

const edited = (change: (manifest: Record<string, unknown>) => void) => (text: string) => {
  const manifest = JSON.parse(text);
  change(manifest);
  return manifestText(manifest);
};

const damages: readonly Damage[] = [
  {
    claim: "no manifest",
    path: "manifest.json",
    change: () => undefined,
    code: "E610",
    says: ["there is no bundle", "no manifest.json", "inarch build MODEL --out DIR"],
  },
  {
    claim: "a manifest that is no JSON",
    path: "manifest.json",
    change: (text) => text.slice(0, 40),
    code: "E611",
    says: ["manifest.json is malformed: it is not JSON"],
  },
  {
    claim: "a manifest with several faults names them all",
    path: "manifest.json",
    change: edited((m) => Object.assign(m, { name: 7, programs: {}, files: { "../x": "" } })),
    code: "E611",
    says: ["name is not a string", "programs is empty", '"../x", which is not inside the folder'],
  },
  {
    claim: "a plan without a hash",
    path: "manifest.json",
    change: edited((m) => Object.assign(m, { files: {} })),
    code: "E611",
    says: [`no hash of ${plan}`],
  },
  {
    claim: "another format",
    path: "manifest.json",
    change: edited((m) => Object.assign(m, { format: bundleFormat + 1 })),
    code: "E612",
    says: [`has format ${bundleFormat + 1}, this runtime reads ${bundleFormat}`],
  },
  {
    claim: "a manifest that was edited",
    path: "manifest.json",
    change: (text) => text.replace('"A layer."', '"A lawyer."'),
    code: "E614",
    says: ["manifest.json is not the file that was built"],
  },
  {
    claim: "a kernel that is missing",
    path: kernel,
    change: () => undefined,
    code: "E613",
    says: [`${kernel} cannot be read`],
  },
  {
    claim: "a kernel that was edited",
    path: kernel,
    change: (text) => `${text} `,
    code: "E614",
    says: [`${kernel} is not the file that was built`],
  },
  {
    claim: "a plan that was edited",
    path: plan,
    change: (text) => text.replace('"bytes":', '"bytes": '),
    code: "E614",
    says: [`${plan} is not the file that was built`],
  },
];

describe("a damaged bundle is refused", () => {
  test.each(damages)("$claim", async ({ path, change, code, says }) => {
    const { code: found, message } = await failure(async () => open(await changed(path, change)));
    for (const words of [...says, "in small/"]) expect(message).toContain(words);
    expect(found).toBe(code);
  });

  test("weights of another size", async () => {
    const { files } = await built();
    files.set("weights.safetensors", files.get("weights.safetensors")!.slice(0, -4));
    const bundle = await open(files);
    const { code, message } = await failure(() => loadBundle(bundle, referenceDevice()));
    expect(message).toMatch(
      /weights\.safetensors is not .* it has \d+ bytes, the manifest says \d+/,
    );
    expect(code).toBe("E614");
  });

  test("weights of another build", async () => {
    const { files } = await built();
    const tensors = await readAll(await openBytes(files.get("weights.safetensors")!));
    tensors.get("bias")!.data[0]! ^= 1;
    files.set("weights.safetensors", writeWithChecksums(tensors));
    const bundle = await open(files);
    const { code, message } = await failure(() => loadBundle(bundle, referenceDevice()));
    expect(message).toMatch(/its checksum is \w{32}, the manifest says \w{32}/);
    expect(code).toBe("E614");
  });

  test("weights that are missing", async () => {
    const { files } = await built();
    files.delete("weights.safetensors");
    const bundle = await open(files);
    expect((await failure(() => bundle.openWeights())).code).toBe("E613");
  });
});

describe("what a bundle does not have", () => {
  const without = async () => {
    const { files } = bundleFiles({ ...model, plans });
    return open(new Map([...files].map(([path, content]) => [path, bytesIn(content)])));
  };

  test("weights", async () => {
    const bundle = await without();
    const { code, message } = await failure(() => loadBundle(bundle, referenceDevice()));
    expect(message).toContain("was built without weights");
    expect(code).toBe("E615");
  });

  test("a run after it was closed, and one that is aborted", async () => {
    const running = await loadBundle(await open((await built()).files), referenceDevice());
    const controller = new AbortController();
    const runs = [running.run("twice", { x: [1, 2, 3, 4] })];
    const aborted = running.run("twice", { x: [5, 6, 7, 8] }, { signal: controller.signal });
    runs.push(running.run("twice", { x: [0, 0, 0, 1] }));
    controller.abort(new RangeError("enough"));
    await expect(aborted).rejects.toThrow("enough");
    const closed = running.close();
    expect((await failure(() => running.run("twice", { x: [1, 2, 3, 4] }))).code).toBe("E427");
    expect((await Promise.all(runs)).map(({ y }) => [...y!])).toEqual([
      [2, 4, 6, 8],
      [0, 0, 0, 2],
    ]);
    await closed;
  });

  test("a program", async () => {
    const running = await loadBundle(await open((await built()).files), referenceDevice());
    const { code, message } = await failure(() => running.run("backward", {}));
    expect(message).toContain("its programs are forward, twice");
    expect(code).toBe("E615");
  });

  test("the programs of a SAM", async () => {
    const bundle = await open((await built()).files);
    const { code, message } = await failure(() => loadSamBundle(bundle, referenceDevice()));
    expect(message).toContain("not that of a whole SAM: its programs are forward, twice");
    expect(code).toBe("E615");
  });
});

describe("a wrapper", async () => {
  const { manifest } = await built();
  const [plan] = plans.values();
  const named = (...programs: string[]) =>
    bundleFiles({ ...model, plans: new Map(programs.map((name) => [name, plan!])) }).manifest;

  test("is typed by the model's inputs, outputs and docs", () => {
    const { declarations } = generateWrapper(manifest, "given");
    expect(declarations).toContain(`/** What \`forward\` takes. */
export interface SmallForwardInputs {
  /**
   * Three rows.
   * f32[3, 5]: 15 numbers, row-major.
   */
  readonly x: Float32Array | readonly number[];
}
`);
    expect(declarations).toContain(
      "forward(inputs: SmallForwardInputs, options?: CallOptions): Promise<SmallForwardOutputs>;",
    );
    expect(declarations).toContain("readonly lost: Promise<string>;");
    expect(declarations).toContain("options?: SmallOptions): Promise<Small>;");
  });

  test("keeps its author's words in comments, and odd names in quotes", () => {
    const said = (doc: string) => {
      const inputs = [{ name: "left-right", dtype: "u32", shape: [], doc }] as const;
      const programs = { forward: { plan: "p", inputs, outputs: inputs } };
      return generateWrapper({ ...manifest, programs }, "given").declarations;
    };
    expect(said("One */ two.")).toContain(`{
  /**
   * One * / two.
   * u32[]: 1 number.
   */
  readonly "left-right": Uint32Array | readonly number[];
}
`);
    expect(said("\nOne.\r\n\nTwo.")).toContain("  /**\n   * One.\n   *\n   * Two.\n   * u32[]");
  });

  test("asks for weights where the bundle has none", () => {
    const { declarations } = generateWrapper(manifest, "brought");
    expect(declarations).toContain('readonly weights: NonNullable<BundleOptions["weights"]>;');
    expect(declarations).toContain("options: SmallOptions): Promise<Small>;");
  });

  test("imports the runtime and nothing else", () => {
    const { js, declarations } = generateWrapper(manifest, "given");
    for (const text of [js, declarations])
      expect([...text.matchAll(/from "([^"]+)"/g)].map((match) => match[1])).toEqual([
        "inarch/runtime",
      ]);
  });

  test.each([
    { programs: ["close"], says: "the wrapper has a method of this name itself" },
    {
      programs: ["decode-mask", "decodeMask"],
      says: '"decode-mask" would be the method decodeMask too',
    },
    { programs: ["a/b"], says: "letters, digits, - and _ are allowed" },
  ])("refuses programs called $programs", async ({ programs, says }) => {
    const { code, message } = await failure(() => generateWrapper(named(...programs), "given"));
    expect(message).toContain(says);
    expect(code).toBe("E602");
  });
});
