/** The verifier of kernel IR: every promise of ir.ts broken once, and found. */
import { describe, expect, test } from "vitest";
import type {
  Buffer,
  Element,
  Expr,
  Fn,
  Fragment,
  Kernel,
  Scalar,
  Stmt,
} from "../../../compiler/kernel/ir.ts";
import { verify } from "../../../compiler/kernel/verify.ts";
import type { KernelMatrices } from "../../../compiler/plan.ts";
import { cuda } from "../../../compiler/targets/cuda/index.ts";

const buffer = (
  name: string,
  space: Buffer["space"],
  scalar: Element = "f32",
  more: Partial<Buffer> = {},
): Buffer => ({ name, space, scalar, size: 64, writable: space !== "global", ...more });

const x = buffer("x", "global");
const y = buffer("y", "global", "f32", { writable: true });
const tile = buffer("tile", "shared");
const own = buffer("own", "local");

const lit = (value: number, type: Scalar = "u32"): Expr => ({ kind: "lit", type, value });
const one = lit(1, "f32");
const ref = (name: string, type: Scalar = "f32", mutable = false): Expr => ({
  ...{ kind: "ref", type, name, mutable },
});
const call = (fn: Fn, type: Scalar, ...args: Expr[]): Expr => ({ kind: "call", type, fn, args });
const load = (from: Buffer, index: Expr, type: Scalar = "f32"): Expr => ({
  ...{ kind: "load", type, from, index },
});
const id = (of: "group" | "thread" | "subgroup" | "member", axis: 0 | 1 | 2 = 0): Expr => ({
  ...{ kind: "id", type: "u32", of, axis },
});
const thread = id("thread");

const let_ = (name: string, value: Expr): Stmt => ({ kind: "let", name, value });
const var_ = (name: string, value: Expr): Stmt => ({ kind: "var", name, value });
const set = (name: string, value: Expr): Stmt => ({ kind: "set", name, value });
const store = (to: Buffer, index: Expr, value: Expr): Stmt => ({ kind: "store", to, index, value });
const if_ = (cond: Expr, ...body: Stmt[]): Stmt => ({ kind: "if", cond, body });
const for_ = (name: string, count: number, ...body: Stmt[]): Stmt => ({
  ...{ kind: "for", name, count, rolled: false, body },
});
const load4 = (from: Buffer, index: Expr, names = ["a", "b", "c", "d"]): Stmt => ({
  ...{ kind: "load4", names: names as [string, string, string, string], from, index },
});
const store4 = (to: Buffer, index: Expr): Stmt => ({
  ...{ kind: "store4", to, index, values: [one, one, one, one] },
});
const barrier: Stmt = { kind: "barrier" };
const isFirst = call("lt", "bool", thread, lit(1));
const total: Expr = { kind: "reduce", type: "f32", fold: "add", arg: one };
const turned = (mask: number): Expr => ({ kind: "shuffle", type: "f32", arg: one, mask });
const shuffled = (lane: number): Expr => ({ kind: "broadcast", type: "f32", arg: one, lane });

const inFours = (...buffers: Buffer[]) => new Map(buffers.map((b) => [b, 4]));

/** Each thread writes its element, behind some statements. */
const kernelOf = (body: readonly Stmt[], more: Partial<Kernel> = {}): Kernel => ({
  ...{ name: "test", params: [x, y], vectors: inFours(), scratch: [tile, own], subgroup: 0 },
  ...{ reduces: false, fragments: [], threads: [64, 1, 1], groups: [2, 1, 1] },
  body: [...body, store(y, thread, one)],
  ...more,
});

const [sum, left, right] = (["sum", "left", "right"] as const).map(
  (role): Fragment => ({ name: role, role, scalar: "f32", rows: 8, columns: 8 }),
) as [Fragment, Fragment, Fragment];
const matrices: KernelMatrices = {
  ...({ operand: "f32", widths: "fixed" } as const),
  ...{ rows: 8, columns: 8, depth: 8, width: 32 },
};
const fragments: Partial<Kernel> = { fragments: [sum, left, right], matrices };
const fill = store(tile, thread, one);
const take = (to: Fragment, index = lit(0), from = tile, stride = 8): Stmt => ({
  ...{ kind: "fragment-load", to, from, index, stride },
});
const give = (from: Fragment, to = tile, index = lit(0)): Stmt => ({
  ...{ kind: "fragment-store", from, to, index, stride: 8 },
});
const times = (of: { sum: Fragment; left: Fragment; right: Fragment }): Stmt => ({
  ...{ kind: "fragment-multiply", ...of },
});

type Broken = readonly [finding: string, kernel: Kernel];

const heads: readonly Broken[] = [
  ["x is declared twice", kernelOf([], { scratch: [buffer("x", "shared")] })],
  ["the parameter s lies in shared memory", kernelOf([], { params: [y, buffer("s", "shared")] })],
  ["the parameter p holds booleans", kernelOf([], { params: [y, buffer("p", "global", "bool")] })],
  ["x lies in global memory, but is no parameter", kernelOf([], { params: [y], scratch: [x] })],
  [
    "s is scratch memory that cannot be written",
    kernelOf([], { scratch: [{ ...tile, name: "s", writable: false }] }),
  ],
  ["h holds f16 in local memory", kernelOf([], { scratch: [buffer("h", "local", "f16")] })],
  ["s has 0.5 elements", kernelOf([], { scratch: [{ ...tile, name: "s", size: 0.5 }] })],
  ["s is no buffer of the kernel", kernelOf([], { vectors: inFours(buffer("s", "shared")) })],
  [
    "x is accessed in groups of 4, but has 6 elements",
    ((odd) => kernelOf([], { params: [odd, y], vectors: inFours(odd) }))({ ...x, size: 6 }),
  ],
  ["own is accessed in groups, but is local memory", kernelOf([], { vectors: inFours(own) })],
  ["x is accessed in groups of 3", kernelOf([], { vectors: new Map([[x, 3]]) })],
  [
    "p holds packed-f16, which is only read, and from global memory",
    kernelOf([], { params: [y, { ...y, name: "p", scalar: "packed-f16" }] }),
  ],
  ["0 x 1 x 1 threads", kernelOf([], { threads: [0, 1, 1] })],
  ["1.5 x 1 x 1 groups", kernelOf([], { groups: [1.5, 1, 1] })],
  ["64 threads, though a workgroup is whole subgroups of 48", kernelOf([], { subgroup: 48 })],
  [
    "it has several subgroups, and its threads lie along several axes",
    kernelOf([], { subgroup: 32, threads: [32, 2, 1] }),
  ],
  ["it is for one width of subgroup, and for any", kernelOf([], { subgroup: 64, reduces: true })],
  [
    "it reduces, and its threads lie along several axes",
    kernelOf([], { reduces: true, threads: [32, 2, 1] }),
  ],
  ["fragments and what they ask of a device go together", kernelOf([], { fragments: [sum] })],
];

const names: readonly Broken[] = [
  ["a is declared twice", kernelOf([let_("a", one), let_("a", one)])],
  ["tile is declared twice", kernelOf([let_("tile", one)])],
  ["a is declared twice", kernelOf([if_(isFirst, let_("a", one)), let_("a", one)])],
  ["a is read, but not declared before", kernelOf([let_("b", ref("a")), let_("a", one)])],
  ["a is read, but out of scope", kernelOf([if_(isFirst, let_("a", one)), let_("b", ref("a"))])],
  ["i is read, but out of scope", kernelOf([for_("i", 2), let_("b", ref("i", "u32"))])],
  ["a is f32, but read as u32", kernelOf([let_("a", one), let_("b", ref("a", "u32"))])],
  ["a is read as a var", kernelOf([let_("a", one), let_("b", ref("a", "f32", true))])],
  ["a is read as constant", kernelOf([var_("a", one), let_("b", ref("a"))])],
  ["a is set, but is no var in scope", kernelOf([let_("a", one), set("a", one)])],
  ["i is set, but is no var in scope", kernelOf([for_("i", 2, set("i", lit(0)))])],
  ["a is set, but is no var in scope", kernelOf([set("a", one)])],
  ["a is f32, but set to u32", kernelOf([var_("a", one), set("a", lit(1))])],
  ["a loop counts to 0", kernelOf([for_("i", 0)])],
  ["a condition is u32", kernelOf([if_(lit(1), barrier)])],
];

const types: readonly Broken[] = [
  ["-1 is no u32", kernelOf([let_("a", lit(-1))])],
  ["0.5 is no i32", kernelOf([let_("a", lit(0.5, "i32"))])],
  ["2 is no bool", kernelOf([let_("a", lit(2, "bool"))])],
  ["1e+39 is no f32", kernelOf([let_("a", lit(1e39, "f32"))])],
  ["add takes 2 arguments, not 1", kernelOf([let_("a", call("add", "f32", one))])],
  ["select takes 3 arguments, not 2", kernelOf([let_("a", call("select", "f32", one, one))])],
  ["add of f32 and u32", kernelOf([let_("a", call("add", "f32", one, lit(1)))])],
  ["exp of u32", kernelOf([let_("a", call("exp", "u32", lit(1)))])],
  ["neg of u32", kernelOf([let_("a", call("neg", "u32", lit(1)))])],
  ["and of u32 and u32", kernelOf([let_("a", call("and", "bool", lit(1), lit(1)))])],
  ["xor of f32 and f32", kernelOf([let_("a", call("xor", "f32", one, one))])],
  ["half of f32", kernelOf([let_("a", call("half", "f32", one))])],
  ["float of u32 is u32", kernelOf([let_("a", call("float", "u32", lit(1)))])],
  ["select by u32", kernelOf([let_("a", call("select", "f32", one, one, lit(1)))])],
  ["lt of u32 is u32", kernelOf([let_("a", call("lt", "u32", lit(1), lit(2)))])],
  ["shl by what may be more than 31", kernelOf([let_("a", call("shl", "u32", lit(1), thread))])],
  ["shr by what may be more than 31", kernelOf([let_("a", call("shr", "u32", lit(1), lit(32)))])],
  [
    "a broadcast of f32 is u32",
    kernelOf([let_("a", { ...shuffled(0), type: "u32" } as Expr)], { subgroup: 64 }),
  ],
  [
    "a reduce of booleans",
    kernelOf([let_("a", { kind: "reduce", type: "bool", fold: "max", arg: lit(1, "bool") })], {
      reduces: true,
    }),
  ],
  ["a load from x, which holds f32, is u32", kernelOf([let_("a", load(x, thread, "u32"))])],
  ["an index is f32", kernelOf([let_("a", load(x, one))])],
  ["an index is i32", kernelOf([store(y, lit(0, "i32"), one)])],
];

const halves = buffer("halves", "shared", "f16");
const fours = { vectors: inFours(x, tile) };

const memory: readonly Broken[] = [
  ["p is no buffer of the kernel", kernelOf([let_("a", load({ ...x, name: "p" }, thread))])],
  ["p is no buffer of the kernel", kernelOf([store({ ...y, name: "p" }, thread, one)])],
  ["x is read only, but stored to", kernelOf([store(x, thread, one)])],
  ["u32 is stored to y, which holds f32", kernelOf([store(y, thread, lit(1))])],
  ["tile is read before it is written", kernelOf([let_("a", load(tile, thread))])],
  ["own is read before it is written", kernelOf([let_("a", load(own, lit(0)))])],
  [
    "an index of tile can be 64, beyond its 64 elements",
    kernelOf([store(tile, call("add", "u32", thread, lit(1)), one)]),
  ],
  ["an index of own can be 64, beyond its 64 elements", kernelOf([store(own, lit(64), one)])],
  [
    "an index of tile can be Infinity, beyond its 64 elements",
    kernelOf([var_("i", lit(0)), store(tile, ref("i", "u32", true), one)]),
  ],
  [
    "halves holds operands of fragments, but an element is read",
    kernelOf([store(halves, thread, one), let_("a", load(halves, thread))], { scratch: [halves] }),
  ],
  ["y is never written", { ...kernelOf([]), body: [barrier] }],
  ["x is accessed in groups alone", kernelOf([let_("a", load(x, thread))], fours)],
  ["x is not declared to be accessed in groups of 4", kernelOf([load4(x, lit(0))])],
  [
    "tile is not declared to be accessed in groups of 1",
    kernelOf([store(tile, thread, one)], fours),
  ],
  ["y is not declared to be accessed in groups of 4", kernelOf([store4(y, thread)])],
  [
    "a group of x, not from a multiple of four",
    kernelOf([load4(x, call("div", "u32", thread, lit(4)))], fours),
  ],
  ["an index of tile can be 255, beyond its 64 elements", kernelOf([store4(tile, thread)], fours)],
  ["x is declared twice", kernelOf([load4(x, lit(0), ["a", "b", "c", "x"])], fours)],
];

const reducing = { reduces: true } as const;

const together: readonly Broken[] = [
  ["a barrier where not all threads of the workgroup", kernelOf([if_(isFirst, barrier)])],
  [
    "a barrier where not all threads of the workgroup",
    kernelOf([
      var_("n", lit(0)),
      for_(
        "i",
        4,
        if_(call("lt", "bool", ref("n", "u32", true), lit(1)), barrier),
        set("n", thread),
      ),
    ]),
  ],
  [
    "a barrier where not all threads of the workgroup",
    kernelOf([if_(call("lt", "bool", id("subgroup"), lit(1)), barrier)], reducing),
  ],
  [
    "a barrier where not all threads of the workgroup",
    kernelOf([fill, barrier, if_(call("lt", "bool", load(tile, lit(0)), one), barrier)]),
  ],
  [
    "a reduction where not all threads of the subgroup",
    kernelOf([if_(isFirst, let_("a", total))], reducing),
  ],
  [
    "a barrier where not all threads of the workgroup",
    kernelOf([if_(call("lt", "bool", id("subgroup"), lit(1)), barrier)], { subgroup: 32 }),
  ],
  [
    "a broadcast where not all threads of the subgroup",
    kernelOf([if_(isFirst, let_("a", shuffled(0)))], { subgroup: 64 }),
  ],
  [
    "a shuffle where not all threads of the subgroup",
    kernelOf([if_(isFirst, let_("a", turned(1)))], { subgroup: 32 }),
  ],
  [
    "a shuffle where not all threads of the subgroup",
    kernelOf(
      [let_("a", turned(1)), if_(call("lt", "bool", ref("a", "f32"), one), let_("b", turned(2)))],
      { subgroup: 32 },
    ),
  ],
  ["no lane is 32 apart in subgroups of 32", kernelOf([let_("a", turned(32))], { subgroup: 32 })],
  ["no lane is 1 apart in subgroups of 0", kernelOf([let_("a", turned(1))])],
  ["there is no lane 64 in subgroups of 64", kernelOf([let_("a", shuffled(64))], { subgroup: 64 })],
  ["a lane of subgroups of no known width", kernelOf([let_("a", { kind: "lane", type: "u32" })])],
  ["a kernel that does not reduce has a reduction", kernelOf([let_("a", total)])],
  ["member in a kernel that does not reduce", kernelOf([let_("a", id("member"))])],
  ["member along axis 1", kernelOf([let_("a", id("member", 1))], reducing)],
];

const halfLeft: Fragment = { ...left, name: "half", scalar: "f16" };
const wide: Fragment = { ...right, name: "wide", columns: 16 };
const local = [fill, store(own, lit(0), one)];

const ofFragments: readonly Broken[] = [
  [
    "a fragment where not all threads of the subgroup",
    kernelOf([fill, if_(isFirst, take(left))], fragments),
  ],
  [
    "a fragment at an index that the threads of the subgroup do not share",
    kernelOf([fill, take(left, thread)], fragments),
  ],
  ["sum is a sum, but loaded", kernelOf([fill, take(sum)], fragments)],
  ["left is an operand, but stored", kernelOf([fill, take(left), give(left)], fragments)],
  [
    "left is an operand, but made zero",
    kernelOf([{ kind: "fragment-zero", sum: left }], fragments),
  ],
  ["x is read only, but stored to", kernelOf([give(sum, x)], fragments)],
  ["tile is read before it is written", kernelOf([take(left)], fragments)],
  ["left is multiplied before it is loaded", kernelOf([times({ sum, left, right })], fragments)],
  [
    "right is no left fragment",
    kernelOf([fill, take(right), times({ sum, left: right, right })], fragments),
  ],
  [
    "left f32[8 x 8], wide f32[8 x 16], sum f32[8 x 8] do not fit",
    kernelOf([fill, take(left), take(wide, lit(0), x, 16), times({ sum, left, right: wide })], {
      ...fragments,
      fragments: [sum, left, wide],
    }),
  ],
  ["wide is no fragment of the kernel", kernelOf([fill, take(wide)], fragments)],
  ["p is no buffer", kernelOf([take(left, lit(0), { ...x, name: "p" })], fragments)],
  ["a fragment and own, which is local memory", kernelOf([...local, give(sum, own)], fragments)],
  [
    "a fragment of x, not from a multiple of 4",
    kernelOf([take(left, lit(2), x)], { ...fragments, vectors: inFours(x) }),
  ],
  [
    "a fragment of x, not from a multiple of 4",
    kernelOf([take(left, lit(0), x, 10)], { ...fragments, vectors: inFours(x) }),
  ],
  [
    "a fragment is stored to y, which is accessed in groups",
    kernelOf([give(sum, y)], { ...fragments, vectors: inFours(y) }),
  ],
  [
    "tile holds f32, half f16",
    kernelOf([fill, take(halfLeft)], { ...fragments, fragments: [halfLeft] }),
  ],
  ["rows of 8 stand 4 apart", kernelOf([fill, take(left, lit(0), tile, 4)], fragments)],
  [
    "an index of tile can be 71, beyond its 64 elements",
    kernelOf([fill, take(left, lit(8))], fragments),
  ],
  [
    "columns of 8 stand 4 apart",
    kernelOf([fill, { ...take(left, lit(0), tile, 4), turned: true } as Stmt], fragments),
  ],
];

const numbered: Partial<Kernel> = { ...fragments, matrices: { ...matrices, numbered: true } };
const elements = (from: Fragment, ...names: string[]): Stmt => ({
  ...{ kind: "fragment-elements", from, names },
});
const copy = (more: Partial<Extract<Stmt, { kind: "copy" }>> = {}): Stmt => ({
  ...{ kind: "copy", to: tile, index: lit(0), from: x, at: lit(0), when: lit(1, "bool"), ...more },
});

const ofNumbered: readonly Broken[] = [
  ["elements of fragments have no numbers", kernelOf([elements(sum, "a", "b")], fragments)],
  ["left is an operand, but no sum", kernelOf([fill, elements(left, "a", "b")], numbered)],
  ["3 elements of sum", kernelOf([elements(sum, "a", "b", "c")], numbered)],
  ["a is declared twice", kernelOf([elements(sum, "a", "a")], numbered)],
  ["a copy in a kernel without numbered fragments", kernelOf([copy()], fragments)],
  ["y is copied, but not only read", kernelOf([copy({ from: y })], numbered)],
  ["p is copied, but not only read", kernelOf([copy({ from: { ...x, name: "p" } })], numbered)],
  ["own is no shared memory", kernelOf([copy({ to: own })], numbered)],
  [
    "h is copied to tile of f32",
    ((h) => kernelOf([copy({ from: h })], { ...numbered, params: [h, y] }))(
      buffer("h", "global", "f16"),
    ),
  ],
  ["a copy, not from a multiple of 8", kernelOf([copy({ index: lit(4) })], numbered)],
  ["a copy, not from a multiple of 8", kernelOf([copy({ at: thread })], numbered)],
  [
    "an index of tile can be 71, beyond its 64 elements",
    kernelOf([copy({ index: lit(64) })], numbered),
  ],
  ["a copy where a u32 says whether", kernelOf([copy({ when: lit(1) })], numbered)],
];

const groups = { heads, names, types, memory, together, ofFragments, ofNumbered };

test("the verifier finds nothing where nothing is broken", () => {
  expect(() => verify("vectorising", kernelOf([fill, take(left)], fragments))).not.toThrow();
  expect(() => verify("vectorising", kernelOf([load4(x, thread)], fours))).not.toThrow();
  const known = kernelOf([copy(), elements(sum, "a", "b")], numbered);
  expect(() => verify("vectorising", known)).not.toThrow();
});

test("what is read from words is verified once more before it is printed", () => {
  const words = { ...x, scalar: "packed-bf16" } as const;
  const read = (index: Expr) => kernelOf([let_("a", load(words, index))], { params: [words, y] });
  expect(() => cuda.print(read(thread), () => false)).not.toThrow();
  expect(() => cuda.print(read(ref("i", "u32")), () => false)).toThrow(
    "after unpacking, kernel test: i is read, but not declared before\nlet a: f32 = ",
  );
});

describe.each(Object.entries(groups))("the verifier finds, of %s", (_, broken) => {
  test.each(broken)("%s", (finding, kernel) => {
    expect(() => verify("vectorising", kernel)).toThrow(finding);
  });
});
