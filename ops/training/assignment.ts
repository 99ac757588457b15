/**
 * assignment(cost): the cheapest matching of columns with rows, the problem that the Hungarian
 * method solves. Every present column gets a row of its own while there are rows; if there are fewer
 * rows than present columns, every row gets a column.
 *
 * Shortest augmenting paths (Jonker and Volgenant): columns join one after another, each by the
 * cheapest path to a free row, over costs reduced by prices. A loop of the kernel cannot end early,
 * so each runs as often as it may have to and does nothing once its path is found. One thread per
 * matrix: matrices are small (queries by objects), and each step needs the last.
 *
 * Columns that find no row take one of the idle rows behind the real ones, which cost nothing; there
 * are exactly as many of them as columns are too many, so no real row stays empty.
 */
import {
  apply,
  type Builder,
  bounded,
  checkTensors,
  type Dense,
  type In,
  index,
  type Kernel,
  type KernelOp,
  type KernelSite,
  literal,
  portable,
  show,
  type Tensor,
  type Value,
  type Variable,
} from "../../compiler/op-kit.ts";
import { full } from "../elementwise/full.ts";

/** Costs are cut to +-1e10, and what is not a number counts as 1e10, as in the published matcher. */
const most = 1e10;
/** Above every reduced cost. */
const far = 3e38;

export const op: KernelOp<null> = {
  name: "assignment",
  kind: "kernel",
  type: ([cost, present], _attrs, fail) => {
    const [batch, rows, columns] = cost!.shape;
    if (cost!.dtype !== "f32" || columns === undefined || cost!.shape.length !== 3)
      fail(`the cost is ${show(cost!)}`, "it must be f32[batch, rows, columns]");
    if (present!.dtype !== "bool" || present!.shape.join() !== [batch, columns].join())
      fail(`what is present is ${show(present!)}`, `it must be bool[${batch}, ${columns}]`);
    return [
      { dtype: "i32", shape: [batch!, rows!] },
      { dtype: "i32", shape: [batch!, columns!] },
    ];
  },
  forms: [
    portable({
      kernel: (site) => assignmentKernel(site),
      reads: (input, { inputs: [cost] }) => (input === 0 ? cost!.shape[2]! : 2),
    }),
  ],
  oracle: ([cost, present]) => plainAssignment(cost!, present!),
  work: ([cost]) => {
    const [batch, rows, columns] = cost!.shape as [number, number, number];
    return batch * columns * columns * Math.max(rows, columns);
  },
  vjp: () => [undefined, undefined],
  tests: {
    samples: [
      {
        claim: "the sum counts, not each column's own best",
        inputs: [
          [
            [
              [1, 2],
              [2, 9],
            ],
          ],
          { dtype: "bool", data: [[1, 1]] },
        ],
        call: (cost, present) => both(assignment(cost!, present!)),
        outputs: [
          { dtype: "i32", data: [[1, 0]] },
          { dtype: "i32", data: [[1, 0]] },
        ],
      },
      {
        claim: "absent columns cost nothing and get nothing",
        inputs: [
          [
            [
              [-99, 4],
              [-99, 3],
              [-99, 5],
            ],
          ],
          { dtype: "bool", data: [[0, 1]] },
        ],
        call: (cost, present) => both(assignment(cost!, present!)),
        outputs: [
          { dtype: "i32", data: [[-1, 1, -1]] },
          { dtype: "i32", data: [[-1, 1]] },
        ],
      },
      {
        claim: "a single row takes the cheapest of many columns that is there",
        inputs: [[[[5, 2, -7, 3]]], { dtype: "bool", data: [[1, 1, 0, 1]] }],
        call: (cost, present) => both(assignment(cost!, present!)),
        outputs: [
          { dtype: "i32", data: [[1]] },
          { dtype: "i32", data: [[-1, 0, -1, -1]] },
        ],
      },
      {
        claim: "of equal costs the lowest numbers are matched",
        inputs: [
          [
            [
              [7, 7],
              [7, 7],
              [7, 7],
            ],
          ],
        ],
        call: (cost) => both(assignment(cost!)),
        outputs: [
          { dtype: "i32", data: [[0, 1, -1]] },
          { dtype: "i32", data: [[0, 1]] },
        ],
      },
    ],
    cases: (
      [
        ["more rows than columns", [3, 9, 4]],
        ["more columns than rows", [3, 3, 7]],
        ["as many rows as columns", [2, 8, 8]],
        ["one column", [2, 5, 1]],
      ] as const
    ).map(([claim, shape]) => ({
      claim,
      inputs: [{ shape }, { shape: [shape[0], shape[2]], dtype: "bool" as const }],
      call: (cost?: Tensor, present?: Tensor) => both(assignment(cost!, present!)),
      smooth: false,
    })),
  },
};

export interface Matching {
  /** i32 `[batch, rows]`: the column of each row, or -1. */
  readonly rows: Tensor<"i32">;
  /** i32 `[batch, columns]`: the row of each column, or -1. */
  readonly columns: Tensor<"i32">;
}

/**
 * Matches columns with rows so that the sum of the costs is least.
 *
 * `cost` is f32 `[batch, rows, columns]`, either side may be the longer one. `present` is bool
 * `[batch, columns]`: a column that is absent is matched with nothing (all are present unless it
 * is given). The same costs always give the same matching; where nothing but order decides, low
 * numbers come first. No gradient passes. Throws E101 for other shapes.
 */
export function assignment(cost: Tensor, present?: Tensor): Matching {
  checkTensors("assignment", { cost });
  if (present !== undefined) checkTensors("assignment", { present });
  const [batch = 1, , columns = 1] = cost.shape;
  const all = present ?? full(1, [batch, columns], "bool");
  const [row, column] = apply(op, [cost, all], null);
  return { rows: row as Tensor<"i32">, columns: column as Tensor<"i32"> };
}

const both = ({ rows, columns }: Matching) => [rows, columns];

function assignmentKernel({ k, inputs, outputs }: KernelSite<null>): Kernel {
  const [cost, present] = inputs as [In, In];
  const [batch, real, columns] = cost.shape as [number, number, number];
  const item = k.group(0, batch);
  const state = openState(k, cost, item);
  // Rows that take part: the real ones, and as many idle ones as columns are too many.
  const used = k.var("used", index(real));
  if (columns > real) {
    const count = k.var("count", index(0));
    k.for("column", columns, (column) => {
      k.if(present.at(item, column), () => count.set(count.get.add(1)));
    });
    used.set(count.get.max(real));
  }
  k.for("column", columns, (column) => {
    k.if(present.at(item, column), () => {
      const end = findPath(state, column, used);
      turnPath(state, column, end);
    });
  });
  const place = k.local("place", columns, "i32");
  k.for("column", columns, (column) => k.store(place, column, literal(-1, "i32")));
  k.for("row", real, (row) => {
    const holder = k.let("held", k.load(state.holder, row));
    outputs[0]!.put(holder.cast("i32").sub(1), item, row);
    k.if(holder.eq(0).not(), () => {
      k.store(place, bounded(holder.sub(1), columns - 1), row.cast("i32"));
    });
  });
  k.for("column", columns, (column) => outputs[1]!.put(k.load(place, column), item, column));
  return k.finish("assignment", [1, 1, 1], [batch, 1, 1]);
}

type State = ReturnType<typeof openState>;

/** The memory of one matching. A holder is a column's number plus one; 0 is none. */
function openState(k: Builder, cost: In, item: Value) {
  const [, real, columns] = cost.shape as [number, number, number];
  const rows = Math.max(real, columns);
  const state = {
    k,
    real,
    rows,
    columns,
    costOf: (row: Value, column: Value) => cost.at(item, row, column),
    holder: k.local("holder", rows, "u32"),
    rowPrice: k.local("rowPrice", rows),
    columnPrice: k.local("columnPrice", columns),
    /** Of each row, for the path that is being looked for: the cheapest way there, */
    slack: k.local("slack", rows),
    /** the row before it on that way (`rows`: none, it starts at the new column), */
    before: k.local("before", rows, "u32"),
    /** and whether the way is final. */
    done: k.local("done", rows, "u32"),
  };
  k.for("row", rows, (row) => {
    k.store(state.holder, row, index(0));
    k.store(state.rowPrice, row, literal(0, "f32"));
  });
  k.for("column", columns, (c) => k.store(state.columnPrice, c, literal(0, "f32")));
  return state;
}

/** Dijkstra's search for the cheapest path from `column` to a free row: the variable holds that row. */
function findPath(state: State, column: Value, used: Variable): Variable {
  const { k, rows, columns, slack, before, done, holder, rowPrice, columnPrice } = state;
  k.for("row", rows, (row) => {
    k.store(slack, row, literal(far, "f32"));
    k.store(before, row, index(rows));
    k.store(done, row, index(0));
  });
  const current = k.var("current", column);
  const end = k.var("end", index(rows));
  const open = k.var("open", index(1));
  // Each step makes one row final, and all but the last are held by earlier columns.
  k.for("step", columns, () => {
    k.if(open.get.eq(1), () => {
      const { nearest, distance } = relax(state, current, end, used);
      const first = k.load(columnPrice, column);
      k.store(columnPrice, column, first.add(distance));
      k.for("row", rows, (row) => {
        const isDone = k.let("isDone", k.load(done, row).eq(1));
        k.if(isDone, () => {
          const c = k.let("c", bounded(k.load(holder, row).sub(1), columns - 1));
          k.store(columnPrice, c, k.load(columnPrice, c).add(distance));
          k.store(rowPrice, row, k.load(rowPrice, row).sub(distance));
        });
        k.if(isDone.not(), () => k.store(slack, row, k.load(slack, row).sub(distance)));
      });
      k.store(done, nearest, index(1));
      end.set(nearest);
      const next = k.let("next", k.load(holder, nearest));
      k.if(next.eq(0), () => open.set(index(0)));
      k.if(next.eq(0).not(), () => current.set(next.sub(1)));
    });
  });
  return end;
}

/** Tries the ways through the current column; returns the nearest row that is not final yet. */
function relax(state: State, current: Variable, end: Variable, used: Variable) {
  const { k, real, rows, columns, slack, before, done, rowPrice, columnPrice } = state;
  const least = k.var("least", literal(far, "f32"));
  const at = k.var("at", index(0));
  const column = k.let("via", bounded(current.get, columns - 1));
  const price = k.let("price", k.load(columnPrice, column));
  k.for("row", rows, (row) => {
    k.if(k.load(done, row).eq(0).and(row.lt(used.get)), () => {
      const given = k.let("given", state.costOf(bounded(row.min(real - 1), real - 1), column));
      const cut = given.lt(most).select(given, most);
      const own = cut.gt(-most).select(cut, -most);
      const isReal = real === rows ? literal(1, "bool") : row.lt(real);
      const reduced = isReal.select(own, 0).sub(price).sub(k.load(rowPrice, row));
      const way = k.let("way", reduced);
      k.if(way.lt(k.load(slack, row)), () => {
        k.store(slack, row, way);
        k.store(before, row, end.get);
      });
      k.if(k.load(slack, row).lt(least.get), () => {
        least.set(k.load(slack, row));
        at.set(row);
      });
    });
  });
  return {
    nearest: k.let("nearest", bounded(at.get, rows - 1)),
    distance: k.let("distance", least.get),
  };
}

/** Along the path from its free end: each row is given to the holder of the row before it. */
function turnPath({ k, rows, columns, holder, before }: State, column: Value, end: Variable): void {
  k.for("back", columns, () => {
    k.if(end.get.lt(rows), () => {
      const row = k.let("given", bounded(end.get, rows - 1));
      const previous = k.let("previous", k.load(before, row));
      k.if(previous.eq(rows), () => k.store(holder, row, column.add(1)));
      k.if(previous.lt(rows), () => {
        k.store(holder, row, k.load(holder, bounded(previous, rows - 1)));
      });
      end.set(previous);
    });
  });
}

/** The same paths in plain double precision. */
function plainAssignment(cost: Dense, present: Dense): [Float64Array, Float64Array] {
  const [batch, rows, columns] = cost.shape as [number, number, number];
  const row = new Float64Array(batch * rows).fill(-1);
  const column = new Float64Array(batch * columns).fill(-1);
  for (let b = 0; b < batch; b++) {
    const chosen = [...present.data.subarray(b * columns, (b + 1) * columns).keys()].filter(
      (c) => present.data[b * columns + c] !== 0,
    );
    const used = Math.max(rows, chosen.length);
    const costOf = (r: number, c: number) => {
      const value = cost.data[(b * rows + r) * columns + c]!;
      return Number.isNaN(value) ? most : Math.min(most, Math.max(-most, value));
    };
    const table = chosen.map((c) =>
      Array.from({ length: used }, (_, r) => (r < rows ? costOf(r, c) : 0)),
    );
    for (const [r, i] of cheapest(table, used).entries()) {
      if (r >= rows || i === undefined) continue;
      row[b * rows + r] = chosen[i]!;
      column[b * columns + chosen[i]!] = r;
    }
  }
  return [row, column];
}

/** The line of `table` that holds each of `count` places; there are no more lines than places. */
function cheapest(table: readonly (readonly number[])[], count: number): (number | undefined)[] {
  const holder: (number | undefined)[] = Array(count).fill(undefined);
  const price: number[] = Array(count).fill(0);
  const linePrice: number[] = table.map(() => 0);
  for (const start of table.keys()) {
    const slack: number[] = Array(count).fill(Number.POSITIVE_INFINITY);
    const before: (number | undefined)[] = Array(count).fill(undefined);
    const done = new Set<number>();
    let [line, last]: [number | undefined, number | undefined] = [start, undefined];
    while (line !== undefined) {
      let nearest = -1;
      for (let r = 0; r < count; r++) {
        if (done.has(r)) continue;
        const way: number = table[line]![r]! - linePrice[line]! - price[r]!;
        if (way < slack[r]!) [slack[r], before[r]] = [way, last];
        if (nearest < 0 || slack[r]! < slack[nearest]!) nearest = r;
      }
      const distance = slack[nearest]!;
      linePrice[start]! += distance;
      for (let r = 0; r < count; r++)
        if (done.has(r)) {
          linePrice[holder[r]!]! += distance;
          price[r]! -= distance;
        } else slack[r]! -= distance;
      done.add(nearest);
      [line, last] = [holder[nearest], nearest];
    }
    for (let r = last; r !== undefined; r = before[r])
      holder[r] = before[r] === undefined ? start : holder[before[r]!];
  }
  return holder;
}
