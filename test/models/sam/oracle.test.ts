/** The plain SAM in double precision agrees with the published implementation's numbers. */
import { expect, test } from "vitest";
import { parseSamConfig } from "../../../models/sam/config.ts";
import { openWeightsFile } from "../../../runtime/node/weights.ts";
import { relativeError } from "../../../verify/ops/evaluate.ts";
import { fixture } from "../../support/fixtures.ts";
import { plainDecoder, plainEncoder, type Rows, split } from "../../support/sam-plain.ts";
import { fixturePath } from "../../support/weights-files.ts";

const { tensors, metadata } = fixture("sam_nano.safetensors");
const config = parseSamConfig(metadata.config!);
const numbers = (name: string) => Float64Array.from(tensors.get(name)!.data as Float32Array);

const weights = await openWeightsFile(fixturePath("sam_nano.pth"));
const values = new Map<string, Float64Array>();
for (const name of weights.tensors.keys())
  values.set(name, Float64Array.from(await weights.readF32(name)));
await weights.close();
const at = (name: string) => values.get(name)!;

/** Rows become columns: maps are `[cells][channels]` here, `[channels, cells]` in the files. */
const turn = (rows: Rows): Rows =>
  Array.from(rows[0]!, (_, column) => Float64Array.from(rows, (row) => row[column]!));
const flat = (rows: readonly Float64Array[]) => rows.flatMap((row) => [...row]);

test("the plain encoder equals the reference, block by block", () => {
  const image = numbers("image_normalized");
  const plain = plainEncoder(config, at, image.subarray(0, image.length / 2));
  const half = (name: string) => numbers(name).subarray(0, numbers(name).length / 2);
  expect(relativeError(flat(plain.patchEmbed), half("encoder.patch_embed"))).toBeLessThan(1e-5);
  plain.blocks.forEach((block, i) => {
    expect(relativeError(flat(block), half(`encoder.block.${i}`)), `${i}`).toBeLessThan(1e-5);
  });
  expect(relativeError(flat(turn(plain.output)), half("encoder.output"))).toBeLessThan(1e-5);
});

const points = split(numbers("prompt.points"), 2).map(([x, y]) => [x!, y!] as const);
const labels = [...(tensors.get("prompt.point_labels")!.data as BigInt64Array)].map(Number);
const box = [...numbers("prompt.box")] as [number, number, number, number];
const mask = numbers("prompt.mask");

test.each([
  ["points", { points, labels }],
  ["box", { points: [], labels: [], box }],
  ["points_box_mask", { points, labels, box, mask }],
  ["none", { points: [], labels: [] }],
])("the plain decoder equals the reference: %s", (name, prompts) => {
  const output = numbers("encoder.output");
  const cells = output.length / 2 / config.outChans;
  const embedding = turn(split(output.subarray(0, output.length / 2), cells));
  const plain = plainDecoder(config, at, embedding, prompts);
  const close = (mine: readonly number[], of: string) =>
    expect(relativeError(mine, numbers(`${name}.${of}`)), of).toBeLessThan(1e-5);
  close(flat(plain.sparse), "sparse");
  close(flat(turn(plain.dense)), "dense");
  close(flat(plain.masks.slice(1)), "multimask.low_res_logits");
  close(flat(plain.masks.slice(0, 1)), "single.low_res_logits");
  close([...plain.iou.slice(1)], "multimask.iou");
  close([...plain.iou.slice(0, 1)], "single.iou");
});
