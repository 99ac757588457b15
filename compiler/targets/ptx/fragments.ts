/**
 * Matrix fragments as registers of a warp, as the PTX manual lays out operands and sums of `mma.m16n8k16`: lane l has
 * of each 8 x 8 part of a sum the elements (l / 4, 2 (l % 4)) and (l / 4, 2 (l % 4) + 1). Operands come from shared
 * memory by `ldmatrix`, to which each lane tells where one row of eight elements lies.
 */
import { bug } from "../../../diagnostics/index.ts";
import type { FormatName } from "../../../formats/index.ts";
import type { Fragment, FragmentStmt } from "../../kernel/ir.ts";
import { addressOf, bytesIn, type ToOperand } from "./memory.ts";
import { laneOf, type Operand, type Writer } from "./writer.ts";

/** What operands are called in `mma`, and their bytes. */
const operandTypes: Partial<Record<FormatName, string>> = { f16: "f16", bf16: "bf16" };

/** Rows and depth of every `mma` that is printed, and columns of one: a fragment has several side by side. */
const size = { rows: 16, columns: 8, depth: 16 };

/** Registers of a fragment, for each `mma` that it takes part in. */
function registersOf(w: Writer, f: Fragment): readonly (readonly Operand[])[] {
  const { rows, columns } = size;
  return w.fragment(f, () => {
    const tall = f.role === "right" ? size.depth : rows;
    const wide = f.role === "left" ? size.depth : columns;
    if (f.rows !== tall || f.columns % wide !== 0)
      bug(`a ${f.role} fragment of ${f.rows} x ${f.columns} in PTX`);
    const count = { left: 4, right: 2, sum: 4 }[f.role];
    return Array.from({ length: f.columns / wide }, () =>
      Array.from({ length: count }, () => w.fresh(f.role === "sum" ? "f32" : "u32")),
    );
  });
}

/** Sums are zero before all else. */
export function declareFragment(w: Writer, f: Fragment): void {
  if (f.role === "sum") zero(w, f);
}

function zero(w: Writer, f: Fragment): void {
  for (const x of registersOf(w, f).flat()) w.emit("mov.f32", x, "0f00000000");
}

export function fragment(w: Writer, s: FragmentStmt, operand: ToOperand): void {
  switch (s.kind) {
    case "fragment-load":
      load(w, s, operand);
      return;
    case "fragment-zero":
      zero(w, s.sum);
      return;
    case "fragment-multiply":
      multiply(w, s);
      return;
    case "fragment-store":
      store(w, s, operand);
      return;
    case "fragment-elements":
      for (const [e, x] of registersOf(w, s.from).flat().entries())
        w.name(s.names[e]!, w.make("f32", "mov.f32", x));
      return;
  }
}

/** A register of all lanes: `first` and what it computes of a lane's number, made once. */
const ofLane = (w: Writer, key: string, make: (lane: Operand) => Operand): Operand =>
  w.once(key, () => make(laneOf(w)));

type Load = Extract<FragmentStmt, { kind: "fragment-load" }>;

/** Of rows in memory sixteen, and eight columns further on; of columns in memory eight of each, in turn. */
function load(w: Writer, s: Load, operand: ToOperand): void {
  const { to, from, index, stride, turned = false } = s;
  if (from.space !== "shared") bug(`${from.name} is no shared memory, but loaded as a fragment`);
  const all = registersOf(w, to).flat();
  // Parts of right operands follow each other along the depth first, those of left ones along rows.
  const isAlong = !turned;
  const mine = ofLane(w, `row of ldmatrix ${stride} ${isAlong}`, (lane) => {
    const half = w.make("u32", "shr.u32", lane, isAlong ? "4" : "3");
    const side = isAlong ? half : w.make("u32", "and.b32", half, "1");
    const along = w.make("u32", "shl.b32", side, "4");
    const low = w.make("u32", "and.b32", lane, isAlong ? "15" : "7");
    const row = isAlong ? low : upper(w, lane, low);
    return w.make("u32", "mad.lo.u32", row, `${bytesIn(from, stride)}`, along);
  });
  const first = w.make("u32", "add.u32", addressOf(w, from, index, operand), mine);
  // Lanes have neighbours along the depth: where memory has them in a column, it is turned.
  const trans = (to.role === "right") !== turned ? ".trans" : "";
  for (let i = 0; i < all.length; i += 4) {
    const some = all.slice(i, i + 4);
    // Four registers of an operand are sixteen of its rows, or columns.
    const further = 4 * i * (turned && to.role === "right" ? stride : 1);
    const at = i === 0 ? first : `${first}+${bytesIn(from, further)}`;
    w.emit(
      `ldmatrix.sync.aligned.m8n8.x${some.length}${trans}.shared.b16`,
      braces(some),
      `[${at}]`,
    );
  }
}

/** Rows from 8 on for lanes from 16 on. */
const upper = (w: Writer, lane: Operand, low: Operand): Operand =>
  w.make("u32", "mad.lo.u32", w.make("u32", "shr.u32", lane, "4"), "8", low);

type Multiply = Extract<FragmentStmt, { kind: "fragment-multiply" }>;

function multiply(w: Writer, { sum, left, right }: Multiply): void {
  const type = operandTypes[left.scalar] ?? bug(`fragments of ${left.scalar} in PTX`);
  const [a] = registersOf(w, left);
  const sums = registersOf(w, sum);
  for (const [i, b] of registersOf(w, right).entries()) {
    const d = braces(sums[i]!);
    w.emit(
      `mma.sync.aligned.m16n8k16.row.col.f32.${type}.${type}.f32`,
      d,
      braces(a!),
      braces(b),
      d,
    );
  }
}

type Store = Extract<FragmentStmt, { kind: "fragment-store" }>;

/** Two neighbours at a time. */
function store(w: Writer, { to, index, stride, from }: Store, operand: ToOperand): void {
  if (stride % 2 !== 0) bug(`a fragment is stored to ${to.name} in PTX`);
  const mine = ofLane(w, `pair of a sum ${stride}`, (lane) => {
    const row = w.make("u32", "shr.u32", lane, "2");
    const pair = w.make("u32", "and.b32", lane, "3");
    const along = w.make("u32", "shl.b32", pair, "3");
    return w.make("u32", "mad.lo.u32", row, `${bytesIn(to, stride)}`, along);
  });
  const at = addressOf(w, to, index, operand);
  const first =
    to.space === "shared"
      ? w.make("u32", "add.u32", at, mine)
      : w.make("address", "mad.wide.u32", mine, "1", at);
  for (const [i, all] of registersOf(w, from).entries())
    for (const below of [0, 1]) {
      const elements = 8 * below * stride + i * size.columns;
      const place = bytesIn(to, elements);
      const pair = all.slice(2 * below, 2 * below + 2);
      w.emit(`st.${to.space}.v2.f32`, `[${first}${place > 0 ? `+${place}` : ""}]`, braces(pair));
    }
}

const braces = (all: readonly Operand[]) => `{${all.join(", ")}}`;
