/** The CUDA target: C++ for nvcc and NVRTC, without any header. */
import { bug } from "../../../diagnostics/index.ts";
import type { NativeName } from "../../../formats/index.ts";
import { castRange } from "../../kernel/cast.ts";
import {
  type Buffer,
  type Element,
  type Fn,
  type Kernel,
  type Scalar,
  widened,
} from "../../kernel/ir.ts";
import { type Dialect, floatLiteral, infix, patternLiteral } from "../../kernel/printer.ts";
import { printUnpacked } from "../print.ts";
import type { Target } from "../target.ts";
import { capabilities } from "./capabilities.ts";

/** A type of memory. A narrow number is its bits: the types for them need headers. */
interface MemoryType {
  readonly name: string;
  /** Of several, before their number. */
  readonly vector: string;
  /** Functions that widen and round a value, if it is not computed with as it is. */
  readonly widen?: string;
  readonly round?: string;
}

const memoryTypes: Partial<Record<Element, MemoryType>> = {
  f32: { name: "float", vector: "float" },
  u32: { name: "unsigned", vector: "uint" },
  i32: { name: "int", vector: "int" },
  bool: { name: "bool", vector: "uint" },
  f16: { name: "unsigned short", vector: "ushort", widen: "widen_half", round: "round_half" },
  bf16: { name: "unsigned short", vector: "ushort", widen: "widen_bfloat", round: "round_bfloat" },
} satisfies Record<NativeName | "bool", MemoryType>;

const typeOf = (element: Element): MemoryType =>
  memoryTypes[element] ?? bug(`${element} in memory`);

const axes = "xyz";
const single: ReadonlySet<Fn> = new Set(["exp", "log", "sqrt", "tanh", "floor", "fma"]);

/** Integers modulo 2^32: sums of signed ones that overflow have no meaning in C++. */
const wholeNumbers: Partial<Record<Fn, (...args: string[]) => string>> = {
  add: (a, b) => `int(unsigned(${a}) + unsigned(${b}))`,
  sub: (a, b) => `int(unsigned(${a}) - unsigned(${b}))`,
  mul: (a, b) => `int(unsigned(${a}) * unsigned(${b}))`,
  fma: (a, b, c) => `int(unsigned(${a}) * unsigned(${b}) + unsigned(${c}))`,
  neg: (a) => `int(0u - unsigned(${a}))`,
  abs: (a) => `abs_i32(${a})`,
  div: (a, b) => `divided_i32(${a}, ${b})`,
  mod: (a, b) => `left_i32(${a}, ${b})`,
};

/** A divisor that needs no look. */
const isKnown = (text: string) => /^[1-9]\d*u$/.test(text);

function call(fn: Fn, args: readonly string[], type: Scalar): string {
  if (type === "i32") {
    const whole = wholeNumbers[fn];
    if (whole) return whole(...args);
  }
  if ((fn === "div" || fn === "mod") && type === "u32" && !isKnown(args[1]!))
    return `${fn === "div" ? "divided" : "left"}_u32(${args.join(", ")})`;
  if (fn === "fma" && type !== "f32") return `(${args[0]} * ${args[1]} + ${args[2]})`;
  if (fn === "maxnum") return `fmaxf(${args.join(", ")})`;
  if (fn === "bits") return `__float_as_uint(${args[0]})`;
  if (fn === "float") return `__uint_as_float(${args[0]})`;
  if (fn === "half") return `widen_half((unsigned short)${args[0]})`;
  if (single.has(fn)) return `${fn}f(${args.join(", ")})`;
  if (type === "f32" && fn === "abs") return `fabsf(${args[0]})`;
  if (type === "f32" && (fn === "min" || fn === "max")) return `${fn}_of(${args.join(", ")})`;
  return infix[fn](...args);
}

function literal(value: number, type: Scalar): string {
  switch (type) {
    case "u32":
      return `${value}u`;
    case "i32":
      if (value === castRange.i32[0]) return `(${value + 1} - 1)`;
      return value < 0 ? `(${value})` : `${value}`;
    case "bool":
      return value ? "true" : "false";
    case "f32":
      if (!Number.isFinite(value)) return `__uint_as_float(${patternLiteral(value)})`;
      if (Object.is(value, -0)) return "(-0.0f)";
      return value < 0 ? `(${floatLiteral(value)}f)` : `${floatLiteral(value)}f`;
  }
}

const loaded = ({ widen }: MemoryType, value: string) => (widen ? `${widen}(${value})` : value);
const stored = ({ round }: MemoryType, value: string) => (round ? `${round}(${value})` : value);

/** Inside the kernel: texts of several can be one file. */
const functions = {
  max_of: ["  auto max_of = [](float x, float y) { return x > y || x != x ? x : y; };"],
  min_of: ["  auto min_of = [](float x, float y) { return x < y || x != x ? x : y; };"],
  divided_u32: ["  auto divided_u32 = [](unsigned x, unsigned y) { return y == 0u ? x : x / y; };"],
  divided_i32: [
    "  auto divided_i32 = [](int x, int y) {",
    "    return y == 0 ? x : y == -1 ? int(0u - unsigned(x)) : x / y;",
    "  };",
  ],
  left_u32: ["  auto left_u32 = [](unsigned x, unsigned y) { return y == 0u ? 0u : x % y; };"],
  left_i32: ["  auto left_i32 = [](int x, int y) { return y == 0 || y == -1 ? 0 : x % y; };"],
  abs_i32: ["  auto abs_i32 = [](int x) { return x < 0 ? int(0u - unsigned(x)) : x; };"],
  int_of: [
    "  auto int_of = [](float x) {",
    `    return x != x ? 0 : int(fminf(fmaxf(x, ${castRange.i32[0]}.0f), ${castRange.i32[1]}.0f));`,
    "  };",
  ],
  unsigned_of: [
    "  auto unsigned_of = [](float x) {",
    `    return x != x ? 0u : unsigned(fminf(fmaxf(x, 0.0f), ${castRange.u32[1]}.0f));`,
    "  };",
  ],
} as const;

/**
 * Before the kernel, once in a file: instructions that C++ cannot say. Who has the functions already
 * defines the name.
 */
const narrow = {
  half: [
    "#ifndef INARCH_HALVES",
    "#define INARCH_HALVES",
    "static __device__ __forceinline__ float widen_half(unsigned short h) {",
    '  float x; asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(h)); return x;',
    "}",
    "static __device__ __forceinline__ unsigned short round_half(float x) {",
    '  unsigned short h; asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(x)); return h;',
    "}",
    "#endif",
  ],
  bfloat: [
    "#ifndef INARCH_BFLOATS",
    "#define INARCH_BFLOATS",
    "static __device__ __forceinline__ float widen_bfloat(unsigned short h) {",
    "  return __uint_as_float(unsigned(h) << 16);",
    "}",
    "static __device__ __forceinline__ unsigned short round_bfloat(float x) {",
    '  unsigned short h; asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(h) : "f"(x)); return h;',
    "}",
    "#endif",
  ],
} as const;

const calls = (body: string, name: string) => body.includes(`${name}(`);

const numbers = {
  ...{ subgroup: "subgroup_number", subgroups: "subgroup_count" },
  ...{ member: "member_number", members: "member_count" },
} as const;

/** A block's threads make warps in their order; the last one may have fewer than 32. */
const warps = (threads: number): string[] => [
  "  const unsigned subgroup_number = threadIdx.x / 32u;",
  `  const unsigned subgroup_count = ${Math.ceil(threads / 32)}u;`,
  "  const unsigned member_number = threadIdx.x % 32u;",
  threads % 32 === 0
    ? "  const unsigned member_count = 32u;"
    : `  const unsigned member_count = min(32u, ${threads}u - subgroup_number * 32u);`,
];

const usesSubgroup = (body: string) => /\bsubgroup_number\b/.test(body);

const folds = {
  ...{ add: "x + y", max: "x > y || x != x ? x : y", min: "x < y || x != x ? x : y" },
} as const;

/** Member 0 gets what all have, from half as many each time, and passes it on. */
const reduction = (fold: string, both: string): string[] => [
  `  auto reduce_${fold} = [=](auto x) {`,
  "    const unsigned all = 0xffffffffu >> (32u - member_count);",
  "    for (unsigned apart = 16u; apart > 0u; apart /= 2u) {",
  "      const auto y = __shfl_down_sync(all, x, apart);",
  `      if (member_number + apart < member_count) x = ${both};`,
  "    }",
  "    return __shfl_sync(all, x, 0);",
  "  };",
];

/** No function of C or of its libraries ends like this. */
const entry = ({ name }: Kernel): string => `${name}_kernel`;

const sharing = (b: Buffer, { vectors }: Kernel) =>
  b.space !== "shared" ? "" : vectors.has(b) ? "alignas(16) __shared__ " : "__shared__ ";

const dialect: Dialect = {
  call,
  reserved: new Set(
    `alignas and asm auto bool break case catch char class const continue default delete do double
    else enum exp explicit export extern false float for friend goto if inline int log long max min
    namespace new not operator or private protected public register restrict return short signed
    sizeof sqrt static struct switch tanh template this throw true try typedef union unsigned using
    virtual void volatile while abs floor widen_half round_half widen_bfloat round_bfloat reduce_add reduce_max reduce_min
    max_of min_of divided_u32 divided_i32 left_u32 left_i32 abs_i32 int_of unsigned_of
    subgroup_number subgroup_count member_number member_count`.split(/\s+/),
  ),
  literal,
  id: (of, axis) => {
    if (of === "group") return `blockIdx.${axes[axis]}`;
    return of === "thread" ? `threadIdx.${axes[axis]}` : numbers[of];
  },
  lane: "(threadIdx.x & 31u)",
  broadcast: (arg, lane) => `__shfl_sync(0xffffffffu, ${arg}, ${lane})`,
  shuffle: (arg, mask) => `__shfl_xor_sync(0xffffffffu, ${arg}, ${mask})`,
  reduce: (fold, arg) => `reduce_${fold}(${arg})`,
  cast: (arg, from, to) =>
    `${typeOf(to).name}${from === "f32" && (to === "i32" || to === "u32") ? "_of" : ""}(${arg})`,
  declare: (mutable, name, type, value) =>
    `${mutable ? "" : "const "}${typeOf(type).name} ${name} = ${value};`,
  loop: (name, count, rolled) =>
    `${rolled ? '_Pragma("unroll 1") ' : ""}for (unsigned ${name} = 0u; ${name} < ${count}u; ++${name})`,
  load: (from, name, index) => loaded(typeOf(from.scalar), `${name}[${index}]`),
  load4: (from, name, index, names) => {
    const type = typeOf(from.scalar);
    const vector = `${type.vector}${names.length}`;
    return [
      `const ${vector} ${names[0]}_4 = reinterpret_cast<const ${vector}*>(${name})[${index}];`,
      ...names.map((n, j) => {
        const value = loaded(type, `${names[0]}_4.${"xyzw"[j]}`);
        return `const ${typeOf(widened(from.scalar)).name} ${n} = ${value};`;
      }),
    ];
  },
  store: (to, name, index, value) => `${name}[${index}] = ${stored(typeOf(to.scalar), value)};`,
  store4: (to, name, index, values) => {
    const type = typeOf(to.scalar);
    const four = values.map((value) => stored(type, value)).join(", ");
    return [`reinterpret_cast<${type.vector}4*>(${name})[${index}] = {${four}};`];
  },
  fragment: () => bug("a kernel of fragments for CUDA"),
  barrier: "__syncthreads();",
  kernel(k: Kernel, name, body) {
    const params = k.params.map(
      (b) => `${b.writable ? "" : "const "}${typeOf(b.scalar).name}* __restrict__ ${name(b.name)}`,
    );
    const scratch = k.scratch.map(
      (b) => `  ${sharing(b, k)}${typeOf(b.scalar).name} ${name(b.name)}[${b.size}];`,
    );
    const [x, y, z] = k.threads;
    return [
      ...Object.entries(narrow).flatMap(([n, text]) =>
        calls(body, `widen_${n}`) || calls(body, `round_${n}`) ? text : [],
      ),
      `extern "C" __global__ void __launch_bounds__(${x * y * z}) ${entry(k)}(`,
      `    ${params.join(",\n    ")}) {`,
      ...Object.entries(functions).flatMap(([n, text]) => (calls(body, n) ? text : [])),
      ...(k.reduces ? warps(x) : usesSubgroup(body) ? warps(x).slice(0, 1) : []),
      ...Object.entries(folds).flatMap(([n, both]) =>
        calls(body, `reduce_${n}`) ? reduction(n, both) : [],
      ),
      ...scratch,
      body,
      "}",
      "",
    ].join("\n");
  },
};

export const cuda: Target = {
  name: "cuda",
  title: "CUDA",
  capabilities,
  comment: "//",
  half: true,
  bfloat: true,
  fragments: false,
  shuffles: true,
  subgroup: 32,
  entry,
  print: (kernel, _scratch, names) => printUnpacked(kernel, dialect, names),
};
