/** Faults of sessions, trainings and states. */
import { type Fault, inCalls, inGraphs } from "./fault.ts";

export const callFaults: readonly Fault[] = [
  inCalls(
    "calls have no order",
    "runtime/calls.ts",
    "before.then(() => work(leave))",
    "work(leave)",
  ),
  inCalls(
    "a refused run has written what it was given before",
    "runtime/runs.ts",
    "  const checked = checkInputs(placement.plan, inputs, placement.device.doubles === true, atOnce);\n  return",
    `  const checked = Object.entries(inputs).flatMap(([name, one]) => {
    const some = checkInputs(placement.plan, { [name]: one }, placement.device.doubles === true);
    void write(placement, some);
    return some;
  });
  return`,
  ),
  {
    name: "a micro-step is checked when its turn comes",
    changes: [
      {
        file: "runtime/training/steps.ts",
        find: "return inputs.map((one): MicroInputs => {",
        replace: "return inputs.map((one) => (): MicroInputs => {",
      },
      {
        file: "runtime/training/steps.ts",
        find: "[...inputs.backward,",
        replace: "[...inputs().backward,",
      },
      {
        file: "runtime/training/steps.ts",
        find: "[...inputs.sums,",
        replace: "[...inputs().sums,",
      },
    ],
    kind: "calls",
  },
  inCalls(
    "a run's inputs are read when their turn comes",
    "runtime/inputs.ts",
    "return atOnce ? plain(values) : new Float32Array(values);",
    "return plain(values);",
  ),
  inCalls(
    "a step without its target takes that of the batch before",
    "runtime/training/steps.ts",
    "checkComplete(plan.backward, one, own);",
  ),
  inCalls("calls after close are made", "runtime/calls.ts", "if (closing) throw closed();"),
  inCalls(
    "close does not wait for the calls before it",
    "runtime/calls.ts",
    "closing ??= order.turn(async () => {\n        await Promise.allSettled(underWay);",
    "closing ??= Promise.resolve().then(async () => {",
  ),
  inCalls(
    "what is no number is converted",
    "runtime/inputs.ts",
    'if (typeof value !== "number") throw notNumber(input, i, value);',
  ),
  inCalls(
    "what a dtype cannot hold is converted",
    "runtime/inputs.ts",
    "if (fault !== undefined) throw badElement(input, i, `${value}, ${fault}`);",
  ),
  inCalls(
    "a lost device is not asked after",
    "runtime/devices/webgpu.ts",
    "if (gone !== undefined) throw deviceLost(gone);",
  ),
  inCalls(
    "what a lost device rejects with is passed on",
    "runtime/devices/webgpu.ts",
    "throw await explain(error);",
    "throw error;",
  ),
  inCalls(
    "what a device refuses is no error",
    "runtime/devices/webgpu-program.ts",
    "return gpu.popErrorScope().catch(() => null);",
    "return gpu.popErrorScope().then(() => null);",
  ),
  {
    name: "aborts are ignored",
    changes: [
      {
        file: "runtime/calls.ts",
        find: "      const signal = signalOf(options);\n",
        replace: "      signalOf(options);\n      const signal = undefined;\n",
      },
    ],
    kind: "calls",
  },
  inCalls(
    "an aborted call leaves what it changed",
    "runtime/calls.ts",
    "if (!hasLeft) for (const one of restore) await one();",
  ),
  inCalls(
    "an aborted call rejects when its turn is over",
    "runtime/calls.ts",
    '    signal?.addEventListener("abort", stop);\n    const perform',
    "    const perform",
  ),
  {
    name: "what is no device is taken for one",
    changes: [
      {
        file: "runtime/devices/any.ts",
        find: '  throw diagnose("E440", {',
        replace: '  if (given !== 0) return device as Device;\n  throw diagnose("E440", {',
      },
    ],
    kind: "calls",
  },
];

export const stateFaults: readonly Fault[] = [
  inGraphs(
    "a state that is only written is none",
    ["what=states"],
    "compiler/graph/graph.ts",
    'graphOf(outputs, "inputs first", states)',
    'graphOf(outputs, "inputs first")',
  ),
  inCalls(
    "programs have states of their own",
    "runtime/programs.ts",
    "shared: { ...shared, release },",
  ),
  inCalls(
    "states begin as zeros",
    "runtime/held-states.ts",
    'init?.kind === "constant" ? init.value : 0',
    "0",
  ),
  inCalls("a reset changes nothing", "runtime/session.ts", "await placement.states.reset(states);"),
  inCalls(
    "a training drops its states",
    "training/trace.ts",
    "moves: outputs.filter((o) => isState(traced, o)),",
    "moves: [],",
  ),
  inCalls(
    "states move in an evaluation",
    "training/states.ts",
    "if (outputs.length === graph.outputs.length) return graph;",
    "return graph;",
  ),
];
