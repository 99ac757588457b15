/**
 * What adapters cost: the 224-pixel encoder with an adapter on every qkv, against itself without.
 * Conv-LoRA is also measured with every map of every block sent to one expert, each in turn.
 */

import { convLora, lora, taLora } from "../../adapters/index.ts";
import type { Adapter } from "../../compiler/index.ts";
import { hashedImage, hashedTensor } from "../../models/sam/hashed.ts";
import { type Comparison, type Contestant, ours } from "../measure/comparison.ts";
import { type Place, wordsFor } from "../measure/place.ts";
import { openExported } from "../systems/exported.ts";
import { checkerAt } from "../systems/field.ts";
import { type OurProgram, openOurs } from "../systems/inarch.ts";
import { type NamedShape, weightsFor } from "./numbers.ts";
import { encoderGraph, smallSam } from "./small-sam.ts";

const config = smallSam(224);
const scales = [1, 2, 3, 4, 5, 6, 7, 8];
const bare = "bare encoder";

export function adapterCosts(place: Place): Comparison[] {
  const measured = (name: string, adapter?: Adapter, scale?: number) =>
    contestant(place, name, adapter, scale);
  const adapted = [
    measured("LoRA, rank 4", lora({ rank: 4 })),
    measured("Conv-LoRA, 8 experts, as routed", convLora()),
    ...scales.map((scale) => measured(forced(scale), convLora(), scale)),
    measured("TA-LoRA, ranks 32, 32 and 4", taLora({ tasks: 4, ranks: [32, 32, 4] })),
  ];
  const checked = adapted.map(({ name, program }) =>
    checkerAt(place, name, (ort) => openExported(program(), ort)),
  );
  const others = scales.filter((scale) => scale !== 3);
  return [
    {
      name: `adapters on every qkv, encoder at 224 pixels${wordsFor(place)}`,
      group: "adapters",
      contestants: [measured(bare), ...adapted],
      pairs: [
        ...adapted.map(({ name }) => ({ of: name, to: bare })),
        ...others.map((scale) => ({ of: forced(scale), to: forced(3) })),
      ],
      checks: checked,
      agreements: adapted.map(({ name }, i) => ({
        of: checked[i]!.name,
        to: name,
        tolerance: 1e-4,
      })),
      note: "The difference is from our export of each in ONNX Runtime on the CPU.",
    },
  ];
}

const forced = (scale: number) => `Conv-LoRA, scale ${scale}`;

interface Adapted extends Contestant {
  readonly program: () => OurProgram;
}

function contestant(place: Place, name: string, adapter?: Adapter, scale?: number): Adapted {
  const program = () => ({
    graph: encoderGraph(config, adapter),
    inputs: { image: hashedImage("bench", config.imageSize) },
    weights: (parameters: readonly NamedShape[]) =>
      weightsFor(parameters, (path, shape) => choosing(path, shape, scale)),
  });
  return { name, process: ours, program, open: () => openOurs(program(), place) };
}

/**
 * What is not hashed from its name. Weights under which every map is routed to one expert. The gate sees the mean of A x, and x is
 * what the norm returns: with ones as the norm's shifts and as the first row of A (divided by its
 * length), the first number of every mean is near one. The gate then needs a one for one expert.
 * The norm's shifts are ones in every encoder, so that all compute alike.
 */
function choosing(
  path: string,
  shape: readonly number[],
  scale: number | undefined,
): Float32Array<ArrayBuffer> | undefined {
  const [rows, columns] = shape as [number, number];
  // As small as training leaves it: the adapter changes the model, and does not drown it.
  if (path.endsWith("lora_B")) return hashedTensor("bench", path, shape).map((v) => v / 10);
  if (path.endsWith("norm1.bias")) return new Float32Array(rows).fill(1);
  if (scale === undefined) return undefined;
  if (path.endsWith("w_gate")) {
    const gate = new Float32Array(rows * columns);
    gate[scale - 1] = 1;
    return gate;
  }
  if (!path.endsWith("lora_A")) return undefined;
  return Float32Array.from({ length: rows * columns }, (_, i) => (i < columns ? 1 / columns : 0));
}
