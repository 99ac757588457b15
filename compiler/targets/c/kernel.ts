/** A kernel as one function: over workgroups, in each over vectors of threads, and statements inside. */
import { bug } from "../../../diagnostics/index.ts";
import { usedAsVectors } from "../../kernel/held.ts";
import {
  type Buffer,
  type Expr,
  type Kernel,
  type Scalar,
  type Stmt,
  widened,
} from "../../kernel/ir.ts";
import { hasBarrier, keptNames, runsOf } from "../../kernel/regions.ts";
import { type Shapes, shapesOf } from "../../kernel/shapes.ts";
import { loadsOf, memoryTypeOf, store, storesOf } from "./accesses.ts";
import { scalar, vector } from "./expressions.ts";
import { functionsFor } from "./functions.ts";
import { scalarTypes, type Text, vectorOf, type Writer } from "./writer.ts";

/** The fewest and the most threads of a vector, where the kernel does not say how many. */
const widths = { least: 4, most: 16 };

/** The name of a kernel's function. Others of its text end with it. */
export const entryOf = ({ name }: Kernel): string => `kernel_${name}`;

/** With what comes before it in the text of one kernel. */
export function printKernel(kernel: Kernel, name: (n: string) => string): string {
  const text = new KernelWriter(kernel, name).text();
  const { subgroup } = kernel;
  const width =
    subgroup === 0 ? [] : [`_Static_assert(LANES == ${subgroup}, "vectors of ${subgroup}");`];
  return [functionsFor(text), ...width, text, ""].join("\n");
}

class KernelWriter implements Writer {
  readonly kernel: Kernel;
  readonly shapes: Shapes;
  readonly name: (n: string) => string;
  mask: Text | undefined;
  readonly #plain: (n: string) => string;
  readonly #threads: number;
  /** Whether a workgroup is one vector, or its vectors need not wait for each other. */
  readonly #isOne: boolean;
  readonly #kept: ReadonlySet<string>;
  readonly #asVectors: ReadonlySet<string>;
  #masks = 0;
  #pad = "  ";
  readonly #lines: string[] = [];

  constructor(kernel: Kernel, name: (n: string) => string) {
    this.kernel = kernel;
    this.#plain = name;
    this.name = (n) => (this.#kept.has(n) ? `${name(n)}[vector]` : name(n));
    this.#threads = kernel.threads.reduce((a, b) => a * b);
    this.shapes = shapesOf(kernel, kernel.subgroup || widths.most);
    const oneVector = this.#threads <= (kernel.subgroup || widths.least);
    this.#isOne = oneVector || !kernel.body.some(hasBarrier);
    this.#kept = this.#isOne ? new Set() : keptNames(kernel);
    this.#asVectors = usedAsVectors(kernel, this.shapes);
  }

  text(): string {
    this.#within(() => this.#workgroup());
    const { kernel } = this;
    const entry = entryOf(kernel);
    const params = kernel.params.map(
      (b) => `${b.writable ? "" : "const "}${memoryTypeOf(b)} *restrict ${this.name(b.name)}`,
    );
    const given = kernel.params.map((_, i) => `buffers[${i}]`);
    const groups = "unsigned first, unsigned end, unsigned columns, unsigned rows";
    return [
      this.#struct("shared"),
      this.#struct("own"),
      `const unsigned long scratch_${entry} = sizeof(struct shared_${entry}) + ${this.#vectorCount} * sizeof(struct own_${entry});`,
      `static void groups_${entry}(${[...params, `struct shared_${entry} *restrict shared`, `struct own_${entry} *restrict owns`, groups].join(", ")}) {`,
      ...this.#lines,
      "}",
      `void ${entry}(void *const *buffers, void *scratch, ${groups}) {`,
      `  groups_${entry}(${[...given, "scratch", `(void *)((struct shared_${entry} *)scratch + 1)`, "first, end, columns, rows"].join(", ")});`,
      "}",
    ].join("\n");
  }

  get #vectorCount(): Text {
    return `((${this.#threads} + LANES - 1) / LANES)`;
  }

  scalar = (e: Expr): Text => scalar(this, e);
  vector = (e: Expr): Text => vector(this, e);

  isVector(name: string): boolean {
    return this.shapes.ofName(name).kind === "vector" || this.#asVectors.has(name);
  }

  arrayOf(b: Buffer): Text {
    if (b.space === "global") return this.name(b.name);
    return `${b.space === "shared" ? "shared" : "own"}->${this.name(b.name)}`;
  }

  /** Memory of a workgroup, or of a vector of threads. */
  #struct(of: "shared" | "own"): string {
    const space = of === "own" ? "local" : of;
    const arrays = this.kernel.scratch
      .filter((b) => b.space === space)
      .map((b) => {
        const type = this.shapes.differs(b) ? vectorOf(widened(b.scalar)) : memoryTypeOf(b);
        return `  ${type} ${this.name(b.name)}[${b.size}] __attribute__((aligned(64)));`;
      });
    return [
      `struct ${of}_${entryOf(this.kernel)} {`,
      ...arrays,
      "} __attribute__((aligned(64)));",
    ].join("\n");
  }

  #line(text: string): void {
    this.#lines.push(this.#pad + text);
  }

  #within(body: () => void): void {
    const before = this.#pad;
    this.#pad += "  ";
    body();
    this.#pad = before;
  }

  #braces(head: string, body: () => void): void {
    this.#line(`${head} {`);
    this.#within(body);
    this.#line("}");
  }

  #workgroup(): void {
    this.#pad = "  ";
    this.#braces("for (long group = first; group < end; ++group)", () => {
      this.#line("const long group_x = group % columns;");
      this.#line("const long group_y = group / columns % rows, group_z = group / columns / rows;");
      const { body } = this.kernel;
      this.#declareKept(body);
      if (this.#isOne) this.#vectors(() => this.#block(body));
      else this.#around(body);
    });
  }

  /** Each vector has its own value of a name that is read behind a barrier. */
  #declareKept(body: readonly Stmt[]): void {
    const one = (name: string, type: Scalar) => {
      if (!this.#kept.has(name)) return;
      this.#line(`${this.#typeOf(name, type)} ${this.#plain(name)}[${this.#vectorCount}];`);
    };
    for (const s of body)
      if (s.kind === "let" || s.kind === "var") one(s.name, s.value.type);
      else if (s.kind === "load4") for (const n of s.names) one(n, widened(s.from.scalar));
      else if (s.kind === "for" || s.kind === "if") this.#declareKept(s.body);
  }

  /** What stands around barriers: the first vector's values are those of all. */
  #around(body: readonly Stmt[]): void {
    for (const run of runsOf(body)) {
      const [first] = run;
      if (!first || !hasBarrier(first)) this.#vectors(() => this.#block(run));
      else if (first.kind === "for")
        this.#braces(this.#head(first), () => this.#around(first.body));
      else if (first.kind === "if") {
        this.#braces("", () => {
          this.#enter("0");
          this.#braces(`if (${this.scalar(first.cond)})`, () => this.#around(first.body));
        });
      }
    }
  }

  #head = ({ name, count }: Extract<Stmt, { kind: "for" }>): string => {
    const n = this.name(name);
    return `for (long ${n} = 0; ${n} < ${count}; ++${n})`;
  };

  /** One vector of threads after another. */
  #vectors(body: () => void): void {
    const all = this.#threads;
    const isOne = all <= (this.kernel.subgroup || widths.least);
    const head = isOne ? "" : `for (long thread = 0; thread < ${all}; thread += LANES)`;
    this.#braces(head, () => {
      if (isOne) this.#enter("0");
      else this.#enter("thread / LANES");
      if (all === 1 || all % (this.kernel.subgroup || widths.most) === 0) body();
      else this.#masked(`(all_vu(thread) + steps) < ${all}u`, body);
    });
  }

  #enter(vector: Text): void {
    if (vector === "0") this.#line("const long thread = 0;");
    this.#line(`const long vector = ${vector};`);
    this.#line(`struct own_${entryOf(this.kernel)} *restrict own = owns + vector;`);
  }

  #masked(text: Text, body: () => void): void {
    const before = this.mask;
    const mask = `mask_${this.#masks++}`;
    this.#line(`const vi ${mask} = ${text};`);
    this.mask = mask;
    body();
    this.mask = before;
  }

  #block(body: readonly Stmt[]): void {
    for (const s of body) this.#statement(s);
  }

  #statement(s: Stmt): void {
    switch (s.kind) {
      case "let":
      case "var":
        this.#declare(s.name, s.value.type, this.#value(s.name, s.value), s.kind === "let");
        return;
      case "set":
        this.#set(s.name, s.value);
        return;
      case "load4":
        for (const [j, load] of loadsOf(s).entries())
          this.#declare(s.names[j]!, load.type, this.#value(s.names[j]!, load), true);
        return;
      case "store":
        this.#line(store(this, s));
        return;
      case "store4":
        for (const one of storesOf(s)) this.#line(store(this, one));
        return;
      case "for":
        this.#braces(this.#head(s), () => this.#block(s.body));
        return;
      case "if":
        this.#branch(s.cond, () => this.#block(s.body));
        return;
      case "barrier":
        return;
      default:
        bug(`${s.kind} in C`);
    }
  }

  #branch(cond: Expr, body: () => void): void {
    if (this.shapes.isSame(cond)) {
      this.#braces(`if (${this.scalar(cond)})`, body);
      return;
    }
    const { mask } = this;
    const own = mask === undefined ? this.vector(cond) : `${this.vector(cond)} & ${mask}`;
    this.#braces("", () => this.#masked(own, () => this.#braces(`if (any(${this.mask}))`, body)));
  }

  #declare(name: string, type: Scalar, value: Text, isConst: boolean): void {
    if (this.#kept.has(name)) this.#line(`${this.name(name)} = ${value};`);
    else
      this.#line(
        `${isConst ? "const " : ""}${this.#typeOf(name, type)} ${this.name(name)} = ${value};`,
      );
  }

  #typeOf = (name: string, type: Scalar): Text =>
    this.isVector(name) ? vectorOf(type) : scalarTypes[type];

  /** As the name has it. */
  #value(name: string, value: Expr): Text {
    return this.isVector(name) ? this.vector(value) : this.scalar(value);
  }

  #set(name: string, value: Expr): void {
    const { mask } = this;
    const text = this.#value(name, value);
    const own = this.name(name);
    const isMasked = mask !== undefined && this.isVector(name);
    const all = isMasked ? `pick_${vectorOf(value.type)}(${mask}, ${text}, ${own})` : text;
    this.#line(`${own} = ${all};`);
  }
}
