/**
 * Checkpoints with random damage: flipped bits, missing ends, random bytes. Each ends in an error
 * with a code, or reads as the same tensors; never in another exception, a hang or a wrong shape.
 * Seeds are fixed, so a failure repeats.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { InarchError } from "../../../diagnostics/index.ts";
import { type TensorData, writeSafetensors } from "../../../runtime/weights/index.ts";
import { pickle, stateDict, tensorCall, torchFile, zip } from "../../support/torch-file.ts";
import {
  fixturePath,
  flipBit,
  openBytes,
  randomNumbers,
  readAll,
} from "../../support/weights-files.ts";

const slow = { timeout: 600_000 };
const six = Float32Array.of(0, 1, 2, 3, 4, 5);
const floats = { type: "FloatStorage", key: "0", elements: 6 } as const;
const plain = stateDict([
  ["w", tensorCall({ shape: [2, 3], ...floats })],
  ["b", tensorCall({ shape: [3], strides: [2], ...floats })],
]);

/**
 * Opens and reads; the tensors, or the error's code. Anything but an `InarchError` fails the test.
 */
async function outcome(bytes: Uint8Array): Promise<Map<string, TensorData> | string> {
  try {
    return await readAll(await openBytes(bytes));
  } catch (error) {
    if (error instanceof InarchError && error.kind === "user") return error.code;
    throw error;
  }
}

/**
 * Names, dtypes and shapes must be the original's; a flipped bit may change one byte of one
 * storage.
 */
function expectSame(
  read: Map<string, TensorData>,
  original: Map<string, TensorData>,
  bytes: number,
) {
  const layout = (tensors: Map<string, TensorData>) =>
    [...tensors].map(([name, { dtype, shape }]) => `${name} ${dtype} [${shape}]`);
  expect(layout(read)).toEqual(layout(original));
  const changed = new Set<number>();
  for (const [name, { data }] of read) {
    const before = original.get(name)!.data;
    for (let i = 0; i < data.length; i++) if (data[i] !== before[i]) changed.add(i);
  }
  expect(changed.size).toBeLessThanOrEqual(bytes);
}

describe("a torch checkpoint", () => {
  const styles = [{}, { descriptors: true }, { wide: true, descriptors: true }] as const;
  test.each(styles)(
    "every bit of a small checkpoint, and every length (%j)",
    slow,
    async (style) => {
      const file = torchFile(plain, { 0: six }, { ...style, byteorder: "little" });
      const original = await readAll(await openBytes(file));
      for (let bit = 0; bit < 8 * file.length; bit++) {
        const result = await outcome(flipBit(file, bit));
        if (typeof result !== "string") expectSame(result, original, 2);
      }
      for (let length = 0; length < file.length; length++) {
        expect(await outcome(file.subarray(0, length)), `${length} bytes`).toMatch(/^E2/);
      }
    },
  );

  test("sam_nano.pth: bits of its structure, and lengths everywhere", slow, async () => {
    const file = Uint8Array.from(readFileSync(fixturePath("sam_nano.pth")));
    const original = await readAll(await openBytes(file));
    const random = randomNumbers(20);
    for (let trial = 0; trial < 150; trial++) {
      // The pickle fills the first 36 kB, the directory the last 20 kB; between them lie storages.
      const byte =
        trial % 3 === 0
          ? random(file.length)
          : trial % 3 === 1
            ? random(36_200)
            : file.length - 1 - random(13_000);
      const result = await outcome(flipBit(file, 8 * byte + random(8)));
      if (typeof result !== "string") expectSame(result, original, 1);
    }
    for (let trial = 0; trial < 400; trial++) {
      const length = trial < 200 ? random(file.length) : file.length - 1 - trial + 200;
      expect(await outcome(file.subarray(0, length)), `${length} bytes`).toMatch(/^E2/);
    }
  });

  test("pickles with random bytes, under a correct checksum", slow, async () => {
    const random = randomNumbers(21);
    const content = pickle(plain);
    for (let trial = 0; trial < 4000; trial++) {
      const damaged = Uint8Array.from(content);
      for (let n = 0; n <= random(3); n++) damaged[random(damaged.length)] = random(256);
      const storages = { name: "m/data/0", content: new Uint8Array(six.buffer) };
      await outcome(zip([{ name: "m/data.pkl", content: damaged }, storages]));
    }
  });
});

describe("a safetensors file", () => {
  const tensor = (dtype: TensorData["dtype"], shape: number[], ...bytes: number[]) => ({
    dtype,
    shape,
    data: Uint8Array.from(bytes),
  });
  const file = writeSafetensors(
    new Map([
      ["weight", tensor("f32", [2, 3], ...new Uint8Array(six.buffer))],
      ["half", tensor("bf16", [2], 0, 1, 2, 3)],
      ["mask", tensor("bool", [3, 1], 1, 0, 1)],
      ["none", tensor("i64", [0])],
    ]),
    { made: "by a test" },
  );
  const headerEnd = 8 + Number(new DataView(file.buffer).getBigUint64(0, true));
  /** What no flip may change; names, metadata and values have nothing to be checked against. */
  const sizes = (tensors: Map<string, TensorData>) =>
    [...tensors.values()].map(({ dtype, shape }) => `${dtype} [${shape}]`);

  test("every bit, and every length", slow, async () => {
    const original = await readAll(await openBytes(file));
    for (let bit = 0; bit < 8 * file.length; bit++) {
      const result = await outcome(flipBit(file, bit));
      if (typeof result === "string") continue;
      expect(sizes(result), `bit ${bit}`).toEqual(sizes(original));
      if (bit >= 8 * headerEnd) expectSame(result, original, 1);
    }
    for (let length = 0; length < file.length; length++) {
      expect(await outcome(file.subarray(0, length)), `${length} bytes`).toMatch(/^E2/);
    }
  });

  test("random bytes in the header", slow, async () => {
    const random = randomNumbers(22);
    for (let trial = 0; trial < 4000; trial++) {
      const damaged = Uint8Array.from(file);
      for (let n = 0; n <= random(4); n++) damaged[random(headerEnd)] = random(256);
      await outcome(damaged);
    }
  });
});
