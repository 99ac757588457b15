/**
 * A session: one plan on one device, with its weights in place. Inputs go in, outputs come out, and
 * between them nothing is compiled, allocated or bound again.
 */
import type { Plan } from "../compiler/plan.ts";
import { diagnose } from "../diagnostics/index.ts";
import { checkOptions } from "../diagnostics/options.ts";
import { type CallOptions, createCalls, orderOf } from "./calls.ts";
import { asDevice } from "./devices/any.ts";
import type { Device, Numbers, StepTime } from "./devices/device.ts";
import { checkInputs, type Inputs } from "./inputs.ts";
import {
  type Change,
  type DeviceTensor,
  type Placement,
  placePlan,
  type SessionOptions,
} from "./placement.ts";
import {
  checkGiven,
  findOutputs,
  findTensors,
  keep,
  keepBuffers,
  prepareRun,
  prepareWrite,
  readTensors,
  write,
} from "./runs.ts";

export type { Inputs } from "./inputs.ts";
export type {
  DeviceTensor,
  SessionOptions,
  SharedMemory,
} from "./placement.ts";
export { planFormat } from "./plan-json.ts";

/**
 * Calls run one after another, in the order in which they were made, with those of all sessions of the
 * device. What is given to a call is checked and copied when it is made; a call that is refused or
 * aborted has changed nothing.
 * Every call rejects with E422 if the device is lost, E427 after `close`, E441 if the device refuses
 * what it is given, E443 and E460 for options that cannot be. Of what the device took before, a run that
 * reads nothing leaves E441 to the next reading.
 */
export interface Session {
  readonly plan: Plan;
  /**
   * Runs the plan once. Inputs that stay as they were in the last run need not be given again.
   * Returns the outputs named in `read`, or all of them.
   * @throws E420 for unknown, missing or misshaped inputs, and for elements that an input cannot hold.
   */
  run(
    inputs?: Inputs,
    read?: readonly string[],
    options?: CallOptions,
  ): Promise<Record<string, Numbers>>;
  /**
   * The outputs and states named, as they are after the runs so far. Later runs need not wait for it.
   * @throws E420 for an unknown name, E444 for an output before the first run.
   */
  read(names: readonly string[], options?: CallOptions): Promise<Record<string, Numbers>>;
  /**
   * Sets states, by name: numbers as for inputs.
   * @throws E253 for a name that is no state's, E420 for numbers that it does not hold.
   */
  write(states: Inputs, options?: CallOptions): Promise<void>;
  /**
   * Makes the states named what they were at first, or all of the plan: zeros, or what `init` says.
   * @throws E253 for a name that is no state's.
   */
  reset(names?: string | readonly string[], options?: CallOptions): Promise<void>;
  /**
   * Runs once and measures every step. No state changes; the outputs are those of this run, as `read` then
   * gives them, computed from the states as they are.
   */
  profile(inputs?: Inputs, options?: CallOptions): Promise<readonly StepTime[]>;
  /** Changes what lies on the device, in its turn among the calls: `useAdapter` stands on it. */
  change(change: Change, options?: CallOptions): Promise<void>;
  /** An output as it lies on the device, for binding elsewhere. */
  output(name: string): DeviceTensor;
  /** Bytes of device memory by role. */
  memory(): Readonly<Record<string, number>>;
  /** Resolves when the device is lost, with the reason. */
  readonly lost: Promise<string>;
  /** Frees the session's buffers, once all calls before have ended. The device stays. */
  close(): Promise<void>;
}

/** A session that another device can go on with. */
export interface RestorableSession extends Session {
  /**
   * Goes on on another device, after one was lost: kernels, weights and adapter are placed there as they were at
   * first, so the weights must still be open; states begin as they did, and inputs are given again. Tensors that
   * inputs were bound to are given anew. Calls made before it resolves are those of the device before. If it rejects
   * nothing has changed, and it may be tried again. Programs that were created together are all restored, once, by
   * whichever of them is asked.
   * @throws E427 after `close`, and what `createSession` throws.
   */
  restore(device: Device | GPUDevice, options?: RestoreOptions): Promise<void>;
}

export type RestoreOptions = Pick<SessionOptions, "bind" | "onProgress" | "signal">;

/**
 * Places a plan on a device: allocates buffers, streams the weights, compiles all kernels at once.
 * @throws E420 when the weights lack a parameter, E421 for a plan of another format or target, E422 if
 * the device is lost meanwhile, E423 when memory runs out, E440 for what is no device, E442 for
 * memory that is shared and too small, E516 for what is no plan. Of an adapter's file: E205 for NaN and infinite values, E431 for another
 * base, E434 for other tensors, E435 for other settings or places, E436 for a setting that it does not
 * say, E437 for a file that is no adapter's.
 */
export async function createSession(
  plan: Plan,
  device: Device,
  options: SessionOptions = {},
): Promise<RestorableSession> {
  checkOptions<SessionOptions>("createSession", options, {
    weights: true,
    adapter: true,
    bind: true,
    shared: true,
    onProgress: true,
    signal: true,
  });
  const place = async (on: Device, loading: SessionOptions) => {
    const placement = await placePlan(plan, on, loading);
    return { placements: [placement], sessions: { session: openSession(placement) } };
  };
  const sessions = restorable(await place(device, options), (on, adapter, more) => {
    checkOptions<RestoreOptions>("restore", more, { bind: true, onProgress: true, signal: true });
    return place(on, { ...options, signal: undefined, adapter, ...more });
  });
  return sessions.session;
}

/** The programs of a model in place, by name. */
export interface PlacedSessions<Name extends string> {
  readonly placements: readonly Placement[];
  readonly sessions: Readonly<Record<Name, Session>>;
}

/**
 * Sessions that go on on another device, where `place` puts them: all together, whichever of them is asked. It is
 * given the adapter in use.
 */
export function restorable<Name extends string>(
  first: PlacedSessions<Name>,
  place: (
    device: Device,
    adapter: SessionOptions["adapter"],
    more: RestoreOptions,
  ) => Promise<PlacedSessions<Name>>,
): Readonly<Record<Name, RestorableSession>> {
  let now = first;
  const closed = new Set<Name>();
  const open = (name: Name): RestorableSession => {
    const own = () => now.sessions[name];
    const checkOpen = () => {
      if (closed.has(name)) throw isClosed(own().plan);
    };
    return {
      plan: own().plan,
      run: (...args) => own().run(...args),
      read: (...args) => own().read(...args),
      write: (...args) => own().write(...args),
      reset: (...args) => own().reset(...args),
      profile: (...args) => own().profile(...args),
      change: (...args) => own().change(...args),
      output: (...args) => own().output(...args),
      memory: () => own().memory(),
      get lost() {
        return own().lost;
      },
      async restore(on, more = {}) {
        checkOpen();
        const next = await place(asDevice(on), now.placements[0]?.adapter, more);
        const before = Object.values<Session>(now.sessions);
        now = next;
        for (const other of closed) before.push(now.sessions[other]);
        for (const one of before) await one.close();
        checkOpen();
      },
      close() {
        closed.add(name);
        return own().close();
      },
    };
  };
  const opened = {} as Record<Name, RestorableSession>;
  for (const name in first.sessions) opened[name] = open(name);
  return opened;
}

/** The session of a plan in place; `together` are the programs of its model, of which all have one adapter. */
export function openSession(
  placement: Placement,
  together: readonly Placement[] = [placement],
): Session {
  const { plan, device, buffers } = placement;
  const calls = createCalls(orderOf(device), device.checkAlive, () => isClosed(plan));
  return {
    plan,
    lost: device.lost,
    run: (inputs, names, options) =>
      calls.call(options, (atOnce) => prepareRun(placement, inputs, names, atOnce)),
    read: (names, options) =>
      calls.call(options, () => {
        const tensors = findTensors(plan, names);
        const isState = tensors.every((t) => plan.states.includes(t));
        return async (turn) => {
          if (!placement.hasRun && !isState) throw neverRun(plan);
          const values = readTensors(placement, tensors);
          turn.leave();
          return turn.wait(values);
        };
      }),
    profile: (inputs = {}, options = undefined) =>
      calls.call(options, () => {
        const checked = checkInputs(plan, inputs, device.doubles === true);
        return async (turn) => {
          checkGiven(placement, checked);
          await keep(
            [placement],
            checked.map(({ tensor }) => tensor),
            turn,
          );
          await write(placement, checked);
          placement.hasRun = true;
          return turn.wait(placement.program.profile(turn.signal));
        };
      }),
    write: (values, options) => calls.call(options, () => prepareWrite(placement, values)),
    reset: (names = plan.states.map((t) => t.name), options = undefined) =>
      calls.call(options, () => {
        const states = placement.states.find(names);
        return async (turn) => {
          await keepBuffers(
            placement,
            states.map(({ buffer }) => buffer),
            turn,
          );
          await placement.states.reset(states);
        };
      }),
    change: (change, options) => calls.call(options, () => (turn) => change(together, turn)),
    output(name) {
      const [tensor] = findOutputs(plan, [name]);
      return { tensor: tensor!, device, buffer: buffers[tensor!.buffer]! };
    },
    memory() {
      const sums: Record<string, number> = {};
      for (const { role, bytes } of plan.buffers) sums[role] = (sums[role] ?? 0) + bytes;
      return sums;
    },
    close: () => calls.close(placement.free),
  };
}

const isClosed = (plan: Plan) =>
  diagnose("E427", {
    message: `the session of ${plan.name} is closed`,
    help: "create a new session",
  });

const neverRun = (plan: Plan) =>
  diagnose("E444", {
    message: `an output of ${plan.name} is read, but there has been no run`,
    help: "call run() first",
  });
