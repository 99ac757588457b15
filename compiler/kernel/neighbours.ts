/** Which loads and stores are of neighbours: what can be copied as it lies, and what is stored at once. */
import type { Buffer, Expr, Stmt } from "./ir.ts";
import { keyOf } from "./keys.ts";
import { sumOf, type Value } from "./value.ts";

/** So many elements of a buffer from a place on. */
export interface Neighbours {
  readonly from: Buffer;
  readonly first: Value;
}

/** A place as a number and all else, which is equal for neighbours. */
function placeOf(at: Value): { readonly constant: number; readonly key: string } {
  const { constant } = sumOf(at);
  return { constant, key: keyOf(at.sub(constant).expr) };
}

/** Whether a place is a multiple of a number for certain. */
const isWhole = (at: Value, count: number): boolean => {
  const { constant, terms } = sumOf(at);
  return constant % count === 0 && terms.every((t) => (t.factor * t.atom.divisor) % count === 0);
};

/** Whether places follow each other from a multiple of their number on. */
function follow(places: readonly Value[]): boolean {
  const first = placeOf(places[0]!);
  return (
    isWhole(places[0]!, places.length) &&
    places.every((at, i) => {
      const { constant, key } = placeOf(at);
      return constant === first.constant + i && key === first.key;
    })
  );
}

/** What `values`, which `body` names, are, if they are neighbours of a tensor. */
export function neighboursIn(
  body: readonly Stmt[],
  values: readonly Value[],
  places: ReadonlyMap<Expr, Value>,
  count: number,
): Neighbours | undefined {
  const lets = new Map(body.flatMap((s) => (s.kind === "let" ? [[s.name, s.value] as const] : [])));
  const loads = values.flatMap(({ expr }) => {
    const value = expr.kind === "ref" ? lets.get(expr.name) : expr;
    return value?.kind === "load" ? [value] : [];
  });
  const at = loads.flatMap((load) => places.get(load) ?? []);
  const from = loads[0]?.from;
  if (!from || at.length < count || loads.some((load) => load.from !== from)) return undefined;
  return follow(at) ? { from, first: at[0]! } : undefined;
}

/** The statements with one store in the place of the last of four, where they are of four neighbours. */
export function storedTogether(
  body: readonly Stmt[],
  places: ReadonlyMap<Stmt, Value>,
): readonly Stmt[] {
  const stores = body.flatMap((s) => (s.kind === "store" && places.has(s) ? [s] : []));
  const at = stores.map((s) => places.get(s)!);
  const [first] = stores;
  const isPlain = body.every((s) => s.kind === "let" || s.kind === "load4" || s.kind === "store");
  if (stores.length !== 4 || !isPlain || !first) return body;
  if (stores.some(({ to }) => to !== first.to) || !follow(at)) return body;
  const values = stores.map((s) => s.value) as [Expr, Expr, Expr, Expr];
  const whole: Stmt = { kind: "store4", to: first.to, index: at[0]!.div(4).expr, values };
  return [...body.filter((s) => s.kind !== "store"), whole];
}
