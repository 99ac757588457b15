/**
 * What a region computes, apart from which tensors it is applied to. Regions with one signature
 * have one kernel: the blocks of a transformer are lowered once.
 */
import type { Region } from "../fuse/region.ts";
import { fingerprint, identity } from "../graph/fingerprint.ts";
import type { Node, Tensor } from "../graph/tensor.ts";
import type { Storage } from "../storage/formats.ts";
import type { Joins } from "../storage/joins.ts";
import type { PanelsOf } from "../storage/panels.ts";

/** How tensors lie in memory. */
interface Stored {
  readonly storage: Storage;
  readonly joins: Joins;
  readonly panels: PanelsOf;
}

export interface Signature {
  readonly key: string;
  /** The tensors in memory, in an order that the signature fixes. */
  readonly tensors: readonly Tensor[];
}

export function signatureOf(
  region: Region,
  nameOf: (t: Tensor) => string,
  { storage, joins, panels }: Stored,
): Signature {
  const inside = new Map<Node, number>();
  const [reads, nodes] = [new Set(region.reads), new Set(region.nodes)];
  const tensors = [...region.writes];
  const words: string[] = [];
  const place = (t: Tensor): string => {
    const node = inside.get(t.node);
    if (node !== undefined && !reads.has(t)) return `${node}.${t.result}`;
    let at = tensors.indexOf(t);
    if (at < 0) at = tensors.push(t) - 1;
    return `m${at}`;
  };
  const visit = (node: Node) => {
    if (inside.has(node)) return;
    for (const x of node.inputs) if (nodes.has(x.node) && !reads.has(x)) visit(x.node);
    const inputs = node.inputs.map(place).join();
    inside.set(node, inside.size);
    const types = node.types.map((t) => `${t.dtype}${t.shape}`).join(" ");
    words.push(`${identity(node.op)} ${fingerprint(node.attrs)} ${types} (${inputs})`);
  };
  if (region.variant) words.push(`${region.variant.form} ${fingerprint(region.variant.tile)}`);
  visit(region.anchor);
  for (const link of region.chain) visit(link.node);
  const chain = region.chain.map((l) => `${inside.get(l.node)}<${l.input}`).join();
  const memory = tensors
    .map((t) => {
      const laid = fingerprint(panels(t) ?? null);
      return `${nameOf(t)} ${t.dtype} ${storage(t)}${t.shape} ${joins.of(t) !== undefined} ${laid}`;
    })
    .join("; ");
  const writes = region.writes.map((t) => `${inside.get(t.node)}.${t.result}`).join();
  return { key: `${words.join("\n")}\n${chain}\n${memory}\n${writes}`, tensors };
}
