/** `inarch masks IMAGE`: masks of everything in a picture. */
import { join } from "node:path";
import { checkpointFlags } from "./arguments/checkpoint.ts";
import { defineCommand } from "./arguments/command.ts";
import { deviceFlag } from "./arguments/device.ts";
import { flagReaders } from "./arguments/values.ts";

const { numberOf } = flagReaders("inarch masks");

const number = (description: string) =>
  ({ type: "string", valueHint: "NUMBER", description }) as const;

export const command = defineCommand({
  description: "masks of everything in a picture, as SAM's mask generator finds them",
  args: async () =>
    ({
      image: { type: "positional", description: "PNG, JPEG, WebP, TIFF, GIF or AVIF" },
      ...checkpointFlags,
      points: number("points a side that are asked for; 32 unless given"),
      iou: number("masks stay whose estimated IoU is above this; 0.88 unless given"),
      stability: number("masks stay that are at least so stable; 0.95 unless given"),
      "stability-offset": number("how far the level moves for that; 1 unless given"),
      overlap: number("of two masks whose boxes have a larger IoU one stays; 0.7 unless given"),
      layers: number("layers of parts of the picture, 2 x 2, 4 x 4 and so on; 0 unless given"),
      "points-divisor": number("in each layer so many times fewer points a side; 1 unless given"),
      smallest: number("holes and islands of fewer pixels go; 0 unless given"),
      out: {
        type: "string",
        required: true,
        valueHint: "DIR",
        description: "folder for masks.json and overlay.png",
      },
      device: await deviceFlag(),
    }) as const,
  async run(given, { progress }) {
    const { segmentEverything } = await import("../models/node/everything.ts");
    const { image, weights, config, out, device } = given;
    const { masks, ...report } = await segmentEverything({
      ...{ image, weights, config, out, device },
      settings: {
        points: numberOf("--points", given.points),
        iou: numberOf("--iou", given.iou),
        stability: numberOf("--stability", given.stability),
        stabilityOffset: numberOf("--stability-offset", given["stability-offset"]),
        overlap: numberOf("--overlap", given.overlap),
        cropLayers: numberOf("--layers", given.layers),
        pointsDivisor: numberOf("--points-divisor", given["points-divisor"]),
        smallest: numberOf("--smallest", given.smallest),
      },
      onProgress: progress.report,
      onPhase: progress.note,
    });
    const files = [report.file, report.overlay].map((file) => `  ${join(out, file)}`);
    const text = [`${masks.length} masks (${report.device})`, ...files].join("\n");
    return { report: { ...report, masks }, text };
  },
});
