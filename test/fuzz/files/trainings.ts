/** Files of a training: its checkpoint, and its adapter. */
import { lora } from "../../../adapters/index.ts";
import type { Tensor } from "../../../compiler/graph/tensor.ts";
import { adapt } from "../../../compiler/index.ts";
import { mean, mul } from "../../../ops/index.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { readAdapterFile, type Weights, writeSafetensors } from "../../../runtime/weights/index.ts";
import { createTrainer, sgd } from "../../../training/index.ts";
import { smallModel } from "./model.ts";
import { alone, base, digest, type Format, header, once, only, openBytes } from "./whole.ts";

const model = adapt(smallModel("small"), lora({ rank: 2 }), { where: "**" });

const trainer = async (resume?: Weights) =>
  createTrainer(model, {
    device: referenceDevice(),
    weights: await openBytes(writeSafetensors(base)),
    rate: 0.1,
    program: "forward",
    optimiser: sgd({}),
    loss: ({ y }) => ({ square: mean(mul(y!, y!) as Tensor) }),
    ...(resume ? { resume } : {}),
  });

const trained = once(async () => {
  const session = await trainer();
  await session.step({ x: [1, 2, 3, 4, 5, 6, 7, 8] });
  const files = { checkpoint: await session.save(), adapter: await session.saveAdapter() };
  await session.close();
  return files;
});

async function withTrainer(
  work: (session: Awaited<ReturnType<typeof trainer>>) => Promise<unknown>,
  resume?: Weights,
) {
  const session = await trainer(resume);
  try {
    await work(session);
    return digest(await session.save());
  } finally {
    await session.close();
  }
}

export const trainingFormats: Readonly<Record<string, Format>> = {
  checkpoint: {
    files: once(async () => alone((await trained()).checkpoint)),
    read: async (files) => withTrainer(async () => {}, await openBytes(only(files))),
    own: true,
    share: 0.7,
  },
  "checkpoint's header": {
    files: once(async () => alone((await trained()).checkpoint)),
    read: async (files) => withTrainer(async () => {}, await openBytes(only(files))),
    share: 0.7,
    json: header,
  },
  adapter: {
    files: once(async () => alone((await trained()).adapter)),
    read: async (files) => {
      const file = await openBytes(only(files));
      readAdapterFile(file);
      return withTrainer((session) => session.loadAdapter(file));
    },
    own: true,
    share: 0.7,
  },
  "adapter's header": {
    files: once(async () => alone((await trained()).adapter)),
    read: async (files) => {
      const file = await openBytes(only(files));
      return withTrainer((session) => session.loadAdapter(file));
    },
    share: 0.7,
    json: header,
  },
};
