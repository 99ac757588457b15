/**
 * Matrix fragments on the reference device: what a subgroup holds together, as one dense matrix.
 *
 * Which lane touches which element is up to a GPU. So a fragment statement accesses memory as
 * nobody in particular: whatever any thread did there in the same barrier interval is a race.
 */
import { type Memory, type Rounding, strict } from "./memory.ts";

/** What the text of a kernel says of a fragment (`compiler/targets/reference`). */
export interface FragmentShape {
  readonly name: string;
  readonly role: "left" | "right" | "sum";
  readonly scalar: string;
  readonly rows: number;
  readonly columns: number;
}

/** What a lane offers to do together with its subgroup. */
export interface Collective {
  /** The statement: equal in all lanes, or they diverge. */
  readonly does: string;
  /** Its index: equal as well. */
  readonly at: number;
  /** Done once for all lanes, in the name of `by`. */
  run(by: number): void;
}

export interface FragmentMemory {
  readonly columns: number;
  /** `isTurned`: memory has columns, not rows. */
  load(from: Memory, at: number, stride: number, by: number, isTurned?: boolean): void;
  clear(): void;
  /** this += left * right, rounded once. */
  add(left: FragmentMemory, right: FragmentMemory): void;
  store(to: Memory, at: number, stride: number, by: number): void;
  /** @throws E450 before the fragment holds anything. */
  element(row: number, column: number): number;
}

export function fragmentMemory(
  { name, role, rows, columns }: FragmentShape,
  kernel: string,
  round: Rounding,
): FragmentMemory {
  const data = new Float64Array(rows * columns);
  let isFilled = role === "sum";
  const check = () => {
    if (!isFilled) strict(`fragment ${name} is used before it was loaded`, kernel);
  };
  return {
    columns,
    load(from, at, stride, by, isTurned = false) {
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < columns; c++)
          data[r * columns + c] = from.read(at + (isTurned ? c * stride + r : r * stride + c), by);
      isFilled = true;
    },
    clear() {
      data.fill(0);
    },
    add(left, right) {
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < columns; c++) {
          let sum = data[r * columns + c]!;
          for (let k = 0; k < left.columns; k++) sum += left.element(r, k) * right.element(k, c);
          data[r * columns + c] = round(sum);
        }
    },
    store(to, at, stride, by) {
      check();
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < columns; c++) to.write(at + r * stride + c, data[r * columns + c]!, by);
    },
    element(row, column) {
      check();
      return data[row * columns + column]!;
    },
  };
}

/** Copies of one thread that have not arrived. */
export interface Copies {
  /** Eight elements, or zeros of no memory. Until they have arrived the place holds nothing. */
  start(to: Memory, index: number, from: Memory | false, at: number): void;
  endGroup(): void;
  /** All groups but the last `left` arrive. */
  wait(left: number): void;
}

const copied = 8;

/** They arrive as late as they may. */
export function copiesOf(me: number): Copies {
  const groups: (() => void)[][] = [[]];
  return {
    start(to, index, from, at) {
      for (let i = 0; i < copied; i++) {
        const value = from ? from.read(at + i, me) : 0;
        to.write(index + i, Number.NaN, me);
        groups.at(-1)!.push(() => to.write(index + i, value, me));
      }
    },
    endGroup() {
      groups.push([]);
    },
    wait(left) {
      for (const arrive of groups.splice(0, Math.max(0, groups.length - 1 - left)).flat()) arrive();
    },
  };
}
