/** SAM's image encoder: ours, and our export of it in ONNX Runtime. */
import { type SamConfig, samPresets } from "../../models/index.ts";
import { hashedImage } from "../../models/sam/hashed.ts";
import { type Comparison, type Group, ours } from "../measure/comparison.ts";
import { openExported } from "../systems/exported.ts";
import { type OurProgram, openOurs } from "../systems/inarch.ts";
import { weightsFor } from "./numbers.ts";
import { encoderGraph, smallSam } from "./small-sam.ts";

export const encoders = (): Comparison[] => [
  encoder("SAM encoder at 224 pixels", "encoder-224", smallSam(224)),
  encoder("SAM encoder at 512 pixels", "encoder-512", smallSam(512)),
  {
    ...encoder("SAM ViT-B encoder at 512 pixels", "vit-b-512", {
      ...samPresets.vit_b,
      imageSize: 512,
    }),
    onlyByName: true,
  },
];

function encoder(name: string, group: Group, config: SamConfig): Comparison {
  const us = "inarch";
  const program = (): OurProgram => ({
    graph: encoderGraph(config),
    inputs: { image: hashedImage("bench", config.imageSize) },
    weights: weightsFor,
  });
  const peers = [
    {
      name: "ONNX Runtime WebGPU",
      process: "ort-webgpu",
      open: () => openExported(program(), "webgpu"),
    },
    { name: "ONNX Runtime CPU", process: "ort-cpu", open: () => openExported(program(), "cpu") },
  ];
  const { embedDim, depth, numHeads, windowSize } = config;
  return {
    name,
    group,
    contestants: [{ name: us, process: ours, open: () => openOurs(program()) }, ...peers],
    pairs: peers.map(({ name: peer }) => ({ of: peer, to: us })),
    agreements: peers.map(({ name: peer }) => ({ of: peer, to: us, tolerance: 1e-4 })),
    note: `${embedDim} numbers a token, ${depth} blocks, ${numHeads} heads, windows of ${windowSize} x ${windowSize}.`,
  };
}
