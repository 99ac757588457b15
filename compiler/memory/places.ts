/** Gives every tensor of a program its place: weights, inputs, outputs, and packed scratch arenas. */
import { bug, diagnose } from "../../diagnostics/index.ts";
import { type FormatName, plain, storedBytes } from "../../formats/index.ts";
import type { Region } from "../fuse/region.ts";
import { type Graph, inputsOf, parametersOf, statesOf } from "../graph/graph.ts";
import type { Source } from "../graph/sources.ts";
import { elements, show, type Tensor, type Type } from "../graph/tensor.ts";
import type { Commit, Place, PlanBuffer, PlanTensor } from "../plan.ts";
import type { Profile } from "../profile.ts";
import { plainStorage, type Storage } from "../storage/formats.ts";
import {
  inUnits,
  type Join,
  type Joins,
  joinAlignment,
  noJoins,
  spacingOf,
} from "../storage/joins.ts";
import { type Layout, noLayout, type Residence } from "../storage/layout.ts";
import { noPanels, type PanelsOf } from "../storage/panels.ts";
import type { Pausing } from "../turns.ts";
import { align, pack } from "./memory.ts";

export interface Places {
  readonly buffers: readonly PlanBuffer[];
  readonly parameters: readonly PlanTensor[];
  readonly inputs: readonly PlanTensor[];
  readonly outputs: readonly PlanTensor[];
  readonly states: readonly PlanTensor[];
  readonly commits: readonly Commit[];
  readonly arenaLowerBound: number;
  of(tensor: Tensor): Place;
}

const bytesOf = ({ dtype, shape }: Type, format: FormatName = plain(dtype)) =>
  storedBytes(format, elements(shape));

export function* assignPlaces(
  graph: Graph,
  regions: readonly Region[],
  profile: Profile,
  layout: Layout = noLayout,
  storage: Storage = plainStorage,
  joins: Joins = noJoins,
  panels: PanelsOf = noPanels,
): Pausing<Places> {
  const buffers: PlanBuffer[] = [];
  const places = new Map<Tensor, Place>();
  const sizeOf = (t: Tensor) => {
    const join = joins.of(t);
    const format = storage(t);
    return join ? storedBytes(format, spacingOf(join, format).size) : bytesOf(t.type, format);
  };
  checkSizes(regions, profile, sizeOf);

  const stateBuffers = new StateBuffers(layout, buffers);
  const formats = weightFormats(regions, storage, joins);
  const laid = panelsByName(regions, panels);
  const [resident, own] = partition(parametersOf(graph), (s) => layout.parameters.has(s.name));
  const parameters = [
    ...resident.map((s) => stateBuffers.place(s, layout.parameters.get(s.name)!)),
    ...packWeights(
      inUnits(own, (s) => s.name, joins.all),
      formats,
      profile,
      buffers,
    ).map((p) => ({ ...p, ...laid.get(p.name) })),
  ];
  const states = statesOf(graph).map((s) => stateBuffers.place(s, { state: s.name, offset: 0 }));
  const inputs = inputsOf(graph).map((source) =>
    ownBuffer(source.name, source.type, "input", buffers, source.doc),
  );
  // A parameter, an input and a state may have one name: a parameter's is its path.
  const named = { parameter: byName(parameters), input: byName(inputs), state: byName(states) };
  // What a state becomes waits in scratch memory while the plan still reads what the state was.
  const [next, returned] = partition(graph.outputs, (o) => states.some((s) => s.name === o.name));
  const outputs = returned.map(({ name, tensor }) => {
    const residence = layout.outputs.get(name);
    const place = residence
      ? stateBuffers.place({ name, type: tensor.type }, residence)
      : ownBuffer(name, tensor.type, "output", buffers);
    places.set(tensor, place);
    return place;
  });

  const waiting = new Set(next.map((o) => o.tensor));
  const scratch = lifetimes(regions, waiting, (t) => places.has(t));
  const packing = yield* pack(
    scratch.map((s) => ({ bytes: sizeOf(s.tensor), first: s.first, last: s.last })),
    profile.maxBufferBytes,
    profile.alignment,
  );
  const firstArena = buffers.length;
  for (const bytes of packing.arenas) buffers.push({ role: "arena", bytes });
  scratch.forEach(({ tensor }, i) => {
    const { arena, offset } = packing.places[i]!;
    places.set(tensor, { buffer: firstArena + arena, offset, bytes: sizeOf(tensor) });
  });

  const of = (tensor: Tensor): Place => {
    const join = joins.of(tensor);
    if (join) return joinedPlace(join, storage(tensor), named.parameter);
    const { op, attrs } = tensor.node;
    const place =
      op.kind === "element" || op.kind === "kernel"
        ? places.get(tensor)
        : named[op.kind].get((attrs as Source).name);
    const { buffer, offset, bytes } = place!;
    return { buffer, offset, bytes };
  };
  const commits = next.map(({ name, tensor }): Commit => {
    const { buffer, offset, bytes } = named.state.get(name)!;
    return { from: of(tensor), to: { buffer, offset, bytes } };
  });
  const { lowerBound: arenaLowerBound } = packing;
  return { buffers, parameters, states, inputs, outputs, commits, arenaLowerBound, of };
}

const byName = (all: readonly PlanTensor[]): ReadonlyMap<string, Place> =>
  new Map(all.map((t) => [t.name, t]));

const partition = <T>(all: readonly T[], test: (x: T) => boolean): [T[], T[]] => [
  all.filter(test),
  all.filter((x) => !test(x)),
];

/** The buffers of states: one each, made when something of it is placed. */
class StateBuffers {
  readonly #layout: Layout;
  readonly #buffers: PlanBuffer[];
  readonly #known = new Map<string, number>();

  constructor(layout: Layout, buffers: PlanBuffer[]) {
    this.#layout = layout;
    this.#buffers = buffers;
  }

  place(source: Source, { state, offset, stored }: Residence): PlanTensor {
    const { name, type, doc, init } = source;
    const bytes = bytesOf(type, stored);
    let buffer = this.#known.get(state);
    if (buffer === undefined) {
      const shared = this.#layout.states.find((s) => s.name === state);
      const whole = { role: "state", bytes: shared?.bytes ?? bytes, name: state } as const;
      buffer = this.#buffers.push(whole) - 1;
      this.#known.set(state, buffer);
    }
    const more = { ...(doc === undefined ? {} : { doc }), ...(init ? { init } : {}) };
    return { name, ...type, ...(stored ? { stored } : {}), buffer, offset, bytes, ...more };
  }
}

/** What kernels read parameters as that are not stored as their dtype says, by path. */
function weightFormats(
  regions: readonly Region[],
  storage: Storage,
  joins: Joins,
): ReadonlyMap<string, FormatName> {
  const formats = new Map<string, FormatName>();
  for (const t of regions.flatMap((r) => r.reads)) {
    const format = storage(t);
    if (format === plain(t.dtype)) continue;
    if (t.node.op.kind === "parameter") formats.set((t.node.attrs as Source).name, format);
    for (const part of joins.of(t)?.parts ?? []) formats.set(part, format);
  }
  return formats;
}

function panelsByName(regions: readonly Region[], panels: PanelsOf) {
  const found = new Map<string, Pick<PlanTensor, "panels">>();
  for (const t of regions.flatMap((r) => r.reads)) {
    const own = panels(t);
    if (own) found.set((t.node.attrs as Source).name, { panels: own });
  }
  return found;
}

function checkSizes(
  regions: readonly Region[],
  profile: Profile,
  sizeOf: (t: Tensor) => number,
): void {
  for (const region of regions)
    for (const tensor of [...region.reads, ...region.writes]) {
      const bytes = sizeOf(tensor);
      if (bytes > profile.maxBindingBytes)
        throw diagnose("E107", {
          message: `${show(tensor.type)} takes ${bytes} bytes, but the profile "${profile.name}" binds at most ${profile.maxBindingBytes}`,
          at: tensor.node.span,
          help: "use a smaller batch or image, or compile for the device's own limits",
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

/** From the beginning of the first part to the end of the last. */
function joinedPlace(join: Join, format: FormatName, named: ReadonlyMap<string, Place>): Place {
  const { stride, size } = spacingOf(join, format);
  const all = join.parts.map((part) => named.get(part)!);
  const { buffer, offset } = all[0]!;
  const step = storedBytes(format, stride);
  const inLine = all.every((p, i) => p.buffer === buffer && p.offset === offset + step * i);
  if (!inLine) bug(`${join.parts.join(", ")} do not lie side by side`);
  return { buffer, offset, bytes: storedBytes(format, size) };
}

/** Parameters one after another, in as many buffers as their largest size demands. */
function packWeights(
  units: readonly (readonly Source[])[],
  formats: ReadonlyMap<string, FormatName>,
  profile: Profile,
  buffers: PlanBuffer[],
): PlanTensor[] {
  const placed: PlanTensor[] = [];
  let used = 0;
  let open = -1;
  for (const unit of units) {
    const { name: first, type } = unit[0]!;
    const stored = formats.get(first);
    const format = stored ?? plain(type.dtype);
    const { stride, size } = spacingOf({ parts: unit, own: elements(type.shape) }, format);
    const whole = storedBytes(format, size);
    let start = align(used, unit.length > 1 ? joinAlignment : profile.alignment);
    if (open < 0 || start + whole > profile.maxBufferBytes) {
      open = buffers.push({ role: "weights", bytes: 0 }) - 1;
      start = 0;
    }
    for (const [i, { name, type, init }] of unit.entries()) {
      const offset = start + storedBytes(format, stride) * i;
      const place = { buffer: open, offset, bytes: bytesOf(type, stored) };
      const more = { ...(stored ? { stored } : {}), ...place, ...(init ? { init } : {}) };
      placed.push({ name, ...type, ...more });
    }
    used = start + whole;
    buffers[open] = { role: "weights", bytes: used };
  }
  return placed;
}

/** The first and the last step that touch each scratch tensor. */
function lifetimes(
  regions: readonly Region[],
  waiting: ReadonlySet<Tensor>,
  hasPlace: (t: Tensor) => boolean,
) {
  const lives = new Map<Tensor, { tensor: Tensor; first: number; last: number }>();
  regions.forEach((region, step) => {
    for (const tensor of region.writes)
      if (!hasPlace(tensor)) {
        const last = waiting.has(tensor) ? regions.length : step;
        lives.set(tensor, { tensor, first: step, last });
      }
    for (const tensor of region.reads) {
      const life = lives.get(tensor);
      if (life) life.last = Math.max(life.last, step);
    }
  });
  return [...lives.values()];
}
