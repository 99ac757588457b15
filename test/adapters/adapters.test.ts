/** Adapters compute what their papers say, begin where they should, and combine. */
import { describe, expect, test } from "vitest";
import {
  type Adapter,
  adapt,
  graphOf,
  input,
  type Parameters,
  report,
  type Tensor,
  trace,
} from "../../compiler/index.ts";
import * as adapters from "../../entries/adapters.ts";
import { linear } from "../../models/layers.ts";
import { semanticSam } from "../../models/semantic-sam.ts";
import { add, attention, mul } from "../../ops/index.ts";
import { type Arrays, randomNumbers } from "../../verify/ops/evaluate.ts";
import { openGraph, randomArrays, scopeWith } from "../support/adapted-graphs.ts";
import { layer, tiny } from "../support/adapted-programs.ts";

/** A program's results with an adapter, from the values of its parameters. */
async function compute(
  adapter: Adapter,
  program: (p: Parameters) => readonly Tensor<"f32">[],
  change: (arrays: Record<string, number[]>) => void = () => {},
) {
  const scope = scopeWith(adapter);
  const graph = trace((p) => ({ y: program(p)[0]! }), {}, scope);
  const arrays = randomArrays(graph);
  change(arrays);
  return { y: (await (await openGraph(graph))(arrays)).y!, arrays };
}

const nothing = adapters.decoderOnly();

/** The same program without the adapter, on the same values. */
async function alone(program: (p: Parameters) => readonly Tensor<"f32">[], given: Arrays) {
  const graph = trace((p) => ({ y: program(p)[0]! }), {}, scopeWith(nothing));
  return (await (await openGraph(graph))(given)).y!;
}

function expectClose(got: readonly number[], wanted: readonly number[], tolerance = 1e-12): void {
  expect(got.length).toBe(wanted.length);
  for (const [i, v] of wanted.entries())
    if (!(Math.abs(got[i]! - v) <= tolerance * Math.max(1, Math.abs(v))))
      expect.fail(`element ${i}: ${got[i]} instead of ${v}`);
}

const zero =
  (...patterns: RegExp[]) =>
  (arrays: Record<string, number[]>) => {
    for (const [name, values] of Object.entries(arrays))
      if (patterns.some((pattern) => pattern.test(name))) values.fill(0);
  };

describe("with what begins as zero, the adapted model is the model", () => {
  const { lora, convLora, taLora, pfeiffer } = adapters;
  test.each<[string, Adapter, RegExp]>([
    ["lora", lora(), /lora_B/],
    ["conv-lora", convLora({ rank: 2, experts: [3] }), /lora_B/],
    ["ta-lora", taLora({ tasks: 2, ranks: [2, 2, 2] }), /td_G/],
    ["vera", adapters.vera({ rank: 6 }), /vera_b/],
    ["pfeiffer", pfeiffer({ bottleneck: 2 }), /adapter_up/],
  ])("%s", async (_name, adapter, pattern) => {
    const { y, arrays } = await compute(adapter, layer, zero(pattern));
    expectClose(y, await alone(layer, arrays));
  });
});

/** Rows times the transpose of a matrix, both as lists of rows. */
const times = (x: readonly number[][], w: readonly number[][]) =>
  x.map((row) => w.map((column) => column.reduce((sum, v, i) => sum + v * row[i]!, 0)));

const rowsOf = (flat: readonly number[], width: number) =>
  Array.from({ length: flat.length / width }, (_, i) => flat.slice(i * width, (i + 1) * width));

describe("formulas", () => {
  test("LoRA on q and v adapts each by its own rows, and k not at all", async () => {
    const adapter = adapters.lora({ rank: 2, alpha: 3, parts: ["v", "q"] });
    const { y, arrays } = await compute(adapter, layer);
    const rows = rowsOf(y, 12);
    const plain = rowsOf(await alone(layer, arrays), 12);
    const x = rowsOf(arrays.x!, 4);
    const [a, b] = [rowsOf(arrays.lora_A!, 4), rowsOf(arrays.lora_B!, 2)];
    const own = (i: number) =>
      times(times(x, a.slice(2 * i, 2 * i + 2)), b.slice(4 * i, 4 * i + 4));
    const [q, v] = [own(0), own(1)];
    const wanted = plain.map((row, n) => [
      ...row.slice(0, 4).map((value, i) => value + 1.5 * q[n]![i]!),
      ...row.slice(4, 8),
      ...row.slice(8).map((value, i) => value + 1.5 * v[n]![i]!),
    ]);
    expectClose(rows.flat(), wanted.flat());
  });

  test("TA-LoRA is the dense tensor's slice of the task", async () => {
    const adapter = adapters.taLora({ tasks: 2, ranks: [2, 3, 5], scale: 0.25 });
    const { y, arrays } = await compute(adapter, layer);
    const [left, right] = [rowsOf(arrays.td_U1!, 2), rowsOf(arrays.td_U2!, 3)];
    const task = rowsOf(arrays.td_U3!, 5)[1]!;
    const core = (a: number, b: number, c: number) => arrays.td_G![(a * 3 + b) * 5 + c]!;
    const update = right.map((u2) =>
      left.map((u1) => {
        let sum = 0;
        for (const [a, p] of u1.entries())
          for (const [b, q] of u2.entries())
            for (const [c, t] of task.entries()) sum += core(a, b, c) * p * q * t;
        return sum;
      }),
    );
    const delta = times(rowsOf(arrays.x!, 4), update).flat();
    const plain = await alone(layer, arrays);
    expectClose(
      y,
      plain.map((v, i) => v + 0.25 * delta[i]!),
    );
  });

  test("VPT deep: prompts are further keys and values of one softmax", async () => {
    const adapter = adapters.vptDeep({ tokens: 2 });
    const heads = (p: Parameters) => {
      const [query, key, value] = ["q", "k", "v"].map((name) => input(name, "f32", [3, 2, 4, 2]));
      const input3 = { query: query!, key: key!, value: value! };
      const base = ({ query: q, key: k, value: v }: adapters.Heads) => attention(q, k, v);
      return [adapters.site("attention", p.at("attn"), input3, base)];
    };
    const { y, arrays } = await compute(adapter, heads);
    const prompts = rowsOf(arrays["attn.prompts"]!, 4).map((row) => {
      const mean = row.reduce((a, b) => a + b) / 4;
      const deviation = Math.sqrt(row.reduce((a, b) => a + (b - mean) ** 2, 0) / 4 + 1e-6);
      return row.map(
        (v, i) =>
          ((v - mean) / deviation) * arrays["norm1.weight"]![i]! + arrays["norm1.bias"]![i]!,
      );
    });
    const qkv = times(prompts, rowsOf(arrays["attn.qkv.weight"]!, 4)).map((row) =>
      row.map((v, i) => v + arrays["attn.qkv.bias"]![i]!),
    );
    const wanted: number[] = [];
    for (let window = 0; window < 3; window++)
      for (let head = 0; head < 2; head++) {
        const own = (name: string) =>
          rowsOf(arrays[name]!, 2).slice((window * 2 + head) * 4, (window * 2 + head + 1) * 4);
        const part = (from: number) => qkv.map((row) => row.slice(from, from + 2));
        const keys = [...own("k"), ...part(4 + 2 * head)];
        const values = [...own("v"), ...part(8 + 2 * head)];
        for (const scores of times(own("q"), keys)) {
          const shares = scores.map((score) => Math.exp(score / Math.SQRT2));
          const total = shares.reduce((a, b) => a + b);
          for (const i of [0, 1])
            wanted.push(shares.reduce((sum, w, j) => sum + (w / total) * values[j]![i]!, 0));
        }
      }
    expectClose(y, wanted);
  });

  test("VeRA scales what two shared random matrices make of the input", async () => {
    const { y, arrays } = await compute(adapters.vera({ rank: 5 }), layer);
    const [a, b] = [rowsOf(arrays["vera.A_4"]!, 4), rowsOf(arrays["vera.B_12"]!, 5)];
    const { vera_d: d, vera_b: scales } = arrays;
    const z = times(rowsOf(arrays.x!, 4), a).map((row) => row.map((v, i) => d![i]! * v));
    const delta = times(z, b).map((row) => row.map((v, i) => scales![i]! * v));
    const plain = await alone(layer, arrays);
    expectClose(
      y,
      plain.map((v, i) => v + delta.flat()[i]!),
    );
  });

  test("SSF scales and shifts behind a layer", async () => {
    const { y, arrays } = await compute(adapters.ssf(), layer);
    const plain = await alone(layer, arrays);
    const { ssf_scale: gamma, ssf_shift: beta } = arrays;
    expectClose(
      y,
      plain.map((v, i) => gamma![i % 12]! * v + beta![i % 12]!),
    );
  });

  test("dropout sets to zero what is drawn below its rate, and only in training", async () => {
    const adapter = adapters.lora({ rank: 1, dropout: 0.5 });
    const run = async (training: boolean) => {
      const graph = trace((p) => ({ y: layer(p)[0]! }), {}, scopeWith(adapter, training));
      const arrays = randomArrays(graph);
      if (training) arrays["noise..dropout.1"] = arrays.x!.map((_, i) => (i % 4 < 2 ? 0.1 : 0.9));
      return { y: (await (await openGraph(graph))(arrays)).y!, arrays, graph };
    };
    const [trained, plain] = [await run(true), await run(false)];
    const change = (given: Arrays, x: readonly number[][]) =>
      times(times(x, [[...given.lora_A!]]), rowsOf([...given.lora_B!], 1)).flat();
    const x = rowsOf([...plain.arrays.x!], 4);
    const base = await alone(layer, plain.arrays);
    expectClose(
      plain.y,
      change(plain.arrays, x).map((v, i) => base[i]! + 32 * v),
    );
    const kept = rowsOf([...trained.arrays.x!], 4).map((row) => [0, 0, 2 * row[2]!, 2 * row[3]!]);
    const other = await alone(layer, trained.arrays);
    expectClose(
      trained.y,
      change(trained.arrays, kept).map((v, i) => other[i]! + 32 * v),
    );
  });

  test.each([
    [4, 8],
    [6, 6],
    [5, 7],
  ])("the high-pass of %i x %i is that of the Fourier transform", async (height, width) => {
    const image = input("image", "f32", [1, 2, height, width]) as Tensor<"f32">;
    const run = await openGraph(graphOf([{ name: "y", tensor: adapters.highPass(image, 0.25) }]));
    const values = randomNumbers(2 * height * width, 3);
    const wanted = [0, 1].flatMap((c) =>
      transformed(values.slice(c * height * width, (c + 1) * height * width), height, width),
    );
    // Sines and cosines are polynomials, good to single precision.
    expectClose((await run({ image: values })).y!, wanted, 1e-8);
  });
});

/** |Re ifft2(fft2(x) outside the square)|, written as sums. */
function transformed(x: readonly number[], height: number, width: number): number[] {
  const line = Math.trunc(Math.sqrt(height * width * 0.25) / 2);
  const pixels = x.map((v, i) => [Math.floor(i / width), i % width, v] as const);
  const angle = (f: number, g: number, i: number, j: number) =>
    2 * Math.PI * ((f * i) / height + (g * j) / width);
  const inside = (f: number) => f >= -line && f < line;
  const frequencies = [...Array(height).keys()].flatMap((u) =>
    [...Array(width).keys()].map((v) => [u - (height >> 1), v - (width >> 1)] as const),
  );
  const spectrum = frequencies
    .filter(([f, g]) => !(inside(f) && inside(g)))
    .map(([f, g]) => {
      let [real, imaginary] = [0, 0];
      for (const [i, j, v] of pixels) {
        real += v * Math.cos(angle(f, g, i, j));
        imaginary -= v * Math.sin(angle(f, g, i, j));
      }
      return [f, g, real, imaginary] as const;
    });
  return pixels.map(([i, j]) => {
    let sum = 0;
    for (const [f, g, real, imaginary] of spectrum)
      sum += real * Math.cos(angle(f, g, i, j)) - imaginary * Math.sin(angle(f, g, i, j));
    return Math.abs(sum / x.length);
  });
}

describe("together", () => {
  const model = semanticSam(tiny, { classes: 1 });
  const where = "image_encoder.blocks.*.attn.qkv";

  test("Conv-LoRA and BitFit train what each of them trains", () => {
    const conv = adapt(model, adapters.convLora({ rank: 2, experts: 2 }), { where });
    const [both, one, other] = [
      adapt(conv, adapters.bitFit()),
      conv,
      adapt(model, adapters.bitFit()),
    ].map((m) => report(m).trainable);
    expect(both).toBe(one! + other!);
  });

  test("every published method fits the model for segmentation", () => {
    for (const { name, adapters: all } of adapters.publishedMethods()) {
      // The widths of this model are small.
      const few = name === "sam-adapter" || name === "lst" || name === "pfeiffer";
      const fitting = all.map((one) => (few ? { ...one, adapter: small(one.adapter) } : one));
      const adapted = fitting.reduce((m, a) => adapt(m, a.adapter, { where: a.where }), model);
      expect(report(adapted).trainable, name).toBeGreaterThan(0);
    }
  });

  test("a regulariser counts each layer once, however many there are and tasks pass", async () => {
    const tasks = [0, 1, 0];
    const scope = scopeWith(adapters.taLora({ tasks: 2, ranks: [2, 2, 3], orthogonality: 4 }));
    const graph = trace(
      (p) => {
        const x = input("x", "f32", [2, 4]);
        const passes = tasks.map((task) => {
          const own = p.forTask(task);
          return linear(own.at(1), linear(own.at(0), x, 4, 4), 4, 4);
        });
        const [first, second, ...more] = scope.terms.get("orthogonal_reg")!;
        expect(more).toEqual([]);
        expect(scope.averaged.has("orthogonal_reg")).toBe(true);
        const factors = [0, 1].map((i) => ({
          left: p.at(i).f32("td_U1", [4, 2]) as Tensor<"f32">,
          right: p.at(i).f32("td_U2", [4, 2]) as Tensor<"f32">,
          core: p.at(i).f32("td_G", [2, 2, 3]) as Tensor<"f32">,
        }));
        return {
          ...Object.fromEntries(passes.map((y, i) => [`y${i}`, y])),
          term: mul(add(first!, second!), 0.5),
          wanted: adapters.tuckerOrthogonality(factors),
        };
      },
      {},
      scope,
    );
    const { term, wanted } = await (await openGraph(graph))(randomArrays(graph));
    expect(term![0]).toBeCloseTo(4 * wanted![0]!, 12);
  });
});

/** An adapter of the same name for narrow models. */
function small({ name }: Adapter): Adapter {
  if (name === "sam-adapter") return adapters.samAdapter({ scaleFactor: 2 });
  if (name === "lst") return adapters.lst({ reduction: 2, heads: 1 });
  return name === "pfeiffer" ? adapters.pfeiffer({ bottleneck: 2 }) : adapters.decoderOnly();
}
