/** Finds the state dict inside a checkpoint: training programs wrap it in dicts of their own. */
import { diagnose } from "../../diagnostics/index.ts";
import type { PickleValue } from "./pickle-state.ts";
import { asTensor, type TorchTensor } from "./torch-globals.ts";

type Dict = Extract<PickleValue, { readonly kind: "dict" }>;

/** Keys under which programs keep the weights, the likeliest first. */
const wrappers = ["state_dict", "model_state_dict", "model", "module", "net", "params", "weights"];

/** No program wraps deeper, and a dict that contains itself must not be followed forever. */
const maxDepth = 4;

/**
 * The tensors of the state dict by name, in order. A wrapper is entered when one of its known keys
 * (or its only dict) holds tensors. What is no tensor (an epoch, say) is passed over. Errors: E229.
 */
export function findStateDict(value: PickleValue, file: string): Map<string, TorchTensor> {
  const dict = asDict(value);
  const inner = dict && enter(dict, maxDepth, new Set());
  if (!inner) throw nothingInside(value, file);
  const tensors = new Map<string, TorchTensor>();
  for (const [key, item] of inner.entries) {
    const tensor = asTensor(item);
    if (tensor && typeof key !== "string") {
      throw diagnose("E229", {
        message: `a tensor stands under the key ${describe(key)}, which is not a name`,
        where: file,
        help: "save with torch.save(model.state_dict(), path): its keys are names",
      });
    }
    if (tensor) tensors.set(key as string, tensor);
  }
  return tensors;
}

/** The dict with the tensors: this one, or one inside. */
function enter(dict: Dict, depth: number, seen: Set<Dict>): Dict | undefined {
  if (seen.has(dict)) return undefined;
  seen.add(dict);
  const inside = [...dict.entries].flatMap(([key, value]) => {
    const item = asDict(value);
    return item ? [{ key, item }] : [];
  });
  if (depth > 0) {
    const known = wrappers.flatMap((key) => inside.filter((entry) => entry.key === key));
    for (const { item } of known) {
      const found = enter(item, depth - 1, seen);
      if (found) return found;
    }
  }
  for (const value of dict.entries.values()) if (asTensor(value)) return dict;
  const [only] = inside;
  return depth > 0 && inside.length === 1 ? enter(only!.item, depth - 1, seen) : undefined;
}

function nothingInside(value: PickleValue, file: string) {
  const dict = asDict(value);
  const keys =
    dict && [...dict.entries].slice(0, 20).map(([k, v]) => `${describe(k)}: ${describe(v)}`);
  return diagnose("E229", {
    message: keys
      ? `no tensors were found in the checkpoint; it has ${keys.join(", ") || "no keys"}`
      : `the checkpoint is ${describe(value)}, not a dict of tensors by name`,
    where: file,
    help: "save with torch.save(model.state_dict(), path)",
  });
}

function asDict(value: PickleValue | undefined): Dict | undefined {
  return typeof value === "object" && value?.kind === "dict" ? value : undefined;
}

function describe(value: PickleValue): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 80));
  if (typeof value !== "object" || value === null) return String(value);
  return asTensor(value) ? "a tensor" : `a ${value.kind}`;
}
