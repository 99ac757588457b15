/** Which workgroup is computed, and which vector of its threads: what ids are made of. */
import type { Expr, Kernel } from "../../kernel/ir.ts";
import type { Code, Local } from "./code.ts";
import { divideBy } from "./functions.ts";
import { lanes } from "./writer.ts";

type Id = Extract<Expr, { kind: "id" }>;

export class Place {
  readonly #code: Code;
  readonly #threads: Kernel["threads"];
  readonly #count: number;
  readonly #groups: readonly Local[];
  /** The number of a vector's first thread in its workgroup. */
  readonly thread: Local;

  constructor(code: Code, { threads }: Kernel) {
    this.#code = code;
    this.#threads = threads;
    this.#count = threads.reduce((a, b) => a * b);
    this.#groups = [0, 1, 2].map(() => code.local("i32"));
    this.thread = code.local("i32");
  }

  /** Unfolds the number of the first workgroup. */
  begin(number: Local, columns: Local, rows: Local): void {
    const code = this.#code;
    const [x, y, z] = this.#groups as [Local, Local, Local];
    code.get(number);
    code.get(columns);
    code.op("i32.rem_u");
    code.set(x);
    code.get(number);
    code.get(columns);
    code.op("i32.div_u");
    code.tee(z);
    code.get(rows);
    code.op("i32.rem_u");
    code.set(y);
    code.get(z);
    code.get(rows);
    code.op("i32.div_u");
    code.set(z);
  }

  /** Goes on to the next one: divisions take long beside small workgroups. */
  next(columns: Local, rows: Local): void {
    const code = this.#code;
    const [x, y, z] = this.#groups as [Local, Local, Local];
    const raise = (axis: Local) => {
      code.get(axis);
      code.i32(1);
      code.op("i32.add");
    };
    const wrap = (axis: Local, extent: Local, more: () => void) => {
      raise(axis);
      code.tee(axis);
      code.get(extent);
      code.op("i32.eq");
      code.when("nothing", () => {
        code.i32(0);
        code.set(axis);
        more();
      });
    };
    wrap(x, columns, () =>
      wrap(y, rows, () => {
        raise(z);
        code.set(z);
      }),
    );
  }

  /** Leaves what all threads have, or the first of a line. */
  scalar(e: Extract<Expr, { kind: "id" | "lane" }>): void {
    const code = this.#code;
    if (e.kind === "lane" || e.of === "member") code.i32(0);
    else if (e.of === "group") code.get(this.#groups[e.axis]!);
    else if (e.of === "subgroups") code.i32(Math.ceil(this.#count / lanes));
    else if (e.of === "subgroup") {
      code.get(this.thread);
      code.i32(Math.log2(lanes));
      code.op("i32.shr_u");
    } else if (e.of === "members") this.#members();
    else {
      const { before, extent, isLast } = this.#axis(e);
      code.get(this.thread);
      if (before > 1) {
        code.i32(before);
        code.op("i32.div_u");
      }
      if (isLast) return;
      code.i32(extent);
      code.op("i32.rem_u");
    }
  }

  /** Leaves the numbers of threads along an axis, where they are in no line. */
  vector(e: Id): void {
    const code = this.#code;
    const { before, extent, isLast } = this.#axis(e);
    this.numbers();
    if (before > 1) divideBy(code, before);
    if (isLast || extent === 1) return;
    code.held("v128", (all) => {
      code.get(all);
      code.get(all);
      divideBy(code, extent);
      code.patterns(extent);
      code.op("i32x4.mul");
      code.op("i32x4.sub");
    });
  }

  /** Leaves the numbers of the vector's threads. */
  numbers(): void {
    const code = this.#code;
    code.get(this.thread);
    code.op("i32x4.splat");
    code.steps(1);
    code.op("i32x4.add");
  }

  /** The threads of the axes before one, and its own; whether it is the last that has any. */
  #axis({ axis }: Id) {
    const before = this.#threads.slice(0, axis).reduce((a, b) => a * b, 1);
    const extent = this.#threads[axis]!;
    return { before, extent, isLast: before * extent === this.#count };
  }

  /** Of the last vector there may be fewer. */
  #members(): void {
    const code = this.#code;
    code.i32(lanes);
    code.i32(this.#count);
    code.get(this.thread);
    code.op("i32.sub");
    code.held("i32", (left) => {
      code.get(left);
      code.i32(lanes);
      code.get(left);
      code.op("i32.lt_u");
      code.op("select");
    });
  }
}
