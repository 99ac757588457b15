/** `inarch segment IMAGE`: masks of what the prompts point at, in a folder. */
import { join } from "node:path";
import { diagnose } from "../diagnostics/index.ts";
import type { SegmentReport } from "../models/node/segment.ts";
import type { Box, Label, Point } from "../predict/vision/index.ts";
import { checkpointFlags } from "./arguments/checkpoint.ts";
import { defineCommand } from "./arguments/command.ts";
import { deviceFlag } from "./arguments/device.ts";

export const command = defineCommand({
  description: "segment a picture from points, boxes or a mask",
  args: async () =>
    ({
      image: { type: "positional", description: "PNG, JPEG, WebP, TIFF, GIF or AVIF" },
      ...checkpointFlags,
      point: {
        type: "string",
        repeated: true,
        valueHint: "x,y[,label]",
        description: "a click in pixels; label 1 on the object (default), 0 beside it; repeatable",
      },
      box: {
        type: "string",
        repeated: true,
        valueHint: "x0,y0,x1,y1",
        description: "a box around the object",
      },
      mask: {
        type: "string",
        valueHint: "FILE",
        description:
          "a mask to start from: logits.npy of an earlier call, or a picture of IMAGE's size, white inside, or of two values of which one is 0",
      },
      "mask-value": {
        type: "string",
        valueHint: "VALUE",
        description:
          "what is inside in a --mask of several values: a class, a grey value, an index, or a colour as #rrggbb",
      },
      multimask: {
        type: "boolean",
        description: "three masks of different extent instead of one",
      },
      out: {
        type: "string",
        required: true,
        valueHint: "DIR",
        description: "folder for the results",
      },
      device: await deviceFlag(),
    }) as const,
  async run(given, { progress }) {
    const { segment } = await import("../models/node/segment.ts");
    const { image, weights, config, mask, multimask, out, device } = given;
    if (given["mask-value"] !== undefined && mask === undefined)
      throw diagnose("E370", {
        message: "--mask-value says what is inside in a mask's picture, but there is no --mask",
        where: "inarch segment",
        help: "give the picture too: --mask FILE",
      });
    const clicks = given.point.map(parsePoint);
    const report = await segment({
      ...{ image, weights, config, mask, multimask, out, device },
      maskValue: given["mask-value"],
      points: clicks.length > 0 ? clicks.map(({ point }) => point) : undefined,
      labels: clicks.length > 0 ? clicks.map(({ label }) => label) : undefined,
      box: parseBox(given.box),
      onProgress: progress.report,
      onPhase: progress.note,
    });
    return { report, text: describe(report, out) };
  },
});

function parsePoint(text: string): { point: Point; label: Label } {
  const values = numbers(text);
  const [x, y, label = 1] = values ?? [];
  if (values && (values.length === 2 || values.length === 3) && (label === 0 || label === 1))
    return { point: [x!, y!], label };
  throw diagnose("E370", {
    message: `--point ${text} is not x,y or x,y,label`,
    help: "two numbers in pixels and, if the click is beside the object, label 0: --point 120,80,0",
  });
}

function parseBox(texts: readonly string[]): Box | undefined {
  const [text, another] = texts;
  if (text === undefined) return undefined;
  const values = numbers(text);
  if (another === undefined && values?.length === 4) return values as unknown as Box;
  throw diagnose("E370", {
    message:
      another === undefined
        ? `--box ${text} is not x0,y0,x1,y1`
        : `there are ${texts.length} boxes, but one call segments one object`,
    help:
      another === undefined
        ? "left, top, right, bottom in pixels: --box 40,30,200,160"
        : "give one --box, or call it once for each object",
  });
}

/** Numbers between commas; undefined if anything else is there. */
function numbers(text: string): number[] | undefined {
  const parts = text.split(",").map((part) => part.trim());
  const values = parts.map(Number);
  return parts.includes("") || !values.every(Number.isFinite) ? undefined : values;
}

function describe({ masks, overlay, device, time }: SegmentReport, out: string): string {
  const rows = masks.map(
    ({ file, score, area }) =>
      `  ${join(out, file)}  score ${score.toFixed(3)}, ${area} pixels inside`,
  );
  const times = `loaded in ${time.load} ms, encoded in ${time.encode} ms, decoded in ${time.decode} ms`;
  const files = [overlay, "scores.json", ...masks.map(({ logits }) => logits)];
  return [...rows, ...files.map((file) => `  ${join(out, file)}`), `${times} (${device})`].join(
    "\n",
  );
}
