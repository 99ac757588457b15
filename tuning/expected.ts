/**
 * What a kernel must give: the anchor by its oracle in double precision, what melted around it on the
 * reference device. No kernel of an anchor takes part.
 */
import { compile } from "../compiler/compile.ts";
import type { Region } from "../compiler/fuse/region.ts";
import { graphOf } from "../compiler/graph/graph.ts";
import type { Source } from "../compiler/graph/sources.ts";
import type { Tensor } from "../compiler/graph/tensor.ts";
import type { KernelOp } from "../compiler/op-kit.ts";
import { type Alone, takeOut } from "../compiler/tuning/alone.ts";
import { referenceDevice } from "../runtime/devices/reference.ts";
import { createSession } from "../runtime/session.ts";

/** Values of the region's outputs, in order; `values` are those of its inputs. */
export async function expectedOf(
  { region }: Alone,
  values: readonly Float64Array[],
): Promise<readonly Float64Array[]> {
  const { anchor, chain, reads, writes } = region;
  const given = (x: Tensor) => reads.findIndex((t) => t.node === x.node);
  const inputs: Float64Array[] = [];
  for (const x of anchor.inputs) {
    const at = given(x);
    inputs.push(at >= 0 ? values[at]! : (await elementwise([x], reads, values))[0]!);
  }
  const dense = anchor.inputs.map((x, i) => ({ shape: x.shape, data: inputs[i]! }));
  const results = (anchor.op as KernelOp).oracle(dense, anchor.attrs, anchor.types);
  const first = chain[0];
  if (!first) return writes.map((t) => results[t.result]!);
  const held = first.node.inputs[first.input]!;
  const own = results[held.result]!;
  const later = writes.filter((t) => t !== held);
  const behind = withoutAnchor(region, later, held);
  const made = await elementwise(behind.writes, behind.reads, [...values, own]);
  return writes.map((t) => (t === held ? own : made[later.indexOf(t)]!));
}

/** What melted behind, as a region of its own that reads the anchor's result. */
function withoutAnchor(region: Region, writes: readonly Tensor[], held: Tensor): Region {
  const pseudo: Region = {
    anchor: writes[0]!.node,
    variant: undefined,
    chain: [],
    writes,
    reads: [...region.reads, held],
    nodes: region.nodes.filter((n) => n !== region.anchor),
  };
  return takeOut(pseudo).region;
}

/** Computes tensors made by element ops alone, from the values of sources. */
async function elementwise(
  tensors: readonly Tensor[],
  sources: readonly Tensor[],
  values: readonly Float64Array[],
): Promise<Float64Array[]> {
  const graph = graphOf(tensors.map((tensor, i) => ({ name: `y${i}`, tensor })));
  const plan = compile(graph, { target: "reference" });
  const session = await createSession(plan, referenceDevice({ precision: "double" }));
  const named = new Map(sources.map((t, i) => [(t.node.attrs as Source).name, values[i]!]));
  const inputs = plan.inputs.map(({ name, dtype }) => {
    const numbers = named.get(name)!;
    return [name, dtype === "f32" ? Float64Array.from(numbers) : [...numbers]] as const;
  });
  const results = await session.run(Object.fromEntries(inputs));
  session.close();
  return tensors.map((_, i) => Float64Array.from(results[`y${i}`]!));
}
