/** What a bundle of kernels in C brings beside them: what a compiler made of them, for machines with such vectors. */
import type { Plan } from "../compiler/plan.ts";
import type { Profile } from "../compiler/profile.ts";
import { InarchError } from "../diagnostics/index.ts";
import { nativeTarget } from "../runtime/devices/native.ts";
import { buildNative } from "../runtime/node/native.ts";

/** Numbers of a vector where the profile does not say. */
const usual = 8;

/** Where they lie in the bundle. */
export const librariesFolder = "native";

/** Whether a path in a bundle is that of a library. */
export const isLibrary = (path: string): boolean =>
  path.startsWith(`${librariesFolder}/`) && /\/[0-9a-f-]+\.\w+$/.test(path);

export interface BundledLibraries {
  /** By path in the bundle: none of other targets, or where no compiler made them. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Why there are none, where there could be. */
  readonly without?: string;
}

/** Libraries of programs for the vectors of a profile. Where there is no compiler, machines compile the kernels. */
export async function librariesFor(
  plans: readonly Plan[],
  { subgroup }: Profile,
): Promise<BundledLibraries> {
  const all = plans.filter(({ target }) => target === nativeTarget).map(({ kernels }) => kernels);
  if (all.length === 0) return { files: new Map() };
  try {
    const lanes = ([4, 8, 16] as const).find((one) => one === subgroup) ?? usual;
    const libraries = [...(await buildNative(lanes, all))];
    return { files: new Map(libraries.map(([name, of]) => [`${librariesFolder}/${name}`, of])) };
  } catch (cause) {
    if (!(cause instanceof InarchError && cause.kind === "environment")) throw cause;
    return { files: new Map(), without: `${cause.code} ${cause.details.message}` };
  }
}
