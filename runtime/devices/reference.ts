/**
 * The reference device: the living definition of kernel IR. It runs kernels one generator per
 * thread, and is strict where GPUs are silent: out-of-bounds access, reads of memory nobody wrote,
 * data races within a barrier interval or between workgroups, and divergent barriers all throw.
 *
 * It needs `new Function`, so it is for tests and checks, not for pages with a strict CSP.
 */
import type { Capabilities } from "../../compiler/capabilities.ts";
import type { PlanKernel, PlanStep } from "../../compiler/plan.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import { type FormatName, isFormat, type NativeName, roundingOf } from "../../formats/index.ts";
import {
  checkHeld,
  type Device,
  type DeviceBuffer,
  deviceLost,
  kernelText,
  type Program,
  type StepTime,
} from "./device.ts";
import {
  type Collective,
  type Copies,
  copiesOf,
  type FragmentMemory,
  type FragmentShape,
  fragmentMemory,
} from "./fragments.ts";
import {
  type Clock,
  exact,
  firstCollective,
  localMemory,
  type Memory,
  type Rounding,
  sharedMemory,
  strict,
  tensorMemory,
} from "./memory.ts";
import { inPanels } from "./panels.ts";
import { type Pauses, pausesFor } from "./pauses.ts";
import {
  allocate,
  copyBuffer,
  copyPlace,
  elementsAt,
  forget,
  putElements,
  readNumbers,
  writeBytes,
} from "./reference-memory.ts";
import { type Team, teamsOf } from "./teams.ts";

export interface ReferenceOptions {
  /**
   * `single` rounds every stored f32, as GPUs do; with `double` each f32 is a double: the oracle's
   * precision, for derivatives by finite differences.
   */
  readonly precision?: "single" | "double";
  /**
   * The width of its subgroups. Where it is given, the device's capabilities have it; else they have no
   * subgroups, and kernels that reduce over subgroups of any width get 32 threads.
   */
  readonly width?: number;
}

export function referenceDevice(options: ReferenceOptions = {}): Device {
  checkOptions<ReferenceOptions>("referenceDevice", options, { precision: true, width: true });
  const { precision = "single", width = 32 } = options;
  const isDouble = precision === "double";
  const rounding = isDouble ? () => exact : nearest;
  const rules: Rules = { rounding, width, single: isDouble ? exact : Math.fround };
  let destroyed = false;
  const checkAlive = () => {
    if (destroyed) throw deviceLost("it was destroyed");
  };
  return {
    target: "reference",
    name: `reference device, ${precision} precision`,
    capabilities: capabilitiesOf(options.width),
    inPanels,
    ...(isDouble ? { doubles: true } : {}),
    lost: new Promise(() => {}),
    checkAlive,
    async allocate(buffers) {
      checkAlive();
      return buffers.map((buffer) => allocate(buffer, isDouble));
    },
    write(to, offset, data) {
      checkAlive();
      writeBytes(to, offset, data);
    },
    copy(pairs) {
      checkAlive();
      for (const [from, to] of pairs) copyBuffer(from, to);
    },
    async read(from, offset, count, scalar) {
      checkAlive();
      return readNumbers(from, offset, count, scalar);
    },
    async load(plan, buffers) {
      checkAlive();
      return load(plan, buffers, rules, checkAlive);
    },
    destroy() {
      destroyed = true;
    },
  };
}

function load(
  plan: Parameters<Device["load"]>[0],
  buffers: readonly DeviceBuffer[],
  rules: Rules,
  checkAlive: () => void,
): Program {
  const kernels = plan.kernels.map((k) => compileKernel(k, rules.single));
  const step = async (s: PlanStep, pauses: Pauses) => {
    for (const { buffer } of s.bindings) checkHeld(buffers[buffer]!);
    await runStep(plan.kernels[s.kernel]!, kernels[s.kernel]!, s, buffers, rules, pauses);
    checkAlive();
  };
  return {
    async run(signal) {
      checkAlive();
      const pauses = pausesFor(signal);
      for (const s of plan.steps) await step(s, pauses);
      for (const { from, to } of plan.commits) copyPlace(buffers, from, to);
      return { accepted: Promise.resolve() };
    },
    async profile(signal) {
      checkAlive();
      const times: StepTime[] = [];
      for (const s of plan.steps) {
        const start = performance.now();
        await step(s, pausesFor(signal));
        signal?.throwIfAborted();
        const milliseconds = performance.now() - start;
        times.push({ label: s.label, kernel: plan.kernels[s.kernel]!.name, milliseconds });
      }
      return times;
    },
  };
}

/** Opens one. */
export const openReference = async (options: ReferenceOptions) => ({
  device: referenceDevice(options),
});

/**
 * The limits are those that every WebGPU device has: what runs here then runs anywhere. A barrier
 * switches between the generators of all threads.
 */
const capabilitiesOf = (width: number | undefined): Capabilities => ({
  name: "reference device",
  deviceClass: "unknown",
  maxBindingBytes: 128 * 1024 * 1024,
  maxBufferBytes: 256 * 1024 * 1024,
  maxBindings: 8,
  maxSharedBytes: 16 * 1024,
  maxThreads: 256,
  maxGroups: 65535,
  alignment: 256,
  ...(width ? { subgroups: { least: width, most: width, numbered: true } } : {}),
  half: true,
  bfloat: true,
  slowBarriers: true,
  slowCompiler: true,
});

/** How a GPU rounds at a store. */
const nearest = (scalar: string): Rounding => (isFormat(scalar) ? roundingOf(scalar) : exact);

interface Rules {
  readonly rounding: typeof nearest;
  /** Of floats that a kernel names. */
  readonly single: Rounding;
  readonly width: number;
}

interface Scratch {
  readonly name: string;
  readonly scalar: FormatName | "bool";
  readonly size: number;
}

/** What a lane offers to its subgroup: it goes on with the value of the lane it names. */
interface Broadcast {
  readonly lane: number;
  readonly value: number;
}

/** It goes on with what the values of all lanes make together. */
interface Reduction {
  readonly fold: keyof typeof folds;
  readonly value: number;
}

/** It goes on with the value of the lane whose number differs in the bits of the mask. */
interface Shuffle {
  readonly mask: number;
  readonly value: number;
}

type Offer = Broadcast | Shuffle | Reduction | Collective;

type Ids = readonly [number, number, number];

/** What the text of a kernel evaluates to (`compiler/targets/reference`). */
interface ReferenceKernel {
  readonly name: string;
  /** Of formats that are read from words the words. */
  readonly params: readonly (Scratch & { readonly scalar: NativeName })[];
  readonly shared: readonly Scratch[];
  readonly local: readonly Scratch[];
  readonly fragments: readonly FragmentShape[];
  run(
    group: Ids,
    thread: Ids,
    me: number,
    params: readonly Memory[],
    shared: readonly Memory[],
    local: readonly Memory[],
    team: Team,
    fragments: readonly FragmentMemory[],
    copies: Copies,
  ): Generator<Offer | undefined, void, number | undefined>;
}

const compileKernel = (kernel: PlanKernel, single: Rounding): ReferenceKernel =>
  new Function("single", `return ${kernelText(kernel).trim()};`)(single) as ReferenceKernel;

async function runStep(
  plan: PlanKernel,
  kernel: ReferenceKernel,
  step: PlanStep,
  buffers: readonly DeviceBuffer[],
  rules: Rules,
  pauses: Pauses,
): Promise<void> {
  const clock: Clock = { interval: 0, group: 0, collective: firstCollective };
  // What a step writes holds nothing beforehand, whoever used the memory before.
  step.bindings.forEach((place, i) => {
    if (plan.params[i]!.writes) forget(buffers[place.buffer]!, place);
  });
  const tensors = step.bindings.map((place, i) => {
    const { scalar, size } = kernel.params[i]!;
    return elementsAt(buffers[place.buffer]!, place, scalar, size);
  });
  const params = tensors.map(({ data, written }, i) => {
    const { name, scalar } = kernel.params[i]!;
    const { writes } = plan.params[i]!;
    const of = { name, kernel: kernel.name };
    const round = rules.rounding(scalar);
    return tensorMemory(of, data, written, { tracked: writes, round }, clock);
  });
  const teams = teamsOf(plan, rules.width);
  for (const group of ids(step.groups)) {
    if (pauses.isDue()) await pauses.take();
    runGroup(plan, kernel, teams, group, params, clock, rules.rounding);
    clock.group++;
  }
  step.bindings.forEach((place, i) => {
    if (plan.params[i]!.writes)
      putElements(buffers[place.buffer]!, place, kernel.params[i]!.scalar, tensors[i]!);
  });
}

function runGroup(
  plan: PlanKernel,
  kernel: ReferenceKernel,
  teams: readonly Team[],
  group: Ids,
  params: readonly Memory[],
  clock: Clock,
  rounding: Rules["rounding"],
): void {
  const own = (s: Scratch) => ({ name: s.name, kernel: kernel.name });
  const shared = kernel.shared.map((s) => sharedMemory(own(s), s.size, rounding(s.scalar), clock));
  const fragments = new Map<number, readonly FragmentMemory[]>();
  const make = (f: FragmentShape) => fragmentMemory(f, kernel.name, rounding(f.scalar));
  const heldBy = (subgroup: number) => {
    const held = fragments.get(subgroup) ?? kernel.fragments.map(make);
    fragments.set(subgroup, held);
    return held;
  };
  const live = [...ids(plan.threads)].map((thread, me) =>
    kernel.run(
      group,
      thread,
      me,
      params,
      shared,
      kernel.local.map((s) => localMemory(own(s), s.size, rounding(s.scalar))),
      teams[me]!,
      heldBy(teams[me]!.subgroup),
      copiesOf(me),
    ),
  );
  const subgroups = Array.from({ length: teams[0]!.subgroups }, (): typeof live => []);
  for (const [me, lane] of live.entries()) subgroups[teams[me]!.subgroup]!.push(lane);
  for (;;) {
    let done = 0;
    for (const lanes of subgroups) done += toBarrier(lanes, kernel.name, clock);
    clock.interval++;
    if (done === live.length) return;
    if (done > 0)
      strict(`divergent barrier: ${done} of ${live.length} threads had returned`, kernel.name);
  }
}

/** Runs the lanes of a subgroup to their next barrier, or to the end; returns how many ended. */
function toBarrier(
  lanes: readonly ReturnType<ReferenceKernel["run"]>[],
  kernel: string,
  clock: Clock,
): number {
  let heard: (lane: number) => number | undefined = () => undefined;
  for (;;) {
    const states = lanes.map((lane, i) => lane.next(heard(i)));
    const offers = states.map((s) => (s.done ? undefined : s.value || undefined));
    const first = offers[0];
    if (!offers.every((o) => isSame(o, first))) diverged(offers, kernel);
    if (!first) return states.filter((s) => s.done).length;
    heard = heardBy(first, offers, kernel, clock);
  }
}

/** What all lanes do with what they offer: it gives what each goes on with. */
function heardBy(
  first: Offer,
  offers: readonly (Offer | undefined)[],
  kernel: string,
  clock: Clock,
): (lane: number) => number | undefined {
  if ("does" in first) {
    first.run(--clock.collective);
    return () => undefined;
  }
  const values = (offers as (Broadcast | Shuffle | Reduction)[]).map((o) => o.value);
  if ("fold" in first) {
    const total = values.reduce(folds[first.fold]);
    return () => total;
  }
  const from = (lane: number) =>
    values[lane] ?? strict(`a value from lane ${lane}, which is not there`, kernel);
  return "mask" in first ? (lane) => from(lane ^ first.mask) : () => from(first.lane);
}

function isSame(a: Offer | undefined, b: Offer | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if ("does" in a) return "does" in b && a.does === b.does && a.at === b.at;
  if ("fold" in a) return "fold" in b && a.fold === b.fold;
  if ("mask" in a) return "mask" in b && a.mask === b.mask;
  return "lane" in b && a.lane === b.lane;
}

const folds = {
  add: (a: number, b: number) => a + b,
  max: (a: number, b: number) => Math.max(a, b),
  min: (a: number, b: number) => Math.min(a, b),
} as const;

function diverged(offers: readonly (Offer | undefined)[], kernel: string): never {
  const found = offers.find((o) => o !== undefined)!;
  strict(`divergent ${nameOf(found)}: not all lanes of a subgroup are at the same one`, kernel);
}

const nameOf = (offer: Offer): string =>
  "does" in offer
    ? "fragment statement"
    : "fold" in offer
      ? "reduction"
      : "mask" in offer
        ? "shuffle"
        : "broadcast";

function* ids([x, y, z]: Ids): Generator<Ids> {
  for (let c = 0; c < z; c++)
    for (let b = 0; b < y; b++) for (let a = 0; a < x; a++) yield [a, b, c];
}
