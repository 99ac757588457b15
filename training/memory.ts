/** Where training keeps what outlives a step: trained tensors packed for the optimiser, the frozen base. */

import { parameterOp, type Source } from "../compiler/graph/sources.ts";
import { elements, type Node } from "../compiler/graph/tensor.ts";
import {
  type Graph,
  type Layout,
  type Residence,
  selects,
  type Tensor,
} from "../compiler/index.ts";
import { defaultProfile, type Profile } from "../compiler/profile.ts";
import type { Precision, WeightOptions } from "../compiler/storage/formats.ts";
import { inUnits, type Join, joinsOf } from "../compiler/storage/joins.ts";
import { type Capable, plain, storedBytes, type WeightFormat } from "../formats/index.ts";
import {
  keptState,
  type ParameterGroup,
  type ResidentTensor,
  stateBeside,
  type TrainedTensor,
} from "../runtime/training/plan.ts";
import type { Optimiser } from "./optimisers/index.ts";
import { chunkBytes, packFrozen, packTensors } from "./packing.ts";
import { check, fromZero } from "./settings.ts";
import { partName } from "./update.ts";

export interface GroupOptions extends Partial<ParameterGroup> {
  /** Patterns of the paths that belong to it; the first group that matches takes a tensor. */
  readonly match: readonly string[];
}

/** A parameter's path. */
export const nameOf = (t: Tensor): string => (t.node.attrs as Source).name;

/** The parameters that nodes read, one of each name. */
export function parametersBehind(nodes: readonly Node[]): Tensor[] {
  const found = new Map<string, Tensor>();
  for (const node of nodes)
    for (const x of node.inputs)
      if ((x.node.op as unknown) === parameterOp && !found.has(nameOf(x))) found.set(nameOf(x), x);
  return [...found.values()];
}

export interface Trainable {
  /** Trained tensors, in the order of their numbers. */
  readonly trained: readonly Tensor[];
  /** Those that adapters made, by path. */
  readonly grafted: Pick<ReadonlyMap<string, unknown>, "has">;
  /** Those of which the gradients are one tensor. */
  readonly joined: readonly Join[];
}

/** The name of the output that is the gradient of some parameters, which lie side by side. */
export const gradientOf = (paths: readonly string[]): string => `gradient.${paths.join("+")}`;

export interface MemoryOptions {
  readonly profile?: Profile;
  readonly optimiser: Optimiser;
  readonly groups?: readonly GroupOptions[];
  readonly micro?: number;
  readonly precision?: Precision;
  readonly weightFormat?: WeightFormat | undefined;
  /** What formats ask of a device; the profile says unless given. */
  readonly device?: Capable;
}

export interface Memory {
  readonly layout: Layout;
  /** Chunks of each part of what trains. */
  readonly parts: readonly number[];
  readonly tensors: readonly TrainedTensor[];
  readonly frozen: readonly ResidentTensor[];
  readonly groups: readonly ParameterGroup[];
}

/** Gives every parameter of some graphs its place. */
export function layOut(
  { trained, grafted, joined }: Trainable,
  graphs: readonly Graph[],
  options: MemoryOptions,
): Memory {
  const { profile = defaultProfile, optimiser, groups: asked = [] } = options;
  const { micro = 1, precision = "f32", device = profile, weightFormat } = options;
  const joins = [...graphs.flatMap((g) => joinsOf(g).all), ...joined];
  const { placeOf, parts } = packTensors(inUnits(trained, nameOf, joins), profile);
  const ofPart = (name: string, part: number) => partName(name, part, parts.length);
  const decay = Number(optimiser.options.decay ?? 0);
  for (const [i, { rate = 1, decay: own = decay }] of asked.entries())
    check(`group ${i}`, { rate: [rate, fromZero], decay: [own, fromZero] });
  const groups: ParameterGroup[] = [
    ...asked.map(({ rate = 1, decay: own = decay }) => ({ rate, decay: own })),
    { rate: 1, decay },
  ];
  const tensors = trained.map((t): TrainedTensor => {
    const { part, offset } = placeOf.get(t)!;
    const group = asked.findIndex((g) => selects(g.match, nameOf(t)));
    return {
      ...resident(t, { state: ofPart("parameters", part), offset }),
      group: group < 0 ? asked.length : group,
      grafted: grafted.has(nameOf(t)),
    };
  });
  const own = new Set(tensors.map((t) => t.name));
  const others = parametersBehind(graphs.flatMap((g) => g.nodes)).filter(
    (t) => !own.has(nameOf(t)),
  );
  const frozen = placeFrozen(inUnits(others, nameOf, joins), profile, {
    precision,
    device,
    weightFormat,
  });
  const chunked = [
    ...["parameters", "gradients", ...optimiser.moments.map((m) => `moment.${m}`)],
    ...(micro > 1 ? ["accumulated"] : []),
  ];
  const packed = (name: string) =>
    parts.map((chunks, part) => ({ name: ofPart(name, part), bytes: chunks * chunkBytes }));
  const states = [...chunked.flatMap(packed), ...frozen.states];
  const residences = new Map<string, Residence>(frozen.residences);
  const outputs = new Map<string, Residence>([
    ["loss", { state: "loss", offset: 0 }],
    ["present", { state: "present", offset: 0 }],
  ]);
  for (const tensor of tensors) {
    const { name, state, offset } = tensor;
    residences.set(name, { state, offset });
    outputs.set(gradientOf([name]), { state: stateBeside(tensor, "gradients"), offset });
  }
  for (const { parts } of joined)
    outputs.set(gradientOf(parts), outputs.get(gradientOf(parts.slice(0, 1)))!);
  return {
    layout: { states, parameters: residences, outputs },
    parts,
    tensors,
    frozen: others.map((t) => resident(t, frozen.residences.get(nameOf(t))!)),
    groups,
  };
}

/** What says how it begins apart from what a checkpoint must have: files of training hold it, unrounded. */
function placeFrozen(
  units: readonly (readonly Tensor[])[],
  profile: Profile,
  options: WeightOptions,
) {
  const begins = (unit: readonly Tensor[]) => unit.some((t) => (t.node.attrs as Source).init);
  const given = units.filter((unit) => !begins(unit));
  const base = packFrozen(given, "frozen", nameOf, profile, options);
  const single = { precision: "f32", device: options.device } as const;
  const kept = packFrozen(units.filter(begins), keptState, nameOf, profile, single);
  return {
    states: [...base.states, ...kept.states],
    residences: new Map([...base.residences, ...kept.residences]),
  };
}

function resident(tensor: Tensor, { state: name, offset, stored }: Residence): ResidentTensor {
  const { init, name: path } = tensor.node.attrs as Source;
  const bytes = storedBytes(stored ?? plain(tensor.dtype), elements(tensor.shape));
  const more = { ...(stored ? { stored } : {}), ...(init ? { init } : {}) };
  return { name: path, shape: tensor.shape, state: name, offset, bytes, ...more };
}
