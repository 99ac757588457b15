/** The safetensors format: what is written reads back, and what is malformed is named. */
import { describe, expect, test } from "vitest";
import { finite, watchFinite } from "../../../runtime/weights/finite.ts";
import {
  bytesSource,
  checkFinite,
  openWeights,
  planSafetensors,
  streamSafetensors,
  type TensorData,
  type TensorPlan,
  writeSafetensors,
} from "../../../runtime/weights/index.ts";
import { openBytes, readAll, refusal } from "../../support/weights-files.ts";

const tensor = (
  dtype: TensorData["dtype"],
  shape: number[],
  view: ArrayBufferView,
): TensorData => ({
  dtype,
  shape,
  data: Uint8Array.from(new Uint8Array(view.buffer, view.byteOffset, view.byteLength)),
});

const everything = new Map<string, TensorData>([
  ["double", tensor("f64", [2], Float64Array.of(0.1, -2))],
  ["single", tensor("f32", [1, 2], Float32Array.of(0.5, -2))],
  ["half", tensor("f16", [2, 1], Uint16Array.of(0x3800, 0xc000))],
  ["brain", tensor("bf16", [2], Uint16Array.of(0x3f00, 0xc000))],
  ["long", tensor("i64", [2], BigInt64Array.of(7n, -8n))],
  ["int", tensor("i32", [2], Int32Array.of(7, -8))],
  ["short", tensor("i16", [2], Int16Array.of(7, -8))],
  ["char", tensor("i8", [3], Int8Array.of(7, -8, 0))],
  ["byte", tensor("u8", [2], Uint8Array.of(7, 248))],
  ["flag", tensor("bool", [2], Uint8Array.of(1, 0))],
  ["scalar", tensor("f32", [], Float32Array.of(3))],
  ["empty", tensor("f32", [0, 4], new Float32Array(0))],
  ["__proto__", tensor("f32", [1], Float32Array.of(9))],
  ['na\u00efve \u{1f642} "quoted"', tensor("u8", [1], Uint8Array.of(1))],
]);

describe("what is written reads back", () => {
  const metadata = { format: "pt", note: 'k\u00e4se "1"', __proto: "x" };
  const file = writeSafetensors(everything, metadata);

  test("every dtype, name and shape, and the metadata", async () => {
    const weights = await openBytes(file);
    expect(new Map([...(await readAll(weights))].sort())).toEqual(new Map([...everything].sort()));
    expect(weights.metadata).toEqual(metadata);
  });

  const floats = {
    double: [Math.fround(0.1), -2],
    single: [0.5, -2],
    half: [0.5, -2],
    brain: [0.5, -2],
    long: [7, -8],
    int: [7, -8],
    short: [7, -8],
    char: [7, -8, 0],
    byte: [7, 248],
    flag: [1, 0],
    scalar: [3],
    empty: [],
  };
  test.each(Object.entries(floats))("%s as floats, whole and in pieces", async (name, values) => {
    const weights = await openBytes(file);
    expect([...(await weights.readF32(name))]).toEqual(values);
    const pieces: number[] = [];
    for await (const piece of weights.chunks(name, 1)) pieces.push(...piece);
    expect(pieces).toEqual(values);
  });

  test("in any order of the input, the same bytes; wide elements first, aligned", () => {
    expect(writeSafetensors(new Map([...everything].reverse()), metadata)).toEqual(file);
    const start = 8 + Number(new DataView(file.buffer).getBigUint64(0, true));
    expect(start % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(file.subarray(8, start)));
    const order = Object.keys(header).filter((name) => everything.get(name)?.shape[0] !== 0);
    expect(order.slice(0, 4)).toEqual(["__metadata__", "double", "long", "__proto__"]);
    expect(header.single.data_offsets[0] % 4).toBe(0);
  });

  test("streamed, the same bytes as at once", async () => {
    const pieces: number[] = [];
    const sink = { write: async (bytes: Uint8Array) => void pieces.push(...bytes) };
    await streamSafetensors(sink, planSafetensors(everything, metadata), function* (name) {
      const { data } = everything.get(name)!;
      for (let at = 0; at < data.length; at += 3) yield data.subarray(at, at + 3);
    });
    expect(Uint8Array.from(pieces)).toEqual(file);
  });

  test("without tensors and without metadata", async () => {
    const weights = await openBytes(writeSafetensors(new Map()));
    expect([weights.tensors.size, weights.metadata]).toEqual([0, {}]);
  });
});

describe("what cannot be written is refused", () => {
  const plan = (shape: number[]): TensorPlan => ({ dtype: "f32", shape });
  const cases: readonly [
    claim: string,
    name: string,
    shape: number[],
    given: number,
    words: string,
  ][] = [
    ["a negative size", "w", [-1], 4, "[-1]"],
    ["a fractional size", "w", [1.5], 4, "[1.5]"],
    ["a name of the format's own", "__metadata__", [1], 4, "taken by the format"],
    ["too few elements", "w", [3], 8, "take 12 bytes, but 8"],
    ["too many elements", "w", [1], 8, "take 4 bytes, but 8"],
  ];
  test.each(cases)("%s", async (_, name, shape, given, words) => {
    const data = new Uint8Array(given);
    const whole = await refusal(() =>
      writeSafetensors(new Map([[name, { ...plan(shape), data }]])),
    );
    const sink = { write: async () => undefined };
    const streamed = await refusal(() =>
      streamSafetensors(sink, planSafetensors(new Map([[name, plan(shape)]]), {}), () => [data]),
    );
    for (const error of [whole, streamed]) {
      expect(error.code).toBe("E216");
      expect(error.details.message).toContain(words);
    }
  });
});

test("E216: a tensor of a dtype that there is not", async () => {
  const data = new Uint8Array(4);
  for (const dtype of [undefined, "float32"]) {
    const tensor = { dtype: dtype as "f32", shape: [1], data };
    const { code, details } = await refusal(async () => writeSafetensors(new Map([["w", tensor]])));
    expect([code, details.where]).toEqual(["E216", 'tensor "w"']);
    expect(details.help).toContain("f64, f32");
  }
});

/** A file of this header, with `data` bytes behind it. */
function file(header: unknown, data = 0): Uint8Array {
  const text = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const bytes = new Uint8Array(8 + text.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const entry = (dtype: string, shape: unknown, ...offsets: unknown[]) => ({
  dtype,
  shape,
  data_offsets: offsets,
});

describe("what is malformed is named", () => {
  const cases: readonly [claim: string, bytes: Uint8Array, code: string, words: string][] = [
    [
      "a header that is cut short",
      file({ w: entry("F32", [1], 0, 4) }).subarray(0, 30),
      "E210",
      "ends after 22",
    ],
    [
      "a header of more than 100 MB",
      Uint8Array.of(0, 0, 0, 0, 9, 0, 0, 0, 0x7b),
      "E210",
      "38654705664",
    ],
    ["JSON that is none", file("{,}"), "E211", "JSON"],
    ["JSON that is no object", file("[1]  "), "E211", "does not begin with {"],
    ["a header that begins with a space", file(' {"w":1}'), "E211", "does not begin with {"],
    ["a header that begins with a line", file('\n{"w":1}'), "E211", "does not begin with {"],
    [
      "text that is not UTF-8",
      Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff, 0x7d),
      "E211",
      "UTF-8",
    ],
    [
      "two tensors of one name",
      file(
        '{"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0077":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
      ),
      "E211",
      "occurs twice",
    ],
    [
      "two shapes of one tensor",
      file('{"w":{"dtype":"U8","shape":[0],"shape":[0],"data_offsets":[0,0]}}'),
      "E211",
      '"shape" occurs twice',
    ],
    ["metadata that is no text", file({ __metadata__: { a: "b", rank: 4 } }), "E212", '"rank"'],
    ["metadata that is no object", file({ __metadata__: "pt" }), "E212", "object of strings"],
    ["an entry that is no object", file({ w: 3 }), "E212", "not an object"],
    [
      "an entry with a field too many",
      file({ w: { ...entry("U8", [0], 0, 0), strides: [1] } }),
      "E212",
      "strides",
    ],
    ["a dtype that is no text", file({ w: entry(3 as never, [0], 0, 0) }), "E212", "not a string"],
    ["a dtype that is not read", file({ w: entry("F8_E4M3", [1], 0, 1) }, 1), "E214", "F8_E4M3"],
    [
      "a dtype that every object has",
      file({ w: entry("constructor", [1], 0, 1) }, 1),
      "E214",
      "constructor",
    ],
    ["a shape of fractions", file({ w: entry("U8", [0.5], 0, 0) }), "E211", "0.5 is not spelled"],
    ["a negative size", file({ w: entry("U8", [-1], 0, 0) }), "E211", "-1 is not spelled"],
    ...["-0", "2.0", "0e0", "1E1"].map((size): (typeof cases)[number] => [
      `a size spelled ${size}`,
      file(`{"w-1.5e3":{"dtype":"U8","shape":[${size}],"data_offsets":[0,0]}}`),
      "E211",
      `${size} is not spelled as a whole number`,
    ]),
    [
      "an offset spelled -0",
      file('{"w":{"dtype":"U8","shape":[0],"data_offsets":[-0,0]}}'),
      "E211",
      "-0 is not spelled",
    ],
    [
      "a size beyond counting",
      file({ w: entry("U8", [2 ** 31, 2 ** 31], 0, 0) }),
      "E212",
      "2147483648",
    ],
    ["offsets that are none", file({ w: entry("U8", [1], "0", 1) }, 1), "E212", "byte offsets"],
    ["offsets in the wrong order", file({ w: entry("U8", [1], 1, 0) }, 1), "E212", "byte offsets"],
    [
      "a shape that its bytes do not fill",
      file({ w: entry("F32", [2, 3], 0, 20) }, 20),
      "E212",
      "takes 24 bytes",
    ],
    [
      "a hole",
      file({ a: entry("U8", [1], 0, 1), b: entry("U8", [1], 2, 3) }, 3),
      "E213",
      "1 bytes unused",
    ],
    [
      "an overlap",
      file({ a: entry("U8", [2], 0, 2), b: entry("U8", [2], 1, 3) }, 3),
      "E213",
      "overlaps",
    ],
    ["elements that are missing", file({ a: entry("U8", [9], 0, 9) }, 5), "E213", "4 are missing"],
    [
      "bytes behind the last tensor",
      file({ a: entry("U8", [1], 0, 1) }, 3),
      "E213",
      "2 bytes follow",
    ],
  ];
  test.each(cases)("%s", async (_, bytes, code, words) => {
    const error = await refusal(() => openBytes(bytes));
    expect(error.code).toBe(code);
    expect(error.details.message).toContain(words);
    expect(error.details.where).toContain("crafted");
  });

  test("a metadata text of a million quotes", async () => {
    const weights = await openBytes(file({ __metadata__: { quotes: '"\\'.repeat(1_000_000) } }));
    expect(weights.metadata.quotes).toHaveLength(2_000_000);
  });
});

describe("what a file looks like is said when it is no checkpoint", () => {
  const text = (content: string) => Uint8Array.from(content, (c) => c.charCodeAt(0));
  const cases: readonly [content: string, words: string][] = [
    ["", "is empty"],
    ["\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", "PyTorch before 1.6"],
    ["\x80\x04\x95\x10", "bare pickle"],
    [`${"model".padEnd(257, "\0")}ustar`, "tar archive"],
    ["version https://git-lfs.github.com/spec/v1\n", "Git LFS"],
    ["<!DOCTYPE html><html>", "web page"],
    ['{"metadata": {}, "weight_map": {}}', "index"],
    ['{ "image_size": 1024 }', "JSON"],
    ["\x89HDF\r\n\x1a\n", "HDF5"],
    ["GGUF\x03\0\0\0", "GGUF"],
    ["\x93NUMPY\x01\0", "NumPy"],
    ["\x1f\x8b\x08\0", "compressed"],
    ["\x89PNG\r\n\x1a\n", "picture"],
    ["\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7", "ff fe fd fc"],
  ];
  test.each(cases)("%j", async (content, words) => {
    const error = await refusal(() => openBytes(text(content)));
    expect(error.code).toBe("E206");
    expect(error.details.message).toContain(words);
  });

  test("a header whose length looks like JSON is a header", async () => {
    const header = "{}".padEnd(0x227b, " ");
    expect((await openBytes(file(header))).tensors.size).toBe(0);
  });
});

describe("tensors and values that should not be", () => {
  const weights = openBytes(writeSafetensors(everything));

  test("an unknown name is answered with the nearest", async () => {
    const error = await refusal(async () => (await weights).read("singel"));
    expect(error.code).toBe("E204");
    expect(error.details.help).toContain('"single"');
  });

  test("NaN and infinite values are counted in every tensor at once", async () => {
    const bad = Float32Array.of(1, Number.NaN, 2, Number.POSITIVE_INFINITY);
    const large = Float64Array.of(0, 1e300);
    const file = writeSafetensors(
      new Map([
        ["fine", tensor("f32", [1], Float32Array.of(1))],
        ["bits", tensor("i32", [1], Int32Array.of(-1))],
        ["bad", tensor("f32", [4], bad)],
        ["large", tensor("f64", [2], large)],
        ["half", tensor("f16", [1], Uint16Array.of(0xfc00))],
      ]),
    );
    const error = await refusal(async () => checkFinite(await openBytes(file)));
    expect(error.code).toBe("E205");
    expect(error.details.message).toContain("3 tensors");
    expect(error.details.message).toContain("bad: 2 values, the first is NaN at 1");
    expect(error.details.message).toContain("large: 1 value, the first is Infinity at 1");
    expect(error.details.message).toContain("half: 1 value, the first is -Infinity at 0");
    await checkFinite(await openBytes(file), ["fine", "bits"]);
  });

  test("places are those in the whole tensor, in whatever pieces it passes by", async () => {
    const values = Float32Array.of(0, 1, 2, 3, Number.NaN, 5, Number.POSITIVE_INFINITY, 7);
    const { found, look } = watchFinite();
    for (const [from, to] of [
      [0, 3],
      [3, 5],
      [5, 8],
    ] as const) {
      look("other", values.subarray(0, 2));
      look("long", values.subarray(from, to));
    }
    expect([...found]).toEqual([["long", { count: 2, index: 4, value: Number.NaN }]]);
    const pieces = async function* () {
      for (let at = 0; at < 8; at += 3) yield values.slice(at, at + 3);
    };
    const seen: number[] = [];
    const error = await refusal(async () => {
      for await (const piece of finite(pieces(), "long", "a file")) seen.push(...piece);
    });
    expect(error.details.message).toContain("long: 1 value, the first is NaN at 4");
    expect(seen).toEqual([0, 1, 2]);
  });

  test("a source that fails to open is closed", async () => {
    let closed = 0;
    const source = { ...bytesSource("none", Uint8Array.of(1)), close: async () => void closed++ };
    await refusal(() => openWeights(source));
    expect(closed).toBe(1);
  });
});
