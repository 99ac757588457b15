/** Bundles in memory: what is written can be opened and run, and what is damaged is refused. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { checkFacts, profileEntry } from "../../../build/bundle-content.ts";
import { profileModule } from "../../../build/modules.ts";
import { generateWrapper } from "../../../build/wrapper.ts";
import { compile } from "../../../compiler/compile.ts";
import { defineModel, input, type Program, traceProgram } from "../../../compiler/index.ts";
import { InarchError } from "../../../diagnostics/index.ts";
import { add, gelu, matmul } from "../../../ops/index.ts";
import { loadSamBundle } from "../../../predict/bundle.ts";
import { type Bundle, openBundle, type ProfileContent } from "../../../runtime/bundle/bundle.ts";
import { loadBundle } from "../../../runtime/bundle/model.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { writeWithChecksums } from "../../../runtime/weights/index.ts";
import { evaluate, randomNumbers, relativeError } from "../../../verify/ops/evaluate.ts";
import { bundleOf, weightsOf } from "../../support/bundles.ts";
import { tree } from "../../support/folders.ts";
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

const bytes = (name: string) => new Uint8Array(Float32Array.from(numbers[name]!).buffer);
const weights = writeWithChecksums(
  new Map([
    ["weight", { dtype: "f32", shape: [5, 7], data: bytes("weight") }],
    ["bias", { dtype: "f32", shape: [7], data: bytes("bias") }],
  ]),
);
const parts = { name: "small", plans, weights };

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
    const { plans: opened, profile } = await openBundle(await bundleOf(parts), referenceDevice());
    expect([Object.entries(opened), profile]).toEqual([[...plans], "only"]);
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
    const bundle = await bundleOf({ name: "small", plans: inBytes });
    const { plans: opened } = await openBundle(bundle, referenceDevice());
    expect(Object.entries(opened)).toEqual([...inBytes]);
  });

  test("runs with its own weights, and with weights that are given", async () => {
    const { y: expected } = await evaluate(graph, numbers);
    const given = await openBytes(weights);
    for (const options of [{}, { weights: given }]) {
      const running = await loadBundle(await bundleOf(parts), referenceDevice(), options);
      const { y } = await running.run("forward", { x: numbers.x! });
      expect(relativeError(y!, expected!)).toBeLessThan(1e-6);
      expect(running.profile).toBe("only");
      await running.close();
    }
  });

  test("does not mix the inputs of runs at the same time", async () => {
    const running = await loadBundle(await bundleOf(parts), referenceDevice());
    const results = await Promise.all(
      [1, 2, 3].map((n) => running.run("twice", { x: [n, n, n, n] })),
    );
    expect(results.map(({ y }) => [...y!])).toEqual([1, 2, 3].map((n) => Array(4).fill(2 * n)));
    await running.close();
  });

  test("refuses facts of the model that JSON cannot keep", async () => {
    checkFacts("small", { kind: "layer", sizes: [5, 7], nested: { flag: true } });
    const lost = { mean: Number.NaN, build: () => 1, kind: "layer" };
    const { code, message } = await failure(() => checkFacts("small", lost));
    expect(message).toContain("facts of the model small are not JSON: mean, build");
    expect(code).toBe("E602");
  });

  test("keeps each kernel once", () => {
    const twice = new Map(
      [...plans].flatMap(([k, plan]) => [[k, plan] as const, [`${k}-2`, plan]]),
    );
    const kernels = (of: typeof plans) => profileEntry({ name: "only", plans: of }).content.kernels;
    expect(kernels(twice)).toEqual(kernels(plans));
    expect(new Set(kernels(plans)).size).toBe(kernels(plans).length);
  });
});

describe("the module of a profile", () => {
  test("holds any text, and code is nowhere in it", async () => {
    const content = {
      plans: JSON.stringify({ "it's": `\\ \u2028 \`\${x}\`` }),
      kernels: [`a\`b\${c}\\n\\`, "lines\r\nof \u2029 all\r", "$", "`", "\u0000"],
    };
    const { content: _, ...entry } = profileEntry({ name: "only", plans });
    const { text } = profileModule("small", { ...entry, content });
    const url = `data:text/javascript,${encodeURIComponent(text)}`;
    const { plans: read, kernels } = (await import(/* @vite-ignore */ url)) as ProfileContent;
    expect({ plans: read, kernels }).toEqual(content);
  });

  test("is named by what it holds", () => {
    const { file } = profileModule("small", profileEntry({ name: "only", plans }));
    expect(file).toMatch(/^small-only-[0-9a-f]{12}\.mjs$/);
  });
});

type Change = (bundle: Bundle) => unknown;
const profileWith =
  (fields: object): Change =>
  (bundle) => ({
    ...bundle,
    profiles: [{ ...bundle.profiles[0], ...fields }],
  });
const contentWith =
  (change: (content: ProfileContent) => object): Change =>
  (bundle) => {
    const load = async () => {
      const content = await bundle.profiles[0]!.load();
      return { ...content, ...change(content) };
    };
    return profileWith({ load })(bundle);
  };

const damages: readonly [claim: string, change: Change, code: string, says: string][] = [
  ["no bundle", () => "https://localhost/small/", "E610", 'is "https://localhost/small/"'],
  ["a module without one", () => undefined, "E610", "is undefined"],
  ["another format", (b) => ({ ...b, format: 3 }), "E612", "has format 3, not 5"],
  [
    "a module that is missing",
    profileWith({ load: () => Promise.reject(new TypeError("Failed to fetch")) }),
    "E613",
    "the module cannot be imported (Failed to fetch)",
  ],
  [
    "a module of another build",
    profileWith({ hash: "0".repeat(32) }),
    "E614",
    "says 00000000000000000000000000000000",
  ],
  [
    "a kernel that was edited",
    contentWith(({ kernels }) => ({ kernels: kernels.map((text) => `${text} `) })),
    "E614",
    "are not those that were built",
  ],
  [
    "a plan that was edited",
    contentWith(({ plans }) => ({ plans: plans.replace('"bytes":', '"bytes": ') })),
    "E614",
    "are not those that were built",
  ],
];

describe("a damaged bundle is refused", () => {
  test.each(damages)("%s", async (_, change, code, says) => {
    const bundle = change(await bundleOf(parts)) as Bundle;
    const { code: found, message } = await failure(() => loadBundle(bundle, referenceDevice()));
    expect(message).toContain(says);
    expect(found).toBe(code);
  });

  test("weights of another size", async () => {
    const lies = weights.slice(0, -4);
    const bundle = { ...(await bundleOf(parts)), weights: await weightsOf(weights, lies) };
    const { code, message } = await failure(() => loadBundle(bundle, referenceDevice()));
    expect(message).toMatch(/not those that were built: they have \d+ bytes, .* says \d+/);
    expect(code).toBe("E614");
  });

  test("weights of another build", async () => {
    const tensors = await readAll(await openBytes(weights));
    tensors.get("bias")!.data[0]! ^= 1;
    const lies = await weightsOf(weights, writeWithChecksums(tensors));
    const bundle = { ...(await bundleOf(parts)), weights: lies };
    const { code, message } = await failure(() => loadBundle(bundle, referenceDevice()));
    expect(message).toMatch(/their checksum is \w{32}, .* says \w{32}/);
    expect(code).toBe("E614");
  });
});

describe("the addresses of weights", () => {
  const folder = tree({ "w.safetensors": weights });
  const at = (url: URL | string) => async () => {
    const found = [new URL(url, "file:///")];
    const whole = await weightsOf(weights);
    return { ...(await bundleOf(parts)), weights: { ...whole, urls: () => found } };
  };
  const loaded = async (bundle: Bundle, options = {}) =>
    (await loadBundle(bundle, referenceDevice(), options)).close();

  test("files are read from the disk; E613 where there are none", async () => {
    await loaded(await at(pathToFileURL(join(folder, "w.safetensors")))());
    const { code, message } = await failure(async () => loaded(await at("file:///none")()));
    expect([code, message]).toEqual(["E613", expect.stringContaining("load(device, { url })")]);
  });

  test("the folder can be said, with a slash and without", async () => {
    const bundle = await at("file:///none")();
    await loaded(bundle, { url: pathToFileURL(`${folder}/`) });
    await loaded(bundle, { url: pathToFileURL(folder).href });
  });

  test("pieces are one file", async () => {
    const whole = await weightsOf(weights);
    const urls = [weights.slice(0, 100), weights.slice(100)].map(
      (piece) => new URL(URL.createObjectURL(new Blob([piece]))),
    );
    await loaded({ ...(await bundleOf(parts)), weights: { ...whole, urls: () => urls } });
  });

  test.each([
    ["E613", 404, "text/plain", "the server answers 404"],
    ["E617", 200, "text/html; charset=utf-8", "the server answers with an HTML page"],
    ["E617", 404, "text/html", "the server answers with an HTML page"],
  ])("%s for the answer %i of %s", async (wanted, status, type, says) => {
    const server = createServer((_, response) => {
      response.writeHead(status, { "content-type": type }).end("<!doctype html>");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const { code, message } = await failure(async () =>
      loaded(await at(`http://127.0.0.1:${port}/w.safetensors`)()),
    );
    server.close();
    expect([code, message]).toEqual([wanted, expect.stringContaining(says)]);
  });

  test("E613 where no server answers", async () => {
    const { code } = await failure(async () => loaded(await at("http://127.0.0.1:1/w")()));
    expect(code).toBe("E613");
  });
});

describe("what a bundle does not have", () => {
  test("weights", async () => {
    const bundle = await bundleOf({ name: "small", plans });
    const { code, message } = await failure(() => loadBundle(bundle, referenceDevice()));
    expect(message).toContain("was built without weights");
    expect(code).toBe("E615");
  });

  test("a run after it was closed, and one that is aborted", async () => {
    const running = await loadBundle(await bundleOf(parts), referenceDevice());
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
    const running = await loadBundle(await bundleOf(parts), referenceDevice());
    const { code, message } = await failure(() => running.run("backward", {}));
    expect(message).toContain("its programs are forward, twice");
    expect(code).toBe("E615");
  });

  test("the programs of a SAM", async () => {
    const bundle = await bundleOf(parts);
    const { code, message } = await failure(() => loadSamBundle(bundle, referenceDevice()));
    expect(message).toContain("not that of a whole SAM: its programs are forward, twice");
    expect(code).toBe("E615");
  });
});

describe("a wrapper", () => {
  const [plan] = plans.values();
  const wrapperOf = (weights: "given" | "brought" = "given", of = plans) =>
    generateWrapper({ name: "small", doc: "A layer.", plans: of, weights });
  const named = (...programs: string[]) => new Map(programs.map((name) => [name, plan!]));

  test("is typed by the model's inputs, outputs and docs", () => {
    const { declarations } = wrapperOf();
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
    expect(declarations).toContain('bundle: import("inarch/runtime").Bundle;');
  });

  test("keeps its author's words in comments, and odd names in quotes", () => {
    const said = (doc: string) => {
      const input = {
        ...plan!.inputs[0]!,
        name: "left-right",
        dtype: "u32",
        shape: [],
        doc,
      } as const;
      const odd = new Map([["forward", { ...plan!, inputs: [input] }]]);
      return wrapperOf("given", odd).declarations;
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
    const { declarations } = wrapperOf("brought");
    expect(declarations).toContain('readonly weights: NonNullable<BundleOptions["weights"]>;');
    expect(declarations).toContain("options: SmallOptions): Promise<Small>;");
  });

  test("imports the runtime and nothing else", () => {
    const { module, declarations } = wrapperOf();
    for (const text of [module({ name: "small", profiles: [] }), declarations])
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
    const { code, message } = await failure(() => wrapperOf("given", named(...programs)));
    expect(message).toContain(says);
    expect(code).toBe("E602");
  });
});
