/**
 * A plan in place: buffers allocated and bound, weights streamed, kernels compiled. What runs it has a turn
 * of its own (`calls.ts`); nothing here waits for one.
 */
import type { Plan, PlanTensor } from "../compiler/plan.ts";
import { diagnose } from "../diagnostics/index.ts";
import { wholeWords } from "../formats/index.ts";
import { abortable, type Turn } from "./calls.ts";
import { checked } from "./checked.ts";
import { asDevice } from "./devices/any.ts";
import type { Device, DeviceBuffer, Program, Progress } from "./devices/device.ts";
import { unknownName } from "./inputs.ts";
import { late } from "./late.ts";
import { fillParameters } from "./parameters.ts";
import { noStates, type States } from "./states.ts";
import { createKeeper, type Keeper } from "./undo.ts";
import type { Readable } from "./weights/adapted.ts";
import { fitted, named } from "./weights/fitted.ts";
import { isAdapterFile } from "./weights/kinds.ts";
import type { Weights } from "./weights/weights.ts";

/** A tensor that stays on its device: bind it as another session's input. */
export interface DeviceTensor {
  readonly tensor: PlanTensor;
  readonly device: Device;
  readonly buffer: DeviceBuffer;
}

export interface SessionOptions {
  /** Where the plan's parameters come from; needed if it has any. */
  readonly weights?: Readable | undefined;
  /**
   * The file of the adapters that the plan was compiled with, as `saveAdapter` wrote it; `weights` are
   * then those of its base.
   */
  readonly adapter?: Weights | undefined;
  /** Inputs that another session of the same device has already computed. */
  readonly bind?: Readonly<Record<string, DeviceTensor>>;
  /**
   * Memory that sessions share: states by name, and scratch arenas by number. Its maker fills and
   * frees it.
   */
  readonly shared?: SharedMemory;
  readonly onProgress?: Progress | undefined;
  /** Stops loading. */
  readonly signal?: AbortSignal | undefined;
}

export interface SharedMemory {
  readonly states: ReadonlyMap<string, DeviceBuffer>;
  readonly arenas: readonly DeviceBuffer[];
  /** What resets these states; a session that is not told does it by itself. */
  readonly held?: States;
  /** Is told that a session has been closed and uses this memory no more. */
  readonly release?: () => void;
}

export interface Placement {
  readonly plan: Plan;
  readonly device: Device;
  /** By their numbers in the plan. */
  readonly buffers: readonly DeviceBuffer[];
  readonly program: Program;
  readonly states: States;
  /** Inputs that hold something. */
  readonly given: Set<string>;
  /** Whether a run has made the outputs. */
  hasRun: boolean;
  /** Where parameters come from: the base, if there is an adapter. */
  readonly base: Readable | undefined;
  /** The file of the adapter in use. */
  adapter: Weights | undefined;
  readonly keeper: Keeper;
  /** Frees what was allocated for it alone. */
  free(): void;
}

/** What is done to programs of one model, which are placed together. */
export type Change = (placements: readonly Placement[], turn: Turn) => Promise<void>;

/** Places a plan on a device; the errors are those of `createSession`. */
export async function placePlan(
  plan: Plan,
  device: Device,
  options: SessionOptions = {},
): Promise<Placement> {
  const placing = place(plan, asDevice(device), options);
  return abortable(placing, options.signal, (placement) => placement.free());
}

async function place(plan: Plan, device: Device, options: SessionOptions): Promise<Placement> {
  const { bind = {}, signal } = options;
  signal?.throwIfAborted();
  await checked(plan, "the plan");
  checkTarget(plan, device);
  const bound = new Map<number, DeviceBuffer>();
  for (const [name, from] of Object.entries(bind))
    bound.set(bindInput(plan, name, from, device), from.buffer);
  if (options.shared) bindShared(plan, options.shared, bound);
  checkBound(plan, bound);
  const own = { ...plan, parameters: plan.parameters.filter((p) => !bound.has(p.buffer)) };
  const { adapter } = options;
  const names = own.parameters.map(({ name }) => name);
  const base = options.weights && (await fitted(options.weights, names));
  const weights =
    adapter || (base && isAdapterFile(base)) ? await adapted(own, base, adapter) : base;
  const made = await device.allocate(plan.buffers.filter((_, i) => !bound.has(i)));
  let next = 0;
  const buffers = plan.buffers.map((_, i) => bound.get(i) ?? made[next++]!);
  const keeper = createKeeper(device);
  const free = () => {
    for (const b of made) b.destroy();
    keeper.free();
    options.shared?.release?.();
  };
  try {
    const program = await filled(own, device, buffers, weights, options);
    const states = await openStates(plan, device, buffers, bound, options);
    const given = new Set(Object.keys(bind));
    const running = { given, hasRun: false, base, adapter };
    return { plan, device, buffers, program, states, ...running, keeper, free };
  } catch (error) {
    free();
    throw error;
  }
}

/** Takes hold of the plan's states; those in memory of its own begin as they should. */
async function openStates(
  plan: Plan,
  device: Device,
  buffers: readonly DeviceBuffer[],
  bound: ReadonlyMap<number, DeviceBuffer>,
  { shared, weights, adapter }: SessionOptions,
): Promise<States> {
  if (shared?.held) return shared.held;
  const where = `plan ${plan.name}`;
  if (plan.states.length === 0) return noStates(where);
  const { holdStates } = await late(import("./held-states.ts"));
  const all = plan.states.map((tensor) => ({ tensor, buffer: buffers[tensor.buffer]! }));
  const states = await holdStates(where, device, all, weights, adapter);
  await states.begin(all.filter(({ tensor }) => !bound.has(tensor.buffer)));
  return states;
}

/** Compiles the kernels and streams the weights at the same time. */
async function filled(
  plan: Plan,
  device: Device,
  buffers: readonly DeviceBuffer[],
  weights: Readable | undefined,
  { signal, onProgress = () => {} }: SessionOptions,
): Promise<Program> {
  const stop = new AbortController();
  const signals = signal ? [stop.signal, signal] : [stop.signal];
  const report: Progress = (...progress) => {
    if (!signals.some((s) => s.aborted)) onProgress(...progress);
  };
  const loading = device.load(plan, buffers, report);
  const filling = fillParameters(plan, device, buffers, weights, report, signals);
  try {
    const [program] = await abortable(Promise.all([loading, filling]), signal);
    device.checkAlive();
    return program;
  } catch (error) {
    // What is still under way ends by itself: nothing waits for it.
    stop.abort();
    throw error;
  }
}

/** Where the plan's own parameters come from: the base, and the adapter's file before it. */
async function adapted(
  plan: Plan,
  weights: Readable | undefined,
  adapter: Weights | undefined,
): Promise<Readable | undefined> {
  const { checkUnread, checkWholeFile, withAdapter } = await named();
  if (!adapter) {
    if (weights) checkWholeFile(plan, weights);
    return weights;
  }
  if (weights) {
    const both = withAdapter(plan, weights, adapter);
    const read = new Set(plan.parameters.map(({ name }) => name));
    await checkUnread(adapter, (name) => read.has(name));
    return both;
  }
  throw diagnose("E420", {
    message: `plan ${plan.name} is given an adapter without its base`,
    where: adapter.source,
    help: "pass { weights, adapter }",
  });
}

function checkTarget(plan: Plan, device: Device): void {
  if (plan.target !== device.target)
    throw diagnose("E421", {
      message: `plan ${plan.name} is for ${plan.target}, the device runs ${device.target}`,
      help: `compile it with { target: "${device.target}" }, or openDevice({ kind })`,
    });
}

function bindShared(plan: Plan, shared: SharedMemory, bound: Map<number, DeviceBuffer>): void {
  let arena = 0;
  plan.buffers.forEach(({ role, name }, i) => {
    const buffer = role === "arena" ? shared.arenas[arena++] : shared.states.get(name ?? "");
    if (buffer && (role === "arena" || role === "state")) bound.set(i, buffer);
  });
}

/** @throws E442 for memory of others that is smaller than what the plan has there. */
function checkBound(plan: Plan, bound: ReadonlyMap<number, DeviceBuffer>): void {
  for (const [i, { bytes }] of bound) {
    const { role, name = `buffer ${i}`, bytes: needed } = plan.buffers[i]!;
    if (wholeWords(bytes) >= wholeWords(needed)) continue;
    throw diagnose("E442", {
      message: `plan ${plan.name} has ${needed} bytes in ${name} (${role}), the memory that it shares has ${bytes}`,
      help: "share memory that was made for this plan",
    });
  }
}

function bindInput(plan: Plan, name: string, from: DeviceTensor, device: Device): number {
  const input = plan.inputs.find((t) => t.name === name);
  const words = (t: PlanTensor) => `${t.dtype}[${t.shape.join(", ")}]`;
  if (!input) throw unknownName(plan, "input", name);
  if (from.device !== device)
    throw diagnose("E420", {
      message: `input ${name} is bound to a tensor of another device (${from.device.name})`,
      help: "create both on one device",
    });
  if (words(input) !== words(from.tensor))
    throw diagnose("E420", {
      message: `input ${name} is ${words(input)}, but ${from.tensor.name} is ${words(from.tensor)}`,
      help: "bind a tensor of the same dtype and shape",
    });
  return input.buffer;
}
