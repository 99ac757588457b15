/** Every file that inarch reads: a whole one, and how it is read to the end. */
import { readFile } from "node:fs/promises";
import { parseTuning, tuningFor, writeTuning } from "../../../compiler/tuning/file.ts";
import { readImage, readLogits } from "../../../predict/node/image.ts";
import { encodeNpy } from "../../../predict/vision/npy.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { writeSafetensors } from "../../../runtime/weights/index.ts";
import { stateDict, tensorCall, torchFile } from "../../support/torch-file.ts";
import { fixturePath } from "../../support/weights-files.ts";
import { bundleFormats } from "./bundles.ts";
import { trainingFormats } from "./trainings.ts";
import {
  alone,
  base,
  digest,
  type Files,
  type Format,
  header,
  once,
  only,
  openBytes,
  readTensors,
} from "./whole.ts";

const torch = () => {
  const floats = { type: "FloatStorage", key: "0", elements: 6 } as const;
  const dict = stateDict([
    ["w", tensorCall({ shape: [2, 3], ...floats })],
    ["b", tensorCall({ shape: [3], strides: [2], ...floats })],
  ]);
  return torchFile(dict, { 0: Float32Array.of(0, 1, 2, 3, 4, 5) }, { byteorder: "little" });
};

const readPicture = async (files: Files) => {
  const { width, height, data } = await readImage(only(files));
  if (data.length !== width * height * 3)
    throw new TypeError(`${width} x ${height} has ${data.length} bytes`);
  return digest(Uint8Array.from(data));
};

const fixture = (name: string) =>
  once(async () => alone(Uint8Array.from(await readFile(fixturePath(name)))));

export const formatsOf = (gpu: Device | undefined): Readonly<Record<string, Format>> => ({
  safetensors: {
    files: once(async () =>
      alone(
        writeSafetensors(
          new Map([
            ...base,
            ["half", { dtype: "bf16", shape: [2], data: Uint8Array.of(0, 1, 2, 3) }],
          ]),
          { made: "here" },
        ),
      ),
    ),
    read: async (files) => readTensors(await openBytes(only(files))),
    share: 0.7,
    json: header,
  },
  torch: {
    files: once(async () => alone(torch())),
    read: async (files) => readTensors(await openBytes(only(files))),
    share: 0.5,
  },
  npy: {
    files: once(async () =>
      alone(encodeNpy({ shape: [1, 2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) })),
    ),
    read: async (files) => {
      const { shape, data } = await readLogits(only(files));
      if (shape.reduce((a, b) => a * b, 1) !== data.length)
        throw new TypeError(`[${shape}] has ${data.length}`);
      return digest(new Uint8Array(Float32Array.from(data).buffer));
    },
    share: 0.8,
  },
  png: { files: fixture("scene.png"), read: readPicture, share: 0.05 },
  jpeg: { files: fixture("inks.cmyk.jpg"), read: readPicture, share: 0.2 },
  tuning: {
    files: once(async () =>
      alone(
        new TextEncoder().encode(
          writeTuning({
            format: "inarch tuning 1",
            devices: {
              here: {
                "matmul 8x8": { form: "workgroups", tile: { rows: 4, columns: 4 } } as never,
              },
            },
          }),
        ),
      ),
    ),
    read: async (files) => {
      const file = parseTuning(new TextDecoder().decode(only(files)), "damaged.json");
      return digest(
        JSON.stringify(tuningFor(file, Object.keys(file.devices)[0] ?? "here", "damaged.json")),
      );
    },
    share: 1,
    json: {
      of: (files) => JSON.parse(new TextDecoder().decode(only(files))),
      put: (_files, json) => alone(new TextEncoder().encode(JSON.stringify(json) ?? "")),
    },
  },
  ...bundleFormats(gpu),
  ...trainingFormats,
});
