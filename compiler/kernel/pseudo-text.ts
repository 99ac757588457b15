/** Prints kernel IR as pseudo-text: what every target has to spell. */
import type { Buffer, Fn, Kernel, Scalar, Stmt } from "./ir.ts";
import { type Dialect, floatLiteral, infix, print, printStatement } from "./printer.ts";

/**
 * ```
 * kernel matmul_add, 64 x 1 x 1 threads, 8 x 1 x 1 groups
 *   reads  x: f32[256]
 *   writes y: f32[1024]
 *   shared left: f32[512]
 * {
 *   let row: u32 = thread.x / 8;
 * }
 * ```
 */
export const printKernel = (kernel: Kernel): string => print(kernel, dialect);

/** One statement as it stands in the text of its kernel. */
export const showStatement = (stmt: Stmt): string => printStatement(stmt, dialect);

const axes = "xyz";

const dialect: Dialect = {
  call: (fn: Fn, args) => infix[fn](...args),
  reserved: new Set(),
  literal: (value: number, type: Scalar) =>
    type === "f32" ? floatLiteral(value) : type === "bool" ? String(Boolean(value)) : `${value}`,
  id: (of, axis) => (of === "group" || of === "thread" ? `${of}.${axes[axis]}` : of),
  lane: "lane",
  broadcast: (arg, lane) => `broadcast(${arg}, ${lane})`,
  shuffle: (arg, mask) => `shuffle(${arg}, ${mask})`,
  reduce: (fold, arg) => `subgroup_${fold}(${arg})`,
  cast: (arg, _from, to) => `${to}(${arg})`,
  declare: (mutable, name, type, value) =>
    `${mutable ? "var" : "let"} ${name}: ${type} = ${value};`,
  loop: (name, count) => `for ${name} in 0..${count}`,
  load: (_from, name, index) => `${name}[${index}]`,
  load4: (_from, name, index, names) => [`let ${names.join(", ")} = ${name}[${index} .. + 4];`],
  store: (_to, name, index, value) => `${name}[${index}] = ${value};`,
  store4: (_to, name, index, values) => [`${name}[${index} .. + 4] = ${values.join(", ")};`],
  fragment(s, _name, index) {
    switch (s.kind) {
      case "fragment-load":
        return `${s.to.name} = ${s.from.name}[${index} ..], ${s.turned ? "columns" : "rows"} ${s.stride} apart;`;
      case "fragment-zero":
        return `${s.sum.name} = 0;`;
      case "fragment-multiply":
        return `${s.sum.name} += ${s.left.name} * ${s.right.name};`;
      case "fragment-store":
        return `${s.to.name}[${index} ..], rows ${s.stride} apart = ${s.from.name};`;
    }
  },
  barrier: "barrier;",
  numbered: {
    elements: (from, names) => [`let ${names.join(", ")} = own elements of ${from};`],
    copy: (to, index, from, at, when) =>
      `copy ${to}[${index} .. + 8] = ${from}[${at} .. + 8] if ${when} else 0;`,
    group: "end of a group of copies;",
    wait: (left) => `wait for all groups of copies but ${left};`,
  },
  kernel(kernel, _name, body) {
    const { name, threads, groups, params, scratch } = kernel;
    const buffer = (words: string, b: Buffer) => `  ${words} ${b.name}: ${b.scalar}[${b.size}]`;
    const held = kernel.fragments.map(
      (f) => `  fragment ${f.name}: ${f.role} ${f.scalar}[${f.rows} x ${f.columns}]`,
    );
    return [
      `kernel ${name}, ${threads.join(" x ")} threads, ${groups.join(" x ")} groups`,
      ...params.map((b) => buffer(b.writable ? "writes" : "reads ", b)),
      ...scratch.map((b) => buffer(b.space === "shared" ? "shared" : "local ", b)),
      ...held,
      "{",
      body,
      "}",
      "",
    ].join("\n");
  },
};
