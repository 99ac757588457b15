/**
 * Names with something in front that the model's own lack: programs wrap a model before they train it,
 * and save it so. The prefix is the one under which the model's names appear; whatever stands under it
 * is seen without.
 */
import { diagnose } from "../../diagnostics/index.ts";
import type { Readable } from "./adapted.ts";
import { refuseForeign } from "./foreign-adapters.ts";
import type { TensorEntry } from "./weights.ts";

/** What PyTorch's wrappers put into names, anywhere: DataParallel, torch.compile, FSDP, checkpointing. */
const wrapper = /(?<=^|\.)(?:module|_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\./g;

/** Whether a wrapper's name stands in a name. */
export const isWrapped = (name: string): boolean => name.replace(wrapper, "") !== name;

export interface Unprefixed {
  /** What the names began with; empty where wrappers stood further inside alone. */
  readonly prefix: string;
  /** Every name as it is seen, with the file's name for it. */
  readonly names: ReadonlyMap<string, string>;
}

/**
 * The names of a file without their prefix; undefined where nothing is in front of them.
 * @throws E463 where the model's names appear under several prefixes, or two names would be one.
 */
export function withoutPrefix(
  all: Iterable<string>,
  isWanted: (name: string) => boolean,
  file: string,
): Unprefixed | undefined {
  const found = new Map<string, Map<string, string>>();
  for (const name of all) {
    const place = placeOf(name, isWanted);
    if (!place) continue;
    const under = found.get(place.prefix) ?? new Map<string, string>();
    found.set(place.prefix, under);
    put(under, place.plain, name, file);
  }
  const [best, next] = [...found].sort(([, a], [, b]) => b.size - a.size);
  if (!best) return undefined;
  const asTheyAre = found.get("");
  const [prefix, plain] = asTheyAre?.size === best[1].size ? ["", asTheyAre] : best;
  if (prefix !== "" && next && 2 * next[1].size > best[1].size) throw several([...found], file);
  if (prefix === "" && [...plain].every(([seen, inFile]) => seen === inFile)) return undefined;
  const names = new Map(plain);
  const taken = new Set(plain.values());
  for (const name of all) {
    if (taken.has(name)) continue;
    // Not the model's: it is seen like the rest where it stands under the prefix.
    const bare = isWanted(name) ? name : name.replace(wrapper, "");
    put(names, bare.startsWith(prefix) ? bare.slice(prefix.length) : bare, name, file);
  }
  return { prefix: shownPrefix(plain), names };
}

function put(names: Map<string, string>, seen: string, name: string, file: string): void {
  const other = names.get(seen);
  if (other !== undefined)
    throw diagnose("E463", {
      message: `"${other}" and "${name}" would both be ${seen}`,
      where: file,
      help: "save the state dict of one model alone",
    });
  names.set(seen, name);
}

/** The longest end of a name that the model has, and what stands before it, wrappers apart. */
function placeOf(name: string, isWanted: (name: string) => boolean) {
  const bare = isWanted(name) ? name : name.replace(wrapper, "");
  for (let at = 0; at >= 0; at = bare.indexOf(".", at) + 1 || -1)
    if (isWanted(bare.slice(at))) return { prefix: bare.slice(0, at), plain: bare.slice(at) };
  return undefined;
}

/** What people see in front of the names, wrappers included. */
function shownPrefix(plain: ReadonlyMap<string, string>): string {
  for (const [seen, inFile] of plain)
    if (inFile !== seen && inFile.endsWith(seen)) return inFile.slice(0, -seen.length);
  return "";
}

/**
 * What is read of a checkpoint under the names that a model has, where they appear under one prefix; as
 * it is, where the model's names are there or few of them are anywhere.
 * @throws E437 for an adapter of another program among them, E463 where they appear under several prefixes.
 */
export function fitNames<W extends Readable>(weights: W, wanted: Iterable<string>): W {
  const known = new Set(wanted);
  const all = [...weights.tensors.keys()];
  refuseForeign(weights, (name) => known.has(name));
  if ([...known].every((name) => weights.tensors.has(name))) return weights;
  const found = withoutPrefix(all, (name) => known.has(name), weights.source);
  const hits = found ? [...found.names.keys()].filter((name) => known.has(name)).length : 0;
  // An adapter may own as many names as the model has.
  return found && 4 * hits >= known.size ? seenAs(weights, found) : weights;
}

/** The same reader under other names; what it is called says so. */
export function seenAs<W extends Readable>(weights: W, { prefix, names }: Unprefixed): W {
  const tensors = new Map<string, TensorEntry>();
  for (const [seen, inFile] of names) tensors.set(seen, weights.tensors.get(inFile)!);
  const readers: Record<string, unknown> = {};
  for (const key of ["read", "readF32", "rawChunks", "chunks"])
    if (key in weights) {
      const read = (
        weights as unknown as Record<string, (name: string, ...more: unknown[]) => unknown>
      )[key]!;
      readers[key] = (name: string, ...more: unknown[]) => read(names.get(name) ?? name, ...more);
    }
  const without = prefix === "" ? "names without wrappers" : `names without "${prefix}"`;
  return { ...weights, ...readers, tensors, source: `${weights.source} (${without})` };
}

const several = (
  found: readonly (readonly [string, ReadonlyMap<string, string>])[],
  file: string,
) => {
  const words = found.map(([prefix, { size }]) => `"${prefix}" (${size})`).join(", ");
  return diagnose("E463", {
    message: `the model's names appear under several prefixes: ${words}`,
    where: file,
    help: 'save one of them alone: {k.removeprefix("P"): v for k, v in state.items() if k.startswith("P")}',
  });
};
