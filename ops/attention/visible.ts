/**
 * Which keys a query sees: those that exist, that a mask leaves it, and that do not stand behind it. The
 * score of another key is -Infinity, whatever its numbers are.
 */
import {
  type Dense,
  type DType,
  type In,
  index,
  literal,
  type Span,
  type Tensor,
  type Value,
} from "../../compiler/op-kit.ts";
import { add } from "../elementwise/add.ts";
import { and } from "../elementwise/and.ts";
import { cast } from "../elementwise/cast.ts";
import { iota } from "../elementwise/iota.ts";
import { le } from "../elementwise/le.ts";
import { lt } from "../elementwise/lt.ts";
import { broadcastTo } from "../views/broadcast.ts";
import { reshape } from "../views/reshape.ts";

/** Query i sees keys up to i + offset. */
export interface Causal {
  readonly offset: number;
  /** Queries of one head: row r of a head is query r % queries. */
  readonly queries: number;
}

/**
 * What hides keys, as far as it is there: a mask [batch, heads, rows, keys] that is true where a key is
 * seen, or [batch, heads, 1, keys] for all rows; how many keys exist [batch].
 */
export interface Hiding<T> {
  readonly mask?: T;
  readonly lengths?: T;
}

/** Conditions in a kernel; undefined where they always hold. */
export interface Seen {
  /** Some query may see the key. What is hidden from all is not read: no NaN of it counts. */
  readonly key: ((key: Value) => Value) | undefined;
  /** The query of this row sees the key. Undefined where that is as `key` says. */
  readonly pair: ((row: Value, key: Value) => Value) | undefined;
  /** Some query of these rows sees one of these keys, or may. Undefined where nothing says no. */
  readonly any: ((rows: Span, keys: Span) => Value) | undefined;
}

export function seenBy(
  { mask, lengths }: Hiding<In>,
  causal: Causal | undefined,
  [b, head]: readonly [Value, Value],
): Seen {
  const ofKeys: ((key: Value) => Value)[] = [];
  const ofPairs: ((row: Value, key: Value) => Value)[] = [];
  if (lengths) ofKeys.push((key) => key.cast(integer(lengths.dtype)).lt(lengths.at(b)));
  if (mask?.shape[2] === 1) ofKeys.push((key) => mask.at(b, head, index(0), key));
  else if (mask) ofPairs.push((row, key) => mask.at(b, head, row, key));
  if (causal) ofPairs.push((row, key) => isBehind(key, row.mod(causal.queries), causal.offset));
  const all = (conditions: readonly Value[]) => conditions.reduce((x, y) => x.and(y));
  const key = ofKeys.length === 0 ? undefined : (at: Value) => all(ofKeys.map((f) => f(at)));
  if (ofPairs.length === 0) return { key, pair: undefined, any: undefined };
  return {
    key,
    any: causal && ((rows, keys) => mayBeBehind(causal, rows, keys)),
    pair: (row, at) => all([...(key ? [key(at)] : []), ...ofPairs.map((f) => f(row, at))]),
  };
}

const integer = (dtype: DType) => (dtype === "i32" ? "i32" : "u32");

const isBehind = (key: Value, query: Value, offset: number): Value =>
  offset < 0 ? key.add(-offset).le(query) : key.le(query.add(offset));

/** The first of the keys does not stand behind the last of the queries. */
function mayBeBehind({ offset, queries }: Causal, rows: Span, keys: Span): Value {
  const first = rows.block.mul(rows.size).mod(queries);
  // Rows that go on in the next head end with its queries.
  const last = first.add(rows.size - 1).min(queries - 1);
  return isBehind(keys.block.mul(keys.size), last, offset);
}

/** A condition as a number of a tile. */
export const asNumber = (condition: Value): Value =>
  condition.select(literal(1, "f32"), literal(0, "f32"));

/** The same of row `i` of all images and key `j`, plainly. `shape`: of q. */
export function plainSeen(
  { mask, lengths }: Hiding<Dense>,
  causal: Causal | undefined,
  [, heads, rows]: readonly number[],
  keys: number,
) {
  const masked = (i: number, j: number): boolean => {
    if (!mask) return true;
    const row = mask.shape[2] === 1 ? Math.floor(i / rows!) : i;
    return mask.data[row * keys + j] !== 0;
  };
  const exists = (i: number, j: number): boolean =>
    (!lengths || j < lengths.data[Math.floor(i / (heads! * rows!))]!) &&
    (mask?.shape[2] !== 1 || masked(i, j));
  return {
    key: exists,
    pair: (i: number, j: number): boolean =>
      exists(i, j) &&
      masked(i, j) &&
      (!causal || j <= ((i % rows!) % causal.queries) + causal.offset),
  };
}

/** The same as tensors: of keys [batch, 1 or heads, 1, keys], of pairs [batch, heads, rows, keys]. */
export function seenTensors(
  { mask, lengths }: Hiding<Tensor>,
  causal: Causal | undefined,
  scores: readonly number[],
): { readonly key: Tensor | undefined; readonly pair: Tensor | undefined } {
  const keys = scores[3]!;
  const both = (x: Tensor | undefined, y: Tensor | undefined) => (x && y ? and(x, y) : (x ?? y));
  const key = both(lengths && existing(lengths, keys), mask?.shape[2] === 1 ? mask : undefined) as
    | Tensor
    | undefined;
  const ofMask = mask?.shape[2] === 1 ? undefined : mask;
  const pair = both(both(key, ofMask) as Tensor | undefined, causal && before(causal, scores));
  return { key, pair: pair && broadcastTo(pair as Tensor, scores) };
}

/** [batch, 1, 1, keys]: which keys exist. */
export function existing(lengths: Tensor, keys: number): Tensor {
  const places = cast(iota([1, 1, 1, keys], 3), integer(lengths.dtype));
  return lt(places as Tensor, reshape(lengths, [lengths.shape[0]!, 1, 1, 1]) as Tensor) as Tensor;
}

/** [1, 1, rows, keys]: which keys do not stand behind a query. */
function before({ offset, queries }: Causal, [, , rows, keys]: readonly number[]): Tensor {
  const shape = [1, rows! / queries, queries, keys!];
  const seen: Tensor = le(iota(shape, 3) as Tensor, add(iota(shape, 2) as Tensor, offset));
  return reshape(seen, [1, 1, rows!, keys!]) as Tensor;
}
