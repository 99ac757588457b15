/** A traced program: its nodes in order, where its values come from, and what it returns. */
import { bug, diagnose } from "../../diagnostics/index.ts";
import { shown } from "../../diagnostics/options.ts";
import type { PlanAdapter } from "../plan.ts";
import { Parameters } from "./parameters.ts";
import { adaptersOf, emptyScope, type Scope } from "./site.ts";
import {
  copyOp,
  type Dims,
  declaring,
  inputOp,
  parameterOp,
  type Source,
  withDims,
} from "./sources.ts";
import {
  apply,
  isForeign,
  isSource,
  type Node,
  resultsOf,
  show,
  Tensor,
  tensorHelp,
} from "./tensor.ts";

export interface Output {
  readonly name: string;
  readonly tensor: Tensor;
}

export interface Use {
  readonly node: Node;
  readonly input: number;
}

export interface Graph {
  /** Every node that an output needs, inputs before users. */
  readonly nodes: readonly Node[];
  /** What the program returns. One that is called as a state is what that state becomes. */
  readonly outputs: readonly Output[];
  /** Every state that the program declares, whether it reads it or not. */
  readonly states: readonly Tensor[];
  /** The adapters that a traced program has; undefined where there are none. */
  readonly adapters?: readonly PlanAdapter[];
}

/** What a program's author writes: from parameters and the sizes of named dims to named outputs. */
export type Program<D extends Dims = Dims> = (p: Parameters, dims: D) => Record<string, Tensor>;

/**
 * Runs a program once and keeps what it built; the scope holds adapters, and what they added. `called` is
 * what messages call the program. @throws E105 for a program that returns no named tensors, E110 for what
 * is no program, and what tracing throws.
 */
export function trace<D extends Dims>(
  program: Program<D>,
  dims: D,
  scope: Scope = emptyScope(),
  called?: string,
): Graph {
  if (typeof program !== "function")
    throw diagnose("E110", {
      message: `what is to be traced is ${shown(program)}, not a program`,
      help: 'give a function: trace((p) => ({ y }), {}); of a model write traceProgram(model, "forward")',
    });
  const { prefix } = scope;
  const { made, states } = declaring(prefix, () =>
    withDims(dims, () => program(new Parameters().within(scope), dims)),
  );
  checkReturned(made, called);
  const isState = (name: string) => states.some((s) => (s.node.attrs as Source).name === name);
  const outputs = Object.entries(made).map(([name, tensor]) => ({
    name: isState(`${prefix}${name}`) ? `${prefix}${name}` : name,
    tensor,
  }));
  const graph = graphOf(outputs, "inputs first", states);
  return scope.bindings.length > 0 ? { ...graph, adapters: adaptersOf(scope) } : graph;
}

/**
 * In which order nodes are computed: `inputs first` computes each output's inputs just before it;
 * `as written` keeps the order in which the program made them, which for a backward pass is the
 * order in which its memory is freed soonest.
 */
export type Order = "inputs first" | "as written";

/**
 * The graph that computes some tensors. Node order depends on the program alone. `declared` are states
 * that need not be read; those that are read are found.
 */
export function graphOf(
  outputs: readonly Output[],
  order: Order = "inputs first",
  declared: readonly Tensor[] = [],
): Graph {
  checkOutputs(outputs);
  const copied = copyRepeated(outputs);
  const found = orderNodes(copied);
  const states = allStates(declared, found);
  checkNames([...found.filter((n) => n.op.kind === "input"), ...states.map((s) => s.node)]);
  checkWrites(copied, states);
  const nodes = order === "inputs first" ? found : [...found].sort((a, b) => a.order - b.order);
  return { nodes, outputs: copied, states };
}

/** Requires named tensors of what a program returned. @throws E105 */
function checkReturned(made: unknown, called: string | undefined): void {
  const wrong = problemOfReturned(made);
  if (wrong) throw diagnose("E105", { message: wrong[0], where: called, help: wrong[1] });
  const outputs = Object.entries(made as Record<string, Tensor>);
  checkOutputs(
    outputs.map(([name, tensor]) => ({ name, tensor })),
    called,
  );
}

/** What is wrong with what a program returned, and what to write instead. */
function problemOfReturned(made: unknown): [message: string, help: string] | undefined {
  if (made === undefined)
    return [
      "the program returns nothing",
      "end it with return { y }, or as an arrow function put its object in parentheses: (p) => ({ y })",
    ];
  if (made instanceof Tensor)
    return ["the program returns a tensor without a name", "name it: return { y }"];
  if (typeof (made as PromiseLike<unknown> | null)?.then === "function")
    return [
      "the program returns a promise",
      "take async and await out of it: what must be waited for comes before the model is defined",
    ];
  if (typeof made !== "object" || made === null || Symbol.iterator in made)
    return [
      `the program returns ${shown(made)}, not an object of named tensors`,
      "name what it returns: return { y, z }",
    ];
  return undefined;
}

function checkOutputs(outputs: readonly Output[], called?: string): void {
  if (outputs.length === 0)
    throw diagnose("E105", {
      message: "the program returns no tensor",
      where: called,
      help: "return an object of named tensors, for example return { y }",
    });
  for (const { name, tensor } of outputs)
    if (!(tensor instanceof Tensor))
      throw diagnose("E105", {
        message: `output ${name} is ${shown(tensor)}, not a tensor${isForeign(tensor) ? " of this copy of inarch" : ""}`,
        where: called,
        help: isForeign(tensor)
          ? tensorHelp(tensor)
          : "return tensors that ops made: return { y: relu(x) }",
      });
}

/** A state is one however often a pass has made its node again: all have its attributes. */
function allStates(declared: readonly Tensor[], nodes: readonly Node[]): Tensor[] {
  const read = nodes.filter((n) => n.op.kind === "state").map((n) => resultsOf(n)[0]!);
  const states = new Map<unknown, Tensor>();
  for (const one of [...declared, ...read])
    if (!states.has(one.node.attrs)) states.set(one.node.attrs, one);
  return [...states.values()];
}

/** What a state becomes must be what it is. */
function checkWrites(outputs: readonly Output[], states: readonly Tensor[]): void {
  for (const state of states) {
    const { name } = state.node.attrs as Source;
    const next = outputs.find((o) => o.name === name)?.tensor;
    if (!next || show(next.type) === show(state.type)) continue;
    throw diagnose("E251", {
      message: `the state "${name}" is ${show(state.type)}, but the program returns ${show(next.type)} under its name`,
      at: next.node.span,
      labels: [[state.node.span, `the state: ${show(state.type)}`]],
      help: "return a tensor of the state's dtype and shape, or call the output otherwise",
    });
  }
}

/** Every output gets memory of its own, so sources and repeated tensors are copied. */
export function copyRepeated(outputs: readonly Output[]): Output[] {
  const seen = new Set<Tensor>();
  return outputs.map(({ name, tensor }) => {
    const own = !isSource(tensor.node) && !seen.has(tensor);
    seen.add(tensor);
    return { name, tensor: own ? tensor : apply(copyOp, [tensor], null)[0]! };
  });
}

function orderNodes(outputs: readonly Output[]): Node[] {
  const nodes: Node[] = [];
  const state = new Map<Node, "open" | "done">();
  // An explicit stack: a deep model must not overflow the call stack.
  const stack: Node[] = outputs.map((o) => o.tensor.node).reverse();
  while (stack.length > 0) {
    const node = stack.at(-1)!;
    const at = state.get(node);
    if (at === "done") {
      stack.pop();
    } else if (at === "open") {
      state.set(node, "done");
      nodes.push(node);
      stack.pop();
    } else {
      state.set(node, "open");
      for (const x of [...node.inputs].reverse()) {
        if (state.get(x.node) === "open") bug("the graph has a cycle");
        if (!state.has(x.node)) stack.push(x.node);
      }
    }
  }
  return nodes;
}

function checkNames(nodes: readonly Node[]): void {
  const seen = new Map<string, Node>();
  for (const node of nodes) {
    const { name } = node.attrs as Source;
    const other = seen.get(name);
    if (other)
      throw diagnose("E106", {
        message: `two ${other.op.kind === node.op.kind ? `${node.op.kind}s` : "sources"} are called "${name}"`,
        at: node.span,
        labels: [[other.span, "the first"]],
        help: "give each its own name, or use one tensor twice",
      });
    seen.set(name, node);
  }
}

const sourcesOf = (graph: Graph, op: unknown): Source[] =>
  graph.nodes.filter((n) => (n.op as unknown) === op).map((n) => n.attrs as Source);

export const inputsOf = (graph: Graph): Source[] => sourcesOf(graph, inputOp);
export const parametersOf = (graph: Graph): Source[] => sourcesOf(graph, parameterOp);
/** Of all that the program declares. */
export const statesOf = (graph: Graph): Source[] =>
  graph.states.map((state) => state.node.attrs as Source);

/** The users of every tensor. */
export function usesOf(graph: Graph): Map<Tensor, Use[]> {
  const uses = new Map<Tensor, Use[]>();
  for (const node of graph.nodes)
    node.inputs.forEach((tensor, input) => {
      const list = uses.get(tensor);
      if (list) list.push({ node, input });
      else uses.set(tensor, [{ node, input }]);
    });
  return uses;
}
