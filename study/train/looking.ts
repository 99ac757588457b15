/**
 * A model that also says which experts its gates chose, and how far its attention reaches. Both are found in its graph:
 * no model knows of them.
 */
import { graphOf } from "../../compiler/graph/graph.ts";
import { apply, type Node, resultsOf } from "../../compiler/graph/tensor.ts";
import { input, type Model, type Tensor } from "../../compiler/index.ts";
import { full, mean, mul, reshape, sum } from "../../ops/index.ts";

/** A gate: its name, and of how many experts it chooses. */
export interface Gate {
  readonly output: string;
  readonly place: string;
  readonly experts: number;
}

/** An attention layer of the encoder: tokens on a square grid. */
export interface Layer {
  readonly output: string;
  readonly layer: string;
  readonly tokens: number;
}

export interface Looking {
  readonly model: Model;
  readonly gates: readonly Gate[];
  readonly layers: readonly Layer[];
}

/** So many tokens of a layer are asked how far they look, evenly spread. */
const asked = 64;

/**
 * The program `segment` with more outputs: of each gate, i32 `[maps, kept]`, the experts that maps go to; of each
 * attention layer of the encoder, f32 `[heads]`, the mean distance between a token and those that it attends to, in
 * steps of the grid. The latter takes the inputs of `distanceInputs`.
 */
export function lookingAt(model: Model): Looking {
  const gates: Gate[] = [];
  const layers: Layer[] = [];
  const segment: Model["programs"][string] = (p, dims) => {
    const outputs = model.programs.segment!(p, dims);
    const named = Object.entries(outputs).map(([name, tensor]) => ({ name, tensor }));
    const { nodes } = graphOf(named, "as written");
    gates.length = 0;
    layers.length = 0;
    const more: Record<string, Tensor> = {};
    const inputsFor = sharedInputs();
    for (const node of nodes) {
      const gate = gateOf(node);
      if (gate) {
        const output = `gate${gates.length}`;
        more[output] = gate.choice;
        gates.push({ output, place: gate.place, experts: gate.experts });
      }
      const layer = layerOf(node);
      if (layer) {
        const output = `distance${layers.length}`;
        more[output] = reach(node, inputsFor(layer.tokens));
        layers.push({ output, ...layer });
      }
    }
    return { ...outputs, ...more };
  };
  return { model: { ...model, programs: { segment } }, gates, layers };
}

/** Layers of as many tokens share their inputs. */
function sharedInputs() {
  const made = new Map<number, readonly [Tensor, Tensor]>();
  return (tokens: number) => {
    const shape = [1, 1, tokens, Math.min(asked, tokens)];
    const known = made.get(tokens);
    const own =
      known ??
      ([
        input(`distances.${tokens}`, "f32", shape) as Tensor,
        input(`chosen.${tokens}`, "f32", shape) as Tensor,
      ] as const);
    made.set(tokens, own);
    return own;
  };
}

/** The parameter nearest to a tensor whose path a pattern matches, up to so many nodes away. */
function parameterNear(
  from: readonly Tensor[],
  pattern: RegExp,
  most = 40,
): RegExpExecArray | undefined {
  const seen = new Set<Node>();
  let front = from.map(({ node }) => node);
  while (front.length > 0 && seen.size < most) {
    for (const node of front) {
      seen.add(node);
      const name = (node.attrs as { readonly name?: unknown } | undefined)?.name;
      const found = node.op.kind === "parameter" && typeof name === "string" && pattern.exec(name);
      if (found) return found;
    }
    front = front.flatMap(({ inputs }) => inputs.map((x) => x.node)).filter((n) => !seen.has(n));
  }
  return undefined;
}

function gateOf(node: Node) {
  if (node.op.name !== "topK") return undefined;
  const [logits] = node.inputs;
  const path = parameterNear([logits!], /^(?:model\.)?(.*)\.lora_moe_gating\.w_gate$/, 6)?.[1];
  if (path === undefined) return undefined;
  const place = path.replace(/^image_encoder\.blocks\.(\d+)\./, "block $1 ");
  const choice = resultsOf(node).find(({ dtype }) => dtype === "i32")!;
  return { place, choice, experts: logits!.shape.at(-1)! };
}

function layerOf(node: Node): Pick<Layer, "layer" | "tokens"> | undefined {
  if (node.op.name !== "attention") return undefined;
  const [q, k] = node.inputs as [Tensor, Tensor];
  const tokens = k.shape[2]!;
  const isSquare = Number.isInteger(Math.sqrt(tokens));
  if (q.shape[2] !== tokens || q.shape[1] !== k.shape[1] || !isSquare) return undefined;
  const block = parameterNear([k], /image_encoder\.blocks\.(\d+)\.attn\./)?.[1];
  return block === undefined ? undefined : { layer: `block ${block}`, tokens };
}

/**
 * What attention makes of distances in place of values: the sum over tokens of weight times distance. Value `c` of a
 * token is its distance from the asked token `c`, so that of the result only the rows of asked tokens count.
 */
function reach(
  { op, inputs, attrs }: Node,
  [distances, chosen]: readonly [Tensor, Tensor],
): Tensor {
  const [q, k, , ...extras] = inputs as [Tensor, Tensor, Tensor, ...Tensor[]];
  const [maps, heads] = k.shape as [number, number];
  const [, , tokens, count] = distances.shape as [number, number, number, number];
  const values = mul(full(1, [maps, heads, tokens, count]), distances) as Tensor;
  const out = apply(op as never, [q, k, values, ...extras], attrs as never)[0] as Tensor;
  const own = sum(mul(reshape(out, values.shape), chosen) as Tensor, [2, 3]) as Tensor;
  return mean(own, 0) as Tensor;
}

/** The inputs of layers of so many tokens: distances in steps of the grid, and which rows count how much. */
export function distanceInputs(
  tokens: number,
): Readonly<Record<string, Float32Array<ArrayBuffer>>> {
  const count = Math.min(asked, tokens);
  const side = Math.sqrt(tokens);
  const [distances, chosen] = [new Float32Array(tokens * count), new Float32Array(tokens * count)];
  for (let c = 0; c < count; c++) {
    const at = Math.floor(((c + 0.5) * tokens) / count);
    chosen[at * count + c] = 1 / count;
    for (let j = 0; j < tokens; j++)
      distances[j * count + c] = Math.hypot(
        (j % side) - (at % side),
        Math.floor(j / side) - Math.floor(at / side),
      );
  }
  return { [`distances.${tokens}`]: distances, [`chosen.${tokens}`]: chosen };
}
