/** Memory that is read into again and again, and the hash that is computed where it lies. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { borrow, giveBack } from "../../../runtime/node/lent.ts";
import { openWeightsFile } from "../../../runtime/node/weights.ts";
import { hashOf, openHash } from "../../../runtime/weights/hash.ts";
import { writeWithChecksums } from "../../../runtime/weights/index.ts";
import { randomNumbers } from "../../support/weights-files.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "inarch-lent-"));
});
afterAll(() => rm(folder, { recursive: true }));

const bytes = (count: number, seed: number) =>
  new Uint8Array(count).map((_, i) => Math.imul(i ^ seed, 0x9e3779b1) >>> 24);

test("a hash of lent memory is that of the same bytes elsewhere", () => {
  const lent = borrow();
  // Without WebAssembly there would be nothing to compare.
  expect(lent.piece.byteOffset).toBeGreaterThan(0);
  const random = randomNumbers(3);
  for (const count of [0, 1, 127, 128, 129, 256, 5000, 40_000, lent.piece.byteLength]) {
    const all = bytes(count, count + 1);
    for (const step of [count || 1, 4096, 1001 + random(300)]) {
      const hash = openHash(lent.mix);
      for (let at = 0; at < count; at += step) {
        const next = all.subarray(at, at + step);
        lent.piece.set(next);
        // Some pieces lie elsewhere.
        hash.add(random(3) === 0 ? next : lent.piece.subarray(0, next.length));
      }
      expect(hash.digits()).toBe(hashOf(all));
    }
  }
  giveBack(lent);
});

/** Two tensors of several pieces each, the second not of whole blocks. */
async function write(name: string) {
  const path = join(folder, name);
  const tensors = ([1_400_003, 600_001] as const).map((count, i) => {
    const values = new Float32Array(count).map((_, at) => at + i / 2);
    const data = new Uint8Array(values.buffer);
    return [`t${i}`, { dtype: "f32", shape: [count], data }] as const;
  });
  const file = writeWithChecksums(new Map(tensors));
  await writeFile(path, file);
  return { path, file };
}

test("lent pieces are a tensor's, read alone or two at once; others stay as they are", async () => {
  const { path } = await write("weights.safetensors");
  const weights = await openWeightsFile(path);
  const sumOf = async (name: string, isLent: boolean) => {
    const values = new Float32Array(weights.tensors.get(name)!.bytes / 4);
    const kept: Float32Array[] = [];
    let at = 0;
    for await (const chunk of weights.chunks(name, undefined, isLent)) {
      values.set(chunk, at);
      at += chunk.length;
      kept.push(chunk);
    }
    return { values, kept };
  };
  const both = await Promise.all([sumOf("t0", true), sumOf("t1", true)]);
  const own = await Promise.all([sumOf("t0", false), sumOf("t1", false)]);
  for (const [i, { values, kept }] of own.entries()) {
    const [seen, expected] = [both[i]!.values, values].map((v) => Buffer.from(v.buffer));
    expect(seen!.equals(expected!)).toBe(true);
    expect(values.at(-1)).toBe(values.length - 1 + i / 2);
    // What is not lent belongs to whoever has it.
    expect(kept.reduce((count, chunk) => count + chunk.length, 0)).toBe(values.length);
    expect(kept[0]![5]).toBe(5 + i / 2);
  }
  // The memory is lent: all pieces of a tensor lie in the same.
  const lent = both[0]!.kept;
  expect(lent.length).toBeGreaterThan(1);
  expect(new Set(lent.map((chunk) => chunk.buffer)).size).toBe(1);
  expect(lent[0]!.buffer).not.toBe(both[1]!.kept[0]!.buffer);
  await weights.close();
});

test("a changed bit of any piece is refused where pieces are lent, and the memory comes back", async () => {
  const { path, file } = await write("changed.safetensors");
  const start = file.length - 4 * 2_000_004;
  for (const [name, at] of [
    ["t0", 0],
    ["t0", 2_500_000],
    ["t0", 4 * 1_400_003 - 1],
    ["t1", file.length - 1 - start],
  ] as const) {
    const changed = file.slice();
    changed[start + at]! ^= 8;
    await writeFile(path, changed);
    const weights = await openWeightsFile(path);
    const first = borrow();
    giveBack(first);
    const read = async () => {
      for await (const _ of weights.chunks(name, undefined, true));
    };
    await expect(read()).rejects.toMatchObject({ code: "E461" });
    const next = borrow();
    expect(next).toBe(first);
    giveBack(next);
    await weights.close();
  }
});

test("where WebAssembly may not be compiled, the same is read", async () => {
  vi.stubGlobal("WebAssembly", undefined);
  vi.resetModules();
  try {
    const plain = (await import("../../../runtime/node/lent.ts")).borrow();
    expect(plain.piece.byteOffset).toBe(0);
    plain.piece.fill(7);
    const hash = openHash(plain.mix);
    hash.add(plain.piece.subarray(0, 1000));
    expect(hash.digits()).toBe(hashOf(new Uint8Array(1000).fill(7)));
  } finally {
    vi.unstubAllGlobals();
  }
});
