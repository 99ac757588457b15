/**
 * The reference target: a kernel as a JavaScript generator, one per thread, that yields at
 * barriers and, with a value, at broadcasts, shuffles and reductions. The reference device (`runtime/devices/reference.ts`) runs it over strict memory.
 */

import { castRange } from "../../kernel/cast.ts";
import type { Fn, Kernel, Scalar } from "../../kernel/ir.ts";
import { type Dialect, infix } from "../../kernel/printer.ts";
import { printUnpacked } from "../print.ts";
import type { Target } from "../target.ts";

const math: ReadonlySet<Fn> = new Set([
  "min",
  "max",
  "abs",
  "floor",
  "exp",
  "log",
  "sqrt",
  "tanh",
] as const);

const wrapping: ReadonlySet<Fn> = new Set(["addwrap", "xor", "shl"] as const);

function call(fn: Fn, args: readonly string[], type: Scalar): string {
  if (type === "i32") {
    const whole = wholeNumbers[fn];
    if (whole) return whole(...args);
  }
  if (fn === "div" && type === "u32")
    return isLiteral(args[1]!)
      ? `Math.trunc(${args[0]} / ${args[1]})`
      : `Math.trunc(divided(${args[0]}, ${args[1]}))`;
  if (fn === "mod" && type !== "f32") return `(${args[0]} % (${args[1]}) || 0)`;
  if (fn === "fma") return `(${args[0]} * ${args[1]} + ${args[2]})`;
  if (fn === "mulwrap") return `(Math.imul(${args[0]}, ${args[1]}) >>> 0)`;
  if (fn === "maxnum") return `Math.max(${args.join(", ")})`;
  // JavaScript's operators on bits give signed numbers.
  if (wrapping.has(fn)) return `(${infix[fn](...args)} >>> 0)`;
  if (fn === "shr") return `(${args[0]} >>> ${args[1]})`;
  if (fn === "bits") return `new Uint32Array(Float32Array.of(${args[0]}).buffer)[0]`;
  if (fn === "float") return `new Float32Array(Uint32Array.of(${args[0]}).buffer)[0]`;
  if (math.has(fn)) return `Math.${fn}(${args.join(", ")})`;
  if (fn === "eq") return `(${args[0]} === ${args[1]})`;
  return infix[fn](...args);
}

const isLiteral = (text: string) => /^\(\d+\)$/.test(text);

/** Integers modulo 2^32, of which a number divided by 0 is that number. */
const wholeNumbers: Partial<Record<Fn, (...args: string[]) => string>> = {
  add: (a, b) => `(${a} + ${b} | 0)`,
  sub: (a, b) => `(${a} - ${b} | 0)`,
  mul: (a, b) => `Math.imul(${a}, ${b})`,
  fma: (a, b, c) => `(Math.imul(${a}, ${b}) + ${c} | 0)`,
  div: (a, b) => `(divided(${a}, ${b}) | 0)`,
  neg: (a) => `(-${a} | 0)`,
  abs: (a) => `(Math.abs(${a}) | 0)`,
};

const divided = ["  const divided = (a, b) => (b === 0 ? a : a / b);"];

function cast(arg: string, from: Scalar, to: Scalar): string {
  if (to === "bool") return `((${arg}) !== 0)`;
  if (from === "bool") return `Number(${arg})`;
  if (to === "f32") return `(${arg})`;
  if (from !== "f32") return to === "i32" ? `((${arg}) | 0)` : `((${arg}) >>> 0)`;
  const [low, high] = castRange[to];
  return `Math.trunc(Math.min(Math.max((${arg}) || 0, ${low}), ${high}))`;
}

/**
 * A named float is a single, as on other devices: what is computed twice, or stored and read again, then
 * compares as equal. In double precision the device's `single` is no change.
 */
function rounded(type: Scalar, value: string): string {
  return type === "f32" ? `single(${value})` : value;
}

/** The half of a pattern's lower 16 bits: sign * significand * 2^exponent. */
const halfValue = [
  "  const half = (bits) => {",
  "    const [exponent, fraction] = [(bits >>> 10) & 31, bits & 1023];",
  "    const size = exponent === 31 ? (fraction ? NaN : Infinity)",
  "      : exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24;",
  "    return bits & 0x8000 ? -size : size;",
  "  };",
];

const dialect: Dialect = {
  call,
  reserved: new Set(
    `arguments await break case catch class const continue debugger default delete do else enum eval
    export extends false finally for function if implements import in instanceof interface let new
    null package private protected public return static super switch this throw true try typeof var
    void while with yield group thread team me params shared local fragments copies by half divided single Math Number NaN Infinity
    Float32Array Uint32Array`.split(/\s+/),
  ),
  literal: (value, type) =>
    type === "bool" ? (value ? "true" : "false") : `(${Object.is(value, -0) ? "-0" : value})`,
  id: (of, axis) => (of === "group" || of === "thread" ? `${of}[${axis}]` : `team.${of}`),
  lane: "team.member",
  broadcast: (arg, lane) => `(yield { lane: ${lane}, value: ${arg} })`,
  shuffle: (arg, mask) => `(yield { mask: ${mask}, value: ${arg} })`,
  reduce: (fold, arg, type) => {
    const total = `(yield { fold: "${fold}", value: ${arg} })`;
    if (fold !== "add" || type === "f32") return total;
    return type === "i32" ? `(${total} | 0)` : `(${total} >>> 0)`;
  },
  cast,
  declare: (mutable, name, type, value) =>
    `${mutable ? "let" : "const"} ${name} = ${rounded(type, value)};`,
  assigned: rounded,
  loop: (name, count) => `for (let ${name} = 0; ${name} < ${count}; ${name}++)`,
  load: (_from, name, index) => `${name}.read(${index}, me)`,
  load4: (_from, name, index, names) =>
    names.map((n, j) => `const ${n} = ${name}.read(${names.length} * (${index}) + ${j}, me);`),
  store: (_to, name, index, value) => `${name}.write(${index}, ${value}, me);`,
  store4: (_to, name, index, values) =>
    values.map((value, j) => `${name}.write(4 * (${index}) + ${j}, ${value}, me);`),
  fragment(s, name, index) {
    switch (s.kind) {
      case "fragment-load":
        return `yield { does: "load ${s.to.name}", at: ${index}, run: (by) => ${name(s.to.name)}.load(${name(s.from.name)}, ${index}, ${s.stride}, by${s.turned ? ", true" : ""}) };`;
      case "fragment-zero":
        return `yield { does: "zero ${s.sum.name}", at: 0, run: () => ${name(s.sum.name)}.clear() };`;
      case "fragment-multiply":
        return `yield { does: "${s.sum.name}, ${s.left.name}, ${s.right.name}", at: 0, run: () => ${name(s.sum.name)}.add(${name(s.left.name)}, ${name(s.right.name)}) };`;
      case "fragment-store":
        return `yield { does: "store ${s.from.name}", at: ${index}, run: (by) => ${name(s.from.name)}.store(${name(s.to.name)}, ${index}, ${s.stride}, by) };`;
    }
  },
  barrier: "yield;",
  numbered: {
    elements: (from, names) =>
      names.map(
        (n, e) =>
          `const ${n} = single(${from}.element((team.member >> 2) + ${8 * ((e >> 1) % 2)}, ${8 * (e >> 2) + (e % 2)} + 2 * (team.member & 3)));`,
      ),
    copy: (to, index, from, at, when) =>
      `copies.start(${to}, ${index}, ${when} && ${from}, ${at});`,
    group: "copies.endGroup();",
    wait: (left) => `copies.wait(${left});`,
  },
  kernel(k: Kernel, name, body) {
    const local = k.scratch.filter((b) => b.space === "local");
    const shared = k.scratch.filter((b) => b.space === "shared");
    const list = (buffers: typeof shared) =>
      JSON.stringify(buffers.map((b) => ({ name: b.name, scalar: b.scalar, size: b.size })));
    const names = (buffers: typeof shared) => buffers.map((b) => name(b.name)).join(", ");
    return [
      `({ name: ${JSON.stringify(k.name)}, shared: ${list(shared)}, local: ${list(local)},`,
      `params: ${list([...k.params])},`,
      `fragments: ${JSON.stringify(k.fragments)},`,
      "run: function* (group, thread, me, params, shared, local, team, fragments, copies) {",
      ...(body.includes("half(") ? halfValue : []),
      ...(body.includes("divided(") ? divided : []),
      `  const [${names([...k.params])}] = params;`,
      `  const [${names(shared)}] = shared;`,
      `  const [${names(local)}] = local;`,
      `  const [${k.fragments.map((f) => name(f.name)).join(", ")}] = fragments;`,
      body,
      "} })",
      "",
    ].join("\n");
  },
};

export const reference: Target = {
  name: "reference",
  title: "JavaScript",
  comment: "//",
  half: true,
  bfloat: true,
  fragments: true,
  numbered: true,
  shuffles: true,
  entry: (kernel) => kernel.name,
  print: (kernel, _scratch, names) => printUnpacked(kernel, dialect, names),
};
