/**
 * Loads and stores. Neighbours are one access of sixteen bytes; other places are accessed lane by lane. Threads
 * that are not at work have indices that mean nothing: they read element 0, and write nothing. In a line of
 * neighbours those stay within three elements of what the others read, and the device leaves room for that
 * at both ends of its memory.
 */
import type { Buffer, Expr } from "../../kernel/ir.ts";
import type { Local } from "./code.ts";
import { isNarrow, type MemoryType, memoryTypeOf, ownShift } from "./memory-types.ts";
import { laneNumbers, typeOf, type Writer } from "./writer.ts";

/**
 * Leaves the address of what lies at an index, by that of the first thread, in units of a power of two, and
 * returns the bytes to add to it.
 */
export function address(w: Writer, b: Buffer, index: Expr, shift: number): number {
  const { code } = w;
  const { local, offset } = w.baseOf(b);
  const pointer = w.pointers.to(local, index, shift);
  if (pointer) {
    code.get(pointer.local);
    return offset + pointer.offset;
  }
  if (index.kind === "lit") {
    code.get(local);
    return offset + index.value * 2 ** shift;
  }
  const [whole, more] = index.kind === "call" && index.fn === "add" ? index.args : [];
  const isSum = more?.kind === "lit" && more.value < 2 ** 24;
  w.scalar(isSum ? whole! : index);
  if (shift > 0) {
    code.i32(shift);
    code.op("i32.shl");
  }
  code.get(local);
  code.op("i32.add");
  return offset + (isSum ? more.value * 2 ** shift : 0);
}

/** Leaves an element that all threads read. */
export function loadScalar(w: Writer, b: Buffer, index: Expr): void {
  const { code } = w;
  const { shift, load, widenOne } = memoryTypeOf(b);
  code.op(load, shift, address(w, b, index, shift));
  widenOne?.(code);
}

/** Leaves what each thread reads. */
export function loadVector(w: Writer, b: Buffer, index: Expr): void {
  const { code, shapes } = w;
  if (shapes.differs(b)) {
    loadOwn(w, b, index);
    return;
  }
  const type = memoryTypeOf(b);
  const { shift, loadFour, widen } = type;
  const shape = shapes.of(index);
  if (shapes.isSame(index)) loadSplat(w, b, index);
  else if (shape.kind === "linear" && shape.by === 1) {
    code.op(loadFour, shift, address(w, b, index, shift));
    if (isNarrow(type)) code.op("i32x4.extend_low_i16x8_u");
  } else if (shape.kind === "linear" && shape.by > 1 && w.mask === undefined) {
    const offset = address(w, b, index, shift);
    code.held("i32", (first) => {
      const at = laneNumbers.map((lane) => offset + lane * shape.by * 2 ** shift);
      loadLanes(w, type, () => code.get(first), at);
    });
  } else if (loadFour === "v128.load" && b.space === "global") loadLikely(w, b, index);
  else {
    places(w, b, index, shift);
    const offset = laneNumbers.map(() => w.baseOf(b).offset);
    code.held("v128", (at) => loadLanes(w, type, (lane) => laneOf(w, at, lane), offset));
  }
  widen?.(code);
}

/** From an array of each thread's own. */
function loadOwn(w: Writer, b: Buffer, index: Expr): void {
  const { code, shapes } = w;
  if (shapes.isSame(index)) {
    code.op("v128.load", 2, address(w, b, index, ownShift));
    return;
  }
  places(w, b, index, ownShift);
  code.held("v128", (at) => {
    const offsets = laneNumbers.map((lane) => w.baseOf(b).offset + 4 * lane);
    loadLanes(w, memoryTypeOf(b), (lane) => laneOf(w, at, lane), offsets);
  });
}

/** One element in all lanes. */
function loadSplat(w: Writer, b: Buffer, index: Expr): void {
  const type = memoryTypeOf(b);
  const offset = address(w, b, index, type.shift);
  w.code.op(isNarrow(type) ? type.load : "v128.load32_splat", type.shift, offset);
  if (isNarrow(type)) w.code.op("i32x4.splat");
}

/** Whether places that are not known follow each other is asked while the kernel runs. */
function loadLikely(w: Writer, b: Buffer, index: Expr): void {
  const { code } = w;
  const { offset } = w.baseOf(b);
  const type = memoryTypeOf(b);
  places(w, b, index, type.shift);
  code.held("v128", (at) => {
    for (const _ of [0, 1, 2]) code.get(at);
    code.shuffle(0, 0, 0, 0);
    code.steps(2 ** type.shift);
    code.op("i32x4.add");
    code.op("i32x4.eq");
    code.op("i32x4.all_true");
    const offsets = laneNumbers.map(() => offset);
    code.when(
      "v128",
      () => {
        laneOf(w, at, 0);
        code.op("v128.load", 2, offset);
      },
      () => loadLanes(w, type, (lane) => laneOf(w, at, lane), offsets),
    );
  });
}

export function laneOf({ code }: Writer, vector: Local, lane: number): void {
  code.get(vector);
  code.op("i32x4.extract_lane", lane);
}

/** Leaves the address of each thread's element, without the offset of the buffer's base. */
export function places(w: Writer, b: Buffer, index: Expr, shift: number): void {
  const { code, mask } = w;
  w.vector(index);
  if (mask !== undefined) {
    code.get(mask);
    code.op("v128.and");
  }
  code.i32(shift);
  code.op("i32x4.shl");
  code.get(w.baseOf(b).local);
  code.op("i32x4.splat");
  code.op("i32x4.add");
}

function loadLanes(
  { code }: Writer,
  { loadLane, places, shift }: MemoryType,
  at: (lane: number) => void,
  offsets: readonly number[],
): void {
  const all = code.local("v128");
  code.patterns(0);
  code.set(all);
  for (const lane of laneNumbers) {
    at(lane);
    code.get(all);
    code.op(loadLane, shift, offsets[lane]!, places[lane]!);
    code.set(all);
  }
  code.get(all);
  code.release("v128", all);
}

export function store(w: Writer, b: Buffer, index: Expr, value: Expr): void {
  const { code, shapes, mask } = w;
  if (shapes.differs(b)) {
    storeOwn(w, b, index, value);
    return;
  }
  if (shapes.isSame(index) && shapes.isSame(value)) {
    storeScalar(w, b, index, value);
    return;
  }
  const type = memoryTypeOf(b);
  const shape = shapes.of(index);
  w.vector(value);
  type.round?.(code);
  code.held("v128", (all) => {
    const lanes = () => {
      places(w, b, index, type.shift);
      const offsets = laneNumbers.map(() => w.baseOf(b).offset);
      code.held("v128", (at) => storeLanes(w, type, all, at, offsets));
    };
    if (shape.kind !== "linear" || shape.by !== 1) lanes();
    else if (mask === undefined) storeLine(w, b, index, all);
    else {
      code.get(mask);
      code.op("i32x4.all_true");
      code.when("nothing", () => storeLine(w, b, index, all), lanes);
    }
  });
}

/** Stores one value that all threads have, where all of them store it. */
function storeScalar(w: Writer, b: Buffer, index: Expr, value: Expr): void {
  const { code } = w;
  const { shift, store, round } = memoryTypeOf(b);
  const offset = address(w, b, index, shift);
  w.scalar(value);
  if (round) {
    code.op(`${typeOf(value.type)}x4.splat`);
    round(code);
    code.op("i32x4.extract_lane", 0);
  }
  code.op(store, shift, offset);
}

/** Neighbours at once. */
function storeLine(w: Writer, b: Buffer, index: Expr, all: Local): void {
  const { shift } = memoryTypeOf(b);
  storeRow(w, memoryTypeOf(b), address(w, b, index, shift), all);
}

/** Stores all lanes at an address that is on the stack. */
export function storeRow({ code }: Writer, type: MemoryType, offset: number, all: Local): void {
  code.get(all);
  if (isNarrow(type)) {
    code.get(all);
    code.op("i16x8.narrow_i32x4_u");
    code.op("v128.store64_lane", type.shift, offset, 0);
  } else code.op("v128.store", type.shift, offset);
}

/** Those of threads at work. */
function storeLanes(
  w: Writer,
  { storeLane, places, shift }: MemoryType,
  all: Local,
  at: Local,
  offsets: readonly number[],
): void {
  const { code } = w;
  for (const lane of laneNumbers)
    whereAtWork(w, lane, () => {
      laneOf(w, at, lane);
      code.get(all);
      code.op(storeLane, shift, offsets[lane]!, places[lane]!);
    });
}

export function whereAtWork({ code, mask }: Writer, lane: number, body: () => void): void {
  if (mask === undefined) {
    body();
    return;
  }
  code.get(mask);
  code.op("i32x4.extract_lane", lane);
  code.when("nothing", body);
}

/** To an array of each thread's own. */
function storeOwn(w: Writer, b: Buffer, index: Expr, value: Expr): void {
  const { code, shapes, mask } = w;
  if (shapes.isSame(index)) {
    const offset = address(w, b, index, ownShift);
    w.vector(value);
    if (mask !== undefined) {
      code.op("v128.load", 2, address(w, b, index, ownShift));
      code.get(mask);
      code.op("v128.bitselect");
    }
    code.op("v128.store", 2, offset);
    return;
  }
  w.vector(value);
  code.held("v128", (all) => {
    places(w, b, index, ownShift);
    const offsets = laneNumbers.map((lane) => w.baseOf(b).offset + 4 * lane);
    code.held("v128", (at) => storeLanes(w, memoryTypeOf(b), all, at, offsets));
  });
}
