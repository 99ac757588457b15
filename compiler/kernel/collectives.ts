/**
 * What the builder of kernels has for subgroups that multiply fragments, and for copies that go on meanwhile.
 */
import { bug } from "../../diagnostics/index.ts";
import type { KernelMatrices } from "../plan.ts";
import type { Buffer, Fragment, Stmt } from "./ir.ts";
import { Value } from "./value.ts";

export abstract class Collectives {
  protected readonly fragments: Fragment[] = [];
  protected product: KernelMatrices | undefined;

  protected abstract emit(stmt: Stmt): void;
  /** A name of the kernel's, and one that is declared in this block. */
  protected abstract named(hint: string): string;
  protected abstract declared(hint: string): string;

  /** Fragments from here on are those of `product`. A kernel has one product. */
  matrices(product: KernelMatrices): void {
    this.product = product;
  }

  fragment(role: Fragment["role"]): Fragment {
    const product = this.product ?? bug("a fragment of no product");
    const { rows, columns, depth, operand } = product;
    const fragment: Fragment = {
      name: this.named(role),
      role,
      scalar: role === "sum" ? "f32" : operand,
      rows: role === "right" ? depth : rows,
      columns: role === "left" ? depth : columns,
    };
    this.fragments.push(fragment);
    return fragment;
  }

  /**
   * What the lanes of a subgroup do together: all must get here, with the same index. `turned`: memory has columns,
   * not rows.
   */
  loadFragment(to: Fragment, from: Buffer, at: Value, stride: number, turned = false): void {
    sameScalar(from, to);
    const how = turned ? { turned } : {};
    this.emit({ kind: "fragment-load", to, from, index: at.expr, stride, ...how });
  }

  zeroFragment = (sum: Fragment): void => this.emit({ kind: "fragment-zero", sum });
  multiplyFragments(sum: Fragment, left: Fragment, right: Fragment): void {
    this.emit({ kind: "fragment-multiply", sum, left, right });
  }

  storeFragment(to: Buffer, at: Value, from: Fragment, stride: number): void {
    sameScalar(to, from);
    this.emit({ kind: "fragment-store", to, index: at.expr, stride, from });
  }

  /** What this lane has of a sum. */
  elementsOf(from: Fragment): readonly Value[] {
    const count = (from.rows * from.columns) / 32;
    const names = Array.from({ length: count }, () => this.declared("element"));
    this.emit({ kind: "fragment-elements", names, from });
    return names.map((name) => new Value({ kind: "ref", type: "f32", name, mutable: false }));
  }

  /** Eight elements, or zeros, that arrive later. */
  copy(to: Buffer, index: Value, from: Buffer, at: Value, when: Value): void {
    this.emit({ kind: "copy", to, index: index.expr, from, at: at.expr, when: when.expr });
  }
  copyGroup = (): void => this.emit({ kind: "copy-group" });
  copyWait = (left: number): void => this.emit({ kind: "copy-wait", left });
}

function sameScalar(a: Buffer, b: Fragment): void {
  if (a.scalar !== b.scalar) bug(`${a.name} holds ${a.scalar}, but ${b.name} holds ${b.scalar}`);
}
