/** What the studio fine-tunes, in a page's worker and in Node alike: a SAM that looks for one thing without prompts. */
import { adapt, compileAsync, deviceProfile, input, traceProgram } from "inarch";
import { convLora, decoderOnly, lora } from "inarch/adapters";
import { semanticSam } from "inarch/models";
import {
  bytesSource,
  createSession,
  makeWeights,
  normalize,
  openWeights,
  resizeImage,
} from "inarch/runtime";
import { adamW, bce, createTrainer, dice } from "inarch/training";

const where = "image_encoder.blocks.*.attn.qkv";
const grafts = {
  lora: () => lora({ rank: 4 }),
  "conv-lora": () => convLora({ rank: 4, experts: 4 }),
};
/** Names of methods. */
export const methods = Object.keys(grafts);

/** The model with a method's adapter, whose mask decoder trains too; without a method the bare one. */
function modelOf(config, method) {
  const bare = semanticSam(config, { classes: 1 });
  return method ? adapt(adapt(bare, decoderOnly()), grafts[method](), { where }) : bare;
}

/** Pictures of any size as the model reads them: f32 `[pictures, 3, S, S]`, stretched to its square. */
function imagesOf(pictures, side) {
  const image = new Float32Array(pictures.length * 3 * side * side);
  pictures.forEach((picture, i) => {
    const square = resizeImage(picture, { width: side, height: side });
    image.set(normalize(square, side), i * 3 * side * side);
  });
  return image;
}

/** A mask of any size at the model's: the nearest pixel's. f32 `[S, S]` into `to`. */
function maskInto(to, at, { width, height, data }, side) {
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const row = Math.floor(((y + 0.5) * height) / side);
      to[at + y * side + x] = data[row * width + Math.floor(((x + 0.5) * width) / side)];
    }
}

/** Turns every row around, so that a picture is seen in a mirror. */
function mirror(values, side) {
  for (let row = 0; row < values.length; row += side) values.subarray(row, row + side).reverse();
}

/** Numbers in 0..1 that depend on a seed and a place in it alone. */
function random(seed, at) {
  let h = Math.imul(seed + 0x9e3779b9, 0x85ebca6b) ^ Math.imul(at + 1, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return ((h ^ (h >>> 14)) >>> 0) / 2 ** 32;
}

/**
 * Fine-tunes on a few pictures and their masks. Ends early, with what was learned, when `signal` is aborted.
 *
 * @param {object} given
 * @param {readonly { image: import("inarch/runtime").Image, mask: import("inarch/runtime").Mask }[]} given.examples
 * @returns {Promise<Uint8Array>} the adapter's file: what the base does not have
 */
export async function tune(
  { device, weights, config, examples, method, steps, seed = 1 },
  events = {},
) {
  const { onStep = () => {}, onProgress = () => {}, signal } = events;
  const side = config.imageSize;
  const batch = Math.min(2, examples.length);
  const session = await createTrainer(modelOf(config, method), {
    ...{ device, weights, seed, onProgress },
    dims: { batch },
    loss({ logits }) {
      const target = input("target", "f32", logits.shape);
      return { entropy: bce(logits, target), dice: dice(logits, target) };
    },
    targets: { target: { kind: "mask" } },
    optimiser: adamW({ decay: 0.01 }),
    clip: 1,
    rate: 3e-3,
    schedule: { kind: "linear", steps: steps + 1 },
  });
  try {
    const image = imagesOf(
      examples.map((one) => one.image),
      side,
    );
    const target = new Float32Array(examples.length * side * side);
    examples.forEach(({ mask }, i) => {
      maskInto(target, i * side * side, mask, side);
    });
    for (let step = 0; step < steps && !signal?.aborted; step++) {
      const inputs = {
        image: new Float32Array(batch * 3 * side * side),
        target: new Float32Array(batch * side * side),
      };
      for (let i = 0; i < batch; i++) {
        // All examples in turn, half of them in a mirror.
        const place = step * batch + i;
        const one = place % examples.length;
        for (const [name, channels] of [
          ["image", 3],
          ["target", 1],
        ]) {
          const size = channels * side * side;
          const all = name === "image" ? image : target;
          const own = all.slice(one * size, (one + 1) * size);
          if (random(seed, place) < 0.5) mirror(own, side);
          inputs[name].set(own, i * size);
        }
      }
      const { terms, loss } = await session.step(inputs);
      onStep(step + 1, terms.entropy === undefined ? loss : terms.entropy + terms.dice);
    }
    return await session.saveAdapter();
  } finally {
    session.close();
  }
}

/** A checkpoint as the bare model reads it: of several mask tokens the first, as an adapter's begins. */
function withFirstMask(weights) {
  const token = "mask_decoder.mask_tokens.weight";
  const all = weights.tensors.get(token);
  const [masks, channels] = all.shape;
  if (masks === 1) return weights;
  const first = { ...all, shape: [1, channels], bytes: all.bytes / masks };
  return makeWeights({
    ...{ source: weights.source, metadata: weights.metadata },
    tensors: new Map([...weights.tensors, [token, first]]),
    async *stream(name, elements) {
      const { bytes, shape } = weights.tensors.get(name);
      const chunk = elements * (bytes / shape.reduce((a, b) => a * b, 1));
      if (name !== token) return yield* weights.rawChunks(name, chunk);
      const { data } = await weights.read(token);
      for (let at = 0; at < first.bytes; at += chunk)
        yield data.subarray(at, Math.min(first.bytes, at + chunk));
    },
    close: async () => {},
  });
}

/** A finder of one thing: `find(image)` gives a mask in the picture's size, and `use(bytes)` takes another adapter. */
export async function openFinder({ device, weights, config, method, adapter }) {
  const graph = traceProgram(modelOf(config, method), "segment", { batch: 1 });
  const profile = deviceProfile(device.capabilities);
  const plan = await compileAsync(graph, { target: device.target, profile });
  const file = adapter && (await openWeights(bytesSource("adapter", adapter)));
  const session = await createSession(plan, device, {
    weights: method ? weights : withFirstMask(weights),
    ...(file ? { adapter: file } : {}),
  });
  const side = config.imageSize;
  return {
    session,
    async find(image) {
      const { logits } = await session.run({ image: imagesOf([image], side) });
      return maskOf(logits, side, image);
    },
  };
}

/** Logits of the model's square, smoothly at a picture's size: above 0 is inside. */
function maskOf(logits, side, { width, height }) {
  const data = new Uint8Array(width * height);
  const place = (at, size) => {
    const v = Math.min(side - 1, Math.max(0, ((at + 0.5) * side) / size - 0.5));
    const low = Math.min(side - 2, Math.floor(v));
    return [low, v - low];
  };
  const columns = Array.from({ length: width }, (_, x) => place(x, width));
  for (let y = 0; y < height; y++) {
    const [row, down] = place(y, height);
    for (let x = 0; x < width; x++) {
      const [column, across] = columns[x];
      const at = row * side + column;
      const upper = logits[at] * (1 - across) + logits[at + 1] * across;
      const lower = logits[at + side] * (1 - across) + logits[at + side + 1] * across;
      data[y * width + x] = upper * (1 - down) + lower * down > 0 ? 1 : 0;
    }
  }
  return { width, height, data };
}
