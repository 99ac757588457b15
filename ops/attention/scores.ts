/** What tile programs of attention compute of a query and a key: which scores count, and what they gain. */
import {
  always,
  type Builder,
  bounded,
  type In,
  type KernelSite,
  literal,
  type Span,
  single,
  type Value,
} from "../../compiler/op-kit.ts";
import { type BackwardAttrs, backwardOperands, probability } from "./backward-definition.ts";
import { type Grid, termsOf } from "./definition.ts";
import { asNumber, type Seen } from "./visible.ts";

/** What the score of a query and a key gains from the relative terms: of the key's row and of its column. */
export function relativeShare(
  k: Builder,
  relative: In,
  grid: Grid,
  q: readonly number[],
  [b, head]: readonly [Value, Value],
): (query: Value, key: Value) => Value {
  const [rows, columns] = grid;
  return (query, key) => {
    const terms = termsOf(relative, grid, q, [b, head, query])!;
    const y = k.let("y", bounded(key.div(columns), rows - 1));
    return terms.row(y).add(terms.column(k.let("x", key.mod(columns))));
  };
}

/** What a tile is loaded of that is 1 where a row sees a key: one row where all see the same. */
export const sightOf = ({ key, pair }: Seen, rows: Span, keys: Span) =>
  pair
    ? ([rows, keys, (r: Value, c: Value) => asNumber(pair(r, c))] as const)
    : ([single, keys, (_: Value, c: Value) => asNumber(key ? key(c) : always)] as const);

/** The same with keys as rows. */
export const sightOfKeys = ({ key, pair }: Seen, keys: Span, rows: Span) =>
  pair
    ? ([keys, rows, (c: Value, r: Value) => asNumber(pair(r, c))] as const)
    : ([keys, single, (c: Value) => asNumber(key ? key(c) : always)] as const);

/** An element of a key or of its value: 0 where no query may see it. */
export const read = ({ key: isSeen }: Seen, key: Value, element: Value): Value =>
  isSeen ? isSeen(key).select(element, 0) : element;

/** The probability of a score; 0 where `sight` is there and 0. */
export const weightOf = (...[score, added, most, logSum, sight]: Value[]): Value =>
  where(sight, probability(score!.add(added!), most!, logSum!));

/** The cotangent of a score, likewise. */
export const slopeOf = (...[weight, change, delta, sight]: Value[]): Value =>
  where(sight, weight!.mul(change!.sub(delta!)));

const where = (sight: Value | undefined, x: Value): Value => (sight ? sight.eq(0).select(0, x) : x);

/** What the score of a query and a key gains from the bias and from relative terms. */
export function addedTo(
  { k, inputs, attrs }: KernelSite<BackwardAttrs>,
  lead: readonly [Value, Value],
): (query: Value, key: Value) => Value {
  const { q, bias, relative } = backwardOperands(inputs, attrs);
  const share = relative && attrs.grid && relativeShare(k, relative, attrs.grid, q.shape, lead);
  return (query, key) => {
    const all = bias ? [bias.at(...lead, query, key)] : [];
    if (share) all.push(share(query, key));
    return all.length > 0 ? all.reduce((a, c) => a.add(c)) : literal(0, "f32");
  };
}

/** 1 where a key lies in row `i` of the grid, or in column `i - rows`. */
export function isOn(key: Value, i: Value, [rows, columns]: Grid): Value {
  const inRow = key.div(columns).eq(i);
  const inColumn = key.mod(columns).add(rows).eq(i);
  return inRow.or(inColumn).select(literal(1, "f32"), literal(0, "f32"));
}
