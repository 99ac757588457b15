/** The WGSL target: WebGPU in browsers and, through Dawn, in Node. */
import type { Buffer, Fn, Kernel, Scalar, Stmt } from "../../kernel/ir.ts";
import { type Dialect, floatLiteral, infix, print } from "../printer.ts";
import type { Target } from "../target.ts";
import { reserved } from "./reserved.ts";

const axes = "xyz";

function call(fn: Fn, args: readonly string[], type: Scalar): string {
  if (fn === "select") return `select(${args[1]}, ${args[0]}, ${args[2]})`;
  // Drivers compute tanh from exponentials, which overflow long after tanh has reached 1.
  if (fn === "tanh") return `tanh(clamp(${args[0]}, -15.0, 15.0))`;
  if (fn === "fma" && type !== "f32") return `(${args[0]} * ${args[1]} + ${args[2]})`;
  if (fn === "bits") return `bitcast<u32>(${args[0]})`;
  return infix[fn](...args);
}

function literal(value: number, type: Scalar): string {
  switch (type) {
    case "u32":
      return `${value}u`;
    case "i32":
      return `${value}i`;
    case "bool":
      return value ? "true" : "false";
    case "f32":
      return value < 0 ? `(${floatLiteral(value)})` : floatLiteral(value);
  }
}

const access = (b: Buffer, scratch: (b: Buffer) => boolean) =>
  b.writable || scratch(b) ? "read_write" : "read";

const dialect = (scratch: (b: Buffer) => boolean): Dialect => ({
  call,
  reserved,
  literal,
  id: (of, axis) => `${of}_id.${axes[axis]}`,
  lane: "lane_id",
  broadcast: (arg, lane) => `subgroupShuffle(${arg}, ${lane}u)`,
  cast: (arg, _from, to) => `${to}(${arg})`,
  declare: (mutable, name, _type, value) => `${mutable ? "var" : "let"} ${name} = ${value};`,
  loop: (name, count, rolled) =>
    `for (var ${name} = 0u; ${name} < ${count}u${rolled ? " * one" : ""}; ${name}++)`,
  load: (from, name, index) =>
    from.scalar === "f16" ? `f32(${name}[${index}])` : `${name}[${index}]`,
  load4: (from, name, index, names) => [
    `let ${names[0]}_4 = ${from.scalar === "f16" ? `vec4f(${name}[${index}])` : `${name}[${index}]`};`,
    ...names.map((n, j) => `let ${n} = ${names[0]}_4.${"xyzw"[j]};`),
  ],
  store: (to, name, index, value) =>
    `${name}[${index}] = ${to.scalar === "f16" ? `round_half(${value})` : value};`,
  barrier: "workgroupBarrier();",
  kernel(k: Kernel, name, body) {
    const params = k.params.map(
      (b, i) =>
        `@group(0) @binding(${i}) var<storage, ${access(b, scratch)}> ${name(b.name)}: array<${k.vectors.has(b) ? `vec4<${b.scalar}>` : b.scalar}>;`,
    );
    const shared = k.scratch
      .filter((b) => b.space === "shared")
      .map((b) => `var<workgroup> ${name(b.name)}: array<${b.scalar}, ${b.size}>;`);
    const local = k.scratch
      .filter((b) => b.space === "local")
      .map((b) => `  var ${name(b.name)}: array<${b.scalar}, ${b.size}>;`);
    // Drivers unroll what they can count: the number of groups is never zero, and they cannot know.
    const hidden = hasRolledLoop(k.body);
    const ids = [
      "@builtin(workgroup_id) group_id: vec3u",
      "@builtin(local_invocation_id) thread_id: vec3u",
      ...(k.subgroup ? ["@builtin(subgroup_invocation_id) lane_id: u32"] : []),
      ...(hidden ? ["@builtin(num_workgroups) group_count: vec3u"] : []),
    ];
    return [
      ...enabled(k),
      ...params,
      ...shared,
      "",
      ...(k.params.some((b) => b.scalar === "f16" && b.writable) ? roundHalf : []),
      `@compute @workgroup_size(${k.threads.join(", ")})`,
      `fn main(${ids.join(", ")}) {`,
      ...(hidden ? ["  let one = min(group_count.z, 1u);"] : []),
      ...local,
      body,
      "}",
      "",
    ].join("\n");
  },
});

function enabled(k: Kernel): string[] {
  const features = [
    ...(k.params.some((b) => b.scalar === "f16") ? ["f16"] : []),
    ...(k.subgroup ? ["subgroups"] : []),
  ];
  return features.length > 0 ? [...features.map((name) => `enable ${name};`), ""] : [];
}

/**
 * To the nearest half, ties to even. WGSL leaves open which way `f16(x)` rounds and what it makes
 * of numbers out of range. So normal numbers are rounded by their bits first, and what rounds to 65536
 * or more becomes infinite by its bits, since no literal is infinite: an overflow must be noticed.
 * Below 2^-14 the device rounds, or flushes to zero.
 */
const roundHalf = [
  "fn round_half(x: f32) -> f16 {",
  "  let bits = bitcast<u32>(x);",
  "  let size = bits & 0x7fffffffu;",
  "  let near = (size + 0xfffu + ((size >> 13u) & 1u)) & 0xffffe000u;",
  "  let beyond = near >= 0x47800000u;",
  "  let kept = select(select(near, size, size < 0x38800000u), 0u, beyond);",
  "  let above = ((bits >> 16u) & 0x8000u) | select(0x7c00u, 0x7e00u, size > 0x7f800000u);",
  "  let number = f16(bitcast<f32>(kept | (bits & 0x80000000u)));",
  "  return select(number, bitcast<vec2<f16>>(above).x, beyond);",
  "}",
  "",
];

const hasRolledLoop = (body: readonly Stmt[]): boolean =>
  body.some((s) =>
    s.kind === "for" ? s.rolled || hasRolledLoop(s.body) : s.kind === "if" && hasRolledLoop(s.body),
  );

export const wgsl: Target = {
  name: "wgsl",
  half: false,
  entry: () => "main",
  print: (kernel, scratch) => print(kernel, dialect(scratch)),
};
