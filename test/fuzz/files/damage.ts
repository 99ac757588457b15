/** Damage to bytes and to JSON: what disks, networks and ill-meaning people do. */
import type { Random } from "../random.ts";

export type Damage =
  | { readonly kind: "flip"; readonly bit: number }
  | { readonly kind: "cut"; readonly length: number }
  | { readonly kind: "bytes"; readonly at: number; readonly values: readonly number[] }
  | { readonly kind: "again"; readonly from: number; readonly length: number; readonly to: number }
  | { readonly kind: "more"; readonly values: readonly number[] };

/** `share` is the part of the file, from its beginning, that is rather hit: where its structure is. */
export function drawDamage(random: Random, size: number, share: number): Damage {
  const place = () =>
    random.chance(0.6) ? random.below(Math.max(1, Math.ceil(size * share))) : random.below(size);
  const bytes = (n: number) =>
    Array.from({ length: n }, () => random.pick([0, 1, 127, 128, 255, random.below(256)]));
  switch (random.below(8)) {
    case 0:
      return { kind: "cut", length: place() };
    case 1:
      return { kind: "bytes", at: place(), values: bytes(random.between(1, 8)) };
    case 2:
      return { kind: "again", from: place(), length: random.between(1, 64), to: place() };
    case 3:
      return { kind: "more", values: bytes(random.between(1, 9)) };
    default:
      return { kind: "flip", bit: 8 * place() + random.below(8) };
  }
}

export function damaged(bytes: Uint8Array, damage: Damage): Uint8Array<ArrayBuffer> {
  const copy = Uint8Array.from(bytes);
  switch (damage.kind) {
    case "flip":
      copy[damage.bit >>> 3]! ^= 1 << (damage.bit & 7);
      return copy;
    case "cut":
      return copy.slice(0, damage.length);
    case "bytes":
      copy.set(damage.values.slice(0, copy.length - damage.at), damage.at);
      return copy;
    case "again": {
      const part = copy.slice(damage.from, damage.from + damage.length);
      return Uint8Array.from([...copy.slice(0, damage.to), ...part, ...copy.slice(damage.to)]);
    }
    case "more":
      return Uint8Array.from([...copy, ...damage.values]);
  }
}

export const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

/** A change of one field: where it is, and what it becomes. */
export interface JsonChange {
  readonly path: readonly (string | number)[];
  readonly to: unknown;
}

const hostile: readonly unknown[] = [
  null,
  true,
  "",
  "null",
  "__proto__",
  "constructor",
  "../../etc/passwd",
  "/etc/passwd",
  -1,
  0,
  0.5,
  1e308,
  NaN,
  2 ** 31,
  2 ** 53,
  99,
  [],
  {},
  [null],
  [0, 0, 0],
  [-1],
  [1e9, 1e9, 1e9],
  { __proto__: null },
  "x".repeat(300),
];

/** The whole counts as a field too, but seldom. */
export function drawChange(random: Random, json: unknown): JsonChange {
  const all: (string | number)[][] = [];
  const walk = (x: unknown, path: (string | number)[]) => {
    all.push(path);
    if (Array.isArray(x)) for (const [i, y] of x.entries()) walk(y, [...path, i]);
    else if (typeof x === "object" && x !== null)
      for (const [k, y] of Object.entries(x)) walk(y, [...path, k]);
  };
  walk(json, []);
  const path = random.chance(0.02) ? [] : random.pick(all);
  if (random.chance(0.15)) return { path, to: undefined };
  // What stands elsewhere in the file is of the right kind, and wrong.
  if (random.chance(0.25)) return { path, to: at(json, random.pick(all)) };
  return { path, to: random.pick(hostile) };
}

const at = (json: unknown, path: readonly (string | number)[]): unknown =>
  path.reduce((x, key) => (x as Record<string, unknown>)[key], json);

/** A copy with the change; undefined takes the field away. */
export function changed(json: unknown, { path, to }: JsonChange): unknown {
  if (path.length === 0) return to === undefined ? null : to;
  const [key, ...rest] = path as [string | number, ...(string | number)[]];
  if (Array.isArray(json)) {
    const list = [...json];
    if (rest.length === 0 && to === undefined) list.splice(key as number, 1);
    else list[key as number] = changed(json[key as number], { path: rest, to });
    return list;
  }
  const entries = Object.entries(json as object).flatMap(([k, x]) =>
    k !== String(key)
      ? [[k, x] as const]
      : rest.length === 0 && to === undefined
        ? []
        : [[k, changed(x, { path: rest, to })] as const],
  );
  return Object.fromEntries(entries);
}
