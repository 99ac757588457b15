/**
 * Printed PTX as functions of JavaScript. Only what inarch prints is understood: branches forward are `if`s, branches
 * back are the ends of loops. A thread is a generator where it waits for others. Approximate instructions are as
 * wrong as they may be.
 */
import { floatToBfloat, floatToHalf, halfToFloat } from "../../formats/index.ts";
import type { MatrixLane } from "./ptx-matrices.ts";

export type Triple = readonly [number, number, number];

/** What a thread that waits is at: the others of its block, or those of its warp with a value for them. */
export interface Thread extends MatrixLane {
  readonly number: number;
  readonly tid: Triple;
  readonly ctaid: Triple;
  readonly local: Memory;
  at: "barrier" | "exchange";
  how: "bfly" | "down" | "idx" | "ldmatrix" | "mma";
  by: number;
  mask: number;
  value: number;
  /** Copies that have not arrived, in groups; the last one is open. */
  copies: (() => void)[][];
}

/** Memory by the addresses of one space. Each call says what is wrong by throwing. */
export interface Memory {
  readonly floats: Float32Array;
  readonly words: Int32Array;
  readonly halves: Uint16Array;
  /** The number of an element of so many bytes; `width` elements are accessed at once. */
  reading(thread: Thread, address: number, bytes: number, width: number): number;
  writing(thread: Thread, address: number, bytes: number, width: number): number;
}

export interface PtxKernel {
  readonly entry: string;
  readonly threads: Triple;
  readonly params: number;
  readonly sharedBytes: number;
  /** How much of that a launch must give. */
  readonly given: number;
  readonly localBytes: number;
  /** Whether its threads wait for each other. */
  readonly waits: boolean;
  run(
    thread: Thread,
    params: readonly number[],
    global: Memory,
    shared: Memory,
  ): Generator<undefined, void> | undefined;
}

const [float, pattern] = (() => {
  const floats = new Float32Array(1);
  const words = new Int32Array(floats.buffer);
  return [
    (bits: number) => {
      words[0] = bits;
      return floats[0]!;
    },
    (x: number) => {
      floats[0] = x;
      return words[0]!;
    },
  ];
})();

/** Two units in the last place beside what is exact, above or below: what the instruction promises. */
function ex2(x: number): number {
  const exact = Math.fround(2 ** x);
  if (x === 0 || !Number.isFinite(exact) || exact < 2 ** -125) return exact;
  return float(pattern(exact) + ((pattern(x) & 1) * 4 - 2));
}

const saturated = (x: number, least: number, most: number) =>
  Number.isNaN(x) ? 0 : Math.trunc(Math.min(Math.max(x, least), most)) | 0;

const helpers = {
  float,
  pattern,
  /** Of the 64 bits of a product. */
  upper: (a: number, b: number) => Number((BigInt(a >>> 0) * BigInt(b >>> 0)) >> 32n) | 0,
  ex2,
  saturated,
  half: (x: number) => floatToHalf(Float32Array.of(x))[0]!,
  bfloat: (x: number) => floatToBfloat(Float32Array.of(x))[0]!,
  ofHalf: (bits: number) => halfToFloat(Uint16Array.of(bits))[0]!,
  larger: (a: number, b: number) => (Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.max(a, b)),
};

type Spell = (...operands: readonly string[]) => string;

/** Instructions whose result is the first operand, by their other ones. Words are signed. */
const instructions: Readonly<Record<string, Spell>> = {
  "mov.f32": (a) => a,
  "mov.u32": (a) => a,
  "mov.u64": (a) => a,
  "mov.pred": (a) => a,
  "ld.param.u64": (a) => a,
  "cvta.to.global.u64": (a) => a,
  "add.f32": (a, b) => `fround(${a} + ${b})`,
  "sub.f32": (a, b) => `fround(${a} - ${b})`,
  "mul.f32": (a, b) => `fround(${a} * ${b})`,
  "add.rn.f32": (a, b) => `fround(${a} + ${b})`,
  "sub.rn.f32": (a, b) => `fround(${a} - ${b})`,
  "mul.rn.f32": (a, b) => `fround(${a} * ${b})`,
  "div.rn.f32": (a, b) => `fround(${a} / ${b})`,
  "fma.rn.f32": (a, b, c) => `fround(${a} * ${b} + ${c})`,
  "sqrt.rn.f32": (a) => `fround(Math.sqrt(${a}))`,
  "ex2.approx.f32": (a) => `ex2(${a})`,
  "neg.f32": (a) => `-${a}`,
  "abs.f32": (a) => `Math.abs(${a})`,
  "min.NaN.f32": (a, b) => `Math.min(${a}, ${b})`,
  "max.NaN.f32": (a, b) => `Math.max(${a}, ${b})`,
  "max.f32": (a, b) => `larger(${a}, ${b})`,
  "copysign.f32": (a, b) => `float(pattern(${b}) & 0x7fffffff | pattern(${a}) & 0x80000000)`,
  "cvt.rmi.f32.f32": (a) => `Math.floor(${a})`,
  "cvt.rn.f32.s32": (a) => `fround(${a})`,
  "cvt.rn.f32.u32": (a) => `fround(${a} >>> 0)`,
  "cvt.rzi.s32.f32": (a) => `saturated(${a}, -2147483648, 2147483647)`,
  "cvt.rzi.u32.f32": (a) => `saturated(${a}, 0, 4294967295)`,
  "cvt.f32.f16": (a) => `ofHalf(${a})`,
  "cvt.rn.f16.f32": (a) => `half(${a})`,
  "cvt.rn.bf16.f32": (a) => `bfloat(${a})`,
  "cvt.u32.u16": (a) => a,
  "cvt.u16.u32": (a) => `${a} & 0xffff`,
  "add.u32": (a, b) => `${a} + ${b} | 0`,
  "add.s32": (a, b) => `${a} + ${b} | 0`,
  "sub.u32": (a, b) => `${a} - ${b} | 0`,
  "sub.s32": (a, b) => `${a} - ${b} | 0`,
  "mul.lo.u32": (a, b) => `Math.imul(${a}, ${b})`,
  "mul.hi.u32": (a, b) => `upper(${a}, ${b})`,
  "mul.lo.s32": (a, b) => `Math.imul(${a}, ${b})`,
  "mad.lo.u32": (a, b, c) => `Math.imul(${a}, ${b}) + ${c} | 0`,
  "mad.lo.s32": (a, b, c) => `Math.imul(${a}, ${b}) + ${c} | 0`,
  "mad.wide.u32": (a, b, c) => `(${a} >>> 0) * ${b} + ${c}`,
  "div.u32": (a, b) => `(${a} >>> 0) / (${b} >>> 0) | 0`,
  "rem.u32": (a, b) => `(${a} >>> 0) % (${b} >>> 0) | 0`,
  "div.s32": (a, b) => `${a} / ${b} | 0`,
  "rem.s32": (a, b) => `${a} % ${b} | 0`,
  "neg.s32": (a) => `-${a} | 0`,
  "abs.s32": (a) => `Math.abs(${a}) | 0`,
  "min.s32": (a, b) => `Math.min(${a}, ${b})`,
  "max.s32": (a, b) => `Math.max(${a}, ${b})`,
  "min.u32": (a, b) => `Math.min(${a} >>> 0, ${b} >>> 0) | 0`,
  "max.u32": (a, b) => `Math.max(${a} >>> 0, ${b} >>> 0) | 0`,
  "and.b32": (a, b) => `${a} & ${b}`,
  "xor.b32": (a, b) => `${a} ^ ${b}`,
  "shl.b32": (a, b) => `${a} << ${b}`,
  "shr.u32": (a, b) => `${a} >>> ${b} | 0`,
  "shr.s32": (a, b) => `${a} >> ${b}`,
  "and.pred": (a, b) => `${a} && ${b}`,
  "or.pred": (a, b) => `${a} || ${b}`,
  "xor.pred": (a, b) => `${a} !== ${b}`,
  "not.pred": (a) => `!${a}`,
  "setp.lt.f32": (a, b) => `${a} < ${b}`,
  "setp.le.f32": (a, b) => `${a} <= ${b}`,
  "setp.gt.f32": (a, b) => `${a} > ${b}`,
  "setp.eq.f32": (a, b) => `${a} === ${b}`,
  "setp.neu.f32": (a, b) => `${a} !== ${b}`,
  "setp.lt.u32": (a, b) => `(${a} >>> 0) < (${b} >>> 0)`,
  "setp.le.u32": (a, b) => `(${a} >>> 0) <= (${b} >>> 0)`,
  "setp.lt.s32": (a, b) => `${a} < ${b}`,
  "setp.le.s32": (a, b) => `${a} <= ${b}`,
  "setp.eq.u32": (a, b) => `${a} === ${b}`,
  "setp.eq.s32": (a, b) => `${a} === ${b}`,
  "setp.ne.u32": (a, b) => `${a} !== ${b}`,
  "selp.f32": (a, b, c) => `${c} ? ${a} : ${b}`,
  "selp.b32": (a, b, c) => `${c} ? ${a} : ${b}`,
};

/** @throws for a text that inarch does not print. */
export function ptxKernel(text: string): PtxKernel {
  const lines = text.split("\n").map((line) => line.trim());
  const found = (pattern: RegExp) => pattern.exec(text)?.slice(1) ?? wrong(`no ${pattern}`);
  const [entry] = found(/^\.visible \.entry (\w+)\($/m) as [string];
  const threads = found(/^\.maxntid (\d+), (\d+), (\d+)$/m).map(Number) as unknown as Triple;
  const places = { shared: new Map<string, number>(), local: new Map<string, number>() };
  const given = Number(/^ {2}\/\/ (\d+) bytes are given\.$/m.exec(text)?.[1] ?? 0);
  const isDeclared = /^\.extern \.shared \.align 16 \.b8 given\[\];$/m.test(text);
  if (isDeclared !== given > 0) wrong("memory that a launch gives");
  if (given > 0) places.shared.set("given", 0);
  const sizes = { shared: given, local: 0 };
  const declared: string[] = [];
  const first = lines.indexOf("{");
  const code: string[] = [];
  for (const line of lines.slice(first + 1)) {
    const memory = /^\.(shared|local) \.align 16 \.b8 (\w+)\[(\d+)\];$/.exec(line);
    const registers = /^\.reg \.\w+ %([a-z]+)<(\d+)>;$/.exec(line);
    if (memory) {
      const space = memory[1] as "shared" | "local";
      places[space].set(memory[2]!, sizes[space]);
      sizes[space] += Math.ceil(Number(memory[3]) / 16) * 16;
    } else if (registers) {
      for (let i = 0; i < Number(registers[2]); i++) declared.push(`${registers[1]}${i}`);
    } else if (!line.startsWith("//")) code.push(line);
  }
  const waits = code.some((line) => /^(?:bar|shfl|mma|ldmatrix)\.sync/.test(line));
  const compiler = new Compiler(code, new Map([...places.shared, ...places.local]));
  const source = `"use strict"; const { ${Object.keys(helpers).join(", ")} } = helpers;
    const { fround } = Math;
    return function${waits ? "*" : ""} (thread, params, global, shared) {
      const { tid, ctaid, local } = thread;
      ${declared.length > 0 ? `let ${declared.join(", ")};` : ""}
      ${compiler.body()}
    };`;
  const run = new Function("helpers", source)(helpers) as PtxKernel["run"];
  const params = text.match(/^ {2}\.param \.u64/gm)?.length ?? 0;
  // More ptxas refuses.
  if (sizes.shared - given > 48 * 1024) wrong(`${sizes.shared} bytes of shared memory`);
  const bytes = { sharedBytes: sizes.shared, given, localBytes: sizes.local };
  return { entry, threads, params, ...bytes, waits, run };
}

const wrong = (what: string): never => {
  throw new Error(`this is no PTX that inarch prints: ${what}`);
};

class Compiler {
  readonly #code: readonly string[];
  readonly #places: ReadonlyMap<string, number>;
  /** Labels that branches behind them lead to. */
  readonly #loops = new Set<string>();
  /** What is open: labels. */
  readonly #open: string[] = [];

  constructor(code: readonly string[], places: ReadonlyMap<string, number>) {
    this.#code = code;
    this.#places = places;
    const seen = new Set<string>();
    for (const line of code) {
      if (line.endsWith(":")) seen.add(line.slice(0, -1));
      const [, to] = / bra (\w+);$/.exec(line) ?? [];
      if (to && seen.has(to)) this.#loops.add(to);
    }
  }

  body(): string {
    const lines = this.#code.map((line) => this.#line(line)).join("\n");
    if (this.#open.length > 0) wrong(`${this.#open} stay open`);
    return lines;
  }

  #line(line: string): string {
    if (line === "" || line === "}" || line === '.pragma "nounroll";') return "";
    if (line === "ret;") return "return;";
    if (line.endsWith(":")) return this.#label(line.slice(0, -1));
    const branch = /^@(!?)%(p\d+) bra (\w+);$/.exec(line);
    if (branch) return this.#branch(branch[1] === "!", branch[2]!, branch[3]!);
    const [, name, rest = ""] = /^([\w.]+)(?: (.*))?;$/.exec(line) ?? wrong(line);
    return `${this.#instruction(name!, operandsOf(rest))};`;
  }

  #label(label: string): string {
    if (this.#loops.has(label)) {
      this.#open.push(label);
      return "do {";
    }
    if (this.#open.pop() !== label) wrong(`${label} ends another branch`);
    return "}";
  }

  #branch(isNegated: boolean, condition: string, label: string): string {
    if (!this.#loops.has(label)) {
      if (!isNegated) wrong("a branch forward on a condition");
      this.#open.push(label);
      return `if (${condition}) {`;
    }
    if (isNegated || this.#open.pop() !== label) wrong(`a branch back to ${label}`);
    return `} while (${condition});`;
  }

  #instruction(name: string, operands: readonly string[]): string {
    if (name === "bar.sync") return 'thread.at = "barrier"; yield';
    if (/^(?:ld|st)\.(?:global|shared|local)/.test(name)) return this.#access(name, operands);
    if (name.startsWith("ldmatrix.")) return this.#loadMatrices(name, operands);
    if (name.startsWith("cp.async.")) return this.#copy(name, operands);
    if (name.startsWith("mma.")) return this.#multiply(name, operands);
    const [to, ...from] = operands.map((o) => this.#operand(o)) as [string, ...string[]];
    const exchange = /^shfl\.sync\.(bfly|down|idx)\.b32$/.exec(name);
    if (exchange) {
      const [value, by, segment, mask] = from;
      if (segment !== "31") wrong(name);
      return `thread.at = "exchange"; thread.how = "${exchange[1]}"; thread.value = ${value};
        thread.by = ${by}; thread.mask = ${mask}; yield; ${to} = thread.value`;
    }
    if (name === "mov.b32") return `${to} = ${moved(to, from[0]!)}`;
    const spell = instructions[name] ?? wrong(name);
    return `${to} = ${spell(...from)}`;
  }

  /** A lane names a row of 16 bytes, and gets a register of each matrix. */
  #loadMatrices(name: string, [to, place]: readonly string[]): string {
    const [, count, turned] =
      /^ldmatrix\.sync\.aligned\.m8n8\.x([24])(\.trans)?\.shared\.b16$/.exec(name) ?? wrong(name);
    const all = listOf(to!).map((x) => this.#operand(x));
    if (all.length !== Number(count)) wrong(name);
    return `thread.row = undefined;
      if (thread.number % 32 < 8 * ${count}) {
        const at = shared.reading(thread, ${this.#operand(place!)}, 2, 8);
        thread.row = shared.halves.slice(at, at + 8);
      }
      thread.at = "exchange"; thread.how = "ldmatrix"; thread.by = ${count};
      thread.mask = ${turned ? 1 : 0}; yield; [${all}] = thread.words`;
  }

  /** It arrives as late as it may; until then the place holds NaNs. */
  #copy(name: string, operands: readonly string[]): string {
    if (name === "cp.async.commit_group") return "thread.copies.push([])";
    const [to, from, size, count = size] = operands.map((o) => this.#operand(o));
    if (name === "cp.async.wait_group")
      return `for (const arrive of thread.copies.splice(0, Math.max(0, thread.copies.length - 1 - ${to})).flat())
        arrive()`;
    if (name !== "cp.async.cg.shared.global" || size !== "16") wrong(name);
    return `{
      const [to, bytes] = [${to}, ${count}];
      const at = bytes > 0 ? global.reading(thread, ${from}, 4, 4) : -1;
      const given = at < 0 ? [0, 0, 0, 0] : global.words.slice(at, at + 4);
      shared.words.fill(-1, shared.writing(thread, to, 4, 4), to / 4 + 4);
      thread.copies.at(-1).push(() => shared.words.set(given, shared.writing(thread, to, 4, 4)));
    }`;
  }

  #multiply(name: string, [to, left, right, sum]: readonly string[]): string {
    const [, type] =
      /^mma\.sync\.aligned\.m16n8k16\.row\.col\.f32\.(b?f16)\.\1\.f32$/.exec(name) ?? wrong(name);
    const [sums, a, b, before] = [to, left, right, sum].map((list) =>
      listOf(list!).map((x) => this.#operand(x)),
    );
    if (a!.length !== 4 || b!.length !== 2 || before!.length !== 4) wrong(name);
    return `thread.words = [${a}, ${b}]; thread.sums = [${before}];
      thread.at = "exchange"; thread.how = "mma"; thread.by = ${type === "bf16" ? 1 : 0}; thread.mask = 0; yield;
      [${sums}] = thread.sums`;
  }

  #access(name: string, operands: readonly string[]): string {
    const [, verb, space, vector, type] =
      /^(ld|st)\.(global|shared|local)(?:\.nc)?(?:\.v(\d))?\.(f32|b32|b16)$/.exec(name) ??
      wrong(name);
    const width = Number(vector ?? 1);
    const bytes = type === "b16" ? 2 : 4;
    const array = { f32: "floats", b32: "words", b16: "halves" }[type!]!;
    const [value, place] = (verb === "ld" ? operands : [...operands].reverse()) as [string, string];
    const all = listOf(value);
    if (all.length !== width) wrong(name);
    const at = this.#operand(place);
    const kind = verb === "ld" ? "reading" : "writing";
    const elements = all.map((x, i) => {
      const element = `${space}.${array}[at + ${i}]`;
      return verb === "ld"
        ? `${this.#operand(x)} = ${element};`
        : `${element} = ${this.#operand(x)};`;
    });
    return `{ const at = ${space}.${kind}(thread, ${at}, ${bytes}, ${width}); ${elements.join(" ")} }`;
  }

  #operand(text: string): string {
    const place = /^\[(.+?)(?:\+(\d+))?\]$/.exec(text);
    if (place) {
      const [, base, offset] = place;
      const param = /^param(\d+)$/.exec(base!);
      if (param) return `params[${param[1]}]`;
      return offset ? `${this.#operand(base!)} + ${offset}` : this.#operand(base!);
    }
    const special = /^%(tid|ctaid)\.([xyz])$/.exec(text);
    if (special) return `${special[1]}[${"xyz".indexOf(special[2]!)}]`;
    if (/^%[a-z]+\d+$/.test(text)) return text.slice(1);
    if (/^0f[0-9A-F]{8}$/.test(text)) return literal(float(Number.parseInt(text.slice(2), 16)));
    if (/^-?(?:0x[0-9a-f]+|\d+)$/.test(text))
      return `(${Number(text) | 0})`.replace(/^\((\d+)\)$/, "$1");
    return `${this.#places.get(text) ?? wrong(text)}`;
  }
}

const listOf = (text: string): string[] => text.replace(/[{}]/g, "").split(", ");

const operandsOf = (text: string): string[] =>
  (text.match(/\{[^}]*\}|[^,{}]+/g) ?? []).map((o) => o.trim()).filter((o) => o !== "");

const literal = (x: number): string =>
  Number.isNaN(x) ? "NaN" : Object.is(x, -0) ? "-0" : Number.isFinite(x) ? `(${x})` : `(${x})`;

/** Between registers of two kinds the bits stay. */
function moved(to: string, from: string): string {
  const [target, source] = [to.startsWith("f"), /^f\d|NaN|\.|e|Infinity/.test(from)];
  if (target === source) return from;
  return target ? `float(${from})` : `pattern(${from})`;
}
