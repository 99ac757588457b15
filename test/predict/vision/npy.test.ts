import { expect, test } from "vitest";
import { decodeNpy, encodeNpy, isNpy } from "../../../predict/vision/npy.ts";

const values = [0.5, -1.25, Math.fround(3e-8), Math.fround(1e30)];

/** A file as NumPy 2.4 writes it: the header, padded to 128 bytes in all, and the values. */
function numpyFile(header: string, hex: string): Uint8Array {
  const text = `\x93NUMPY\x01\x00v\x00${header}`;
  return Uint8Array.from(
    Buffer.concat([Buffer.from(`${text.padEnd(127)}\n`, "latin1"), Buffer.from(hex, "hex")]),
  );
}
const header = (descr: string, order = "False", shape = "(1, 2, 2)") =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;
const single = numpyFile(header("<f4"), "0000003f0000a0bf59d90033caf24971");

const readable: readonly [kind: string, file: Uint8Array][] = [
  ["float32", single],
  [
    "float64",
    numpyFile(header("<f8"), "000000000000e03f000000000000f4bf2b69a4292b1b603eea8ca039593e2946"),
  ],
  ["float32 of a big-endian machine", numpyFile(header(">f4"), "3f000000bfa000003300d9597149f2ca")],
];
for (const [kind, file] of readable) {
  test(`NumPy's ${kind} is read`, () => {
    const { shape, data } = decodeNpy(file);
    expect(shape).toEqual([1, 2, 2]);
    expect([...data]).toEqual(values);
  });
}

test("what is written is NumPy's file, byte for byte", () => {
  expect(encodeNpy({ shape: [1, 2, 2], data: Float32Array.from(values) })).toEqual(single);
});

test("every float32 survives, whatever the shape and wherever the bytes lie", () => {
  const data = Float32Array.of(0, -0, 1e-45, Number.NaN, Number.NEGATIVE_INFINITY, 16777217);
  for (const shape of [[6], [2, 3], [1, 1, 6, 1], Array(40).fill(1).concat(6)]) {
    const file = encodeNpy({ shape, data });
    const shifted = new Uint8Array(file.length + 1);
    shifted.set(file, 1);
    const read = decodeNpy(shifted.subarray(1));
    expect(read.shape).toEqual(shape);
    expect(read.data).toEqual(data);
  }
  expect(decodeNpy(numpyFile(header("<f4", "False", "()"), "00002040")).shape).toEqual([]);
});

test("whole numbers are read where numbers are wanted, of either byte order", () => {
  const read = (descr: string, hex: string) => [
    ...decodeNpy(numpyFile(header(descr, "False", "(2,)"), hex), undefined, "numbers").data,
  ];
  expect(read("|u1", "01ff")).toEqual([1, 255]);
  expect(read("|i1", "01ff")).toEqual([1, -1]);
  expect(read("<u2", "e803ffff")).toEqual([1000, 65535]);
  expect(read(">u2", "03e8ffff")).toEqual([1000, 65535]);
  expect(read("<i2", "e803ffff")).toEqual([1000, -1]);
  expect(read("<i4", "e8030000ffffffff")).toEqual([1000, -1]);
  expect(read(">u4", "000003e8ffffffff")).toEqual([1000, 2 ** 32]);
  expect(() => decodeNpy(numpyFile(header("|u1", "False", "(2,)"), "01ff"))).toThrow(/E322/);
});

const text = (words: string) => new TextEncoder().encode(words);
const broken: readonly [claim: string, file: Uint8Array, words: RegExp][] = [
  ["a file of text", text("hello"), /E321.*\(5 bytes\)[\s\S]*in logits\.npy/],
  ["an empty file", new Uint8Array(0), /E321.*0 bytes/],
  ["a file cut in its first bytes", single.subarray(0, 9), /E321.*9 bytes/],
  ["a file cut in its header", single.subarray(0, 60), /E321.*end at byte 128.*60 bytes/],
  [
    "a file cut in its values",
    single.subarray(0, 140),
    /E321.*needs 16 bytes after byte 128.*12 follow/,
  ],
  ["a file with more behind it", Uint8Array.of(...single, 0), /E321.*17 follow/],
  ["a damaged header", numpyFile("{'descr': '<f4', 'fortran", "00"), /E321.*header is damaged/],
  ["integers", numpyFile(header("<i8"), "00"), /E322.*'<i8'[\s\S]*astype\('float32'\)/],
  ["columns first", numpyFile(header("<f4", "True"), "00"), /E322[\s\S]*ascontiguousarray/],
  [
    "records",
    numpyFile("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", "00"),
    /E322.*records/,
  ],
];
for (const [claim, file, words] of broken) {
  test(`${claim} is refused`, () => {
    expect(() => decodeNpy(file, "logits.npy")).toThrow(words);
  });
}

test("a NumPy file is known by its beginning", () => {
  expect([isNpy(single), isNpy(text("\x89PNG")), isNpy(new Uint8Array(0))]).toEqual([
    true,
    false,
    false,
  ]);
});

test("E320: values fill their shape", () => {
  expect(() => encodeNpy({ shape: [2, 2], data: new Float32Array(3) })).toThrow(
    /E320.*2 x 2.*4.*3/,
  );
});
