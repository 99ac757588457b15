/** Pictures and labels that travel as bytes are, on the device, what they are as numbers. */
import { describe, expect, test } from "vitest";
import type { Graph } from "../../../compiler/graph/graph.ts";
import { trace } from "../../../compiler/graph/graph.ts";
import {
  compile,
  defineModel,
  deviceProfile,
  gradient,
  input,
  type Tensor,
  traceProgram,
} from "../../../compiler/index.ts";
import { bytes, full } from "../../../ops/index.ts";
import { createSession, type Inputs } from "../../../runtime/index.ts";
import { openDevice } from "../../../runtime/node/device.ts";
import { type BatchOptions, batchesOf, normalizedImages } from "../../../study/data/batch.ts";
import type { Samples } from "../../../study/data/sample.ts";
import {
  labelsInput,
  packedImages,
  packedLabels,
  takingBytes,
} from "../../../study/train/packed.ts";
import { crossEntropy } from "../../../training/index.ts";

const [width, height, count] = [13, 10, 3];
const samples: Samples = {
  size: count,
  tasks: { kinds: { kind: "labels", classes: ["a", "b", "c"] } },
  read: async (item) => ({
    image: {
      ...{ width, height, channels: 3 },
      data: Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 89 + item * 31) % 256),
    },
    targets: {
      kinds: {
        kind: "labels",
        data: Int32Array.from({ length: width * height }, (_, i) => ((i + item) % 4) - 1),
      },
    },
  }),
};

async function run(graph: Graph, inputs: Inputs, kind: "cpu" | "reference" = "cpu") {
  const { device } = await openDevice({ kind });
  const { target, capabilities } = device;
  const session = await createSession(
    compile(graph, { target, profile: deviceProfile(capabilities) }),
    device,
  );
  const found = await session.run(inputs);
  session.close();
  device.destroy();
  return found;
}

const batchOf = (options: Omit<BatchOptions, "order">) =>
  batchesOf(samples, { ...options, order: "plain" }).take({ step: 0, batch: count });

describe.each(["cpu", "reference"] as const)("pictures on the device %s", (kind) => {
  test.each<[string, Omit<BatchOptions, "order">]>([
    ["stretched", { side: 12 }],
    ["with padding", { side: 12, fit: "longest" }],
    ["of an odd side, whose last word is not full", { side: 7, fit: "longest" }],
    ["smaller, anywhere and mirrored", { side: 16, augment: { mirror: 1, scale: [0.5] } }],
  ])("%s, have the bits of normalizedImages", async (_, options) => {
    const batch = await batchOf(options);
    const { side } = options;
    const model = defineModel({
      name: "seeing",
      dims: { batch: count },
      programs: { segment: () => ({ image: input("image", "f32", ["batch", 3, side, side]) }) },
    });
    const graph = traceProgram(takingBytes(model), "segment");
    const { image } = await run(graph, packedImages(batch), kind);
    const bits = (numbers: Float32Array) => new Uint32Array(Float32Array.from(numbers).buffer);
    expect(bits(image as Float32Array)).toEqual(bits(normalizedImages(batch)));
  });
});

test("labels of up to 255 classes travel as bytes, and their loss and gradient have the same bits", async () => {
  const batch = await batchOf({ side: 12 });
  const labels = batch.targets.kinds!.data as Int32Array<ArrayBuffer>;
  const shape = [count, 12, 12];
  const logits = Float32Array.from({ length: count * 3 * 144 }, (_, i) => Math.sin(i));
  const lossOf = (of: () => Tensor, ignore: number) =>
    trace(() => {
      const x = input("x", "f32", [count, 3, 12, 12]) as Tensor<"f32">;
      const loss = crossEntropy(x, of(), { ignore });
      const one = full(1, []) as Tensor;
      return { loss, slope: gradient([loss], [one], [x])[0]! };
    }, {});
  const plain = await run(
    lossOf(() => input("labels", "i32", shape) as Tensor, -1),
    { x: logits, labels },
  );
  const packed = packedLabels(labels, 3);
  expect(packed.byteLength).toBe(labels.byteLength / 4);
  const given = { x: logits, labels: packed };
  expect(
    await run(
      lossOf(() => labelsInput("labels", shape, 3), 255),
      given,
    ),
  ).toEqual(plain);
  // A loss of one's own takes the bytes as they are.
  const words = () => bytes(input("labels", "u32", [packed.length]), shape);
  expect(await run(lossOf(words, 255), given)).toEqual(plain);
});

test("labels of more classes travel as they are", () => {
  const labels = Int32Array.of(-1, 0, 255, 299);
  expect(packedLabels(labels, 300)).toBe(labels);
  expect(packedLabels(Int32Array.of(-1, 0, 254, 7), 255)).toEqual(
    new Uint32Array(Uint8Array.of(255, 0, 254, 7).buffer),
  );
});
