/** Draws a program: sources, calls of ops on what is there, and what is returned. */
import { randomOf } from "../random.ts";
import { exactly } from "./arithmetic.ts";
import { broadcast, count, type Dense } from "./dense.ts";
import type { Drawing, Fill, Kind, Ref } from "./known.ts";
import { type Leaf, type Program, replaced, type Statement } from "./program.ts";
import { table } from "./table.ts";
import { valuesOf } from "./values.ts";

export interface Wanted {
  /** Whether sources may hold numbers at which arithmetic breaks. */
  readonly isExtreme: boolean;
  readonly calls: number;
  /** An op that must be there, if it can be drawn. */
  readonly op: string;
}

const sizes = [1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 7, 8, 11, 13, 16, 17, 31, 37];

/** The most elements of a tensor: the reference device runs every thread by itself. */
const usualMost = 600;

export function draw(seed: number, wanted: Wanted): Program {
  const random = randomOf(seed);
  const statements: Statement[] = [];
  const kinds: Kind[][] = [];
  const held: (readonly Dense[])[] = [];
  const most = random.chance(0.05) ? 3000 : usualMost;

  const size = (limit = 40) => random.pick(sizes.filter((n) => n <= limit));
  const shape = (rank: number) => {
    const out = Array.from({ length: rank }, () => size(rank > 2 ? 7 : 40));
    while (count(out) > most) out[out.indexOf(Math.max(...out))] = random.between(1, 2);
    return out;
  };
  const rankOf = () => random.pick([0, 1, 1, 2, 2, 2, 2, 3, 3, 4, 4, 5]);
  const all = (): Ref[] => kinds.flatMap((own, at) => own.map((_, result) => ({ at, result })));
  const kind = ({ at, result }: Ref) => kinds[at]![result]!;
  const fresh = (dtype: Kind["dtype"], of: readonly number[], fill?: Fill): Ref => {
    const isExtreme =
      wanted.isExtreme && random.chance(0.6) && fill !== "index" && fill !== "masked";
    const source =
      dtype === "f32" && random.chance(0.4) ? "parameter" : random.chance(0.12) ? "state" : "input";
    const usual: Fill = random.chance(0.1) && dtype === "f32" ? "tied" : "ordinary";
    const leaf: Leaf = {
      source,
      dtype,
      shape: of,
      fill: isExtreme ? "extreme" : (fill ?? usual),
      seed: random.seed(),
    };
    statements.push(leaf);
    kinds.push([{ dtype, shape: of }]);
    held.push([valuesOf(leaf)]);
    return { at: statements.length - 1, result: 0 };
  };
  const some = (fits: (k: Kind) => boolean = () => true): Ref => {
    const found = all().filter((r) => fits(kind(r)));
    if (found.length > 0 && random.chance(0.8)) {
      // Rather a late one: long chains find more than wide graphs.
      const from = random.chance(0.6) ? Math.max(0, found.length - 3) : 0;
      return found[random.between(from, found.length - 1)]!;
    }
    for (let i = 0; i < 60; i++) {
      const made = {
        dtype: random.pick(["f32", "f32", "f32", "f32", "i32", "u32", "bool"] as const),
        shape: shape(rankOf()),
      };
      if (fits(made)) return fresh(made.dtype, made.shape);
    }
    // What fits may never be met by chance: an image, or exactly one shape.
    if (found[0]) return found[0];
    throw new RangeError("nothing fits");
  };
  const d: Drawing = {
    random,
    kind,
    fresh,
    some,
    most,
    size,
    shape,
    floats: (least = 0, highest = 5) => {
      const fits = (k: Kind) =>
        k.dtype === "f32" && k.shape.length >= least && k.shape.length <= highest;
      if (random.chance(0.15)) return fresh("f32", shape(random.between(least, highest)));
      const found = some(fits);
      return fits(kind(found)) ? found : fresh("f32", shape(least));
    },
    shaped: (of) => {
      const found = all().filter(
        (r) => kind(r).dtype === "f32" && kind(r).shape.join() === of.join(),
      );
      return found.length > 0 && random.chance(0.6) ? random.pick(found) : fresh("f32", of);
    },
    beside: (ref) => {
      const own = kind(ref);
      const fits = (k: Kind) => k.dtype === own.dtype && sizeBeside(k, own) <= most;
      if (random.chance(0.4)) return fits(own) && random.chance(0.2) ? ref : some(fits);
      const cut = own.shape
        .slice(random.below(own.shape.length + 1))
        .map((n) => (random.chance(0.3) ? 1 : n));
      const isWhole = own.dtype === "i32" || own.dtype === "u32";
      return fresh(own.dtype, cut, isWhole && random.chance(0.5) ? "extreme" : undefined);
    },
    axis: (ref) => {
      const rank = kind(ref).shape.length;
      return random.chance(0.3) ? random.between(-rank, -1) : random.below(rank);
    },
  };

  const drawn = (op: string) => {
    try {
      return table[op]!.draw(d);
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  };
  const call = (op: string) => {
    const args = drawn(op);
    if (!args) return;
    const find = (r: Ref) => held[r.at]![r.result]!;
    const made = table[op]!.plain(
      exactly,
      args.map((x) => replaced(x, find)),
    );
    if (
      made.some(
        (t) => count(t.shape) > 4 * most || t.data.length !== count(t.shape) || t.data.length === 0,
      )
    )
      return;
    statements.push({ op, args });
    kinds.push(made.map(({ dtype, shape }) => ({ dtype, shape })));
    held.push(made);
  };
  const names = Object.keys(table);
  const place = random.below(wanted.calls);
  for (let i = 0; i < wanted.calls; i++) {
    // What is written twice is computed once.
    const again = statements.at(random.below(Math.max(1, statements.length)));
    if (i === place)
      for (
        let tries = 0;
        tries < 4 && !statements.some((s) => "op" in s && s.op === wanted.op);
        tries++
      )
        call(wanted.op);
    else if (again && "op" in again && random.chance(0.12)) {
      statements.push(again);
      kinds.push(kinds[statements.indexOf(again)]!);
      held.push(held[statements.indexOf(again)]!);
    } else call(random.pick(names));
  }
  return { statements, ...returned() };

  function returned(): Pick<Program, "outputs" | "commits"> {
    const results = all().filter((r) => "op" in statements[r.at]!);
    const last = results.length > 0 ? results : all();
    const outputs = last.slice(-random.between(1, 3));
    const commits: [number, Ref][] = [];
    statements.forEach((s, at) => {
      if (!("source" in s) || s.source !== "state" || random.chance(0.3)) return;
      const fits = all().filter(
        (r) => kind(r).dtype === s.dtype && kind(r).shape.join() === s.shape.join() && r.at !== at,
      );
      const value = fits.at(-1);
      if (value) commits.push([at, value]);
    });
    return { outputs: outputs.length > 0 ? outputs : [fresh("f32", [2])], commits };
  }
}

const sizeBeside = (a: Kind, b: Kind): number => {
  const shape = broadcast(a.shape, b.shape);
  return shape ? count(shape) : Number.POSITIVE_INFINITY;
};
