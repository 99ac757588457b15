/**
 * Derivatives. Gradients in double precision must agree with central differences of the oracle along
 * random directions; those in single precision with the ones in double precision.
 */
import { gradient } from "../../../compiler/grad/backward.ts";
import { type Graph, trace } from "../../../compiler/graph/graph.ts";
import { input } from "../../../compiler/graph/sources.ts";
import type { Tensor } from "../../../compiler/graph/tensor.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { randomOf } from "../random.ts";
import { exactly } from "./arithmetic.ts";
import type { Asked } from "./check.ts";
import type { Dense } from "./dense.ts";
import { build, evaluate, type Held, isLeaf, type Leaf, live, type Program } from "./program.ts";
import { runOn } from "./run.ts";
import { valuesOf } from "./values.ts";

/** Floats that begin a program, and are no states. */
const wrtOf = (program: Program): number[] =>
  live(program).filter((at) => {
    const s = program.statements[at]!;
    return isLeaf(s) && s.dtype === "f32" && s.source !== "state";
  });

const zeros = (shape: readonly number[]): Dense => ({
  dtype: "f32",
  shape,
  data: new Float64Array(shape.reduce((a, b) => a * b, 1)),
});

const statesOf = (program: Program) =>
  live(program).filter((at) => {
    const s = program.statements[at]!;
    return isLeaf(s) && s.source === "state";
  });

/** Where each output's cotangent comes in, and its numbers. */
function cotangents(program: Program, made: ReadonlyMap<number, readonly Dense[]>, seed: number) {
  const random = randomOf(seed);
  return program.outputs.flatMap((r, i) => {
    const { dtype, data } = made.get(r.at)![r.result]!;
    if (dtype !== "f32") return [];
    return [{ name: `c${i}`, output: r, data: data.map(() => Math.fround(random.next() * 2 - 1)) }];
  });
}

/** Derivatives where something is infinite on the way are nobody's concern. */
const isFiniteAll = (made: ReadonlyMap<number, readonly Dense[]>) =>
  [...made.values()].every((own) => own.every(({ data }) => data.every(Number.isFinite)));

/** Whether some number goes one way otherwise than the other way: its steps `h` both ways are no opposites. */
function hasCorner(ahead: Held, here: Held, back: Held, h: number): boolean {
  for (const [at, results] of here)
    for (const [n, { dtype, data }] of results.entries()) {
      if (dtype !== "f32") continue;
      const [p, m] = [ahead.get(at)![n]!.data, back.get(at)![n]!.data];
      const isCorner = (x: number, i: number) =>
        Math.abs(p[i]! - 2 * x + m[i]!) >
        1e-3 * (Math.abs(p[i]! - m[i]!) + h) + 1e-10 * Math.abs(x);
      if (data.some(isCorner)) return true;
    }
  return false;
}

export async function gradientFault(
  program: Program,
  { way, gpu, seed }: Asked,
): Promise<string | undefined> {
  const wrt = wrtOf(program);
  const states = new Map(
    statesOf(program).map((at) => [
      at,
      [
        {
          ...zeros((program.statements[at] as Leaf).shape),
          dtype: (program.statements[at] as Leaf).dtype,
        },
      ],
    ]),
  );
  const base = evaluate(program, exactly, states);
  const given = cotangents(program, base, seed);
  const loss = (made: ReadonlyMap<number, readonly Dense[]>) =>
    given.reduce((sum, { output, data }) => {
      const y = made.get(output.at)![output.result]!.data;
      return sum + data.reduce((s, c, i) => s + c * y[i]!, 0);
    }, 0);
  if (wrt.length === 0 || given.length === 0 || !isFiniteAll(base)) return undefined;
  const { graph, found } = graphOfGradients(
    program,
    wrt,
    given.map(({ output }) => output),
  );
  if (!graph) return undefined;
  // Beside such numbers, those of masks, ordinary ones have no digits left in single precision.
  const swallows = live(program).some((at) => {
    const s = program.statements[at]!;
    return isLeaf(s) && valuesOf(s).data.some((x) => Number.isFinite(x) && Math.abs(x) >= 1e8);
  });
  const isBlind = swallows && seesMasks();
  const more = Object.fromEntries(given.map(({ name, data }) => [name, Float32Array.from(data)]));
  const on = async (device: Device, options = {}) =>
    (await runOn(device, { graph, program, times: 1 }, options, more)).runs[0]!;
  const double = await on(referenceDevice({ precision: "double" }), { policy: "unfused" });
  const words = againstDifferences();
  if (words) return words;
  if (way.store) return undefined;
  const single = await on(referenceDevice(way.width ? { width: way.width } : {}), way.options);
  return (
    (single && againstDouble(single, "reference device")) ||
    (gpu && !way.options.profile ? againstDouble(await on(gpu, way.options), "WebGPU") : undefined)
  );

  function againstDifferences(): string | undefined {
    const random = randomOf(seed + 1);
    for (const at of wrt) {
      const x = valuesOf(program.statements[at] as Leaf);
      const d = x.data.map(() => random.next() * 2 - 1);
      // Steps from the numbers of a mask are lost.
      if (x.data.some((v) => Math.abs(v) >= 1e8)) continue;
      const along = (h: number) => {
        const moved = { ...x, data: x.data.map((v, i) => v + h * d[i]!) };
        const given = new Map<number, readonly Dense[]>([...states, [at, [moved]]]);
        return evaluate(program, exactly, given, base);
      };
      const slope = (h: number) => (loss(along(h)) - loss(along(-h))) / (2 * h);
      const [coarse, fine] = [slope(1e-4), slope(3e-5)];
      const g = found.has(at) ? double[`g${at}`]! : undefined;
      const claimed = g ? d.reduce((sum, v, i) => sum + v * g[i]!, 0) : 0;
      const size = g ? Math.sqrt(d.reduce((sum, v, i) => sum + (v * g[i]!) ** 2, 0)) : 0;
      const here = loss(base);
      const unsure = Math.abs(coarse - fine) + 1e-9 * Math.abs(here);
      const limit = 2e-5 * (Math.abs(fine) + size) + 1e-6 + 1e3 * unsure;
      // Numbers too large for differences.
      if (!Number.isFinite(fine) || unsure > 1e-3 * (Math.abs(fine) + 1e-3)) continue;
      const isNear = Math.abs(claimed - fine) <= limit;
      // At ties and corners, here or on the way, differences are those of neither side.
      if (isBlind && Number.isFinite(claimed)) continue;
      if (!isNear && !hasCorner(along(3e-5), base, along(-3e-5), 3e-5))
        return `the gradient of statement ${at} along a direction is ${claimed}, by differences ${fine}`;
    }
    return undefined;
  }

  /** Whether results tell how low masks are: rows that are all hidden lose their own numbers, and steps. */
  function seesMasks(): boolean {
    const milder = live(program).flatMap((at) => {
      const s = program.statements[at]!;
      if (!isLeaf(s) || s.source === "state" || s.dtype !== "f32") return [];
      const x = valuesOf(s);
      const data = x.data.map((v) => Math.min(Math.max(v, -1e4), 1e4));
      return [[at, [{ ...x, data }]] as const];
    });
    const there = loss(
      evaluate(program, exactly, new Map<number, readonly Dense[]>([...states, ...milder])),
    );
    return !(Math.abs(there - loss(base)) <= 1e-9 * Math.abs(there));
  }

  function againstDouble(
    got: Record<string, ArrayLike<number>>,
    where: string,
  ): string | undefined {
    for (const at of found) {
      const [a, b] = [got[`g${at}`]!, double[`g${at}`]!];
      let [off, size] = [0, 1e-2];
      for (let i = 0; i < b.length; i++) {
        off = Math.max(off, Math.abs(a[i]! - b[i]!));
        size = Math.max(size, Math.abs(b[i]!));
        if (Number.isFinite(b[i]!) && size < 1e30 && Number.isNaN(a[i]!))
          return `${where}, ${way.name}: the gradient of statement ${at} is NaN at ${i}, in double precision ${b[i]}`;
      }
      if (Number.isFinite(size) && size > 1e-20 && off > 2e-2 * size && !swallows && isCalm(at))
        return `${where}, ${way.name}: the gradient of statement ${at} is off by ${off} of ${size}`;
    }
    return undefined;
  }

  /** Whether single precision may be expected to come near: the loss itself does not leap. */
  function isCalm(_at: number): boolean {
    const random = randomOf(seed + 2);
    const shaken = (h: number) => {
      const moved = new Map(
        wrt.map((at) => {
          const x = valuesOf(program.statements[at] as Leaf);
          return [
            at,
            [{ ...x, data: x.data.map((v) => v * (1 + h * (random.next() * 2 - 1))) }],
          ] as const;
        }),
      );
      return loss(
        evaluate(program, exactly, new Map<number, readonly Dense[]>([...states, ...moved])),
      );
    };
    const here = loss(base);
    return Math.abs(shaken(1e-5) - here) < 1e-2 * (Math.abs(here) + 1e-6);
  }
}

function graphOfGradients(
  program: Program,
  wrt: readonly number[],
  outputs: readonly { at: number; result: number }[],
) {
  const found = new Set<number>();
  let hasAny = false;
  const body = (): { graph: Graph } => ({
    graph: trace((p) => {
      const made = build(program, p);
      const results = outputs.map((r) => made.get(r.at)![r.result]!);
      const given = results.map((y, i) => {
        const name = `c${program.outputs.indexOf(outputs[i]!)}`;
        return input(name, "f32", y.shape) as unknown as Tensor;
      });
      const back = gradient(
        results,
        given,
        wrt.map((at) => made.get(at)![0]!),
      );
      const named = wrt.flatMap((at, i) => {
        if (!back[i]) return [];
        found.add(at);
        return [[`g${at}`, back[i]!] as const];
      });
      hasAny = named.length > 0;
      return hasAny ? Object.fromEntries(named) : { none: given[0]! };
    }, {}),
  });
  const { graph } = body();
  return { graph: hasAny ? graph : undefined, found };
}
