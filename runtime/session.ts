/**
 * A session: one plan on one device, with its weights in place. Inputs go in, outputs come out, and
 * between them nothing is compiled, allocated or bound again.
 */
import type { Plan, PlanTensor } from "../compiler/plan.ts";
import { diagnose } from "../diagnostics/index.ts";
import { storedBytes } from "../formats/index.ts";
import type { Device, DeviceBuffer, Numbers, Progress, StepTime } from "./devices/device.ts";
import { beginsWithZeros, holdStates, type States } from "./states.ts";
import { writeNumbers, writeTensor } from "./stored.ts";
import { type Readable, withAdapter } from "./weights/adapted.ts";
import type { Weights } from "./weights/weights.ts";

/** The plan format that this runtime reads. */
export const planFormat: Plan["format"] = 3;

/** A tensor that stays on its device: bind it as another session's input. */
export interface DeviceTensor {
  readonly tensor: PlanTensor;
  readonly device: Device;
  readonly buffer: DeviceBuffer;
}

export interface SessionOptions {
  /** Where the plan's parameters come from; needed if it has any. */
  readonly weights?: Readable;
  /**
   * The file of the adapters that the plan was compiled with, as `saveAdapter` wrote it; `weights` are
   * then those of its base.
   */
  readonly adapter?: Weights;
  /** Inputs that another session of the same device has already computed. */
  readonly bind?: Readonly<Record<string, DeviceTensor>>;
  /**
   * Memory that sessions share: states by name, and scratch arenas by number. Its maker fills and
   * frees it.
   */
  readonly shared?: SharedMemory;
  readonly onProgress?: Progress;
  /** Stops loading. */
  readonly signal?: AbortSignal;
}

export interface SharedMemory {
  readonly states: ReadonlyMap<string, DeviceBuffer>;
  readonly arenas: readonly DeviceBuffer[];
  /** What resets these states; a session that is not told does it by itself. */
  readonly held?: States;
  /** Is told that a session has been closed and uses this memory no more. */
  readonly release?: () => void;
}

/** Inputs of a run: plain numbers are converted to the input's dtype. */
export type Inputs = Readonly<Record<string, Numbers | readonly number[]>>;

export interface Session {
  readonly plan: Plan;
  /**
   * Runs the plan once. Inputs that stay as they were in the last run need not be given again.
   * Returns the outputs named in `read`, or all of them.
   * @throws E420 for unknown, missing or misshaped inputs, E422 if the device is lost.
   */
  run(inputs?: Inputs, read?: readonly string[]): Promise<Record<string, Numbers>>;
  /**
   * The outputs and states named, as they are after the runs so far. Later runs need not wait for it.
   */
  read(names: readonly string[]): Promise<Record<string, Numbers>>;
  /**
   * Sets states, by name: numbers as for inputs.
   * @throws E253 for a name that is no state's, E420 for numbers that it does not hold.
   */
  write(states: Inputs): Promise<void>;
  /**
   * Makes the states named what they were at first, or all of the plan: zeros, or what `init` says.
   * @throws E253 for a name that is no state's.
   */
  reset(names?: string | readonly string[]): Promise<void>;
  /** Runs once and measures every step. No state changes. */
  profile(inputs?: Inputs): Promise<readonly StepTime[]>;
  /** An output as it lies on the device, for binding elsewhere. */
  output(name: string): DeviceTensor;
  /** Bytes of device memory by role. */
  memory(): Readonly<Record<string, number>>;
  /** Frees the session's buffers. The device stays. */
  close(): void;
}

/**
 * Places a plan on a device: allocates buffers, streams the weights, compiles all kernels at once.
 * @throws E420 when the weights lack a parameter, E421 for a plan of another format or target, E423
 * when memory runs out. Of an adapter's file: E205 for NaN and infinite values, E431 for another base,
 * E434 for other tensors, E435 for other settings or places, E436 for a setting that it does not say,
 * E437 for a file that is no adapter's.
 */
export async function createSession(
  plan: Plan,
  device: Device,
  options: SessionOptions = {},
): Promise<Session> {
  checkPlan(plan, device);
  const { bind = {}, onProgress = () => {} } = options;
  const bound = new Map<number, DeviceBuffer>();
  for (const [name, from] of Object.entries(bind))
    bound.set(bindInput(plan, name, from, device), from.buffer);
  if (options.shared) bindShared(plan, options.shared, bound);
  const own = { ...plan, parameters: plan.parameters.filter((p) => !bound.has(p.buffer)) };
  const weights = weightsOf(own, options);
  const made = await device.allocate(plan.buffers.filter((_, i) => !bound.has(i)));
  let next = 0;
  const buffers = plan.buffers.map((_, i) => bound.get(i) ?? made[next++]!);
  const free = () => {
    for (const b of made) b.destroy();
    options.shared?.release?.();
  };
  const stop = new AbortController();
  const signals = options.signal ? [stop.signal, options.signal] : [stop.signal];
  const loading = device.load(plan, buffers, onProgress);
  const filling = fillWeights(own, device, buffers, weights, onProgress, signals);
  const holding = openStates(plan, device, buffers, bound, options);
  try {
    const [program, states] = await Promise.all([loading, holding, filling]);
    const given = new Set(Object.keys(bind));
    return openSession(plan, device, buffers, program, states, given, free);
  } catch (error) {
    stop.abort();
    await Promise.allSettled([loading, holding, filling]);
    free();
    throw error;
  }
}

/** Where the plan's own parameters come from: the base, and the adapter's file before it. */
function weightsOf(plan: Plan, { weights, adapter }: SessionOptions): Readable | undefined {
  if (!adapter) return weights;
  if (weights) return withAdapter(plan, weights, adapter);
  throw diagnose("E420", {
    message: `an adapter's file is given for plan ${plan.name}, but no weights of its base`,
    where: adapter.source,
    help: "pass { weights: await openWeights(...), adapter }",
  });
}

function checkPlan(plan: Plan, device: Device): void {
  if (plan.format !== planFormat)
    throw diagnose("E421", {
      message: `plan ${plan.name} has format ${plan.format}, this runtime reads ${planFormat}`,
      help: "build it again with this version of inarch",
    });
  if (plan.target !== device.target)
    throw diagnose("E421", {
      message: `plan ${plan.name} is for ${plan.target}, but the device runs ${device.target}`,
      help: `compile it with { target: "${device.target}" }`,
    });
}

function bindShared(plan: Plan, shared: SharedMemory, bound: Map<number, DeviceBuffer>): void {
  let arena = 0;
  plan.buffers.forEach(({ role, name }, i) => {
    const buffer = role === "arena" ? shared.arenas[arena++] : shared.states.get(name ?? "");
    if (buffer && (role === "arena" || role === "state")) bound.set(i, buffer);
  });
}

/** Takes hold of the plan's states; those in memory of its own begin as they should. */
async function openStates(
  plan: Plan,
  device: Device,
  buffers: readonly DeviceBuffer[],
  bound: ReadonlyMap<number, DeviceBuffer>,
  { shared, weights }: SessionOptions,
): Promise<States> {
  if (shared?.held) return shared.held;
  const all = plan.states.map((tensor) => ({ tensor, buffer: buffers[tensor.buffer]! }));
  const states = await holdStates(`plan ${plan.name}`, device, all, weights);
  const isFresh = ({ tensor }: (typeof all)[number]) =>
    !bound.has(tensor.buffer) && !beginsWithZeros(tensor);
  await states.reset(all.filter(isFresh));
  return states;
}

function bindInput(plan: Plan, name: string, from: DeviceTensor, device: Device): number {
  const input = plan.inputs.find((t) => t.name === name);
  const words = (t: PlanTensor) => `${t.dtype}[${t.shape.join(", ")}]`;
  if (!input) throw unknownInput(plan, name);
  if (from.device !== device)
    throw diagnose("E420", {
      message: `input ${name} is bound to a tensor of another device (${from.device.name})`,
      help: "create both sessions on one device",
    });
  if (words(input) !== words(from.tensor))
    throw diagnose("E420", {
      message: `input ${name} is ${words(input)}, but ${from.tensor.name} is ${words(from.tensor)}`,
      help: "bind a tensor of the same dtype and shape",
    });
  return input.buffer;
}

const unknownInput = (plan: Plan, name: string) =>
  diagnose("E420", {
    message: `plan ${plan.name} has no input "${name}"`,
    help: `its inputs are ${plan.inputs.map((t) => t.name).join(", ") || "none"}`,
  });

async function fillWeights(
  plan: Plan,
  device: Device,
  buffers: readonly DeviceBuffer[],
  weights: SessionOptions["weights"],
  onProgress: Progress,
  signals: readonly AbortSignal[],
): Promise<void> {
  if (plan.parameters.length === 0) return;
  if (!weights)
    throw diagnose("E420", {
      message: `plan ${plan.name} has ${plan.parameters.length} parameters but no weights are given`,
      help: "pass { weights: await openWeights(...) }",
    });
  const total = plan.parameters.reduce((sum, p) => sum + p.bytes, 0);
  let done = 0;
  for (const p of plan.parameters) {
    for (const signal of signals) signal.throwIfAborted();
    checkParameter(p, weights);
    const before = done;
    const chunks = counted(weights.chunks(p.name), (elements) => {
      done = Math.min(before + p.bytes, done + storedBytes(p.stored ?? "f32", elements));
      onProgress(done, total, "bytes of weights");
    });
    await writeTensor(device, buffers[p.buffer]!, p, chunks, weights.source);
  }
}

/** Tells of each chunk when the next is asked for: then it has been written. */
async function* counted(
  chunks: AsyncIterable<Float32Array<ArrayBuffer>>,
  written: (elements: number) => void,
) {
  for await (const chunk of chunks) {
    yield chunk;
    written(chunk.length);
  }
}

function checkParameter(p: PlanTensor, weights: NonNullable<SessionOptions["weights"]>): void {
  const entry = weights.tensors.get(p.name);
  if (entry && entry.shape.join() === p.shape.join()) return;
  throw diagnose("E420", {
    message: entry
      ? `${p.name} is [${entry.shape.join(", ")}] in the weights but [${p.shape.join(", ")}] in the plan`
      : `the weights have no tensor ${p.name}`,
    where: weights.source,
    help: "use the checkpoint that the plan was compiled for",
  });
}

function openSession(
  plan: Plan,
  device: Device,
  buffers: readonly DeviceBuffer[],
  program: Awaited<ReturnType<Device["load"]>>,
  states: States,
  given: Set<string>,
  free: () => void,
): Session {
  let open = true;
  const ready = async (inputs: Inputs) => {
    if (!open)
      throw diagnose("E427", {
        message: `the session of ${plan.name} is closed`,
        help: "create a new session",
      });
    for (const [name, values] of Object.entries(inputs)) {
      const input = plan.inputs.find((t) => t.name === name);
      if (!input) throw unknownInput(plan, name);
      await writeNumbers(device, buffers[input.buffer]!, input.offset, convert(input, values));
      given.add(name);
    }
    const missing = plan.inputs.filter((t) => !given.has(t.name)).map((t) => t.name);
    if (missing.length > 0)
      throw diagnose("E420", {
        message: `plan ${plan.name} needs inputs that were never given: ${missing.join(", ")}`,
        help: `run({ ${missing.map((n) => `${n}: ...`).join(", ")} })`,
      });
  };
  const find = (name: string) => {
    const isNamed = (t: PlanTensor) => t.name === name;
    const output = plan.outputs.find(isNamed) ?? plan.states.find(isNamed);
    if (!output)
      throw diagnose("E420", {
        message: `plan ${plan.name} has no output "${name}"`,
        help: `its outputs are ${plan.outputs.map((t) => t.name).join(", ")}`,
      });
    return output;
  };
  const read = async (names: readonly string[]) => {
    const values = await Promise.all(
      names.map(find).map((t) => {
        const scalar = t.dtype === "bool" ? "u32" : t.dtype;
        return device.read(buffers[t.buffer]!, t.offset, count(t), scalar);
      }),
    );
    return Object.fromEntries(names.map((name, i) => [name, values[i]!]));
  };
  return {
    plan,
    async run(inputs = {}, names = plan.outputs.map((t) => t.name)) {
      await ready(inputs);
      await program.run();
      return read(names);
    },
    read,
    async write(values) {
      const all = Object.entries(values).map(([name, numbers]) => {
        const [state] = states.find(name);
        return { ...state!, numbers: convert(state!.tensor, numbers) };
      });
      for (const { tensor, buffer, numbers } of all)
        await writeNumbers(device, buffer, tensor.offset, numbers);
    },
    reset: async (names = plan.states.map((t) => t.name)) => states.reset(states.find(names)),
    async profile(inputs = {}) {
      await ready(inputs);
      return program.profile();
    },
    output: (name) => {
      const tensor = find(name);
      return { tensor, device, buffer: buffers[tensor.buffer]! };
    },
    memory() {
      const sums: Record<string, number> = {};
      for (const { role, bytes } of plan.buffers) sums[role] = (sums[role] ?? 0) + bytes;
      return sums;
    },
    close() {
      if (!open) return;
      open = false;
      free();
    },
  };
}

const count = (t: PlanTensor) => t.shape.reduce((a, b) => a * b, 1);

/** The values as an array of the input's dtype. */
function convert(input: PlanTensor, values: Numbers | readonly number[]): Numbers {
  if (values.length !== count(input))
    throw diagnose("E420", {
      message: `input ${input.name} has ${values.length} elements, but its shape [${input.shape.join(", ")}] holds ${count(input)}`,
      help: "give row-major values of exactly that shape",
    });
  switch (input.dtype) {
    case "f32":
      return values instanceof Float32Array || values instanceof Float64Array
        ? values
        : Float32Array.from(values);
    case "i32":
      return values instanceof Int32Array ? values : Int32Array.from(values);
    case "u32":
      return values instanceof Uint32Array ? values : Uint32Array.from(values);
    case "bool":
      return Uint32Array.from(values, (v) => Number(v !== 0));
  }
}
