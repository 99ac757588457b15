/** Files of training with one bit changed, anywhere, are refused. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { defineAdapter } from "../../adapters/index.ts";
import { adapt, compile, defineModel, input, traceProgram, zeros } from "../../compiler/index.ts";
import { exportModel } from "../../export/node/onnx.ts";
import { linear } from "../../models/layers.ts";
import { add, matmul, mean, mul, sub } from "../../ops/index.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { createSession } from "../../runtime/session.ts";
import { createTrainingSession } from "../../runtime/training/session.ts";
import { type Weights, writeSafetensors } from "../../runtime/weights/index.ts";
import { adamW, compileTraining } from "../../training/index.ts";
import { randomNumbers as numbers } from "../../verify/ops/evaluate.ts";
import { floats } from "../support/training-file.ts";
import { flipBit, openBytes, randomNumbers, readAll, refusal } from "../support/weights-files.ts";

const folder = mkdtempSync(join(tmpdir(), "inarch-flipped-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Of its two parameters one is read in training alone, as that of a gate's noise. */
const gated = defineAdapter({
  name: "gated",
  linear({ own, training }, x, base) {
    const weight = own.f32("weight", [4, 4], { init: zeros });
    const drift = own.f32("drift", [4, 4], { init: zeros });
    return add(base(x), matmul(x, training ? add(weight, drift) : weight));
  },
});
/** Of its programs one passes only one of the places. */
const first = (p: Parameters<typeof linear>[0]) =>
  linear(p.at("a"), input("x", "f32", [2, 4]), 4, 4);
const model = adapt(
  defineModel({
    name: "layers",
    programs: {
      first: (p) => ({ y: first(p) }),
      both: (p) => ({ y: linear(p.at("b"), first(p), 4, 4) }),
    },
  }),
  gated,
);
const plan = compileTraining(model, {
  target: "reference",
  program: "both",
  loss: ({ y }) => {
    const off = sub(y!, input("target", "f32", [2, 4]));
    return { square: mean(mul(off, off)) };
  },
  optimiser: adamW(),
});
const baseBytes = writeSafetensors(
  new Map([
    ["a.weight", floats(numbers(16, 1), [4, 4])],
    ["a.bias", floats(numbers(4, 2), [4])],
    ["b.weight", floats(numbers(16, 3), [4, 4])],
    ["b.bias", floats(numbers(4, 4), [4])],
  ]),
);
const base = await openBytes(baseBytes);
const begin = (resume?: Weights) =>
  createTrainingSession(plan, referenceDevice(), {
    weights: base,
    rate: 0.1,
    ...(resume ? { resume } : {}),
  });

const session = await begin();
for (let i = 0; i < 3; i++) await session.step({ x: numbers(8, i), target: numbers(8, 9) });

const adapter = await session.saveAdapter();
const part = compile(traceProgram(model, "first"), { target: "reference" });
const basePath = join(folder, "base.safetensors");
const path = join(folder, "crafted");
writeFileSync(basePath, baseBytes);
const kinds = {
  checkpoint: {
    bytes: await session.save(),
    use: async (bytes: Uint8Array) => void (await begin(await openBytes(bytes))),
  },
  "adapter's file": {
    bytes: adapter,
    use: async (bytes: Uint8Array) => (await begin()).loadAdapter(await openBytes(bytes)),
  },
  "adapter's file of which a session reads a part": {
    bytes: adapter,
    async use(bytes: Uint8Array) {
      const file = await openBytes(bytes);
      const opened = await createSession(part, referenceDevice(), { weights: base, adapter: file });
      await opened.close();
    },
  },
  "adapter's file of which an export reads a part": {
    bytes: adapter,
    async use(bytes: Uint8Array) {
      writeFileSync(path, bytes);
      await exportModel({
        loaded: { model, file: undefined },
        ...{ program: "first", dims: {}, weights: [basePath, path] },
        onnx: join(folder, "first.onnx"),
        onProgress: () => {},
      });
    },
  },
};

describe.each(Object.entries(kinds))("a %s", (_, { bytes, use }) => {
  test("is used as it was written", async () => use(bytes));

  test("is refused with any one bit changed, and names the file", async () => {
    const header = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const random = randomNumbers(5);
    // One bit of every byte of the header, and some hundreds of all.
    const bits = Array.from({ length: header }, (_, at) => 8 * at + random(8));
    for (let i = 0; i < 300; i++) bits.push(random(8 * bytes.byteLength));
    for (const bit of bits) {
      const error = await refusal(() => use(flipBit(bytes, bit)));
      expect(error.details.where, `bit ${bit}`).toContain("crafted");
      if (bit >= 8 * header) expect(error.details.where).toContain('crafted, tensor "');
    }
  }, 60_000);

  test("keeps what it says where another program writes it anew", async () => {
    const file = await openBytes(bytes);
    await use(writeSafetensors(await readAll(file), file.metadata));
  });
});
