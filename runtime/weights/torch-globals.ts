/**
 * The allow-list of the torch reader: the few functions that a state dict is made of, each
 * rewritten here to describe a tensor instead of making one. Everything else is refused by the
 * pickle machine.
 */
import type { Dtype } from "./dtype.ts";
import type { PickleFunction, PickleValue } from "./pickle-state.ts";
import { countElements } from "./weights.ts";

/** A file of elements beside the pickle. */
export interface TorchStorage {
  readonly kind: "storage";
  readonly dtype: Dtype;
  /** The entry is `data/<key>`. */
  readonly key: string;
  readonly elements: number;
}

/** A view of a storage; offset and strides in elements. */
export interface TorchTensor {
  readonly kind: "tensor";
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** The tensor that a pickled value is, if it is one. */
export function asTensor(value: PickleValue | undefined): TorchTensor | undefined {
  const object = objectOf(value);
  return object?.kind === "tensor" ? object : undefined;
}

function objectOf(value: PickleValue | undefined): TorchTensor | TorchStorage | undefined {
  if (typeof value !== "object" || value === null || value.kind !== "object") return undefined;
  // Only the functions of this file make objects, and they make these two.
  return value.object as TorchTensor | TorchStorage;
}

const storageTypes: Readonly<Record<string, Dtype>> = {
  DoubleStorage: "f64",
  FloatStorage: "f32",
  HalfStorage: "f16",
  BFloat16Storage: "bf16",
  LongStorage: "i64",
  IntStorage: "i32",
  ShortStorage: "i16",
  CharStorage: "i8",
  ByteStorage: "u8",
  BoolStorage: "bool",
};

/** A persistent id of a checkpoint: ("storage", type, key, device, number of elements). */
export const readStorage: PickleFunction = ([id]) => {
  const [tag, type, key, , elements] = tupleItems(id) ?? [];
  if (tag !== "storage" || typeof key !== "string") return "the reference is not to a storage";
  if (typeof type !== "object" || type === null || type.kind !== "global") {
    return typeof type === "object" && type?.kind === "blocked"
      ? { value: type }
      : "the type of a storage is missing";
  }
  const dtype = storageTypes[type.name.replace(/^torch\./, "")];
  if (dtype === undefined) return `${type.name} is not a type of storage`;
  if (countElements([elements]) === undefined) return "the length of a storage is not a number";
  return object({ kind: "storage", dtype, key, elements: elements as number });
};

/** Arguments: storage, offset, size, stride, requires_grad, hooks. All in elements, checked. */
const rebuildTensor: PickleFunction = ([storage, offset, size, stride]) => {
  const of = objectOf(storage);
  if (of?.kind !== "storage") return "the first argument is not a storage";
  const shape = tupleItems(size);
  const strides = tupleItems(stride);
  if (!shape || !strides || shape.length !== strides.length || shape.length > 64) {
    return "size and stride are not tuples of one length";
  }
  const elements = countElements(shape);
  if (elements === undefined) return "the size is not made of whole numbers, zero and up";
  if (![...strides, offset].every((step) => countElements([step]) !== undefined)) {
    return "the strides or the offset are not whole numbers, zero and up";
  }
  const tensor: TorchTensor = {
    kind: "tensor",
    storage: of,
    offset: offset as number,
    shape: shape as number[],
    strides: strides as number[],
  };
  const end = tensor.offset + spanOf(tensor);
  if (elements > 0 && end > of.elements) {
    return `shape [${tensor.shape}] reaches element ${end} of a storage of ${of.elements}`;
  }
  return object(tensor);
};

/** How many elements lie between the first and the last of a tensor, both included. */
export const spanOf = ({ shape, strides }: TorchTensor): number =>
  shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis]!, 1);

/** Arguments: the tensor, requires_grad, hooks (and state). A parameter is its tensor. */
const rebuildParameter: PickleFunction = ([data]) =>
  asTensor(data) ? { value: data! } : "the first argument is not a tensor";

/** No arguments, or pairs of key and value. */
const orderedDict: PickleFunction = ([pairs]) => {
  const entries = new Map<PickleValue, PickleValue>();
  for (const pair of pairs === undefined ? [] : (sequenceItems(pairs) ?? [null])) {
    const items = sequenceItems(pair);
    if (items?.length !== 2) return "the argument is not a list of pairs";
    if (entries.has(items[0]!)) return `the key ${JSON.stringify(String(items[0]))} is set twice`;
    entries.set(items[0]!, items[1]!);
  }
  return { value: { kind: "dict", entries } };
};

const size: PickleFunction = ([items]) => {
  const list = sequenceItems(items);
  return list ? { value: { kind: "tuple", items: list } } : "the argument is not a tuple";
};

/** Values that checkpoints carry and nobody reads here: devices, dtypes. */
const inert = (name: string): PickleValue => ({
  kind: "global",
  name,
  call: () => ({ value: null }),
});

const functions: Readonly<Record<string, PickleFunction>> = {
  "collections.OrderedDict": orderedDict,
  "torch.Size": size,
  "torch._utils._rebuild_tensor": rebuildTensor,
  "torch._utils._rebuild_tensor_v2": rebuildTensor,
  "torch._utils._rebuild_parameter": rebuildParameter,
  "torch._utils._rebuild_parameter_with_state": rebuildParameter,
};

const dtypeNames = "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool".split(" ");

export const torchGlobals: ReadonlyMap<string, PickleValue> = new Map<string, PickleValue>([
  ...Object.entries(functions).map(([name, call]): [string, PickleValue] => [
    name,
    { kind: "global", name, call },
  ]),
  ...Object.keys(storageTypes).map((type): [string, PickleValue] => {
    const name = `torch.${type}`;
    return [name, { kind: "global", name }];
  }),
  ...["torch.device", ...dtypeNames.map((name) => `torch.${name}`)].map(
    (name): [string, PickleValue] => [name, inert(name)],
  ),
]);

const object = (made: TorchTensor | TorchStorage) => ({
  value: { kind: "object", object: made } as const,
});

function tupleItems(value: PickleValue | undefined): readonly PickleValue[] | undefined {
  return typeof value === "object" && value?.kind === "tuple" ? value.items : undefined;
}

function sequenceItems(value: PickleValue | undefined): readonly PickleValue[] | undefined {
  const isList = typeof value === "object" && value?.kind === "list";
  return isList ? value.items : tupleItems(value);
}
