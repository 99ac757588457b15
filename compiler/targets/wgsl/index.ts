/** The WGSL target: WebGPU in browsers and, through Dawn, in Node. */

import { exactHalves } from "../../kernel/exact-halves.ts";
import type { Buffer, Expr, Fn, Kernel, Scalar, Stmt } from "../../kernel/ir.ts";
import { type Dialect, floatLiteral, infix, print } from "../../kernel/printer.ts";
import type { Target } from "../target.ts";
import { declareFragment, fragment, fragmentFeature, subgroupSize } from "./fragments.ts";
import { type HalfSpelling, ownHalves, packedHalves, roundHalf } from "./halves.ts";
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

const sharedArray = (b: Buffer, { vectors }: Kernel) =>
  vectors.has(b) ? `array<vec4<${b.scalar}>, ${b.size / 4}>` : `array<${b.scalar}, ${b.size}>`;

const dialect = (
  scratch: (b: Buffer) => boolean,
  halves: HalfSpelling,
  isHalf: (e: Expr) => boolean,
): Dialect => ({
  call,
  reserved,
  literal,
  id: (of, axis) => (of === "group" || of === "thread" ? `${of}_id.${axes[axis]}` : numbers[of]),
  lane: "lane_id",
  broadcast: (arg, lane) => `subgroupShuffle(${arg}, ${lane}u)`,
  reduce: (fold, arg) => `${folds[fold]}(${arg})`,
  cast: (arg, _from, to) => `${to}(${arg})`,
  declare: (mutable, name, _type, value) => `${mutable ? "var" : "let"} ${name} = ${value};`,
  loop: (name, count, rolled) =>
    `for (var ${name} = 0u; ${name} < ${count}u${rolled ? " * one" : ""}; ${name}++)`,
  load: (from, name, index) =>
    from.scalar === "f16" ? halves.load(name, index) : `${name}[${index}]`,
  load4: (from, name, index, names) => [
    `let ${names[0]}_4 = ${from.scalar === "f16" ? halves.load4(name, index) : `${name}[${index}]`};`,
    ...names.map((n, j) => `let ${n} = ${names[0]}_4.${"xyzw"[j]};`),
  ],
  store: (to, name, index, value, of) =>
    to.scalar === "f16"
      ? halves.store(name, index, value, isHalf(of))
      : `${name}[${index}] = ${value};`,
  store4: (to, name, index, values) => [
    `${name}[${index}] = vec4<${to.scalar}>(${values.join(", ")});`,
  ],
  fragment,
  barrier: "workgroupBarrier();",
  kernel(k: Kernel, name, body) {
    const params = k.params.map(
      (b, i) =>
        `@group(0) @binding(${i}) var<storage, ${access(b, scratch)}> ${name(b.name)}: array<${elementOf(b, k.vectors.has(b), halves)}>;`,
    );
    const shared = k.scratch
      .filter((b) => b.space === "shared")
      .map((b) => `var<workgroup> ${name(b.name)}: ${sharedArray(b, k)};`);
    const local = k.scratch
      .filter((b) => b.space === "local")
      .map((b) => `  var ${name(b.name)}: array<${b.scalar}, ${b.size}>;`);
    const held = k.fragments.map((f) => declareFragment(f, name(f.name)));
    // Drivers unroll what they can count: the number of groups is never zero, and they cannot know.
    const hidden = hasRolledLoop(k.body);
    const ids = [
      "@builtin(workgroup_id) group_id: vec3u",
      "@builtin(local_invocation_id) thread_id: vec3u",
      ...(k.reduces || usesSubgroup(body) ? ["@builtin(subgroup_id) subgroup_number: u32"] : []),
      ...(k.reduces ? ["@builtin(num_subgroups) subgroup_count: u32"] : []),
      ...(k.subgroup ? ["@builtin(subgroup_invocation_id) lane_id: u32"] : []),
      ...(hidden ? ["@builtin(num_workgroups) group_count: vec3u"] : []),
    ];
    return [
      ...enabled(k, halves),
      ...params,
      ...shared,
      "",
      ...(body.includes("round_half(") ? roundHalf : []),
      `@compute ${subgroupSize(k)}@workgroup_size(${k.threads.join(", ")})`,
      `fn main(${ids.join(", ")}) {`,
      ...(hidden ? ["  let one = min(group_count.z, 1u);"] : []),
      ...(k.reduces ? memberNumbers : []),
      ...local,
      ...held,
      body,
      "}",
      "",
    ].join("\n");
  },
});

const numbers = {
  ...{ subgroup: "subgroup_number", subgroups: "subgroup_count" },
  ...{ member: "member_number", members: "member_count" },
} as const;

const usesSubgroup = (body: string) => /\bsubgroup_number\b/.test(body);

/** Counted: an invocation's id in its subgroup does not say whether there are others. */
const memberNumbers = [
  "  let member_number = subgroupExclusiveAdd(1u);",
  "  let member_count = subgroupAdd(1u);",
];

const folds = { add: "subgroupAdd", max: "subgroupMax", min: "subgroupMin" } as const;

const elementOf = (b: Buffer, isVector: boolean, halves: HalfSpelling): string =>
  b.scalar === "f16" ? halves.element(b, isVector) : isVector ? `vec4<${b.scalar}>` : b.scalar;

function enabled(k: Kernel, halves: HalfSpelling): string[] {
  const hasHalves = [...k.params, ...k.scratch].some((b) => b.scalar === "f16");
  const features = [
    ...(hasHalves && halves === ownHalves ? ["f16"] : []),
    ...(k.subgroup || k.reduces || k.fragments.length > 0 ? ["subgroups"] : []),
    ...(k.matrices?.widths === "chosen" ? ["subgroup_size_control"] : []),
    ...(k.fragments.length > 0 ? [fragmentFeature] : []),
  ];
  return features.length > 0 ? [...features.map((name) => `enable ${name};`), ""] : [];
}

const hasRolledLoop = (body: readonly Stmt[]): boolean =>
  body.some((s) =>
    s.kind === "for" ? s.rolled || hasRolledLoop(s.body) : s.kind === "if" && hasRolledLoop(s.body),
  );

export const wgsl: Target = {
  name: "wgsl",
  title: "WGSL",
  ending: "wgsl",
  comment: "//",
  half: false,
  fragments: true,
  entry: () => "main",
  print(kernel, scratch, halves = "own", names = "own") {
    const spelling = halves === "own" ? ownHalves : packedHalves;
    return print(kernel, dialect(scratch, spelling, exactHalves(kernel.body)), names);
  },
};
