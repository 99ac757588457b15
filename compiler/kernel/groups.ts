/** How the workgroups of a kernel are numbered. */
import type { Profile } from "../profile.ts";
import type { Builder } from "./builder.ts";
import type { Kernel } from "./ir.ts";
import { bounded } from "./value.ts";

/** Numbers the groups of a kernel in one sequence, folded where one axis is too short for them. */
export function flatGroups(k: Builder, count: number, profile: Profile) {
  const width = Math.min(count, profile.maxGroups);
  const rows = Math.ceil(count / width);
  const flat = k.group(1, rows).mul(width).add(k.group(0, width));
  const groups: Kernel["groups"] = [width, rows, 1];
  return { flat: rows === 1 ? bounded(flat, count - 1) : flat, groups };
}
