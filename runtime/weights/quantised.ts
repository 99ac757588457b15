/**
 * Checkpoints of whole numbers. bitsandbytes keeps a linear layer's weight as 8-bit integers and the
 * largest magnitude of each row, `SCB`, beside it: weight = integer * SCB / 127. Such a layer is seen as
 * floats. Whatever else holds integers where a model wants weights is refused.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { fileElements } from "../../formats/index.ts";
import type { Readable } from "./adapted.ts";
import { isFloat } from "./dtype.ts";
import { floatEntry, makeWeights, type TensorEntry, type Weights } from "./weights.ts";

/** The checkpoint with the layers of bitsandbytes as 32-bit floats; as it is, where it has none. */
export function dequantised(weights: Weights): Weights {
  const layers = new Map<string, string>();
  for (const [name, { dtype }] of weights.tensors) {
    const module = name.match(/^(.*?)SCB$/)?.[1];
    const weight = `${module}weight`;
    if (module !== undefined && isFloat(dtype) && weights.tensors.get(weight)?.dtype === "i8")
      layers.set(weight, module);
  }
  if (layers.size === 0) return weights;
  const tensors = new Map<string, TensorEntry>();
  const beside = new Set([...layers.values()].flatMap((m) => [`${m}SCB`, `${m}weight_format`]));
  for (const [name, entry] of weights.tensors)
    if (layers.has(name)) tensors.set(name, floatEntry(entry.shape));
    else if (!beside.has(name)) tensors.set(name, entry);
  const { source, metadata, checksum } = weights;
  return makeWeights({
    ...{ source, metadata, tensors },
    ...(checksum === undefined ? {} : { checksum }),
    async *stream(name, elements) {
      const module = layers.get(name);
      const { dtype } = weights.tensors.get(name)!;
      if (module === undefined) yield* weights.rawChunks(name, elements * itemSize(dtype));
      else yield* scaled(weights, name, module, elements);
    },
    close: () => weights.close(),
  });
}

const itemSize = (dtype: TensorEntry["dtype"]): number => 8 / fileElements(dtype, 8);

async function* scaled(weights: Weights, name: string, module: string, elements: number) {
  const { shape } = weights.tensors.get(name)!;
  const scales = await weights.readF32(`${module}SCB`);
  const rows = shape[0] ?? 0;
  const columns = shape.slice(1).reduce((a, b) => a * b, 1);
  const refused = (message: string) => integers(name, message, weights.source);
  if (scales.length !== rows) throw refused(`has ${rows} rows and ${scales.length} scales (SCB)`);
  // 0 says that rows lie as rows do; other layouts are those of one GPU's kernels.
  const layout = weights.tensors.has(`${module}weight_format`)
    ? await weights.readF32(`${module}weight_format`)
    : [];
  if (layout.some((value) => value !== 0))
    throw refused("lies in a layout of bitsandbytes' kernels");
  let at = 0;
  for await (const values of weights.chunks(name, elements)) {
    const floats = values.map(
      (value, i) => (value * scales[Math.floor((at + i) / columns)]!) / 127,
    );
    at += values.length;
    yield new Uint8Array(floats.buffer);
  }
}

/**
 * Refuses whole numbers where weights are wanted: read as they are they would be something else.
 * @throws E464 for the first of the names whose tensor holds any.
 */
export function checkFloats(
  { tensors, source }: Pick<Readable, "tensors" | "source">,
  name: string,
): void {
  const entry = tensors.get(name);
  if (!entry || isFloat(entry.dtype)) return;
  const packed = [...tensors.keys()].find((other) => other.startsWith(`${name}.quant_state.`));
  const kind = packed?.match(/__(\w+)$/)?.[1];
  throw integers(
    name,
    packed
      ? `is packed by bitsandbytes${kind ? ` (${kind})` : ""}, several weights in a byte`
      : `holds ${entry.dtype}, whole numbers, where the model wants weights`,
    source,
  );
}

const integers = (name: string, what: string, where: string) =>
  diagnose("E464", {
    message: `${name} ${what}`,
    where,
    help: "save it as floats where it was quantised: in Python, model.dequantize().state_dict(), or the checkpoint before",
  });
