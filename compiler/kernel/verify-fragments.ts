/** Fragments: touched by their own statements alone, in their roles, with shapes that fit. */
import {
  type Buffer,
  type CopyStmt,
  copied,
  type Expr,
  type Fragment,
  type FragmentStmt,
  type Kernel,
} from "./ir.ts";
import type { Ranges } from "./ranges.ts";
import { checkIndex, type Fail } from "./verify-types.ts";

/** Where memory has the rows of a fragment, or its columns. */
interface Lines {
  readonly index: Expr;
  readonly stride: number;
  readonly turned?: boolean;
}

export class FragmentRules {
  readonly #kernel: Kernel;
  readonly #ranges: Ranges;
  readonly #fail: Fail;
  readonly #loaded = new Set<Fragment>();

  constructor(kernel: Kernel, ranges: Ranges, fail: Fail) {
    this.#kernel = kernel;
    this.#ranges = ranges;
    this.#fail = fail;
  }

  check(s: FragmentStmt): void {
    switch (s.kind) {
      case "fragment-load":
        if (s.to.role === "sum") this.#fail(`${s.to.name} is a sum, but loaded`);
        this.#memory(s.to, s.from, s);
        this.#loaded.add(s.to);
        return;
      case "fragment-store":
        if (this.#kernel.vectors.has(s.to))
          this.#fail(`a fragment is stored to ${s.to.name}, which is accessed in groups`);
        if (s.from.role !== "sum") this.#fail(`${s.from.name} is an operand, but stored`);
        if (!s.to.writable) this.#fail(`${s.to.name} is read only, but stored to`);
        this.#memory(s.from, s.to, s);
        return;
      case "fragment-zero":
        this.#use(s.sum);
        if (s.sum.role !== "sum") this.#fail(`${s.sum.name} is an operand, but made zero`);
        return;
      case "fragment-multiply":
        this.#multiply(s);
        return;
      case "fragment-elements":
        this.#use(s.from);
        if (!this.#kernel.matrices?.numbered) this.#fail("elements of fragments have no numbers");
        if (s.from.role !== "sum") this.#fail(`${s.from.name} is an operand, but no sum`);
        if (s.names.length !== (s.from.rows * s.from.columns) / 32)
          this.#fail(`${s.names.length} elements of ${s.from.name}`);
        return;
    }
  }

  #multiply({ sum, left, right }: Extract<FragmentStmt, { kind: "fragment-multiply" }>): void {
    for (const [role, fragment] of Object.entries({ sum, left, right })) {
      this.#use(fragment);
      if (fragment.role !== role) this.#fail(`${fragment.name} is no ${role} fragment`);
      if (role !== "sum" && !this.#loaded.has(fragment))
        this.#fail(`${fragment.name} is multiplied before it is loaded`);
    }
    const fits =
      left.rows === sum.rows && left.columns === right.rows && right.columns === sum.columns;
    if (!fits || left.scalar !== right.scalar)
      this.#fail(`${[left, right, sum].map(shapeOf).join(", ")} do not fit`);
  }

  #memory(f: Fragment, b: Buffer, { index, stride, turned = false }: Lines): void {
    this.#use(f);
    const { params, scratch, vectors } = this.#kernel;
    if (![...params, ...scratch].includes(b)) this.#fail(`${b.name} is no buffer of the kernel`);
    checkIndex(index, this.#fail);
    if (b.space === "local") this.#fail(`a fragment and ${b.name}, which is local memory`);
    const group = vectors.get(b) ?? 1;
    if (this.#ranges.divisor(index) % group !== 0 || stride % group !== 0)
      this.#fail(`a fragment of ${b.name}, not from a multiple of ${group}`);
    if (b.scalar !== f.scalar) this.#fail(`${b.name} holds ${b.scalar}, ${f.name} ${f.scalar}`);
    const [lines, length] = turned ? [f.columns, f.rows] : [f.rows, f.columns];
    if (stride < length)
      this.#fail(`${turned ? "columns" : "rows"} of ${length} stand ${stride} apart`);
    const last = this.#ranges.bound(index) + (lines - 1) * stride + length - 1;
    if (b.space === "shared" && last >= b.size)
      this.#fail(`an index of ${b.name} can be ${last}, beyond its ${b.size} elements`);
  }

  #use(f: Fragment): void {
    if (!this.#kernel.fragments.includes(f)) this.#fail(`${f.name} is no fragment of the kernel`);
  }
}

/** A copy is of what global memory has, in whole groups of eight. */
export function checkCopy(
  { to, index, from, at, when }: Extract<CopyStmt, { kind: "copy" }>,
  { params, scratch, matrices }: Kernel,
  ranges: Ranges,
  fail: Fail,
): void {
  if (!matrices?.numbered) fail("a copy in a kernel without numbered fragments");
  if (!params.includes(from) || from.writable) fail(`${from.name} is copied, but not only read`);
  if (!scratch.includes(to) || to.space !== "shared") fail(`${to.name} is no shared memory`);
  if (to.scalar !== from.scalar) fail(`${from.name} is copied to ${to.name} of ${to.scalar}`);
  if (when.type !== "bool") fail(`a copy where a ${when.type} says whether`);
  for (const e of [index, at]) {
    checkIndex(e, fail);
    if (ranges.divisor(e) % copied !== 0) fail(`a copy, not from a multiple of ${copied}`);
  }
  const last = ranges.bound(index) + copied - 1;
  if (last >= to.size)
    fail(`an index of ${to.name} can be ${last}, beyond its ${to.size} elements`);
}

const shapeOf = ({ name, scalar, rows, columns }: Fragment): string =>
  `${name} ${scalar}[${rows} x ${columns}]`;
