/** The WGSL target: WebGPU in browsers and, through Dawn, in Node. */

import type { FormatName } from "../../../formats/index.ts";
import { castRange } from "../../kernel/cast.ts";
import { exactIn } from "../../kernel/exact.ts";
import type { Buffer, Expr, Fn, Kernel, Scalar, Stmt } from "../../kernel/ir.ts";
import { type Dialect, floatLiteral, infix, patternLiteral } from "../../kernel/printer.ts";
import { printUnpacked } from "../print.ts";
import type { Target } from "../target.ts";
import { declareFragment, fragment, fragmentFeature, subgroupSize } from "./fragments.ts";
import { functionsIn } from "./functions.ts";
import { memoryTypes } from "./memory-types.ts";
import { withOpaque } from "./opaque.ts";
import { reserved } from "./reserved.ts";

const axes = "xyz";

/** The least i32, whose digits alone are too large for one. */
const [lowest] = castRange.i32;

function call(fn: Fn, args: readonly string[], type: Scalar): string {
  if (fn === "select") return `select(${args[1]}, ${args[0]}, ${args[2]})`;
  if (fn === "tanh") return `tanh_of(${args[0]})`;
  if ((fn === "max" || fn === "min") && type === "f32") return `${fn}_of(${args.join(", ")})`;
  if (fn === "fma" && type !== "f32") return `(${args[0]} * ${args[1]} + ${args[2]})`;
  if (fn === "bits") return `bitcast<u32>(${args[0]})`;
  if (fn === "float") return `bitcast<f32>(${args[0]})`;
  if (fn === "opaque") return `bitcast<${type}>(bitcast<u32>(${args[0]}) ^ nothing)`;
  if (fn === "half") return `unpack2x16float(${args[0]}).x`;
  return infix[fn](...args);
}

function literal(value: number, type: Scalar): string {
  switch (type) {
    case "u32":
      return `${value}u`;
    case "i32":
      return value === lowest ? `i32(${value})` : `${value}i`;
    case "bool":
      return value ? "true" : "false";
    case "f32":
      if (!Number.isFinite(value) || Object.is(value, -0))
        return `float_of(${patternLiteral(value)})`;
      return value < 0 ? `(${floatLiteral(value)})` : floatLiteral(value);
  }
}

const access = (b: Buffer, scratch: (name: string) => boolean) =>
  b.writable || scratch(b.name) ? "read_write" : "read";

/** The type of what a buffer holds: an element, or as many as are loaded at once. */
const heldIn = (b: Buffer, { vectors }: Kernel) => {
  const count = vectors.get(b) ?? 1;
  return { type: count > 1 ? `vec${count}<${b.scalar}>` : b.scalar, length: b.size / count };
};

const arrayOf = (b: Buffer, k: Kernel): string => {
  const { type, length } = heldIn(b, k);
  return b.space === "global" ? `array<${type}>` : `array<${type}, ${length}>`;
};

const dialect = (
  scratch: (name: string) => boolean,
  isExact: (e: Expr, format: FormatName) => boolean,
  vectors: Kernel["vectors"],
): Dialect => ({
  call,
  reserved,
  literal,
  id: (of, axis) => (of === "group" || of === "thread" ? `${of}_id.${axes[axis]}` : numbers[of]),
  lane: "lane_id",
  broadcast: (arg, lane) => `subgroupShuffle(${arg}, ${lane}u)`,
  shuffle: (arg, mask) => `subgroupShuffleXor(${arg}, ${mask}u)`,
  reduce: (fold, arg, type) => {
    if (fold === "add" || type !== "f32") return `${folds[fold]}(${arg})`;
    const sign = fold === "min" ? "-" : "";
    return `(${sign}ordered(subgroupMax(order_of(${sign}(${arg})))))`;
  },
  cast: (arg, from, to) =>
    from === "f32" && (to === "i32" || to === "u32") ? `${to}_of(${arg})` : `${to}(${arg})`,
  declare: (mutable, name, _type, value) => `${mutable ? "var" : "let"} ${name} = ${value};`,
  loop: (name, count, rolled) =>
    `for (var ${name} = 0u; ${name} < ${count}u${rolled ? " * one" : ""}; ${name}++)`,
  load: (from, name, index) => {
    const value = `${name}[${index}]`;
    return memoryTypes[from.scalar]?.load(value) ?? value;
  },
  load4: (from, name, index, names) => {
    const values = `${name}[${index}]`;
    return [
      `let ${names[0]}_4 = ${memoryTypes[from.scalar]?.load4(values) ?? values};`,
      ...names.map((n, j) => `let ${n} = ${names[0]}_4.${"xyzw"[j]};`),
    ];
  },
  store: (to, name, index, value, of) => {
    const { scalar } = to;
    const rounded = scalar !== "bool" && memoryTypes[scalar]?.store(value, isExact(of, scalar));
    return `${name}[${index}] = ${rounded || value};`;
  },
  store4: ({ scalar }, name, index, values, of) => {
    const type = scalar !== "bool" && memoryTypes[scalar];
    const stored = type ? values.map((v, j) => type.store(v, isExact(of[j]!, scalar))) : values;
    return [`${name}[${index}] = vec4<${scalar}>(${stored.join(", ")});`];
  },
  fragment: (s, name, index) => fragment(s, name, index, vectors),
  barrier: "workgroupBarrier();",
  kernel(k: Kernel, name, body) {
    const params = k.params.map(
      (b, i) =>
        `@group(0) @binding(${i}) var<storage, ${access(b, scratch)}> ${name(b.name)}: ${arrayOf(b, k)};`,
    );
    const shared = k.scratch
      .filter((b) => b.space === "shared")
      .map((b) => `var<workgroup> ${name(b.name)}: ${arrayOf(b, k)};`);
    const local = k.scratch
      .filter((b) => b.space === "local")
      .map((b) => `  var ${name(b.name)}: array<${b.scalar}, ${b.size}>;`);
    const held = k.fragments.map((f) => declareFragment(f, name(f.name)));
    // Drivers cannot prove that `one` is 1 and `nothing` 0. Loop counts are multiplied by `one`, so that they do
    // not unroll; `nothing` makes numbers opaque.
    const counted = hasRolledLoop(k.body);
    const hidden = body.includes(" ^ nothing)");
    const ids = [
      "@builtin(workgroup_id) group_id: vec3u",
      "@builtin(local_invocation_id) thread_id: vec3u",
      ...(k.reduces || usesSubgroup(body) ? ["@builtin(subgroup_id) subgroup_number: u32"] : []),
      ...(k.reduces ? ["@builtin(num_subgroups) subgroup_count: u32"] : []),
      ...(k.subgroup ? ["@builtin(subgroup_invocation_id) lane_id: u32"] : []),
      ...(counted || hidden ? ["@builtin(num_workgroups) group_count: vec3u"] : []),
    ];
    return [
      ...enabled(k),
      ...params,
      ...shared,
      "",
      ...Object.values(memoryTypes).flatMap((t) => (body.includes(`${t.round}(`) ? t.text : [])),
      ...functionsIn(body),
      `@compute ${subgroupSize(k)}@workgroup_size(${k.threads.join(", ")})`,
      `fn main(${ids.join(", ")}) {`,
      ...(counted || hidden ? ["  let one = min(group_count.z, 1u);"] : []),
      ...(hidden ? ["  let nothing = one - 1u;"] : []),
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

function enabled(k: Kernel): string[] {
  const held = [...k.params, ...k.scratch].flatMap((b) => memoryTypes[b.scalar]?.feature ?? []);
  const features = [
    ...new Set(held),
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
  comment: "//",
  half: false,
  fragments: true,
  shuffles: true,
  entry: () => "main",
  print(kernel, scratch, names) {
    const known = new Map<FormatName, (e: Expr) => boolean>();
    const isExact = (e: Expr, format: FormatName) => {
      const found = known.get(format) ?? exactIn(format, kernel.body);
      known.set(format, found);
      return found(e);
    };
    return printUnpacked(withOpaque(kernel), dialect(scratch, isExact, kernel.vectors), names);
  },
};
