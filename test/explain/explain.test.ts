/** Explaining a model: the page, its pieces, and the trace. */
import { createHash } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { lora } from "../../adapters/index.ts";
import type { LoadedModel } from "../../build/load-model.ts";
import { compileStages } from "../../compiler/compile.ts";
import {
  adapt,
  defaultProfile,
  defineModel,
  input,
  type Model,
  traceProgram,
} from "../../compiler/index.ts";
import { cuda } from "../../compiler/targets/cuda/index.ts";
import { arenaFacts } from "../../explain/arena-facts.ts";
import { blockName, blocksOf, moduleBelow, titlesOf } from "../../explain/blocks.ts";
import { type ExplainRequest, explain } from "../../explain/explain.ts";
import { escapeText, shorten } from "../../explain/html.ts";
import { layOut } from "../../explain/layout.ts";
import { formatCount, formatTime } from "../../explain/quantities.ts";
import { traceOf } from "../../explain/trace.ts";
import { linear, samModel } from "../../models/index.ts";
import { add, gelu, matmul, mul, softmax, transpose } from "../../ops/index.ts";
import { kernelText } from "../../runtime/devices/device.ts";
import { type Element, everyElement, parsePage, textOf } from "../support/markup.ts";
import { tinySam } from "../support/sam-small.ts";

const request = (model: Model, more: Partial<ExplainRequest> = {}): ExplainRequest => {
  const loaded: LoadedModel = { model, file: undefined };
  const programs = Object.keys(model.programs);
  return { loaded, programs, dims: {}, limits: "default", others: [], times: "no", ...more };
};

const hostile = `</script><script>alert(1)</script>"'><img src=x onerror=alert(2)>&amp;\u202e\u0000`;

/** Not made by defineModel, which would refuse the name: a file may export any object. */
const hostileModel: Model = {
  name: hostile,
  doc: hostile,
  dims: { [hostile]: 4 },
  programs: {
    [hostile]: (p) => {
      const w = p.at(hostile, "0", hostile).f32(hostile, [8, 8]);
      const product = matmul(input(hostile, "f32", [4, 8]), w);
      return { [hostile]: softmax(product, 1), turned: transpose(mul(product, 2)) };
    },
  },
};

const small = defineModel({
  name: "small",
  programs: {
    one: (p) => {
      const hidden = gelu(linear(p.at("layers", 0, "up"), input("x", "f32", [8, 16]), 16, 32));
      return { y: add(linear(p.at("layers", 0, "down"), hidden, 32, 16), 1) };
    },
    other: (p) => ({ y: softmax(linear(p.at("head"), input("x", "f32", [8, 16]), 16, 12), 1) }),
  },
});

const models: readonly (readonly [string, Model])[] = [
  ["a small model", small],
  ["an adapted model", adapt(small, lora({ rank: 2 }), { where: "layers.0.up" })],
  ["a model whose names are hostile", hostileModel],
  ["a SAM", samModel(tinySam)],
];

describe.each(models)("the page of %s", (_, model) => {
  let page = "";
  let elements: readonly Element[] = [];
  let kernels: readonly { readonly source: string; readonly ir: string }[] = [];
  beforeAll(async () => {
    const explained = await explain(request(model));
    page = explained.page;
    elements = [...everyElement(parsePage(page))];
    kernels = explained.programs.flatMap(({ facts }) =>
      facts.kernels.flatMap(({ texts, ir }) =>
        texts.map((text) => ({ source: kernelText(text), ir })),
      ),
    );
  });
  const named = (name: string) => elements.filter((e) => e.name === name);
  const code = (language: string) =>
    named("code")
      .filter((e) => e.attributes.get("class") === language)
      .map(textOf);

  test("is well-formed, and every link leads to a place of its own", () => {
    const ids = elements.flatMap((e) => e.attributes.get("id") ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    const links = elements.flatMap((e) => e.attributes.get("href") ?? []);
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter((link) => !ids.includes(link.slice(1)) || link[0] !== "#")).toEqual([]);
  });

  test("has the text of every kernel once, and what it was printed from", () => {
    expect(kernels.length).toBeGreaterThan(0);
    expect(code("wgsl").sort()).toEqual(kernels.map((k) => k.source).sort());
    expect(new Set(code("ir"))).toEqual(new Set(kernels.map((k) => k.ir)));
  });

  test("asks nothing of a network, and runs its own script alone", () => {
    const attributes = new Set(elements.flatMap((e) => [...e.attributes.keys()]));
    for (const name of attributes)
      expect(name).not.toMatch(/^(?:on.*|src|srcset|action|formaction|data|poster|xlink:href)$/);
    for (const banned of ["link", "img", "iframe", "object", "embed", "form", "base", "image"])
      expect(named(banned)).toEqual([]);
    const [style, script] = [textOf(named("style")[0]!), textOf(named("script")[0]!)];
    expect(named("script").length + named("style").length).toBe(2);
    expect(style).not.toMatch(/url\(|@import/);
    expect(script).not.toMatch(/fetch|XMLHttpRequest|WebSocket|import\b|eval|innerHTML|https?:/);
    const policy = named("meta").map((e) => e.attributes.get("content")!)[1];
    const hash = createHash("sha256").update(script).digest("base64");
    expect(policy).toBe(
      `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'`,
    );
  });

  test("shows names as they are, but for what turns or ends text", () => {
    const shown = model.name.replaceAll("\u202e", "\ufffd").replaceAll("\0", "\ufffd");
    expect(textOf(named("h1")[0]!)).toBe(shown);
    expect(page).not.toContain("\u202e");
    expect(page).not.toContain("\0");
  });
});

test("a page tells of both targets when it is asked to", async () => {
  const { page } = await explain(request(small, { others: [cuda], programs: ["one"] }));
  const shown = [...everyElement(parsePage(page))].filter(
    (e) => e.attributes.get("class") === "cuda",
  );
  expect(shown.length).toBeGreaterThan(0);
  for (const text of shown) expect(textOf(text)).toContain('extern "C"');
});

describe("the arena", () => {
  const profile = defaultProfile;
  const compilation = compileStages(traceProgram(samModel(tinySam), "encode"), { profile });
  const arena = arenaFacts(compilation, profile.alignment, () => "t");

  test("has the plan's lower bound where most bytes live", () => {
    expect(Math.max(...arena.live)).toBe(compilation.plan.arenaLowerBound);
    expect(arena.bytes).toBeGreaterThanOrEqual(arena.lowerBound);
  });

  test("holds no two tensors in one place at one time", () => {
    const { tensors } = arena;
    const apart = (end: number, start: number) => end <= start;
    const clashes = tensors.filter((a, i) =>
      tensors.some(
        (b, j) =>
          i < j &&
          a.buffer === b.buffer &&
          a.first <= b.last &&
          b.first <= a.last &&
          !apart(a.offset + a.bytes, b.offset) &&
          !apart(b.offset + b.bytes, a.offset),
      ),
    );
    expect(clashes).toEqual([]);
  });
});

describe("blocks", () => {
  test.each([
    ["image_encoder.blocks.3.attn.qkv.weight", "image_encoder.blocks.3", "attn.qkv"],
    ["image_encoder.neck.0.weight", "image_encoder.neck", "neck.0"],
    ["image_encoder.pos_embed", "image_encoder", ""],
    ["decoder.transformer.final.q_proj.weight", "decoder.transformer", "final.q_proj"],
    ["up.weight", "up", ""],
    ["weight", "weight", ""],
  ])("%s belongs to %s", (path, block, module) => {
    expect([blockName(path), moduleBelow(block, path)]).toEqual([block, module]);
  });

  test("two regions of one module are told apart by their parameters", () => {
    const paths = ["m.blocks.0.qkv.lora_A", "m.blocks.0.qkv.weight", "m.blocks.0.norm.weight"];
    const members = [...paths, undefined].map((path) => ({ path, otherwise: "sum" }));
    expect(titlesOf([{ name: "m.blocks.0", first: 0, end: 4 }], members)).toEqual([
      "qkv.lora_A",
      "qkv.weight",
      "norm",
      "sum",
    ]);
  });

  test("steps without parameters belong to what they read, or to what follows", () => {
    const [a, b] = ["m.blocks.0.a.w", "m.blocks.1.a.w"];
    const members = [
      { path: undefined, producers: [] },
      { path: a, producers: [0] },
      { path: undefined, producers: [1] },
      { path: b, producers: [2] },
      { path: a, producers: [3] },
    ];
    expect(blocksOf(members, "p")).toEqual([
      { name: "m.blocks.0", first: 0, end: 3 },
      { name: "m.blocks.1", first: 3, end: 4 },
      { name: "m.blocks.0", first: 4, end: 5 },
    ]);
    expect(blocksOf([{ path: undefined, producers: [] }], "p")).toEqual([
      { name: "p", first: 0, end: 1 },
    ]);
  });
});

test("a drawing's boxes lie apart, and its edges lead down", () => {
  const boxes = Array.from({ length: 9 }, (_, i) => ({ width: 60 + 20 * (i % 3), height: 30 }));
  const pairs = ["01", "02", "03", "14", "24", "05", "45", "56", "36", "78", "68"];
  const edges = pairs.map(([from, to]) => ({ from: Number(from), to: Number(to) }));
  const drawing = layOut(boxes, edges);
  drawing.boxes.forEach((a, i) => {
    drawing.boxes.slice(i + 1).forEach((b, more) => {
      const other = boxes[i + 1 + more]!;
      const across = Math.abs(a.x - b.x) >= (boxes[i]!.width + other.width) / 2;
      expect(across || Math.abs(a.y - b.y) >= 30, `boxes ${i} and ${i + 1 + more}`).toBe(true);
    });
    expect(a.x - boxes[i]!.width / 2).toBeGreaterThanOrEqual(0);
    expect(a.x + boxes[i]!.width / 2).toBeLessThanOrEqual(drawing.width);
    expect(a.y + 15).toBeLessThanOrEqual(drawing.height);
  });
  for (const points of drawing.edges)
    for (const [i, point] of points.slice(1).entries())
      expect(point.y).toBeGreaterThan(points[i]!.y);
});

test.each([
  [
    "twelve branches that meet one after another",
    12,
    (i: number, n: number) => (i < n ? 0 : i - 1),
  ],
  ["branches that meet at once", 9, (_i: number, n: number) => n],
  ["one branch", 1, (_i: number, n: number) => n],
])("a drawing of %s begins where its first box does", (_name, count, meet) => {
  // Each branch is two boxes; what joins them follows one after another.
  const edges = Array.from({ length: count }, (_, i) => [
    { from: 2 * i, to: 2 * i + 1 },
    { from: 2 * i + 1, to: 2 * count + Math.min(count - 1, meet(i, count)) },
  ]).flat();
  const joins = Array.from({ length: count - 1 }, (_, i) => ({
    from: 2 * count + i,
    to: 2 * count + i + 1,
  }));
  const boxes = Array.from({ length: 3 * count }, () => ({ width: 216, height: 50 }));
  const drawing = layOut(boxes, [...edges, ...joins]);
  const sides = drawing.boxes.map(({ x }) => [x - 108, x + 108] as const);
  expect(Math.min(...sides.map(([left]) => left))).toBeLessThan(60);
  expect(drawing.width - Math.max(...sides.map(([, right]) => right))).toBeLessThan(60);
  // In the corner that a page shows first there is a box.
  const seen = drawing.boxes.filter(({ x, y }) => x < 600 && y < 600);
  expect(seen.length).toBeGreaterThan(0);
});

test("the page of a model with parallel branches begins with a block, not with nothing", async () => {
  const branches = defineModel({
    name: "branches",
    build: (p) => {
      const x: Parameters<typeof linear>[1] = input("x", "f32", [8, 16]);
      const layer = (name: string, from: typeof x) => softmax(linear(p.at(name), from, 16, 16), 1);
      const ends = Array.from({ length: 12 }, (_, i) => layer(`b${i}`, layer(`a${i}`, x)));
      return { y: ends.reduce((a, b) => add(a, b)) };
    },
  });
  const { page } = await explain(request(branches));
  const pictures = [...page.matchAll(/<svg class="graph" width="(\d+)"[\s\S]*?<\/svg>/g)];
  expect(pictures.length).toBeGreaterThan(12);
  for (const [picture, width] of pictures) {
    const boxes = [
      ...picture.matchAll(/<rect class="(?:box|end)" x="([\d.]+)"[^>]* width="(\d+)"/g),
    ];
    const left = boxes.map(([, x]) => Number(x));
    const right = boxes.map(([, x, wide]) => Number(x) + Number(wide));
    expect(Math.min(...left)).toBeLessThan(60);
    expect(Number(width) - Math.max(...right)).toBeLessThan(60);
  }
});

describe("text", () => {
  test("is escaped for elements and for attributes", () => {
    expect(escapeText(`<a b="c" d='e'>&\u2066\n\t`)).toBe(
      "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;\ufffd\n\t",
    );
  });

  test("is shortened in the middle, by characters", () => {
    expect(shorten("image_encoder.blocks.11.attn", 13)).toBe("imag….11.attn");
    expect(shorten("𝒜𝒜𝒜𝒜", 4)).toBe("𝒜𝒜𝒜𝒜");
  });

  test("has quantities in three digits", () => {
    expect([0, 17, 1500, 487_043_440_640].map(formatCount)).toEqual(["0", "17", "1.50 k", "487 G"]);
    expect([0.0123, 4.5, 1234].map(formatTime)).toEqual(["12.3 µs", "4.50 ms", "1.23 s"]);
  });
});

describe("the trace", () => {
  test("lays the steps end to end in the trace event format, below their blocks", async () => {
    const { programs } = await explain(request(small));
    const timed = programs.map(({ facts }) => {
      const steps = facts.regions.map((_, i) => 0.25 * (i + 1));
      return { facts, measured: { device: "a device", steps, runs: 1 } };
    });
    const trace = JSON.parse(JSON.stringify(traceOf("small", timed)));
    expect(trace.displayTimeUnit).toBe("ms");
    const names = trace.traceEvents.filter((e: { ph: string }) => e.ph === "M");
    expect(names.map((e: { args: object }) => e.args)).toContainEqual({ name: "one" });
    for (const [i, { facts, measured }] of timed.entries()) {
      const events = trace.traceEvents.filter(
        (e: { ph: string; pid: number; cat: string }) =>
          e.ph === "X" && e.pid === i + 1 && e.cat === "step",
      );
      expect(events).toHaveLength(facts.plan.steps.length);
      let end = 0;
      for (const [step, event] of events.entries()) {
        expect(event).toMatchObject({ ts: end, dur: 1000 * measured.steps[step]!, tid: 2 });
        expect(event.args.multiplications).toBe(facts.work.regions[step]!.multiplications);
        end += event.dur;
      }
    }
  });

  test("holds what a device measured, as the page does", async () => {
    const { page, trace, programs } = await explain(request(small, { times: "must" }));
    const steps = programs.flatMap(({ measured }) => ("steps" in measured ? measured.steps : []));
    const durations = trace.traceEvents.flatMap((e) =>
      e.ph === "X" && e.cat === "step" ? [e.dur / 1000] : [],
    );
    expect(durations).toHaveLength(programs.flatMap((p) => p.facts.regions).length);
    expect(durations).toEqual(steps.map((t) => (t * 1000) / 1000));
    const heads = [...everyElement(parsePage(page))].filter((e) => e.name === "th").map(textOf);
    for (const title of ["time", "Gmul/s", "GB/s"]) expect(heads).toContain(title);
  });
});
