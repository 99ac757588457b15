/** Gives every tensor of a program its place: weights, inputs, outputs, and packed scratch arenas. */
import { diagnose } from "../../diagnostics/index.ts";
import type { Region } from "../fuse/region.ts";
import { type Graph, inputsOf, parametersOf } from "../graph/graph.ts";
import type { Source } from "../graph/sources.ts";
import { elements, show, type Tensor, type Type } from "../graph/tensor.ts";
import type { Place, PlanBuffer, PlanTensor } from "../plan.ts";
import type { Profile } from "../profile.ts";
import { align, pack } from "./memory.ts";

export interface Places {
  readonly buffers: readonly PlanBuffer[];
  readonly parameters: readonly PlanTensor[];
  readonly inputs: readonly PlanTensor[];
  readonly outputs: readonly PlanTensor[];
  readonly arenaLowerBound: number;
  of(tensor: Tensor): Place;
}

const bytesOf = (type: Type) => Math.max(1, elements(type.shape)) * 4;

export function assignPlaces(graph: Graph, regions: readonly Region[], profile: Profile): Places {
  const buffers: PlanBuffer[] = [];
  const places = new Map<Tensor, Place>();
  const named = new Map<string, Place>();
  checkSizes(regions, profile);

  const parameters = packWeights(parametersOf(graph), profile, buffers);
  const inputs = inputsOf(graph).map((source) =>
    ownBuffer(source.name, source.type, "input", buffers, source.doc),
  );
  for (const t of [...parameters, ...inputs]) named.set(t.name, t);
  const outputs = graph.outputs.map(({ name, tensor }) => {
    const own = ownBuffer(name, tensor.type, "output", buffers);
    places.set(tensor, own);
    return own;
  });

  const scratch = lifetimes(regions, (t) => places.has(t));
  const packing = pack(
    scratch.map((s) => ({ bytes: bytesOf(s.tensor.type), first: s.first, last: s.last })),
    profile.maxBufferBytes,
    profile.alignment,
  );
  const firstArena = buffers.length;
  for (const bytes of packing.arenas) buffers.push({ role: "arena", bytes });
  scratch.forEach(({ tensor }, i) => {
    const { arena, offset } = packing.places[i]!;
    places.set(tensor, { buffer: firstArena + arena, offset, bytes: bytesOf(tensor.type) });
  });

  const of = (tensor: Tensor): Place => {
    const { op, attrs } = tensor.node;
    const isSource = op.kind === "input" || op.kind === "parameter";
    const place = isSource ? named.get((attrs as Source).name) : places.get(tensor);
    const { buffer, offset, bytes } = place!;
    return { buffer, offset, bytes };
  };
  return { buffers, parameters, inputs, outputs, arenaLowerBound: packing.lowerBound, of };
}

function checkSizes(regions: readonly Region[], profile: Profile): void {
  for (const region of regions)
    for (const tensor of [...region.reads, ...region.writes]) {
      const bytes = bytesOf(tensor.type);
      if (bytes > profile.maxBindingBytes)
        throw diagnose("E107", {
          message: `${show(tensor.type)} takes ${bytes} bytes, but the profile "${profile.name}" binds at most ${profile.maxBindingBytes}`,
          at: tensor.node.span,
          help: "use a smaller batch or image, or compile for the adapter's own limits",
        });
    }
}

function ownBuffer(
  name: string,
  type: Type,
  role: "input" | "output",
  buffers: PlanBuffer[],
  doc?: string,
): PlanTensor {
  const bytes = bytesOf(type);
  buffers.push({ role, bytes });
  const place = { buffer: buffers.length - 1, offset: 0, bytes };
  return { name, ...type, ...place, ...(doc === undefined ? {} : { doc }) };
}

/** Parameters one after another, in as many buffers as their largest size demands. */
function packWeights(
  sources: readonly Source[],
  profile: Profile,
  buffers: PlanBuffer[],
): PlanTensor[] {
  const placed: PlanTensor[] = [];
  let used = 0;
  let open = -1;
  for (const { name, type } of sources) {
    const bytes = bytesOf(type);
    const offset = align(used, profile.alignment);
    if (open < 0 || offset + bytes > profile.maxBufferBytes) {
      buffers.push({ role: "weights", bytes: 0 });
      open = buffers.length - 1;
      used = bytes;
      placed.push({ name, ...type, buffer: open, offset: 0, bytes });
    } else {
      used = offset + bytes;
      placed.push({ name, ...type, buffer: open, offset, bytes });
    }
    buffers[open] = { role: "weights", bytes: used };
  }
  return placed;
}

/** The first and the last step that touch each scratch tensor. */
function lifetimes(regions: readonly Region[], hasPlace: (t: Tensor) => boolean) {
  const lives = new Map<Tensor, { tensor: Tensor; first: number; last: number }>();
  regions.forEach((region, step) => {
    for (const tensor of region.writes)
      if (!hasPlace(tensor)) lives.set(tensor, { tensor, first: step, last: step });
    for (const tensor of region.reads) {
      const life = lives.get(tensor);
      if (life) life.last = step;
    }
  });
  return [...lives.values()];
}
