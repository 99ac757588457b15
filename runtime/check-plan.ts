/**
 * Whether a value is a plan: what a file holds is checked once, as it is opened, so that whatever reads a
 * plan may rely on its types, and no step can reach beyond a buffer.
 */
import type { Place, Plan, PlanTensor, Role } from "../compiler/plan.ts";
import { diagnose } from "../diagnostics/index.ts";
import { isFormat, storedBytes } from "../formats/index.ts";
import {
  adapters,
  type Check,
  init,
  list,
  malformedPlan,
  maybe,
  oneOf,
  record,
  type Tell,
  text,
  truth,
  whole,
} from "./plan-fields.ts";
import { planFormat } from "./plan-json.ts";
import { unknownFormat } from "./unknown-format.ts";
import { isRecord } from "./weights/json.ts";

/**
 * Returns the plan. `where` is its file, or what messages call it.
 * @throws E421 for another format, E153 for a number format of a later version, E516 for what is no plan, naming the field.
 */
export function checkPlan<P>(value: P, where: string): P & Plan {
  const tell: Tell = malformedPlan(where);
  if (!isRecord(value)) return tell("", "is not an object");
  if (typeof value.format === "number" && value.format !== planFormat)
    throw diagnose("E421", {
      message: `plan ${String(value.name)} has format ${value.format}, this runtime reads ${planFormat}`,
      where,
      help: "build it again with this version of inarch",
    });
  plan(value, "", tell);
  checkFormats(value as unknown as Plan, where);
  checkReferences(value as unknown as Plan, tell);
  return value as P & Plan;
}

const source: Check = (value, at, tell) => {
  if (typeof value !== "string" && !(value instanceof Uint8Array))
    tell(at, "is neither text nor bytes");
};

/** Every role, which the compiler checks. */
const roles: Readonly<Record<Role, true>> = {
  weights: true,
  arena: true,
  input: true,
  output: true,
  state: true,
};

/** Threads of a workgroup that any device has. */
const mostThreads = 1024;
const mostGroups = 2 ** 31 - 1;

const place = { buffer: whole(0), offset: whole(0), bytes: whole(0) };

const tensor = record({
  ...place,
  name: text,
  dtype: oneOf("f32", "i32", "u32", "bool"),
  shape: list(whole(1)),
  stored: maybe(text),
  doc: maybe(text),
  init: maybe(init),
});

const kernel: Check = (value, at, tell) => {
  const named = record({ name: text, entry: text, threads: list(whole(1, mostThreads), 3) });
  named(value, at, tell);
  const own = value as Record<string, unknown>;
  source(own.source, `${at}.source`, tell);
  record({
    params: list(
      record({
        scalar: text,
        size: whole(0),
        access: oneOf("read", "read-write"),
        writes: truth,
      }),
    ),
    sharedBytes: whole(0),
    subgroup: whole(0, mostThreads),
    reduces: maybe(truth),
    fma: maybe(truth),
    matrices: maybe(
      record({
        operand: text,
        ...{ rows: whole(1), columns: whole(1), depth: whole(1), width: whole(1) },
        widths: oneOf("fixed", "chosen", "most"),
        numbered: maybe(truth),
      }),
    ),
  })(value, at, tell);
  const threads = own.threads as readonly number[];
  const count = threads.reduce((a, b) => a * b, 1);
  if (count > mostThreads)
    tell(`${at}.threads`, `has ${count} threads in a workgroup, more than ${mostThreads}`);
};

const plan = record({
  format: whole(planFormat, planFormat),
  name: text,
  target: text,
  profile: text,
  buffers: list(record({ role: oneOf(...Object.keys(roles)), bytes: whole(0), name: maybe(text) })),
  parameters: list(tensor),
  states: list(tensor),
  inputs: list(tensor),
  outputs: list(tensor),
  kernels: list(kernel),
  steps: list(
    record({
      kernel: whole(0),
      groups: list(whole(1, mostGroups), 3),
      bindings: list(record(place)),
      label: text,
    }),
  ),
  commits: list(record({ from: record(place), to: record(place) })),
  arenaLowerBound: whole(0),
  adapters,
});

/** Errors: E153. */
function checkFormats({ kernels, ...of }: Plan, where: string): void {
  const stored = [of.parameters, of.states, of.inputs, of.outputs]
    .flat()
    .map((one) => [`${one.name} is stored in`, one.stored ?? one.dtype] as const);
  const read = kernels.flatMap(({ name, params }) =>
    params.map(({ scalar }) => [`kernel ${name} takes`, scalar] as const),
  );
  for (const [words, format] of [...stored, ...read])
    if (format !== "bool" && !isFormat(format)) throw unknownFormat(words, format, where);
}

/** Numbers that refer to something refer to what is there. */
function checkReferences(of: Plan, tell: Tell): void {
  const inside = ({ buffer, offset, bytes }: Place, at: string) => {
    const held = of.buffers[buffer];
    if (!held) return tell(at, `is in buffer ${buffer} of ${of.buffers.length}`);
    if (offset % 4 !== 0) tell(at, `begins at byte ${offset}, which is not a multiple of 4`);
    if (offset + bytes > held.bytes)
      tell(at, `ends at byte ${offset + bytes} of a buffer of ${held.bytes}`);
  };
  const roomy = (one: PlanTensor, at: string) => {
    inside(one, at);
    const count = one.shape.reduce((a, b) => a * b, 1);
    const needed = storedBytes(one.stored ?? (one.dtype === "bool" ? "u32" : one.dtype), count);
    if (one.bytes < needed) tell(at, `has ${one.bytes} bytes, its shape needs ${needed}`);
  };
  for (const part of ["parameters", "states", "inputs", "outputs"] as const) {
    const names = new Set<string>();
    for (const [i, one] of of[part].entries()) {
      roomy(one, `${part}[${i}]`);
      if (names.has(one.name)) tell(`${part}[${i}].name`, `is ${one.name}, which is there already`);
      names.add(one.name);
    }
  }
  for (const [i, { kernel: number, bindings }] of of.steps.entries()) {
    const { params, name } =
      of.kernels[number] ?? tell(`steps[${i}].kernel`, `is ${number} of ${of.kernels.length}`);
    if (bindings.length !== params.length)
      tell(
        `steps[${i}].bindings`,
        `has ${bindings.length} entries, ${name} takes ${params.length}`,
      );
    // How much of it a step reads is not said: of steps that share a kernel, the kernel has the larger size.
    for (const [j, binding] of bindings.entries()) inside(binding, `steps[${i}].bindings[${j}]`);
  }
  for (const [i, { from, to }] of of.commits.entries()) {
    inside(from, `commits[${i}].from`);
    inside(to, `commits[${i}].to`);
    if (from.bytes !== to.bytes) tell(`commits[${i}]`, `copies ${from.bytes} bytes to ${to.bytes}`);
  }
}
