/**
 * Lays out a directed graph without cycles in layers from top to bottom: every edge points down,
 * few cross, and nodes stand near what they are connected with.
 */

export interface Box {
  readonly width: number;
  readonly height: number;
}

export interface Edge {
  readonly from: number;
  readonly to: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Drawing extends Box {
  /** The middle of each box. */
  readonly boxes: readonly Point[];
  /** The way of each edge, from the bottom of one box to the top of the other. */
  readonly edges: readonly (readonly Point[])[];
}

const gap = { across: 22, down: 34 } as const;
const sweeps = 6;

/** `edges` lead from lower numbers to higher ones. Sizes are in pixels. */
export function layOut(boxes: readonly Box[], edges: readonly Edge[]): Drawing {
  const layers = assignLayers(boxes.length, edges);
  const { rows, ways, widths } = withBends(boxes, edges, layers);
  const links = linksOf(ways);
  for (let i = 0; i < sweeps; i++) sortRows(rows, i % 2 === 0 ? links.above : links.below, i % 2);
  const x = placeAcross(rows, links, widths);
  const heights = rows.map((row) => Math.max(...row.map((v) => boxes[v]?.height ?? 0)));
  const middles: number[] = [];
  let y = 1;
  for (const height of heights) {
    middles.push(y + height / 2);
    y += height + gap.down;
  }
  const row = new Map(rows.flatMap((vertices, i) => vertices.map((v) => [v, i] as const)));
  const at = (v: number): Point => ({ x: x[v]!, y: middles[row.get(v)!]! });
  // Boxes are left and entered in the middle; past other boxes an edge goes straight down.
  const half = (v: number) => (boxes[v]?.height ?? heights[row.get(v)!]!) / 2;
  const bottom = (v: number) => ({ x: at(v).x, y: at(v).y + half(v) });
  const top = (v: number) => ({ x: at(v).x, y: at(v).y - half(v) });
  return {
    width: Math.max(0, ...x.map((middle, v) => middle + widths[v]! / 2)) + 1,
    height: y - gap.down + 1,
    boxes: boxes.map((_, v) => at(v)),
    edges: ways.map((way) => {
      const bends = way.slice(1, -1).flatMap((v) => [top(v), bottom(v)]);
      return [bottom(way[0]!), ...bends, top(way.at(-1)!)];
    }),
  };
}

/** A smooth path through the points of an edge, as SVG writes it. */
export function curve([start, ...rest]: readonly Point[]): string {
  if (!start) return "";
  const round = (n: number) => Number(n.toFixed(1));
  let path = `M${round(start.x)} ${round(start.y)}`;
  let before = start;
  for (const point of rest) {
    const middle = round((before.y + point.y) / 2);
    path +=
      before.x === point.x
        ? `V${round(point.y)}`
        : `C${round(before.x)} ${middle} ${round(point.x)} ${middle} ${round(point.x)} ${round(point.y)}`;
    before = point;
  }
  return path;
}

/** The longest way from a source; sources themselves stand just above their first user. */
function assignLayers(count: number, edges: readonly Edge[]): number[] {
  const layers = new Array<number>(count).fill(0);
  const sorted = [...edges].sort((a, b) => a.from - b.from);
  for (const { from, to } of sorted) layers[to] = Math.max(layers[to]!, layers[from]! + 1);
  const reached = new Set(edges.map((e) => e.to));
  const nearest = new Map<number, number>();
  for (const { from, to } of edges)
    nearest.set(from, Math.min(nearest.get(from) ?? Number.POSITIVE_INFINITY, layers[to]! - 1));
  return layers.map((layer, v) => (reached.has(v) ? layer : (nearest.get(v) ?? layer)));
}

/** Edges over several layers get a bend in each: a vertex of their own, numbered behind the boxes. */
function withBends(boxes: readonly Box[], edges: readonly Edge[], layers: readonly number[]) {
  const rows: number[][] = Array.from({ length: Math.max(0, ...layers) + 1 }, () => []);
  layers.forEach((layer, v) => {
    rows[layer]!.push(v);
  });
  const widths = boxes.map((box) => box.width);
  const ways = edges.map(({ from, to }) => {
    const way = [from];
    for (let layer = layers[from]! + 1; layer < layers[to]!; layer++) {
      const bend = widths.push(4) - 1;
      rows[layer]!.push(bend);
      way.push(bend);
    }
    return [...way, to];
  });
  return { rows: rows.filter((row) => row.length > 0), ways, widths };
}

interface Links {
  readonly above: ReadonlyMap<number, readonly number[]>;
  readonly below: ReadonlyMap<number, readonly number[]>;
}

function linksOf(ways: readonly (readonly number[])[]): Links {
  const above = new Map<number, number[]>();
  const below = new Map<number, number[]>();
  const add = (to: Map<number, number[]>, v: number, other: number) =>
    to.set(v, [...(to.get(v) ?? []), other]);
  for (const way of ways)
    way.slice(1).forEach((v, i) => {
      add(above, v, way[i]!);
      add(below, way[i]!, v);
    });
  return { above, below };
}

/** Orders each row by the mean place of its neighbours in the row before. */
function sortRows(rows: number[][], neighbours: Links["above"], upwards: number): void {
  const order = upwards ? [...rows].reverse() : rows;
  for (const [i, row] of order.entries()) {
    const before = new Map((order[i - 1] ?? []).map((v, at) => [v, at]));
    const place = new Map(
      row.map((v, at) => {
        const known = (neighbours.get(v) ?? []).flatMap((n) => before.get(n) ?? []);
        return [v, known.length > 0 ? mean(known) : at];
      }),
    );
    row.sort((a, b) => place.get(a)! - place.get(b)!);
  }
}

function placeAcross(
  rows: readonly (readonly number[])[],
  { above, below }: Links,
  widths: readonly number[],
): number[] {
  const x = new Array<number>(widths.length).fill(0);
  for (const row of rows) spread(row, x, widths);
  for (let i = 0; i < 2 * sweeps; i++) {
    const neighbours = i % 2 === 0 ? above : below;
    for (const row of i % 2 === 0 ? rows : [...rows].reverse()) {
      for (const v of row) {
        const known = (neighbours.get(v) ?? []).map((n) => x[n]!);
        if (known.length > 0) x[v] = mean(known);
      }
      spread(row, x, widths);
    }
  }
  // The picture begins where its leftmost vertex does, however far the rows were pushed to the right.
  const left = x.reduce((least, middle, v) => Math.min(least, middle - widths[v]! / 2), Infinity);
  return x.map((middle) => middle - left + 1);
}

/** Pushes the vertices of a row apart, as far to the left as to the right. */
function spread(row: readonly number[], x: number[], widths: readonly number[]): void {
  const apart = (a: number, b: number) => (widths[a]! + widths[b]!) / 2 + gap.across;
  const right = row.map((v) => x[v]!);
  const left = [...right];
  for (let i = 1; i < row.length; i++)
    right[i] = Math.max(right[i]!, right[i - 1]! + apart(row[i - 1]!, row[i]!));
  for (let i = row.length - 2; i >= 0; i--)
    left[i] = Math.min(left[i]!, left[i + 1]! - apart(row[i]!, row[i + 1]!));
  row.forEach((v, i) => {
    x[v] = (left[i]! + right[i]!) / 2;
  });
}

const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;
