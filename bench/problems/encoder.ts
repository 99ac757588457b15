/** SAM's image encoder: ours, and our export of it in ONNX Runtime. */
import { type SamConfig, samPresets } from "../../models/index.ts";
import { hashedImage } from "../../models/sam/hashed.ts";
import { type Comparison, type Group, ours } from "../measure/comparison.ts";
import { type Place, wordsFor } from "../measure/place.ts";
import { openExported } from "../systems/exported.ts";
import { peersAt } from "../systems/field.ts";
import { type OurProgram, openOurs } from "../systems/inarch.ts";
import { weightsFor } from "./numbers.ts";
import { encoderGraph, smallSam } from "./small-sam.ts";

export const encoders = (place: Place): Comparison[] => [
  encoder("SAM encoder at 224 pixels", "encoder-224", smallSam(224), place),
  encoder("SAM encoder at 512 pixels", "encoder-512", smallSam(512), place),
  {
    ...encoder("SAM ViT-B encoder at 512 pixels", "vit-b-512", vitB, place),
    onlyByName: true,
  },
];

const vitB: SamConfig = { ...samPresets.vit_b, imageSize: 512 };

function encoder(what: string, group: Group, config: SamConfig, place: Place): Comparison {
  const us = "inarch";
  const program = (): OurProgram => ({
    graph: encoderGraph(config),
    inputs: { image: hashedImage("bench", config.imageSize) },
    weights: weightsFor,
  });
  const peers = peersAt(place, { onnx: (ort) => openExported(program(), ort) });
  const { embedDim, depth, numHeads, windowSize } = config;
  return {
    name: `${what}${wordsFor(place)}`,
    group,
    contestants: [{ name: us, process: ours, open: () => openOurs(program(), place) }, ...peers],
    pairs: peers.map(({ name: peer }) => ({ of: peer, to: us })),
    agreements: peers.map(({ name: peer }) => ({ of: peer, to: us, tolerance: 1e-4 })),
    note: `${embedDim} numbers a token, ${depth} blocks, ${numHeads} heads, windows of ${windowSize} x ${windowSize}.`,
  };
}
