/**
 * PyTorch checkpoints that are damaged or mean harm: each ends in an error that says what is wrong.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { openTorch } from "../../../runtime/weights/torch.ts";
import {
  type Picklable,
  pickle,
  stateDict,
  tensorCall,
  torchFile,
  zip,
} from "../../support/torch-file.ts";
import { fixturePath, flipBit, openBytes, readAll, refusal } from "../../support/weights-files.ts";

const six = Float32Array.of(0, 1, 2, 3, 4, 5);
const floats = { type: "FloatStorage", key: "0", elements: 6 } as const;
const plain = stateDict([
  ["w", tensorCall({ shape: [2, 3], ...floats })],
  ["b", tensorCall({ shape: [3], strides: [2], ...floats })],
]);
const utf8 = (text: string) => new TextEncoder().encode(text);
const call = (name: string, ...args: Picklable[]): Picklable => ({ call: { global: name }, args });
const one = (view: Partial<Parameters<typeof tensorCall>[0]>) =>
  torchFile(stateDict([["w", tensorCall({ shape: [2, 3], ...floats, ...view })]]), { 0: six });
const program = (...raw: number[]) => torchFile({ raw });
const storage = {
  persistent: { tuple: ["storage", { global: "torch FloatStorage" }, "0", "cpu", 6] },
};

describe("what is wrong is said", () => {
  const cases: readonly [claim: string, file: () => Uint8Array, code: string, words: string][] = [
    ["a zip without its end", () => one({}).subarray(0, -40), "E220", "cut short"],
    [
      "another zip",
      () => zip([{ name: "word/document.xml", content: utf8("x") }]),
      "E222",
      "document.xml",
    ],
    [
      "TorchScript",
      () =>
        zip([
          { name: "m/data.pkl", content: pickle(null) },
          { name: "m/constants.pkl", content: pickle(null) },
        ]),
      "E222",
      "TorchScript",
    ],
    [
      "two checkpoints in one",
      () => zip(["a", "b"].map((name) => ({ name: `${name}/data.pkl`, content: pickle(null) }))),
      "E222",
      "one entry data.pkl, this zip 2",
    ],
    [
      "an unknown byte order",
      () => torchFile(plain, { 0: six }, { byteorder: "middle" }),
      "E222",
      '"middle"',
    ],
    [
      "a compressed entry",
      () => zip([{ name: "m/data.pkl", content: pickle(null), method: 8 }]),
      "E221",
      "compressed",
    ],
    [
      "an encrypted entry",
      () => zip([{ name: "m/data.pkl", content: pickle(null), flags: 1 }]),
      "E221",
      "encrypted",
    ],
    [
      "two entries of one name",
      () => zip([0, 1].map(() => ({ name: "m/data.pkl", content: pickle(null) }))),
      "E220",
      "two entries",
    ],
    ["a pickle without its end", () => program(0x28), "E225", "leaves 0 values"],
    ["an instruction that no data needs", () => program(0x69), "E225", "0x69"],
    ["a pickle that takes from an empty stack", () => program(0x85), "E225", "TUPLE1"],
    ["a pickle that reads what it did not keep", () => program(0x68, 9), "E225", "BINGET"],
    [
      "a text longer than the pickle",
      () => program(0x58, 255, 255, 255, 255),
      "E225",
      "BINUNICODE",
    ],
    [
      "a text of eight-byte length",
      () => program(0x8d, ...Array<number>(8).fill(255)),
      "E225",
      "BINUNICODE8",
    ],
    ["text that is not UTF-8", () => program(0x8c, 1, 0xff), "E225", "UTF-8"],
    [
      "an integer of 200 bytes",
      () => program(0x8a, 200, ...Array<number>(200).fill(1)),
      "E225",
      "200 bytes",
    ],
    ["items for what is no dict", () => program(0x4e, 0x4e, 0x4e, 0x73), "E225", "not a dict"],
    ["a key without a value", () => program(0x7d, 0x28, 0x4e, 0x75), "E225", "no value"],
    ["items below a mark", () => program(0x4e, 0x28, 0x85, 0x30), "E225", "TUPLE1"],
    ["a call of a number", () => program(0x4b, 1, 0x29, 0x52), "E225", "not a function"],
    [
      "a call of a type of storage",
      () => torchFile(call("torch FloatStorage", 6)),
      "E225",
      "torch.FloatStorage",
    ],
    [
      "a tensor of no storage",
      () => torchFile(call("torch._utils _rebuild_tensor_v2", 1, 0, { tuple: [] }, { tuple: [] })),
      "E225",
      "not a storage",
    ],
    [
      "a tensor that reaches past its storage",
      () => one({ offset: 1 }),
      "E225",
      "element 7 of a storage of 6",
    ],
    ["a shape of negative size", () => one({ shape: [-2, -3] }), "E225", "whole numbers"],
    [
      "a shape beyond counting",
      () => one({ shape: [2 ** 40, 2 ** 40], strides: [0, 0] }),
      "E225",
      "whole numbers",
    ],
    ["a negative stride", () => one({ strides: [-3, 1], offset: 3 }), "E225", "strides"],
    ["a shape and strides of different length", () => one({ strides: [1] }), "E225", "one length"],
    [
      "a parameter of no tensor",
      () => torchFile(call("torch._utils _rebuild_parameter", 1)),
      "E225",
      "not a tensor",
    ],
    [
      "an ordered dict of no pairs",
      () => torchFile(call("collections OrderedDict", 7)),
      "E225",
      "pairs",
    ],
    ["a size of no tuple", () => torchFile(call("torch Size", 7)), "E225", "not a tuple"],
    [
      "a reference to something else",
      () => torchFile({ persistent: "file" }),
      "E225",
      "not to a storage",
    ],
    [
      "attributes of a tensor",
      () =>
        torchFile({
          build: {
            call: { global: "torch._utils _rebuild_tensor_v2" },
            args: [storage, 0, { tuple: [1] }, { tuple: [1] }],
          },
          state: null,
        }),
      "E225",
      "no attributes",
    ],
    ["a storage that is missing", () => one({ key: "7" }), "E228", "model/data/7"],
    ["a storage of another size", () => one({ elements: 7 }), "E228", "24"],
    [
      "a tensor that repeats a little a lot",
      () => one({ shape: [2 ** 30], strides: [0] }),
      "E228",
      "4294967296",
    ],
    [
      "many tensors that repeat",
      () =>
        torchFile(
          stateDict(
            Array.from({ length: 20 }, (_, i) => [
              `${i}`,
              tensorCall({ ...floats, shape: [2 ** 24], strides: [0] }),
            ]),
          ),
          { 0: six },
        ),
      "E228",
      "claims",
    ],
    ["no tensors", () => torchFile({ dict: [["epoch", 3]] }), "E229", '"epoch": 3'],
    [
      "a tensor alone",
      () => torchFile(tensorCall({ shape: [6], ...floats }), { 0: six }),
      "E229",
      "a tensor",
    ],
    [
      "tensors under numbers",
      () => torchFile({ dict: [[3, tensorCall({ shape: [6], ...floats })]] }, { 0: six }),
      "E229",
      "key 3",
    ],
  ];
  test.each(cases)("%s", async (_, file, code, words) => {
    const error = await refusal(() => openBytes(file()));
    expect(error.code).toBe(code);
    expect(error.details.message).toContain(words);
    expect(error.details.where).toContain("crafted");
    expect(error.details.help).toBeTruthy();
  });
});

describe("a flipped bit in a storage is refused by each tensor that views it", () => {
  const views: readonly [claim: string, view: Partial<Parameters<typeof tensorCall>[0]>][] = [
    ["whole", {}],
    ["transposed", { shape: [3, 2], strides: [1, 3] }],
    ["expanded", { strides: [0, 1] }],
    ["a part before the bit", { shape: [2] }],
    ["a part behind the bit", { shape: [1], offset: 5 }],
    ["every second element", { shape: [3], strides: [2] }],
  ];
  const styles = [{}, { descriptors: true }, { byteorder: "big" }] as const;
  const cases = views.flatMap(([claim, view]) => styles.map((style) => ({ claim, style, view })));
  test.each(cases)("$claim $style", async ({ style, view }) => {
    const call = tensorCall({ shape: [2, 3], ...floats, ...view });
    const file = torchFile(stateDict([["w", call]]), { 0: six }, style);
    expect((await readAll(await openBytes(file))).size).toBe(1);
    const three = Buffer.from(file).indexOf(Buffer.from(six.buffer)) + 12;
    const weights = await openBytes(flipBit(file, 8 * three));
    const inPieces = async () => {
      for await (const _ of weights.chunks("w", 4));
    };
    // Twice each: what was found damaged stays so.
    for (const read of [() => weights.read("w"), inPieces, () => weights.read("w"), inPieces]) {
      const error = await refusal(read);
      expect(error.code).toBe("E220");
      expect(error.details.message).toContain('"model/data/0", does not match its checksum');
      expect(error.details.where).toBe('crafted, tensor "w"');
    }
  });

  test("sam_nano.pth: the middle of every tenth storage, and no other tensor", async () => {
    const file = Uint8Array.from(readFileSync(fixturePath("sam_nano.pth")));
    const intact = await openBytes(file);
    const buffer = Buffer.from(file);
    const tensors = [...(await readAll(intact))].filter((_, i) => i % 10 === 0);
    let damages = 0;
    for (const [name, { data }] of tensors) {
      const at = buffer.indexOf(data);
      // Equal contents, such as all zeros, may be those of another tensor.
      if (data.length < 64 || buffer.indexOf(data, at + 1) >= 0) continue;
      damages++;
      const damaged = await openBytes(flipBit(file, 8 * (at + data.length / 2) + 3));
      const error = await refusal(() => damaged.read(name));
      expect(error.code).toBe("E220");
      expect(error.details.where).toBe(`crafted, tensor "${name}"`);
      const read: string[] = [];
      for (const other of damaged.tensors.keys()) {
        if (other !== name) read.push((await damaged.read(other)) && other);
      }
      expect(read.length).toBe(damaged.tensors.size - 1);
    }
    expect(damages).toBeGreaterThan(5);
  });

  test("a storage of many parts is checked once, and again only if that read failed", async () => {
    const part = (offset: number) => tensorCall({ shape: [3], ...floats, offset });
    const file = torchFile(stateDict([0, 3].map((at) => [`${at}`, part(at)])), { 0: six });
    let whole = 0;
    const read = async (offset: number, length: number) => {
      if (length === six.byteLength && ++whole === 1) throw new TypeError("the disk is away");
      return file.slice(offset, offset + length);
    };
    const weights = await openTorch({ name: "crafted", size: file.length, read });
    whole = 0;
    await expect(weights.read("0")).rejects.toThrow("the disk is away");
    await Promise.all([weights.readF32("0"), weights.readF32("3"), weights.readF32("0")]);
    expect([...(await weights.readF32("3"))]).toEqual([3, 4, 5]);
    expect(whole).toBe(2);
  });
});

describe("what a pickle may not ask for is named, all of it, and nothing runs", () => {
  const cases: readonly [claim: string, value: Picklable, names: string][] = [
    ["os.system", call("posix system", "touch /tmp/owned"), "posix.system"],
    [
      "several names",
      {
        dict: [
          ["model", plain],
          ["args", { build: call("argparse Namespace"), state: { dict: [] } }],
          ["scaler", call("numpy.core.multiarray scalar", call("numpy dtype", "f8"))],
        ],
      },
      "argparse.Namespace, numpy.core.multiarray.scalar, numpy.dtype",
    ],
    [
      "a class that is made with NEWOBJ",
      { raw: [...pickleOf("builtins exec"), 0x29, 0x81] },
      "builtins.exec",
    ],
    [
      "names made on the stack",
      { raw: [0x8c, 2, 0x6f, 0x73, 0x8c, 1, 0x78, 0x93, 0x29, 0x52] },
      "os.x",
    ],
    [
      "an unknown type of storage",
      tensorCall({ shape: [6], ...floats, type: "QUInt8Storage" }),
      "torch.QUInt8Storage",
    ],
    ["a name inside arguments", call("collections OrderedDict", call("os getcwd")), "os.getcwd"],
    [
      "text opcodes of the oldest protocol",
      { raw: [...pickleOf("os system"), 0x28, 0x53] },
      "os.system",
    ],
    [
      "attributes of a function",
      { raw: [...pickleOf("torch.serialization _load"), 0x7d, 0x62] },
      "torch.serialization._load",
    ],
  ];
  test.each(cases)("%s", async (_, value, names) => {
    const error = await refusal(() => openBytes(torchFile(value, { 0: six })));
    expect(error.code).toBe("E226");
    expect(error.details.message).toContain(`asks for ${names}:`);
  });
});

function pickleOf(name: string): number[] {
  const [module, member] = name.split(" ");
  return [0x63, ...utf8(`${module}\n${member}\n`)];
}

describe("a small file cannot take much time or memory", () => {
  const repeated = (count: number, ...unit: number[]) =>
    Array.from({ length: count * unit.length }, (_, i) => unit[i % unit.length]!);
  const cases: readonly [claim: string, raw: () => number[], code: string][] = [
    ["a million lists", () => repeated(1_100_000, 0x5d), "E227"],
    ["millions of instructions", () => repeated(4_300_000, 0x4e), "E227"],
    [
      "lists in lists, a hundred thousand deep",
      () => [...repeated(100_000, 0x5d), ...repeated(99_999, 0x61)],
      "E229",
    ],
    [
      "a dict that contains itself",
      () => [0x7d, 0x71, 0, 0x58, 5, 0, 0, 0, ...utf8("model"), 0x68, 0, 0x73],
      "E229",
    ],
    [
      "dicts that contain each other twice, forty deep",
      () => [
        0x7d,
        0x71,
        0,
        ...Array.from({ length: 40 }, (_, i) => [
          0x7d,
          0x71,
          i + 1,
          0x28,
          0x58,
          5,
          0,
          0,
          0,
          ...utf8("model"),
          0x68,
          i,
          0x58,
          3,
          0,
          0,
          0,
          ...utf8("net"),
          0x68,
          i,
          0x75,
        ]).flat(),
        0x85,
      ],
      "E225",
    ],
  ];
  test.each(cases)("%s", { timeout: 300_000 }, async (_, raw, code) => {
    const error = await refusal(() => openBytes(torchFile({ raw: raw() })));
    expect(error.code).toBe(code);
  });

  test("a pickle beyond any state dict", async () => {
    const content = new Uint8Array(64 * 2 ** 20 + 1);
    const { unpickle } = await import("../../../runtime/weights/pickle.ts");
    const world = { name: "big", globals: new Map(), persistent: () => "none" };
    const error = await refusal(() => unpickle(content, world));
    expect(error.code).toBe("E227");
  });
});
