/**
 * The instructions of Python's pickle that build data (protocols 2 to 5), as a table. Each returns
 * nothing, or says in a string what is wrong. Numbers are little-endian except the float.
 */
import { countContainer, type PickleState, type PickleValue } from "./pickle-state.ts";

export interface Opcode {
  readonly name: string;
  readonly run: (state: PickleState) => string | undefined;
}

type Row = readonly [code: number, name: string, run: (state: PickleState) => string | undefined];

const table: readonly Row[] = [
  [0x80, "PROTO", (s) => ((take(s, 1)?.getUint8(0) ?? 9) <= 5 ? undefined : "an unknown protocol")],
  [0x95, "FRAME", (s) => (take(s, 8) ? undefined : short)],
  [0x2e, "STOP", (s) => stop(s)],
  [0x28, "MARK", (s) => void s.marks.push(s.stack.length)],
  [0x30, "POP", (s) => (pop(s) === undefined ? empty : undefined)],
  [0x31, "POP_MARK", (s) => (popGroup(s) ? undefined : noMark)],
  [0x32, "DUP", (s) => push(s, s.stack.length > floor(s) ? s.stack.at(-1) : undefined, empty)],
  [0x4e, "NONE", (s) => push(s, null)],
  [0x88, "NEWTRUE", (s) => push(s, true)],
  [0x89, "NEWFALSE", (s) => push(s, false)],
  [0x4a, "BININT", (s) => push(s, take(s, 4)?.getInt32(0, true))],
  [0x4b, "BININT1", (s) => push(s, take(s, 1)?.getUint8(0))],
  [0x4d, "BININT2", (s) => push(s, take(s, 2)?.getUint16(0, true))],
  [0x47, "BINFLOAT", (s) => push(s, take(s, 8)?.getFloat64(0))],
  [0x8a, "LONG1", (s) => long(s, length(s, 1))],
  [0x8b, "LONG4", (s) => long(s, length(s, 4))],
  [0x8c, "SHORT_BINUNICODE", (s) => text(s, length(s, 1))],
  [0x58, "BINUNICODE", (s) => text(s, length(s, 4))],
  [0x8d, "BINUNICODE8", (s) => text(s, length(s, 8))],
  [0x55, "SHORT_BINSTRING", (s) => text(s, length(s, 1))],
  [0x54, "BINSTRING", (s) => text(s, length(s, 4))],
  [0x43, "SHORT_BINBYTES", (s) => bytes(s, length(s, 1))],
  [0x42, "BINBYTES", (s) => bytes(s, length(s, 4))],
  [0x8e, "BINBYTES8", (s) => bytes(s, length(s, 8))],
  [0x29, "EMPTY_TUPLE", (s) => tuple(s, [])],
  [0x85, "TUPLE1", (s) => tuple(s, popMany(s, 1))],
  [0x86, "TUPLE2", (s) => tuple(s, popMany(s, 2))],
  [0x87, "TUPLE3", (s) => tuple(s, popMany(s, 3))],
  [0x74, "TUPLE", (s) => tuple(s, popGroup(s))],
  [0x5d, "EMPTY_LIST", (s) => list(s, [])],
  [0x6c, "LIST", (s) => list(s, popGroup(s))],
  [0x61, "APPEND", (s) => append(s, popMany(s, 1))],
  [0x65, "APPENDS", (s) => append(s, popGroup(s))],
  [0x7d, "EMPTY_DICT", (s) => dict(s, [])],
  [0x64, "DICT", (s) => dict(s, popGroup(s))],
  [0x73, "SETITEM", (s) => setItems(s, popMany(s, 2))],
  [0x75, "SETITEMS", (s) => setItems(s, popGroup(s))],
  [0x68, "BINGET", (s) => push(s, s.memo.get(length(s, 1)), "nothing was kept under this number")],
  [
    0x6a,
    "LONG_BINGET",
    (s) => push(s, s.memo.get(length(s, 4)), "nothing was kept under this number"),
  ],
  [0x71, "BINPUT", (s) => keep(s, length(s, 1))],
  [0x72, "LONG_BINPUT", (s) => keep(s, length(s, 4))],
  [0x94, "MEMOIZE", (s) => keep(s, s.memo.size)],
  [0x63, "GLOBAL", (s) => global(s, line(s), line(s))],
  [0x93, "STACK_GLOBAL", (s) => stackGlobal(s)],
  [0x51, "BINPERSID", (s) => persistent(s)],
  [0x52, "REDUCE", (s) => call(s)],
  [0x81, "NEWOBJ", (s) => call(s)],
  [0x62, "BUILD", (s) => build(s)],
];

export const opcodes: ReadonlyMap<number, Opcode> = new Map(
  table.map(([code, name, run]) => [code, { name, run }]),
);

const short = "the pickle ends inside this instruction";
const empty = "the stack is empty";
const noMark = "there is no mark on the stack";

/** The next `count` bytes, or `undefined` when there are fewer. */
function take(s: PickleState, count: number): DataView | undefined {
  if (!(count >= 0 && s.at + count <= s.view.byteLength)) return undefined;
  const view = new DataView(s.view.buffer, s.view.byteOffset + s.at, count);
  s.at += count;
  return view;
}

/**
 * An unsigned number of 1, 4 or 8 bytes; -1 when the pickle ends. Nothing has a negative length.
 */
function length(s: PickleState, width: 1 | 4 | 8): number {
  const view = take(s, width);
  if (!view) return -1;
  if (width === 1) return view.getUint8(0);
  return width === 4 ? view.getUint32(0, true) : Number(view.getBigUint64(0, true));
}

function push(s: PickleState, value: PickleValue | undefined, otherwise = short) {
  if (value === undefined) return otherwise;
  s.stack.push(value);
  return undefined;
}

function stop(s: PickleState) {
  s.done = true;
  return undefined;
}

/** Items below the last mark belong to a group that is not finished: nothing may take them. */
const floor = (s: PickleState) => s.marks.at(-1) ?? 0;

const pop = (s: PickleState) => (s.stack.length > floor(s) ? s.stack.pop() : undefined);

function popMany(s: PickleState, count: number): PickleValue[] | undefined {
  return s.stack.length - count >= floor(s) ? s.stack.splice(s.stack.length - count) : undefined;
}

function popGroup(s: PickleState): PickleValue[] | undefined {
  const mark = s.marks.pop();
  return mark === undefined ? undefined : s.stack.splice(mark);
}

/** Two's complement, up to 8 bytes: no size or count in a state dict is longer. */
function long(s: PickleState, size: number) {
  const view = take(s, size);
  if (!view) return short;
  if (size > 8) return `an integer of ${size} bytes`;
  let value = 0n;
  for (let i = 0; i < size; i++) value |= BigInt(view.getUint8(i)) << BigInt(8 * i);
  value = BigInt.asIntN(8 * size, value);
  const narrow = Number(value);
  return push(s, Number.isSafeInteger(narrow) ? narrow : value);
}

function text(s: PickleState, size: number) {
  const view = take(s, size);
  if (!view) return short;
  try {
    return push(s, new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(view));
  } catch {
    return "the text is not UTF-8";
  }
}

function bytes(s: PickleState, size: number) {
  const view = take(s, size);
  if (!view) return short;
  const content = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  return push(s, { kind: "bytes", bytes: content });
}

function tuple(s: PickleState, items: PickleValue[] | undefined) {
  countContainer(s);
  return push(s, items && { kind: "tuple", items }, empty);
}

function list(s: PickleState, items: PickleValue[] | undefined) {
  countContainer(s);
  return push(s, items && { kind: "list", items }, noMark);
}

function dict(s: PickleState, items: PickleValue[] | undefined) {
  countContainer(s);
  if (!items) return noMark;
  s.stack.push({ kind: "dict", entries: new Map() });
  return setItems(s, items);
}

function append(s: PickleState, items: PickleValue[] | undefined) {
  if (!items) return empty;
  const target = top(s);
  if (target?.kind === "blocked") return undefined;
  if (target?.kind !== "list") return "the value to append to is not a list";
  for (const item of items) target.items.push(item);
  return undefined;
}

function setItems(s: PickleState, items: PickleValue[] | undefined) {
  if (!items) return empty;
  if (items.length % 2 !== 0) return "a key has no value";
  const target = top(s);
  if (target?.kind === "blocked") return undefined;
  if (target?.kind !== "dict") return "the value to set items of is not a dict";
  for (let i = 0; i < items.length; i += 2) {
    const key = items[i]!;
    // Python would keep the last: whoever wrote this meant something else.
    if (target.entries.has(key)) return `the key ${JSON.stringify(String(key))} is set twice`;
    target.entries.set(key, items[i + 1]!);
  }
  return undefined;
}

/** The value on top, if it is one with parts. */
function top(s: PickleState) {
  const value = s.stack.length > floor(s) ? s.stack.at(-1) : undefined;
  return typeof value === "object" && value !== null ? value : undefined;
}

function keep(s: PickleState, index: number) {
  if (index < 0) return short;
  if (s.stack.length <= floor(s)) return empty;
  s.memo.set(index, s.stack.at(-1)!);
  return undefined;
}

/** Text up to the end of the line: names are short, so the search is too. */
function line(s: PickleState): string | undefined {
  const end = Math.min(s.view.byteLength, s.at + 256);
  let out = "";
  for (let at = s.at; at < end; at++) {
    const c = s.view.getUint8(at);
    if (c === 0x0a) {
      s.at = at + 1;
      return out;
    }
    out += String.fromCharCode(c);
  }
  return undefined;
}

function global(s: PickleState, module: string | undefined, name: string | undefined) {
  if (module === undefined || name === undefined) return "the name does not end";
  const full = `${module}.${name}`;
  const known = s.world.globals.get(full);
  if (known === undefined) s.blocked.add(full.replace(/[^\x20-\x7e]/g, "?"));
  return push(s, known ?? { kind: "blocked", name: full });
}

function stackGlobal(s: PickleState) {
  const [module, name] = popMany(s, 2) ?? [];
  if (typeof module !== "string" || typeof name !== "string") return "a name is not text";
  return global(s, module.slice(0, 256), name.slice(0, 256));
}

function persistent(s: PickleState) {
  const id = pop(s);
  if (id === undefined) return empty;
  const result = s.world.persistent([id]);
  return typeof result === "string" ? result : push(s, result.value);
}

/** Calls a function of the list with a tuple of arguments; what is blocked stays blocked. */
function call(s: PickleState) {
  const [callee, args] = popMany(s, 2) ?? [];
  if (callee === undefined || args === undefined) return empty;
  if (typeof callee !== "object" || callee === null) return "what is called is not a function";
  if (callee.kind === "blocked") return push(s, callee);
  if (callee.kind !== "global") return `a ${callee.kind} cannot be called`;
  if (!callee.call) return `${callee.name} is not called by any state dict`;
  if (typeof args !== "object" || args?.kind !== "tuple") return "the arguments are not a tuple";
  if (args.items.some((arg) => typeof arg === "object" && arg?.kind === "blocked")) {
    return push(s, { kind: "blocked", name: callee.name });
  }
  countContainer(s);
  const result = callee.call(args.items);
  return typeof result === "string" ? `${callee.name}: ${result}` : push(s, result.value);
}

/**
 * Sets attributes. The ones PyTorch gives an ordered dict (`_metadata`) say nothing about tensors.
 */
function build(s: PickleState) {
  const state = pop(s);
  const target = top(s);
  if (state === undefined || target === undefined) return empty;
  if (target.kind === "dict" || target.kind === "blocked") return undefined;
  return `a ${target.kind} has no attributes to set`;
}
