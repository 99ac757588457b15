/** PyTorch checkpoints that are as they should be: a real one, and what others may look like. */
import { createHash } from "node:crypto";
import { crc32 as nodeCrc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { fileSource } from "../../../runtime/node/files.ts";
import { crc32 } from "../../../runtime/weights/crc32.ts";
import { bytesSource, openWeights } from "../../../runtime/weights/index.ts";
import { type Picklable, stateDict, tensorCall, torchFile } from "../../support/torch-file.ts";
import { fixturePath, openBytes, randomNumbers, refusal } from "../../support/weights-files.ts";

test("sam_nano.pth reads as Python's own zip and pickle modules read it", async () => {
  const weights = await openWeights(await fileSource(fixturePath("sam_nano.pth")));
  const hash = createHash("sha256");
  for (const [name, { shape }] of weights.tensors) {
    hash.update(`${name}\0${shape}\0`).update((await weights.read(name)).data);
  }
  await weights.close();
  expect(weights.tensors.size).toBe(202);
  expect(hash.digest("hex")).toBe(
    "3877475ec61613df6a65ee3d8177a2de41b1d8fc0739bd8879fa2ed71ec6126b",
  );
});

/** Six numbers in one storage. */
const six = Float32Array.of(0, 1, 2, 3, 4, 5);
const floats = { type: "FloatStorage", key: "0", elements: 6 } as const;
const plain = stateDict([["w", tensorCall({ shape: [2, 3], ...floats })]]);

describe("a zip may be written in several ways", () => {
  const styles = [
    {},
    { descriptors: true },
    { wide: true },
    { wide: true, descriptors: true },
    { comment: "a comment of some length" },
  ] as const;
  test.each(styles)("%j", async (style) => {
    const weights = await openBytes(torchFile(plain, { 0: six }, style));
    expect([...(await weights.readF32("w"))]).toEqual([0, 1, 2, 3, 4, 5]);
    expect(weights.tensors.get("w")).toMatchObject({ dtype: "f32", shape: [2, 3], bytes: 24 });
  });
});

describe("every type of storage reads as floats", () => {
  const cases: readonly [
    type: string,
    storage: ArrayBufferView,
    dtype: string,
    values: number[],
  ][] = [
    ["DoubleStorage", Float64Array.of(0.1, -2), "f64", [Math.fround(0.1), -2]],
    ["FloatStorage", Float32Array.of(0.5, -2), "f32", [0.5, -2]],
    ["HalfStorage", Uint16Array.of(0x3800, 0xc000), "f16", [0.5, -2]],
    ["BFloat16Storage", Uint16Array.of(0x3f00, 0xc000), "bf16", [0.5, -2]],
    ["LongStorage", BigInt64Array.of(7n, -8n), "i64", [7, -8]],
    ["IntStorage", Int32Array.of(7, -8), "i32", [7, -8]],
    ["ShortStorage", Int16Array.of(7, -8), "i16", [7, -8]],
    ["CharStorage", Int8Array.of(7, -8), "i8", [7, -8]],
    ["ByteStorage", Uint8Array.of(7, 248), "u8", [7, 248]],
    ["BoolStorage", Uint8Array.of(1, 0), "bool", [1, 0]],
  ];
  test.each(cases)("%s", async (type, storage, dtype, values) => {
    const call = tensorCall({ shape: [2], type, key: "0", elements: 2 });
    const weights = await openBytes(torchFile(stateDict([["w", call]]), { 0: storage }));
    expect(weights.tensors.get("w")?.dtype).toBe(dtype);
    expect([...(await weights.readF32("w"))]).toEqual(values);
  });
});

describe("a tensor is a view of its storage", () => {
  const cases: readonly [
    claim: string,
    view: Parameters<typeof tensorCall>[0],
    values: number[],
  ][] = [
    ["row-major", { shape: [2, 3], ...floats }, [0, 1, 2, 3, 4, 5]],
    ["transposed", { shape: [3, 2], strides: [1, 3], ...floats }, [0, 3, 1, 4, 2, 5]],
    ["with an offset", { shape: [2], offset: 3, ...floats }, [3, 4]],
    ["every second element", { shape: [3], strides: [2], ...floats }, [0, 2, 4]],
    ["a column, with an offset", { shape: [2, 1], strides: [3, 1], offset: 1, ...floats }, [1, 4]],
    ["expanded", { shape: [2, 3], strides: [0, 1], ...floats }, [0, 1, 2, 0, 1, 2]],
    [
      "axes in another order",
      { shape: [1, 3, 2], strides: [9, 1, 3], ...floats },
      [0, 3, 1, 4, 2, 5],
    ],
    ["a single number", { shape: [], offset: 5, ...floats }, [5]],
    ["of no elements", { shape: [0, 3], strides: [3, 1], ...floats }, []],
  ];
  test.each(cases)("%s", async (_, view, values) => {
    const weights = await openBytes(torchFile(stateDict([["w", tensorCall(view)]]), { 0: six }));
    expect([...(await weights.readF32("w"))]).toEqual(values);
    const pieces: number[] = [];
    for await (const piece of weights.chunks("w", 8)) {
      expect(piece.length).toBeLessThanOrEqual(2);
      pieces.push(...piece);
    }
    expect(pieces).toEqual(values);
  });
});

test("a checkpoint of a big-endian machine reads the same", async () => {
  const swapped = new Uint8Array(24);
  const view = new DataView(swapped.buffer);
  for (let i = 0; i < 6; i++) view.setFloat32(4 * i, i);
  const weights = await openBytes(torchFile(plain, { 0: swapped }, { byteorder: "big" }));
  expect([...(await weights.readF32("w"))]).toEqual([0, 1, 2, 3, 4, 5]);
});

describe("a state dict is found inside what training programs put around it", () => {
  const w = tensorCall({ shape: [6], ...floats });
  const dict = (...pairs: [string, Picklable][]): Picklable => ({ dict: pairs });
  const parameter: Picklable = {
    call: { global: "torch._utils _rebuild_parameter" },
    args: [w, true, { call: { global: "collections OrderedDict" }, args: [] }],
  };
  const size: Picklable = { call: { global: "torch Size" }, args: [{ tuple: [2, 3] }] };
  const device: Picklable = { call: { global: "torch device" }, args: ["cpu"] };
  const cases: readonly [claim: string, value: Picklable][] = [
    ["nothing", stateDict([["w", w]])],
    ["a plain dict", dict(["w", w])],
    ["model", dict(["epoch", 3], ["model", stateDict([["w", w]])], ["lr", 1e-4])],
    ["state_dict", dict(["state_dict", stateDict([["w", w]])], ["size", size], ["device", device])],
    ["model, then state_dict", dict(["model", dict(["state_dict", dict(["w", w])])])],
    ["model, beside a tensor of random state", dict(["rng", w], ["model", dict(["w", w])])],
    ["an unknown name, when it is the only dict", dict(["student", dict(["w", w])], ["step", 9])],
    ["a parameter instead of a tensor", dict(["w", parameter])],
    [
      "values that are no tensors",
      dict(["w", w], ["_extra", null], ["flag", true], ["big", 2 ** 50]),
    ],
  ];
  test.each(cases)("%s", async (_, value) => {
    const weights = await openBytes(torchFile(value, { 0: six }));
    expect([...weights.tensors.keys()]).toEqual(["w"]);
    expect([...(await weights.readF32("w"))]).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe("a state dict is known by its content", () => {
  const w = tensorCall({ shape: [6], ...floats });
  const dict = (...pairs: [string, Picklable][]): Picklable => ({ dict: pairs });
  const list = (...items: Picklable[]): Picklable => ({ list: items });
  const net = dict(["conv.weight", w], ["conv.bias", w]);
  const moments: Picklable = { dict: [[0, dict(["exp_avg", w])]] };
  const optimizer = dict(["state", moments], ["param_groups", list(dict(["lr", 1]))]);
  const cases: readonly [claim: string, value: Picklable][] = [
    ["under an unknown key, beside a tensor", dict(["epoch", w], ["network", net])],
    ["behind the weights of a loss", dict(["weights", dict(["dice", w])], ["network", net])],
    ["beside an optimiser", dict(["optimizer", optimizer], ["sam", net])],
    ["beside optimisers in a list", dict(["a", net], ["optimizers", list(optimizer, optimizer)])],
    ["in a list", dict(["models", list(net)], ["optimizer", optimizer])],
    ["in a tuple", { tuple: [net, optimizer, 3] }],
    ["of a single layer", dict(["loss", w], ["layer", dict(["weight", w], ["bias", w])])],
    ["three wrappers deep", dict(["ckpt", dict(["state", dict(["best", net])], ["step", w])])],
    ["beside what a callback keeps", dict(["callbacks", dict(["best", w])], ["state_dict", net])],
  ];
  test.each(cases)("%s", async (_, value) => {
    const weights = await openBytes(torchFile(value, { 0: six }));
    const names = [...weights.tensors.keys()];
    expect([
      ["conv.weight", "conv.bias"],
      ["weight", "bias"],
    ]).toContainEqual(names);
  });

  const several: readonly [claim: string, value: Picklable, paths: string[]][] = [
    ["averages beside the weights", dict(["model", net], ["ema", net]), ["model", "ema"]],
    ["averages inside the weights", dict(["a.weight", w], ["ema", net]), ["", "ema"]],
    [
      "two models in a list",
      dict(["models", list(net, dict(["b.weight", w]))]),
      ["models[0]", "models[1]"],
    ],
    [
      "parts of a model",
      dict(["p", dict(["encoder", net])], ["decoder", net]),
      ["p.encoder", "decoder"],
    ],
    [
      "dicts of loose tensors",
      dict(["one", dict(["u", w])], ["two", dict(["v", w])]),
      ["one", "two"],
    ],
  ];
  test.each(several)("%s are refused, listed, and taken by key", async (_, value, paths) => {
    // Two dicts that are one: each is written out.
    const bytes = torchFile(value, { 0: six });
    const { code, details } = await refusal(() => openBytes(bytes));
    expect(code).toBe("E229");
    for (const path of paths) {
      expect(details.message).toContain(`${JSON.stringify(path)} (`);
      const weights = await openWeights(bytesSource("crafted", bytes), { key: path });
      expect(weights.tensors.size).toBeGreaterThan(0);
    }
    const wrong = await refusal(() =>
      openWeights(bytesSource("crafted", bytes), { key: `${paths[1]}s` }),
    );
    expect(wrong.details.help).toContain(paths[1]);
  });

  test("an optimiser alone is no model", async () => {
    const { code } = await refusal(() => openBytes(torchFile(optimizer, { 0: six })));
    expect(code).toBe("E229");
  });

  test("no name stands for two tensors", async () => {
    const other = tensorCall({ shape: [2, 3], ...floats });
    const twice = dict(["w", w], ["v", w], ["w", other]);
    const pairs = { list: [{ tuple: ["w", w] }, { tuple: ["w", other] }] };
    const ordered: Picklable = { call: { global: "collections OrderedDict" }, args: [pairs] };
    for (const value of [
      twice,
      stateDict([
        ["w", w],
        ["w", other],
      ]),
      ordered,
    ]) {
      const { code, message } = await refusal(() => openBytes(torchFile(value, { 0: six })));
      expect(code).toBe("E225");
      expect(message).toContain('the key "w" is set twice');
    }
  });
});

test("the checksum is zlib's, at every length and alignment, whole and continued", () => {
  const random = randomNumbers(23);
  const bytes = Uint8Array.from({ length: 100 }, () => random(256));
  for (let start = 0; start < 9; start++) {
    for (let end = start; end <= bytes.length; end++) {
      const part = bytes.subarray(start, end);
      const split = random(part.length + 1);
      expect(crc32(part)).toBe(nodeCrc32(part));
      expect(crc32(part.subarray(split), crc32(part.subarray(0, split)))).toBe(nodeCrc32(part));
    }
  }
});
