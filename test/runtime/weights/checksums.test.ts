/** Checksums of the files that inarch writes: any changed bit is refused, by tensor or by file. */
import { describe, expect, test } from "vitest";
import { hashOf, openHash } from "../../../runtime/weights/hash.ts";
import {
  openWeights,
  planSafetensors,
  type TensorData,
  writeSafetensors,
  writeWithChecksums,
} from "../../../runtime/weights/index.ts";
import {
  flipBit,
  openBytes,
  randomNumbers,
  readAll,
  refusal,
} from "../../support/weights-files.ts";

const bytes = (count: number, seed = 1) => {
  const random = randomNumbers(seed);
  return Uint8Array.from({ length: count }, () => random(256));
};

describe("the hash", () => {
  test("is the same in whatever pieces the bytes come", () => {
    const random = randomNumbers(7);
    for (const count of [0, 1, 15, 127, 128, 129, 255, 256, 700, 3000]) {
      const all = bytes(count);
      for (let round = 0; round < 20; round++) {
        const hash = openHash();
        for (let at = 0; at < count; ) {
          const next = Math.min(count, at + 1 + random(round < 10 ? 5 : 300));
          hash.add(all.subarray(at, next));
          at = next;
        }
        expect(hash.digits()).toBe(hashOf(all));
      }
    }
    const long = new Uint8Array(3 * 2 ** 20 + 40).map((_, i) => i % 251);
    const [inTwo, inBlocks] = [openHash(), openHash()];
    for (const part of [long.subarray(0, 2 ** 20 + 3), long.subarray(2 ** 20 + 3)]) inTwo.add(part);
    for (let at = 0; at < long.length; at += 1000) inBlocks.add(long.subarray(at, at + 1000));
    expect([inTwo.digits(), inBlocks.digits()]).toEqual([hashOf(long), hashOf(long)]);
  });

  test("is another for every flipped bit, for every swap, and for zeros at the end", () => {
    const all = bytes(300);
    const seen = new Set([hashOf(all)]);
    for (let bit = 0; bit < 8 * all.length; bit++)
      seen.add(hashOf(Uint8Array.from(flipBit(all, bit))));
    expect(seen.size).toBe(1 + 8 * all.length);
    const zeros = Array.from({ length: 40 }, (_, count) => hashOf(new Uint8Array(count)));
    expect(new Set(zeros).size).toBe(40);
    // The signs of two numbers in one lane: only the highest bits, which a product alone would cancel.
    const signs = Float32Array.from({ length: 8 * 32 }, (_, i) => i + 1);
    const one = hashOf(new Uint8Array(signs.buffer.slice(0)));
    for (let i = 32; i < signs.length; i += 32) {
      const other = signs.map((value, at) => (at === 0 || at === i ? -value : value));
      expect(hashOf(new Uint8Array(other.buffer))).not.toBe(one);
    }
    // Words of two lanes, and blocks, change places.
    const words = Int32Array.from({ length: 96 }, (_, i) => i + 1);
    const orders = [...words.keys()].map((i) => swapped(words, 0, i));
    const blocks = [swapped(words, 0, 32, 32), swapped(words, 32, 64, 32)];
    const hashes = [...orders, ...blocks].map((order) => hashOf(new Uint8Array(order.buffer)));
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  test("sees each of 100,000 changes of one bit or of two, near or far", () => {
    const random = randomNumbers(11);
    const all = bytes(1024);
    const one = hashOf(all);
    const bits = 8 * all.length;
    const flip = (bit: number) => {
      all[bit >>> 3]! ^= 1 << (bit & 7);
    };
    for (let round = 0; round < 100_000; round++) {
      const first = random(bits);
      // In the same number, in the next of its lane, anywhere; or none.
      const others = [first ^ random(32), first ^ (8 * 128) ^ random(32), random(bits), first];
      const pair = new Set([first, others[round % 4]!]);
      pair.forEach(flip);
      if (hashOf(all) === one) throw new TypeError(`bits ${[...pair]} are not seen`);
      pair.forEach(flip);
    }
    expect(hashOf(all)).toBe(one);
  });
});

const swapped = (words: Int32Array<ArrayBuffer>, a: number, b: number, count = 1) => {
  const other = words.slice();
  for (let i = 0; i < count; i++) [other[a + i], other[b + i]] = [words[b + i]!, words[a + i]!];
  return other;
};

const tensor = (dtype: TensorData["dtype"], shape: number[], data: Uint8Array<ArrayBuffer>) => ({
  dtype,
  shape,
  data,
});
const tensors = new Map<string, TensorData>([
  ["a.weight", tensor("f32", [3, 5], bytes(60))],
  ["b.half", tensor("f16", [7], bytes(14))],
  ["c.empty", tensor("f32", [0, 2], bytes(0))],
  ["d.bytes", tensor("u8", [3], bytes(3))],
  ["__proto__", tensor("f32", [1], bytes(4))],
]);
const file = writeWithChecksums(tensors, { kind: "test", note: 'with "quotes"' });

describe("a file with checksums", () => {
  test("reads back, and its metadata is what was given", async () => {
    const weights = await openBytes(file);
    expect(await readAll(weights)).toEqual(
      new Map([...weights.tensors.keys()].map((name) => [name, tensors.get(name)])),
    );
    expect(weights.metadata).toEqual({ kind: "test", note: 'with "quotes"' });
    expect(weights.checksum).toMatch(/^[0-9a-f]{32}$/);
    for await (const _ of weights.rawChunks("a.weight", 7));
  });

  test("is refused with any one bit changed, by its name or its tensor's", async () => {
    const owners = planSafetensors(tensors, {}).order.flatMap(({ name, bytes: count }) =>
      Array<string>(count).fill(name),
    );
    const start = file.byteLength - owners.length;
    const ownerOf = (at: number) => owners[at];
    for (let bit = 0; bit < 8 * file.byteLength; bit++) {
      const flipped = flipBit(file, bit);
      const error = await refusal(async () => readAll(await openBytes(flipped)));
      expect(error.details.where).toContain("crafted");
      if (bit < 8 * start) continue;
      expect(error.code).toBe("E461");
      expect(error.details.where).toBe(`crafted, tensor "${ownerOf((bit >>> 3) - start)}"`);
    }
  });

  test("is refused with both names of its checksums damaged", async () => {
    const text = Buffer.from(file).toString("latin1");
    const [checksum, hashes] = ["inarch.checksum", "inarch.hashes"].map((key) => text.indexOf(key));
    for (const [a, b] of [
      [0, 0],
      [3, 9],
      [14, 12],
    ] as const) {
      const both = flipBit(flipBit(file, 8 * (checksum! + a)), 8 * (hashes! + b) + 1);
      expect((await refusal(() => openBytes(both))).code).toBe("E461");
    }
  });

  test("gives no last piece of a changed tensor away", async () => {
    const weights = await openBytes(flipBit(file, 8 * (file.byteLength - 60)));
    const pieces: number[] = [];
    const error = await refusal(async () => {
      for (const name of weights.tensors.keys())
        for await (const piece of weights.rawChunks(name, 4)) pieces.push(piece.byteLength);
    });
    expect(error.code).toBe("E461");
  });

  test("of another program needs none", async () => {
    const weights = await openBytes(writeSafetensors(tensors, { checksum: "theirs" }));
    expect(weights.checksum).toBeUndefined();
    expect(weights.metadata).toEqual({ checksum: "theirs" });
  });

  test("of an earlier version's checksums is refused as such", async () => {
    const metadata = { "inarch.checksum": "0".repeat(32), "inarch.hashes": "{}" };
    const error = await refusal(() => openBytes(writeSafetensors(tensors, metadata)));
    expect(error.code).toBe("E246");
    expect(error.details.where).toBe("crafted");
  });

  test.each(["inarch.checksum.2", "inarch.hashes"])("without %s lost it", async (key) => {
    const text = new TextDecoder("latin1").decode(file);
    const at = text.indexOf(key);
    const renamed = Uint8Array.from(file);
    renamed[at] = "x".charCodeAt(0);
    expect((await refusal(() => openBytes(renamed))).code).toBe("E461");
  });

  test("is refused where its hashes are not JSON or not of its tensors", async () => {
    const hashes = new Map([["other", "0"]]);
    const { header } = planSafetensors(new Map([["a", { dtype: "f32", shape: [0] }]]), {}, hashes);
    const error = await refusal(() =>
      openWeights({
        name: "one",
        size: header.byteLength,
        read: async (at, n) => header.slice(at, at + n),
      }),
    );
    expect(error.details.message).toContain("its header has no hash of a");
  });
});
