/** In which order saved tensors are given up: by the definition, and in a time that grows as the graph does. */
import { expect, test } from "vitest";
import type { Saved } from "../../../compiler/grad/saved.ts";
import { dropOrder, workOf } from "../../../compiler/grad/work.ts";
import { input } from "../../../compiler/graph/sources.ts";
import { isSource, type Node, type Tensor } from "../../../compiler/graph/tensor.ts";
import { add, exp, matmul, tanh } from "../../../ops/index.ts";
import { randomOf } from "../../fuzz/random.ts";

/** Ops over tensors made shortly before them, some of which are saved, some kept. */
function drawn(seed: number, length: number) {
  const { chance, below } = randomOf(seed);
  const made: Tensor[] = [input("x", "f32", [8, 8]) as Tensor];
  const near = () => made[Math.max(0, made.length - 1 - below(5))]!;
  for (let i = 0; i < length; i++)
    made.push(
      [
        () => exp(near()),
        () => tanh(near()),
        () => matmul(near(), near()),
        () => add(near(), near()),
      ][below(4)]!() as Tensor,
    );
  const always = new Set(made.filter(() => chance(0.15)));
  const saved: Saved[] = made
    .slice(1)
    .filter((t) => !always.has(t) && chance(0.6))
    .map((t, i) => ({ tensors: [t], bytes: 256 * (1 + below(3)), segment: Math.floor(i / 40) }));
  return { saved, kept: (t: Tensor) => always.has(t) };
}

/** Of all that is left, always the tensor that is worth most. */
function byDefinition(segment: readonly Saved[], kept: (t: Tensor) => boolean) {
  const left = new Set(segment);
  const held = new Set(segment.flatMap((s) => s.tensors));
  const copied = new Set<Node>();
  let worst = Number.POSITIVE_INFINITY;
  return segment.map(() => {
    const weighed = [...left].map((saved) => {
      const nodes = new Set<Node>();
      const visit = (t: Tensor) => {
        const stays = kept(t) || (held.has(t) && !saved.tensors.includes(t));
        if (stays || nodes.has(t.node) || copied.has(t.node) || isSource(t.node)) return;
        nodes.add(t.node);
        t.node.inputs.forEach(visit);
      };
      saved.tensors.forEach(visit);
      return { saved, nodes, worth: saved.bytes / (1 + workOf(nodes)) };
    });
    const best = weighed.reduce((a, b) => (b.worth > a.worth ? b : a));
    left.delete(best.saved);
    for (const t of best.saved.tensors) held.delete(t);
    for (const node of best.nodes) copied.add(node);
    worst = Math.min(worst, best.worth);
    return { saved: best.saved, worth: worst };
  });
}

test.each(Array.from({ length: 20 }, (_, i) => i))(
  "the order is that of its definition: %i",
  (seed) => {
    const { saved, kept } = drawn(seed, 100);
    const segments = [...new Set(saved.map((s) => s.segment))];
    const wanted = segments
      .flatMap((n) =>
        byDefinition(
          saved.filter((s) => s.segment === n),
          kept,
        ),
      )
      .sort((a, b) => b.worth - a.worth);
    expect(dropOrder(saved, kept)).toEqual(wanted.map((w) => w.saved));
  },
);

test("6,000 tensors of one segment are in order within seconds", { timeout: 30_000 }, () => {
  const { saved, kept } = drawn(1, 12_000);
  const one = saved.map((s) => ({ ...s, segment: 0 }));
  expect(dropOrder(one, kept)).toHaveLength(one.length);
});
