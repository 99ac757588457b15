/** Four neighbours, or two words, of each thread at once: rows of sixteen bytes, turned into columns. */
import { type Buffer, type Expr, type Stmt, widened } from "../../kernel/ir.ts";
import { address, laneOf, places, storeRow, whereAtWork } from "./accesses.ts";
import type { Code, Local } from "./code.ts";
import { isNarrow, memoryTypeOf } from "./memory-types.ts";
import { laneNumbers, typeOf, type Writer } from "./writer.ts";

type Load4 = Extract<Stmt, { kind: "load4" }>;
type Store4 = Extract<Stmt, { kind: "store4" }>;

/** Whether the values of a group are loaded as scalars: all threads read the same words. */
export const isScalarGroup = ({ shapes }: Writer, { from, index }: Load4): boolean =>
  shapes.isSame(index) && !isNarrow(memoryTypeOf(from));

/** A group's bytes, as a power of two. */
const groupShift = (b: Buffer, count: number): number => memoryTypeOf(b).shift + Math.log2(count);

/** Has each value named, whose `put` leaves it on the stack. */
export function loadFour(w: Writer, s: Load4, name: (j: number, put: () => void) => void): void {
  const { code } = w;
  if (!isScalarGroup(w, s)) {
    const columns = transposed(code, rowsOf(w, s));
    for (const j of s.names.keys()) name(j, () => code.get(columns[j]!));
    for (const column of columns) code.release("v128", column);
    return;
  }
  const { load, shift } = memoryTypeOf(s.from);
  const offset = address(w, s.from, s.index, groupShift(s.from, s.names.length));
  code.held("i32", (at) => {
    for (const j of s.names.keys())
      name(j, () => {
        code.get(at);
        code.op(load, shift, offset + j * 2 ** shift);
      });
  });
}

/** What each thread reads, in a local each. */
function rowsOf(w: Writer, { from, index, names }: Load4): readonly Local[] {
  const { code } = w;
  const type = memoryTypeOf(from);
  const shift = groupShift(from, names.length);
  return atRows(w, from, index, shift, (offset): Local => {
    const row = code.local("v128");
    code.op(shift === 4 ? "v128.load" : "v128.load64_zero", type.shift, offset);
    if (isNarrow(type)) code.op("i32x4.extend_low_i16x8_u");
    type.widen?.(code);
    code.set(row);
    return row;
  });
}

/** For the row of each thread, whose address is on the stack and still lacks an offset. */
function atRows(
  w: Writer,
  b: Buffer,
  index: Expr,
  shift: number,
  each: (offset: number) => Local,
): readonly Local[] {
  const { code, shapes, mask } = w;
  const shape = shapes.of(index);
  const rows: Local[] = [];
  // Rows of threads that are not at work are next to the others.
  if (shape.kind === "linear" && shape.by >= 0 && (shape.by <= 1 || mask === undefined)) {
    const offset = address(w, b, index, shift);
    code.held("i32", (first) => {
      for (const lane of laneNumbers) {
        code.get(first);
        rows.push(each(offset + lane * shape.by * 2 ** shift));
      }
    });
    return rows;
  }
  places(w, b, index, shift);
  code.held("v128", (at) => {
    for (const lane of laneNumbers) {
      laneOf(w, at, lane);
      rows.push(each(w.baseOf(b).offset));
    }
  });
  return rows;
}

type Rows = readonly [Local, Local, Local, Local];

/** Rows as columns, in the locals of the rows. */
function transposed(code: Code, rows: readonly Local[]): readonly Local[] {
  const pair = (a: Local, b: Local, from: readonly number[], to: Local) => {
    code.get(a);
    code.get(b);
    code.shuffle(...from);
    code.set(to);
  };
  const [a, b, c, d] = rows as unknown as Rows;
  const half = laneNumbers.map(() => code.local("v128")) as unknown as Rows;
  pair(a, b, [0, 4, 1, 5], half[0]);
  pair(a, b, [2, 6, 3, 7], half[1]);
  pair(c, d, [0, 4, 1, 5], half[2]);
  pair(c, d, [2, 6, 3, 7], half[3]);
  pair(half[0], half[2], [0, 1, 4, 5], a);
  pair(half[0], half[2], [2, 3, 6, 7], b);
  pair(half[1], half[3], [0, 1, 4, 5], c);
  pair(half[1], half[3], [2, 3, 6, 7], d);
  for (const local of half) code.release("v128", local);
  return rows;
}

export function storeFour(w: Writer, { to, index, values }: Store4): void {
  const { code, shapes } = w;
  const type = memoryTypeOf(to);
  const shift = groupShift(to, values.length);
  if (!isNarrow(type) && shapes.isSame(index) && values.every((v) => shapes.isSame(v))) {
    const offset = address(w, to, index, shift);
    code.held("i32", (at) => {
      for (const [j, value] of values.entries()) {
        code.get(at);
        w.scalar(value);
        code.op(`${typeOf(widened(to.scalar))}.store`, type.shift, offset + j * 2 ** type.shift);
      }
    });
    return;
  }
  const columns = values.map((value) => {
    w.vector(value);
    type.round?.(code);
    const column = code.local("v128");
    code.set(column);
    return column;
  });
  const rows = transposed(code, columns);
  places(w, to, index, shift);
  code.held("v128", (at) => {
    for (const lane of laneNumbers)
      whereAtWork(w, lane, () => {
        laneOf(w, at, lane);
        storeRow(w, type, w.baseOf(to).offset, rows[lane]!);
      });
  });
  for (const row of rows) code.release("v128", row);
}
