/**
 * The matrix fragments that a WebGPU device multiplies: Dawn's experimental subgroup matrices, which
 * have their sums in f32 here, or are of no use.
 */
import type { KernelMatrices, MatrixProduct, MatrixUnits } from "../../compiler/plan.ts";
import { type FormatName, formatOf } from "../../formats/index.ts";

/** What a GPU is asked for, beside `shader-f16` and `subgroups`. */
export const matrixFeature = "chromium-experimental-subgroup-matrix" as GPUFeatureName;
export const widthFeature = "subgroup-size-control" as GPUFeatureName;

/** One of a GPU's `subgroupMatrixConfigs`. */
export interface MatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** The component type of sums. */
const sums = "f32";

/** What Dawn calls the number formats that fragments may have here. */
const formats: Readonly<Record<string, FormatName>> = { f16: "f16", f32: "f32" };

/** Products of halves come first, and large ones before small ones: the fastest, as a rule. */
export function matrixUnits(
  { features, adapterInfo }: Pick<GPUDevice, "features" | "adapterInfo">,
  configs: readonly MatrixConfig[] = configsOf(adapterInfo),
): MatrixUnits | undefined {
  const { least, most } = subgroupWidths(adapterInfo);
  const products = configs.flatMap((config): MatrixProduct[] => {
    const { componentType, resultComponentType, M: rows, N: columns, K: depth } = config;
    const operand = formats[componentType];
    if (!operand || resultComponentType !== sums) return [];
    return [{ operand, rows, columns, depth }];
  });
  if (!features.has(matrixFeature) || products.length === 0) return undefined;
  const size = (p: MatrixProduct) => p.rows * p.columns * p.depth;
  const digits = (p: MatrixProduct) => formatOf(p.operand).integers;
  products.sort((a, b) => digits(a) - digits(b) || size(b) - size(a));
  if (least === most) return { width: most, widths: "fixed", products };
  // The narrowest: AMD multiplies in subgroups of 32, never of 64.
  if (features.has(widthFeature)) return { width: least, widths: "chosen", products };
  return { width: most, widths: "most", products };
}

/** The widths of subgroups that a GPU has: all that WebGPU allows, where it does not say them. */
export const subgroupWidths = (info: Partial<GPUAdapterInfo>) => ({
  least: info.subgroupMinSize ?? 4,
  most: info.subgroupMaxSize ?? 128,
});

/** What a GPU's info lists. */
export const configsOf = (info: GPUAdapterInfo): readonly MatrixConfig[] =>
  [
    ...((info as { subgroupMatrixConfigs?: Iterable<MatrixConfig> }).subgroupMatrixConfigs ?? []),
  ].map(({ componentType, resultComponentType, M, N, K }) => ({
    ...{ componentType, resultComponentType },
    ...{ M, N, K },
  }));

/** Whether a kernel's fragments are among what a device multiplies. */
export const hasMatrices = (units: MatrixUnits | undefined, asked: KernelMatrices): boolean =>
  units?.width === asked.width &&
  units.widths === asked.widths &&
  units.numbered === asked.numbered &&
  units.products.some(
    (p) =>
      p.operand === asked.operand &&
      p.rows === asked.rows &&
      p.columns === asked.columns &&
      p.depth === asked.depth,
  );
