/** How WGSL spells matrix fragments: the experimental subgroup matrices of Dawn. */
import type { Fragment, Kernel, WholeFragmentStmt } from "../../kernel/ir.ts";

export const fragmentFeature = "chromium_experimental_subgroup_matrix";

/** Columns come before rows. */
const typeOf = ({ role, scalar, rows, columns }: Fragment): string =>
  `subgroup_matrix_${role === "sum" ? "result" : role}<${scalar}, ${columns}, ${rows}>`;

/** Zero at first, as WGSL has it. */
export const declareFragment = (f: Fragment, name: string): string =>
  `  var ${name}: ${typeOf(f)};`;

/** Places and strides count what the array holds: numbers, or groups of them. */
export function fragment(
  s: WholeFragmentStmt,
  name: (n: string) => string,
  index: string,
  vectors: Kernel["vectors"],
): string {
  switch (s.kind) {
    case "fragment-load": {
      const count = vectors.get(s.from) ?? 1;
      const at = count > 1 ? `(${index}) / ${count}u` : index;
      return `${name(s.to.name)} = subgroupMatrixLoad<${typeOf(s.to)}, ${s.turned ? "column" : "row"}_major>(&${name(s.from.name)}, ${at}, ${s.stride / count}u);`;
    }
    case "fragment-zero":
      return `${name(s.sum.name)} = ${typeOf(s.sum)}();`;
    case "fragment-multiply":
      return `${name(s.sum.name)} = subgroupMatrixMultiplyAccumulate(${name(s.left.name)}, ${name(s.right.name)}, ${name(s.sum.name)});`;
    case "fragment-store":
      return `subgroupMatrixStore<row_major>(&${name(s.to.name)}, ${index}, ${name(s.from.name)}, ${s.stride}u);`;
  }
}

/**
 * The attribute by which a kernel chooses the width of its subgroups. Without it Dawn assumes the
 * widest that the device has.
 */
export const subgroupSize = ({ matrices }: Kernel): string =>
  matrices?.widths === "chosen" ? `@subgroup_size(${matrices.width}) ` : "";
