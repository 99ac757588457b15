/** The tiles that attention of subgroups can have. */

/** Rows of one lane: of queries, and for the gradients of keys and values of keys. */
export type SubgroupAttentionTile = {
  readonly perLane: number;
};

/** Query rows per lane: more of them reuse a key more often, and take longer to compile. */
export const rowsPerLane = (queries: number, width: number): number =>
  queries <= 2 * width ? 1 : queries <= 12 * width ? 2 : 4;

/** All tiles of the subgroups' kernel, the usual one first. */
export function subgroupAttentionTiles(
  queries: number,
  width: number,
): readonly SubgroupAttentionTile[] {
  const usual = rowsPerLane(queries, width);
  const others = [2, 4, 1].filter((n) => n !== usual && (n - 1) * width < queries);
  return [usual, ...others].map((perLane) => ({ perLane }));
}
