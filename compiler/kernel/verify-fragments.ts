/** Fragments: touched by their own statements alone, in their roles, with shapes that fit. */
import type { Buffer, Expr, Fragment, FragmentStmt, Kernel } from "./ir.ts";
import type { Ranges } from "./ranges.ts";
import { checkIndex, type Fail } from "./verify-types.ts";

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
        this.#memory(s.to, s.from, s.index, s.stride);
        this.#loaded.add(s.to);
        return;
      case "fragment-store":
        if (this.#kernel.vectors.has(s.to))
          this.#fail(`a fragment is stored to ${s.to.name}, which is accessed in groups`);
        if (s.from.role !== "sum") this.#fail(`${s.from.name} is an operand, but stored`);
        if (!s.to.writable) this.#fail(`${s.to.name} is read only, but stored to`);
        this.#memory(s.from, s.to, s.index, s.stride);
        return;
      case "fragment-zero":
        this.#use(s.sum);
        if (s.sum.role !== "sum") this.#fail(`${s.sum.name} is an operand, but made zero`);
        return;
      case "fragment-multiply":
        this.#multiply(s);
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

  #memory(f: Fragment, b: Buffer, index: Expr, stride: number): void {
    this.#use(f);
    const { params, scratch, vectors } = this.#kernel;
    if (![...params, ...scratch].includes(b)) this.#fail(`${b.name} is no buffer of the kernel`);
    checkIndex(index, this.#fail);
    if (b.space === "local") this.#fail(`a fragment and ${b.name}, which is local memory`);
    const group = vectors.get(b) ?? 1;
    if (this.#ranges.divisor(index) % group !== 0 || stride % group !== 0)
      this.#fail(`a fragment of ${b.name}, not from a multiple of ${group}`);
    if (b.scalar !== f.scalar) this.#fail(`${b.name} holds ${b.scalar}, ${f.name} ${f.scalar}`);
    if (stride < f.columns) this.#fail(`rows of ${f.columns} stand ${stride} apart`);
    const last = this.#ranges.bound(index) + (f.rows - 1) * stride + f.columns - 1;
    if (b.space === "shared" && last >= b.size)
      this.#fail(`an index of ${b.name} can be ${last}, beyond its ${b.size} elements`);
  }

  #use(f: Fragment): void {
    if (!this.#kernel.fragments.includes(f)) this.#fail(`${f.name} is no fragment of the kernel`);
  }
}

const shapeOf = ({ name, scalar, rows, columns }: Fragment): string =>
  `${name} ${scalar}[${rows} x ${columns}]`;
