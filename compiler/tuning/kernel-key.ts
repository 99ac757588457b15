/**
 * The name under which a kernel's tile is remembered: the op, its forms, the shapes, and what melted
 * around the anchor. Readable, and the same in every process: what a tuning file is keyed by.
 */
import { candidatesOf } from "../forms/pick.ts";
import type { Region } from "../fuse/region.ts";
import type { Node, Tensor } from "../graph/tensor.ts";
import type { KernelOp } from "../op.ts";
import type { Profile } from "../profile.ts";

/**
 * `matmul@1 workgroups f32[196,384] f32[384,1152]: permute | add gelu`: what melted in front, and
 * what melted behind. Two regions of one name may differ in details that no tile depends on.
 */
export function kernelKey(region: Region, profile: Profile): string {
  const { op, inputs, attrs } = region.anchor;
  const { version = 1 } = op as KernelOp;
  const { settled } = candidatesOf(region.anchor, profile);
  const form = settled.label?.(profile) ?? settled.name;
  const types = inputs.map(({ dtype, shape }) => `${dtype}[${shape.join()}]`);
  const note = op.note?.(attrs) ?? "";
  const head = [`${op.name}@${version}`, form, ...types, note].filter((w) => w !== "");
  const behind = region.chain.map((link) => link.node.op.name);
  return `${head.join(" ")}: ${[...inFront(region), "|", ...behind].join(" ")}`.trimEnd();
}

/** The names of what is computed where the anchor reads, input by input. */
function inFront(region: Region): string[] {
  const names: string[] = [];
  const inside = new Set<Node>(region.nodes);
  const seen = new Set<Node>([region.anchor]);
  const visit = (x: Tensor): void => {
    if (region.reads.includes(x) || !inside.has(x.node) || seen.has(x.node)) return;
    seen.add(x.node);
    names.push(x.node.op.name);
    x.node.inputs.forEach(visit);
  };
  region.anchor.inputs.forEach(visit);
  return names;
}
