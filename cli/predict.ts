/** `inarch predict PICTURES…`: masks by the adapter of a run. */
import type { PredictReport } from "../study/predict/node/predict.ts";
import { checkpointFlags } from "./arguments/checkpoint.ts";
import { defineCommand } from "./arguments/command.ts";
import { deviceFlag } from "./arguments/device.ts";
import { tileFlag, tilesOf } from "./arguments/tile.ts";
import { flagReaders } from "./arguments/values.ts";

const { numberOf, countOf } = flagReaders("inarch predict");

export const command = defineCommand({
  description: "masks of pictures, by the adapter that inarch train has made",
  args: async () => {
    const { maskFormats } = await import("../study/predict/node/write-masks.ts");
    return {
      pictures: {
        type: "positional",
        repeated: true,
        description: "pictures, and folders of them",
      },
      run: {
        type: "string",
        required: true,
        valueHint: "FOLDER",
        description: "the folder of a run: --out of inarch train",
      },
      ...checkpointFlags,
      weights: {
        ...checkpointFlags.weights,
        description: "the checkpoint that it was trained on",
      },
      adapter: {
        type: "string",
        valueHint: "FILE",
        description: "another adapter of the run's method than its best",
      },
      format: {
        type: "enum",
        options: maskFormats,
        default: "png",
        description:
          "a picture for each, with indices of a palette if asked for; one JSON in COCO's form, of runs or of polygons; polygons with holes; depth and normals as pictures or .npy",
      },
      probabilities: {
        type: "boolean",
        description: "write them too, as NAME.probabilities.npy, f32 [classes, height, width]",
      },
      "depth-scale": {
        type: "string",
        valueHint: "NUMBER",
        description:
          "what a step of a PNG of depth stands for; as in the files that were trained on, unless given",
      },
      batch: {
        type: "string",
        valueHint: "NUMBER",
        description: "pictures that are seen at once; 1 unless given",
      },
      tile: {
        ...tileFlag,
        description: `${tileFlag.description}. TIFFs of any size are read by windows, and with --format tiff written so, with their georeference`,
      },
      shard: {
        type: "string",
        valueHint: "i/n",
        description:
          "part i of n of the pictures, from 0; a Slurm array says both unless given, and an indexed job of Kubernetes says i where n alone is given",
      },
      out: {
        type: "string",
        required: true,
        valueHint: "FOLDER",
        description: "folder for the masks",
      },
      device: await deviceFlag(),
    } as const;
  },
  async run(given, { progress }) {
    const { predict, shardOf } = await import("../study/predict/node/index.ts");
    const { pictures, run, weights, config, adapter, format, probabilities, out, device } = given;
    const shard = shardOf(given.shard, process.env);
    if (shard.by !== undefined)
      progress.note(`part ${shard.index} of ${shard.count}, as ${shard.by} says`);
    const report = await predict({
      ...{ pictures, run, weights, config, adapter, format, probabilities, shard, out, device },
      batch: countOf("--batch", given.batch),
      depthScale: numberOf("--depth-scale", given["depth-scale"]),
      tiles: tilesOf("inarch predict", given.tile),
      onProgress: progress.report,
      onPhase: progress.note,
    });
    return { report, text: describe(report), exitCode: report.skipped.length > 0 ? 1 : 0 };
  },
});

function describe({ folder, masks, skipped }: PredictReport): string {
  const rows = masks.map(({ picture, file, pixels }) => {
    const all = Object.values(pixels).reduce((a, b) => a + b, 0);
    const shares = Object.entries(pixels).filter(([, count]) => count > 0);
    const words = shares.map(([name, count]) => `${name} ${((100 * count) / all).toFixed(1)} %`);
    const of = file.endsWith(".json") ? `${picture} in ` : "";
    return `${of}${folder}/${file}${words.length > 0 ? ": " : ""}${words.join(", ")}`;
  });
  const count = skipped.length === 1 ? "one picture" : `${skipped.length} pictures`;
  const lines = skipped.map(
    ({ picture, code, message, help }) =>
      `  ${picture}: ${message} [${code}]${help ? ` (${help})` : ""}`,
  );
  return [...rows, ...(lines.length > 0 ? [`${count} could not be read:`, ...lines] : [])].join(
    "\n",
  );
}
