/**
 * The kernel of matmul for devices that multiply matrix fragments: subgroups multiply what threads
 * have copied to workgroup memory, in the form that the device multiplies.
 *
 * All segments add to the same fragments. No thread sees an element of a fragment, so sums leave
 * through workgroup memory, a few fragments of each subgroup at a time, and what melted behind is
 * computed there. Operands outside the matrices are zeros, which changes no sum.
 */
import {
  always,
  type Buffer,
  type Builder,
  bounded,
  elements,
  type Fragment,
  form,
  type In,
  type Kernel,
  type KernelSite,
  literal,
  type MatrixProduct,
  type Profile,
  unflatten,
  type Value,
} from "../../compiler/op-kit.ts";
import { elementsIn, storedBytes } from "../../formats/index.ts";
import { range } from "../pairwise.ts";
import { type ProductShape, shapeOf, tileReads } from "./tiles.ts";

export type FragmentTile = {
  /** Rows, columns and depth of a workgroup's tile. */
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Its subgroups, down and across. */
  readonly down: number;
  readonly across: number;
  /** The fragments of one subgroup, down and across; and how many of them leave at a time. */
  readonly rm: number;
  readonly rn: number;
  readonly round: number;
  /** Which of the profile's products is used. */
  readonly product: number;
};

export const fragmentProduct = form<null, FragmentTile>({
  name: "fragments",
  fits: ({ matrices }) => (matrices?.products ?? []).length > 0,
  contested: true,
  tiles: ({ inputs, profile }) => fragmentTiles(shapeOf(inputs), profile),
  reads: tileReads,
  kernel: fragmentMatmul,
});

/** Smaller products are over before a tile is filled. */
const least = 2 ** 15;

/**
 * Rows and columns of a subgroup's part of a tile, about. A software device compiles each product of
 * fragments to hundreds of instructions.
 */
const partOf = ({ rolled }: Profile): number => (rolled ? 16 : 32);

/** The most places of the depth that are copied at a time. */
const deepest = 32;

/** As many workgroups as a large device can run at a time. */
const many = 128;

/** The tiles for a product, the likeliest to be fast first; none where fragments do not pay. */
function fragmentTiles(shape: ProductShape, profile: Profile): readonly FragmentTile[] {
  const { rows: m, columns: n, images: batch, depths } = shape;
  const depth = depths.reduce((sum, k) => sum + k, 0);
  const { products = [], width = 1 } = profile.matrices ?? {};
  const product = products.findIndex(
    ({ rows, columns, depth: deep }) =>
      rows <= m && columns <= n && deep <= depth && (rows | columns | deep) % 4 === 0,
  );
  const found = products[product];
  if (!found || batch * m * n * depth < least) return [];
  const subgroups = Math.floor(Math.min(profile.maxThreads, 256) / width);
  const part = partOf(profile);
  const rm = Math.min(Math.ceil(part / found.rows), Math.ceil(m / found.rows));
  const rn = Math.min(Math.ceil(part / found.columns), Math.ceil(n / found.columns));
  const k = Math.ceil(Math.min(deepest, depth) / found.depth) * found.depth;
  const tiles = counts.flatMap((down) =>
    counts.flatMap((across): FragmentTile[] => {
      const sizes = { m: down * rm * found.rows, n: across * rn * found.columns, k };
      const tile = { ...sizes, down, across, rm, rn, round: 0, product };
      const isEmpty = (down > 1 && sizes.m >= 2 * m) || (across > 1 && sizes.n >= 2 * n);
      if (down * across > subgroups || isEmpty) return [];
      const round = roundOf(tile, found, profile);
      return round > 0 ? [{ ...tile, round }] : [];
    }),
  );
  // Each element is copied once for every tile that it is in; too few workgroups leave cores idle.
  const time = (tile: FragmentTile) => {
    const [rows, columns] = [Math.ceil(m / tile.m), Math.ceil(n / tile.n)];
    const copied = rows * columns * (tile.m + tile.n);
    return copied * Math.max(1, many / (rows * columns * batch));
  };
  return tiles.sort((a, b) => time(a) - time(b));
}

/** Subgroups along one side of a tile. */
const counts = [1, 2, 4];

/**
 * How many fragments of a subgroup fit into the workgroup memory that the operands leave: a divisor of
 * all that it has, or 0.
 */
function roundOf(tile: FragmentTile, product: MatrixProduct, profile: Profile): number {
  const copied = tile.m * rowOf(tile.k, product) + tile.k * rowOf(tile.n, product);
  const operands = storedBytes(product.operand, copied);
  const one = storedBytes("f32", tile.down * tile.across * product.rows * product.columns);
  const all = tile.rm * tile.rn;
  const fitting = range(all, (i) => all - i).filter(
    (count) => all % count === 0 && operands + count * one <= profile.maxSharedBytes,
  );
  return fitting[0] ?? 0;
}

/** From one row of an operand's tile to the next: 16 bytes more, so that rows lie in other banks. */
const rowOf = (columns: number, { operand }: MatrixProduct): number =>
  columns + elementsIn(operand, 16);

/** The kernel with one tile of `fragmentTiles`. */
function fragmentMatmul(
  { k, inputs, outputs, profile }: KernelSite<null>,
  tile: FragmentTile,
): Kernel {
  const out = outputs[0]!;
  const { width, widths, products } = profile.matrices!;
  const product = products[tile.product]!;
  k.matrices({ ...product, width, widths });
  const [M, N] = [out.shape.at(-2)!, out.shape.at(-1)!];
  const batch = out.shape.slice(0, -2);
  const subgroups = tile.down * tile.across;
  const threads = subgroups * width;
  const groups: Kernel["groups"] = [Math.ceil(N / tile.n), Math.ceil(M / tile.m), elements(batch)];
  const held: Held = {
    ...{ k, tile, product, threads, isExact: widths !== "most" },
    lead: unflatten(batch, k.group(2, groups[2])),
    m4: k.let("m4", k.group(1, groups[1]).mul(tile.m / 4)),
    n4: k.let("n4", k.group(0, groups[0]).mul(tile.n / 4)),
    left: k.shared("left", tile.m * rowOf(tile.k, product), product.operand),
    right: k.shared("right", tile.k * rowOf(tile.n, product), product.operand),
    sums: range(tile.rm, () => range(tile.rn, () => k.fragment("sum"))),
  };
  const rows = range(tile.rm, () => k.fragment("left"));
  const columns = range(tile.rn, () => k.fragment("right"));

  for (let s = 0; s < inputs.length; s += 2) {
    const [a, b] = [inputs[s]!, inputs[s + 1]!];
    const steps = Math.ceil(a.shape.at(-1)! / tile.k);
    k.for("step", steps, (step) => {
      copyTiles(held, a, b, k.let("k4", step.mul(tile.k / 4)));
      k.barrier();
      multiply(held, rows, columns);
      // Nothing overwrites the last tile of all.
      if (steps > 1 || s + 2 < inputs.length) k.barrier();
    });
  }
  const put = (value: Value, m: Value, n: Value) =>
    k.if(m.lt(M).and(n.lt(N)), () =>
      out.put(value, ...held.lead, bounded(m, M - 1), bounded(n, N - 1)),
    );
  putSums(held, put);
  return k.finish("matmul", [threads, 1, 1], groups);
}

/** What the parts of the kernel share. */
interface Held {
  readonly k: Builder;
  readonly tile: FragmentTile;
  readonly product: MatrixProduct;
  readonly threads: number;
  /** Whether there are as many subgroups as the tile has; else there are more, which stand by. */
  readonly isExact: boolean;
  /** Coordinates of the batch. */
  readonly lead: readonly Value[];
  /** The tile's first row and column, in fours. */
  readonly m4: Value;
  readonly n4: Value;
  readonly left: Buffer;
  readonly right: Buffer;
  readonly sums: readonly (readonly Fragment[])[];
}

/** What the subgroups of the tile do, with their numbers down and across. */
function eachSubgroup(
  { k, tile, isExact }: Held,
  work: (number: Value, down: Value, across: Value) => void,
): void {
  const count = tile.down * tile.across;
  const number = isExact ? k.subgroup(count) : k.subgroup();
  k.if(isExact ? always : number.lt(count), () => {
    const known = bounded(number, count - 1);
    work(known, known.div(tile.across), known.mod(tile.across));
  });
}

/** All threads copy a tile of each operand, in blocks of four by four: wide loads either way. */
function copyTiles(held: Held, a: In, b: In, k4: Value): void {
  const { k, tile, product, lead, m4, n4, left, right } = held;
  copyBlocks(held, tile.m, tile.k, (r, c, block) => {
    const values = blockOf(k, a, lead, [m4.add(r), k4.add(c)]);
    storeBlock(k, left, rowOf(tile.k, product), block, values);
  });
  copyBlocks(held, tile.k, tile.n, (r, c, block) => {
    const values = blockOf(k, b, lead, [k4.add(r), n4.add(c)]);
    storeBlock(k, right, rowOf(tile.n, product), block, values);
  });
}

/** Four by four elements of an operand, by rows. Zero outside of it. */
function blockOf(
  k: Builder,
  x: In,
  lead: readonly Value[],
  block: readonly [Value, Value],
): Value[][] {
  const axes = block.map((at, i) => along(k, at, x.shape.at(i - 2)!));
  return axes[0]!.map((row) =>
    axes[1]!.map((column) => {
      const value = x.at(...lead, row.at, column.at);
      return row.inside.and(column.inside).select(value, literal(0, "f32"));
    }),
  );
}

/**
 * Four neighbouring places along an axis. A load must stay inside even where it is not used, so
 * places are clamped: all four together where the axis is a multiple of four, for wide loads.
 */
function along(k: Builder, block: Value, size: number) {
  const whole = k.let("at", block);
  if (size % 4 === 0) {
    const clamped = k.let("at", whole.min(size / 4 - 1));
    const inside = k.let("inside", whole.lt(size / 4));
    return range(4, (i) => ({ at: clamped.mul(4).add(i), inside }));
  }
  return range(4, (i) => {
    const at = whole.mul(4).add(i);
    return { at: k.let("at", at.min(size - 1)), inside: k.let("inside", at.lt(size)) };
  });
}

/** Shares the blocks of a tile among the threads: each block's place, in blocks and in elements. */
function copyBlocks(
  { k, threads }: Held,
  rows: number,
  columns: number,
  copy: (r: Value, c: Value, block: readonly [Value, Value]) => void,
): void {
  const [across, count] = [columns / 4, (rows / 4) * (columns / 4)];
  k.for("share", Math.ceil(count / threads), (share) => {
    const e = k.let("e", share.mul(threads).add(k.thread(0, threads)));
    k.if(e.lt(count), () => {
      const [r, c] = [k.let("r", bounded(e, count - 1).div(across)), k.let("c", e.mod(across))];
      copy(r, c, [r.mul(4), c.mul(4)]);
    });
  });
}

function storeBlock(
  k: Builder,
  to: Buffer,
  row: number,
  [r, c]: readonly [Value, Value],
  values: readonly (readonly Value[])[],
): void {
  const first = k.let("to", r.mul(row).add(c));
  for (const [i, four] of values.entries())
    for (const [j, value] of four.entries()) k.store(to, first.add(i * row + j), value);
}

/** Multiplies what was copied: each subgroup its rows with its columns. */
function multiply(held: Held, rows: readonly Fragment[], columns: readonly Fragment[]): void {
  const { k, tile, product, left, right, sums } = held;
  const [leftRow, rightRow] = [rowOf(tile.k, product), rowOf(tile.n, product)];
  eachSubgroup(held, (_number, down, across) => {
    const m = k.let("m", down.mul(tile.rm * product.rows));
    const n = k.let("n", across.mul(tile.rn * product.columns));
    k.for("place", tile.k / product.depth, (i) => {
      const place = k.let("place", i.mul(product.depth));
      const first = k.let("first", m.mul(leftRow).add(place));
      for (const [i, fragment] of rows.entries())
        k.loadFragment(fragment, left, first.add(i * product.rows * leftRow), leftRow);
      const below = k.let("below", place.mul(rightRow).add(n));
      for (const [j, fragment] of columns.entries())
        k.loadFragment(fragment, right, below.add(j * product.columns), rightRow);
      for (const [i, row] of rows.entries())
        for (const [j, column] of columns.entries()) k.multiplyFragments(sums[i]![j]!, row, column);
    });
  });
}

/** The sums leave through workgroup memory, `round` fragments of each subgroup at a time. */
function putSums(held: Held, put: (value: Value, m: Value, n: Value) => void): void {
  const { k, tile, product, threads, m4, n4, sums } = held;
  const size = product.rows * product.columns;
  const own = tile.round * size;
  const count = tile.down * tile.across * own;
  const through = k.shared("through", count);
  const all = sums.flat();
  for (let first = 0; first < all.length; first += tile.round) {
    if (first > 0) k.barrier();
    eachSubgroup(held, (number) => {
      for (let i = 0; i < tile.round; i++)
        k.storeFragment(through, number.mul(own).add(i * size), all[first + i]!, product.columns);
    });
    k.barrier();
    k.for("i", Math.ceil(count / threads), (i) => {
      const e = k.let("e", i.mul(threads).add(k.thread(0, threads)));
      k.if(e.lt(count), () => {
        const at = bounded(e, count - 1);
        const [subgroup, fragment] = [at.div(own), at.mod(own).div(size).add(first)];
        const [row, column] = [at.mod(size).div(product.columns), at.mod(product.columns)];
        const down = subgroup.div(tile.across).mul(tile.rm).add(fragment.div(tile.rn));
        const across = subgroup.mod(tile.across).mul(tile.rn).add(fragment.mod(tile.rn));
        const m = k.let("m", m4.mul(4).add(down.mul(product.rows)).add(row));
        const n = k.let("n", n4.mul(4).add(across.mul(product.columns)).add(column));
        put(k.load(through, at), m, n);
      });
    });
  }
}
