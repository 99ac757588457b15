/** `inarch predict PICTURES…`: masks by the adapter of a run. */
import type { PredictReport } from "../study/train/node/predict.ts";
import { checkpointFlags } from "./arguments/checkpoint.ts";
import { defineCommand } from "./arguments/command.ts";
import { deviceFlag } from "./arguments/device.ts";

export const command = defineCommand({
  description: "masks of pictures, by the adapter that inarch train has made",
  args: async () =>
    ({
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
      out: {
        type: "string",
        required: true,
        valueHint: "FOLDER",
        description: "folder for the masks",
      },
      device: await deviceFlag(),
    }) as const,
  async run(given, { progress }) {
    const { predict } = await import("../study/train/node/predict.ts");
    const { pictures, run, weights, config, out, device } = given;
    const report = await predict({
      ...{ pictures, run, weights, config, out, device },
      onProgress: progress.report,
      onPhase: progress.note,
    });
    return { report, text: describe(report) };
  },
});

function describe({ folder, masks }: PredictReport): string {
  const rows = masks.map(({ file, pixels }) => {
    const all = Object.values(pixels).reduce((a, b) => a + b, 0);
    const shares = Object.entries(pixels).filter(([, count]) => count > 0);
    const words = shares.map(([name, count]) => `${name} ${((100 * count) / all).toFixed(1)} %`);
    return `${folder}/${file}: ${words.join(", ")}`;
  });
  return rows.join("\n");
}
