/** The tensors that a run of training begins with: `init.NAME` of a reference file. */
import type { TrainingPlan } from "../runtime/training/plan.ts";
import { makeWeights, type TensorEntry, type Weights } from "../runtime/weights/index.ts";
import { garbled, type Reference, type ReferenceTensor } from "./reference.ts";

const prefix = "init.";

export interface InitialTensors {
  /** By the names of the model's parameters. */
  readonly weights: Weights;
  /** @throws E361 if there is no such tensor. */
  read(name: string): Float32Array;
  /** @throws E361 unless every parameter of a plan is here, in its shape: none is made anew. */
  check(plan: TrainingPlan): void;
}

/** Reads all of them. */
export async function readInitial(reference: Reference): Promise<InitialTensors> {
  const { path, names } = reference;
  const tensors = new Map<string, ReferenceTensor>();
  for (const name of names)
    if (name.startsWith(prefix)) tensors.set(name.slice(prefix.length), await reference.read(name));
  const find = (name: string) => {
    const tensor = tensors.get(name);
    if (tensor) return tensor;
    throw garbled(path, `it has no tensor "${prefix}${name}"`);
  };
  const entries = new Map<string, TensorEntry>();
  for (const [name, { shape, data }] of tensors)
    entries.set(name, { dtype: "f32", shape, bytes: data.byteLength });
  const weights = makeWeights({
    source: path,
    tensors: entries,
    metadata: {},
    async *stream(name, elements) {
      const { data } = find(name);
      for (let i = 0; i < data.length; i += elements)
        yield new Uint8Array(data.slice(i, i + elements).buffer);
    },
    close: async () => {},
  });
  return {
    weights,
    read: (name) => find(name).data,
    check({ frozen, tensors: trained }) {
      for (const { name, shape } of [...frozen, ...trained]) {
        const found = find(name).shape;
        if (found.join() === shape.join()) continue;
        throw garbled(
          path,
          `${prefix}${name} is [${found.join(", ")}], but the model that its metadata describes has [${shape.join(", ")}]`,
        );
      }
    },
  };
}

/** Places of an adapter: the paths that have an own tensor of this name. @throws E361 for none. */
export function placesOf({ names, path }: Reference, own: string): string[] {
  const ending = `.${own}`;
  const places = names
    .filter((name) => name.startsWith(prefix) && name.endsWith(ending))
    .map((name) => name.slice(prefix.length, -ending.length));
  if (places.length > 0) return places;
  throw garbled(path, `it has no tensor "${prefix}PLACE.${own}"`);
}

/** Rows of the tables of relative positions, by path: other ones than the map needs are resized. */
export function tableRowsOf(reference: Reference): Promise<ReadonlyMap<string, number>> {
  const tables = reference.names.filter(
    (name) => name.startsWith(prefix) && /\.rel_pos_[hw]$/.test(name),
  );
  return Promise.all(
    tables.map(async (name) => {
      const { shape } = await reference.read(name, 2);
      return [name.slice(prefix.length), shape[0]!] as const;
    }),
  ).then((rows) => new Map(rows));
}
