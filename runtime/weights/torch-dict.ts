/**
 * Finds the state dict inside a checkpoint. Training programs wrap it in dicts and lists of their own,
 * under any key and beside anything, so it is known by its content: names of parameters.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { meant } from "../../diagnostics/nearest.ts";
import type { PickleValue } from "./pickle-state.ts";
import { asTensor, type TorchTensor } from "./torch-globals.ts";

type Dict = Extract<PickleValue, { readonly kind: "dict" }>;

/** No program wraps deeper, and a dict that contains itself must not be followed forever. */
const maxDepth = 6;

/** A dict that holds tensors itself. */
interface Found {
  /** The keys that lead to it: `model`, `models[0].net`; nothing for the outermost. */
  readonly path: string;
  readonly dict: Dict;
}

/**
 * The tensors of the state dict by name, in order: of the dicts with tensors inside, optimisers left
 * out, the only one with names of parameters, or the one that `key` leads to. What is no tensor (an
 * epoch, say) is passed over.
 * @throws E229 for none, for several, and for a key that leads to none.
 */
export function findStateDict(
  value: PickleValue,
  file: string,
  key?: string,
): Map<string, TorchTensor> {
  const all = [...dictsIn(value, "", maxDepth, new Set())];
  if (all.length === 0) throw nothingInside(value, file);
  const { dict } = key === undefined ? theModel(all, file) : named(all, key, file);
  const tensors = new Map<string, TorchTensor>();
  for (const [name, item] of dict.entries) {
    const tensor = asTensor(item);
    if (tensor && typeof name !== "string") {
      throw diagnose("E229", {
        message: `a tensor stands under the key ${describe(name)}, which is not a name`,
        where: file,
        help: "save with torch.save(model.state_dict(), path): its keys are names",
      });
    }
    if (tensor) tensors.set(name as string, tensor);
  }
  return tensors;
}

function* dictsIn(
  value: PickleValue,
  path: string,
  depth: number,
  seen: Set<PickleValue>,
): Iterable<Found> {
  if (typeof value !== "object" || value === null || seen.has(value) || depth < 0) return;
  seen.add(value);
  if (value.kind === "list" || value.kind === "tuple") {
    for (const [i, item] of value.items.entries())
      yield* dictsIn(item, `${path}[${i}]`, depth - 1, seen);
  } else if (value.kind === "dict" && !isOptimiser(value)) {
    const items = [...value.entries];
    if (items.some(([, item]) => asTensor(item))) yield { path, dict: value };
    for (const [key, item] of items) {
      const inside = typeof key === "string" ? key : `[${describe(key)}]`;
      yield* dictsIn(item, path === "" ? inside : `${path}.${inside}`, depth - 1, seen);
    }
  }
}

/** What `optimizer.state_dict()` is, of whatever optimiser. */
const isOptimiser = ({ entries }: Dict): boolean =>
  entries.has("state") && entries.has("param_groups");

const names = ({ entries }: Dict): string[] =>
  [...entries].flatMap(([key, item]) => (typeof key === "string" && asTensor(item) ? [key] : []));

/** Parameters have the names of modules before theirs, unless the model is a single one. */
const hasParameters = ({ dict }: Found): boolean =>
  names(dict).some((name) => /\.|^(?:weight|bias)$/.test(name));

function theModel(all: readonly Found[], file: string): Found {
  const models = all.filter(hasParameters);
  // Loose tensors beside a dict of them are a program's own: the state of its random numbers, say.
  const innermost = all.filter(({ path }) => !all.some((one) => isInside(one.path, path)));
  const likely = models.length > 0 ? models : innermost;
  const [only] = likely;
  if (likely.length === 1) return only!;
  throw diagnose("E229", {
    message: `the checkpoint holds ${likely.length} dicts of tensors, and which is meant nothing tells: ${listed(likely)}`,
    where: file,
    help: `say which: { key: ${JSON.stringify(only!.path)} }, or inarch convert FILE OUT.safetensors --key ${JSON.stringify(only!.path)}`,
  });
}

const isInside = (path: string, outer: string): boolean =>
  path !== outer && (outer === "" || path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`));

function named(all: readonly Found[], key: string, file: string): Found {
  const found = all.find(({ path }) => path === key);
  if (found) return found;
  const paths = all.map(({ path }) => path);
  const near = meant(key, paths);
  throw diagnose("E229", {
    message: `no dict of tensors stands under the key ${JSON.stringify(key)}; there are ${listed(all)}`,
    where: file,
    help: `give ${JSON.stringify(near ?? paths[0])}`,
  });
}

const listed = (all: readonly Found[]): string =>
  all
    .slice(0, 12)
    .map(({ path, dict }) => {
      const [first] = names(dict);
      return `${JSON.stringify(path)} (${names(dict).length} tensors${first === undefined ? "" : `, ${first} first`})`;
    })
    .join(", ");

function nothingInside(value: PickleValue, file: string) {
  const dict = typeof value === "object" && value?.kind === "dict" ? value : undefined;
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

function describe(value: PickleValue): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 80));
  if (typeof value !== "object" || value === null) return String(value);
  return asTensor(value) ? "a tensor" : `a ${value.kind}`;
}
