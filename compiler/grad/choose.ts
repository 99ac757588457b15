/**
 * Chooses what the backward pass keeps under a byte budget, with the arena planner in the loop.
 *
 * First inside the segments between narrow places of the forward pass: what saves most bytes for
 * its work is dropped first, and the planner says how much of that order is enough. If all of it
 * is not, ever more of the narrow places are dropped too: every second is kept, every third, ...
 */
import { diagnose } from "../../diagnostics/index.ts";
import { pickVariants } from "../forms/pick.ts";
import { fuse } from "../fuse/fuse.ts";
import { type Graph, graphOf } from "../graph/graph.ts";
import { isSource, type Node, show, type Tensor } from "../graph/tensor.ts";
import type { Profile } from "../profile.ts";
import type { Pausing } from "../turns.ts";
import { type Keeping, recompute } from "./recompute.ts";
import { bytesOf, forwardPass, type Saved } from "./saved.ts";
import { dropOrder, workOf } from "./work.ts";

export interface BudgetRequest {
  /** The forward and the backward pass without recomputation, nodes "as written". */
  readonly graph: Graph;
  /** Where the forward pass ends: nodes written up to the last of these belong to it. */
  readonly forward: readonly Tensor[];
  /** The most that `measure` may say, in bytes. */
  readonly budget: number;
  /** Bytes that a graph takes, with all else that the budget is for: from `planBuffers`. */
  readonly measure: (graph: Graph) => Pausing<number>;
  readonly profile: Profile;
  /** What the budget is for, for the message. */
  readonly name?: string;
}

export interface Choice extends Keeping {
  /** What to compile: the passes with recomputation in them. */
  readonly graph: Graph;
  /** What `measure` says of it, and what it said of the graph without recomputation. */
  readonly bytes: number;
  readonly bytesWithout: number;
  /** Work of what is computed again, as a part of the work without recomputation. */
  readonly recomputed: number;
  /** What is computed again instead of being kept, in the order in which it was given up. */
  readonly dropped: readonly Dropped[];
  /** How often the arena planner was asked. */
  readonly asked: number;
}

export interface Dropped {
  /** The op and its result: "matmul f32[4096, 3072]". */
  readonly what: string;
  readonly bytes: number;
}

/**
 * Finds a graph with the same results within the budget, with little computed again.
 * @throws E140 with the least bytes that were found possible (no proof that there are no fewer), E141 for a budget that is none.
 */
export function* chooseKept(request: BudgetRequest): Pausing<Choice> {
  const { graph, budget, measure } = request;
  if (!(budget > 0) || !Number.isFinite(budget))
    throw diagnose("E141", {
      message: `a memory budget of ${budget} bytes`,
      help: "give a positive number of bytes, for example 4 * 2 ** 30",
    });
  const bytesWithout = yield* measure(graph);
  if (bytesWithout <= budget) {
    const nothing = { bytesWithout, recomputed: 0, dropped: [], asked: 1 };
    return { graph, keep: () => true, bytes: bytesWithout, ...nothing };
  }
  const isForward = forwardNodes(request);
  const trial = trials(request, isForward);
  const { keeping, order, strides } = yield* policies(request, isForward);
  let least = bytesWithout;
  for (const stride of strides) {
    const all = yield* trial.of(keeping(stride, order.length));
    least = Math.min(least, all.bytes);
    if (all.bytes > budget) continue;
    const { chosen, count } = yield* fewestDropped(order.length, all, function* (n) {
      const some = yield* trial.of(keeping(stride, n));
      return some.bytes <= budget ? some : undefined;
    });
    const dropped = order.slice(0, count).flatMap(describe);
    const recomputed = workOf(chosen.copied) / workOf(graph.nodes);
    return { ...chosen, bytesWithout, recomputed, dropped, asked: trial.count() + 1 };
  }
  throw impossible(request, least);
}

interface Trial extends Keeping {
  readonly graph: Graph;
  readonly bytes: number;
  readonly copied: readonly Node[];
}

function trials({ graph, measure }: BudgetRequest, isForward: (node: Node) => boolean) {
  let asked = 0;
  const forward = new Set(graph.nodes.filter(isForward));
  const of = function* (keeping: Keeping): Pausing<Trial> {
    asked++;
    const results = graph.outputs.map((o) => o.tensor);
    const replaced = recompute(results, forward, keeping);
    const outputs = graph.outputs.map((o) => ({
      ...o,
      tensor: replaced.get(o.tensor) ?? o.tensor,
    }));
    const rebuilt = graphOf(outputs, "as written", graph.states);
    const own = new Set([...replaced.values()].map((t) => t.node));
    const copied = rebuilt.nodes.filter((n) => !own.has(n) && !forward.has(n) && !isSource(n));
    return { ...keeping, graph: rebuilt, bytes: yield* measure(rebuilt), copied };
  };
  return { of, count: () => asked };
}

function forwardNodes({ forward }: BudgetRequest): (node: Node) => boolean {
  const last = Math.max(...forward.map((t) => t.node.order));
  return (node) => node.order <= last;
}

/** Tensors that save less than this share of the largest saving are kept. */
const negligible = 1 / 2000;

/** What to keep: by how many narrow places apart, and how much of an order is dropped. */
function* policies({ graph, profile }: BudgetRequest, isForward: (node: Node) => boolean) {
  const { regions } = yield* fuse(graph, yield* pickVariants(graph, profile), profile, "fused");
  const { saved, cuts, written } = forwardPass(regions, isForward);
  const large = Math.max(0, ...saved.map((s) => s.bytes)) * negligible;
  const always = new Set<Tensor>(graph.outputs.map((o) => o.tensor));
  for (const t of written) if (bytesOf(t) <= large) always.add(t);
  const cutTensors = new Set(cuts.flat());
  const candidates = saved.filter((s) => s.bytes > large);
  const order = dropOrder(candidates, (t) => always.has(t) || cutTensors.has(t));
  const inside = new Set(candidates.flatMap((s) => s.tensors));

  const keeping = (stride: number, dropped: number): Keeping => {
    const keptCuts = new Set(cuts.flatMap((cut, i) => ((i + 1) % stride === 0 ? cut : [])));
    const gone = new Set(order.slice(0, dropped).flatMap((s) => s.tensors));
    return {
      keep: (t) => always.has(t) || keptCuts.has(t) || (inside.has(t) && !gone.has(t)),
      landmark: (t) => cutTensors.has(t),
    };
  };
  const strides = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32].filter((n) => n === 1 || n <= cuts.length);
  return { keeping, order, strides };
}

/** Halves its way to the fewest that will do: `all` of them do. */
function* fewestDropped<T>(
  count: number,
  all: T,
  fits: (dropped: number) => Pausing<T | undefined>,
) {
  let [fewest, chosen] = [count, all];
  let tooFew = -1;
  while (fewest - tooFew > 1) {
    const middle = Math.floor((fewest + tooFew) / 2);
    const found = yield* fits(middle);
    if (found) [fewest, chosen] = [middle, found];
    else tooFew = middle;
  }
  return { chosen, count: fewest };
}

const describe = ({ tensors, bytes }: Saved): Dropped => ({
  what: `${tensors[0]!.node.op.name} ${show(tensors[0]!.type)}`,
  bytes,
});

function impossible({ budget, name = "this training" }: BudgetRequest, least: number) {
  const size = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB (${bytes} bytes)`;
  return diagnose("E140", {
    message: `${name} does not fit in ${size(budget)}: with everything recomputed that can be, it takes ${size(least)}`,
    help: `a budget of ${Math.ceil(least / 2 ** 20)}MiB would do; a smaller batch or a smaller image needs less`,
  });
}
