/**
 * Writes a traced program as an ONNX model, for ONNX Runtime, Netron and whatever else reads ONNX.
 *
 * The graph is the one that a good exporter of PyTorch would make: linear layers are Gemm, norms
 * LayerNormalization, convolutions Conv. Nothing is fused beyond that; a runtime does so itself.
 */
import { checkGraph } from "../../compiler/graph/check-graph.ts";
import { type Graph, inputsOf, parametersOf } from "../../compiler/graph/graph.ts";
import type { Source } from "../../compiler/graph/sources.ts";
import { elements, type Node, show, type Tensor, type Type } from "../../compiler/op-kit.ts";
import { bug, diagnose } from "../../diagnostics/index.ts";
import { checkOptions, shown } from "../../diagnostics/options.ts";
import { fileBytes } from "../../formats/index.ts";
import { encodeModel, type OnnxGraph, type OnnxTensor, type OnnxValueInfo } from "./schema.ts";
import { spellingOf } from "./table.ts";
import { elementType, OnnxWriter, tensorOf, type Value } from "./writer.ts";

export interface OnnxOptions {
  /** What the graph is called: `graph` unless given. */
  readonly name?: string;
  /** The values of parameters by path. Without them parameters become inputs of the model. */
  readonly weights?: ReadonlyMap<string, Float32Array>;
}

/** A file of this size, in bytes, is the most that protobuf's readers take, less some for nodes. */
export const mostInside = 2 ** 31 - 2 ** 26;

/**
 * A traced program as the bytes of a `.onnx` file: opset 20, sizes in numbers. Inputs and outputs
 * keep their names, parameters their paths and their layout.
 *
 * @throws E800 for an op that ONNX has no spelling for, E801 for a program that keeps states, E802
 * for two things of one name, E113 for what is no graph, E460 for options that cannot be, E803 for weights that do not fit, E804 beyond 2 GiB.
 */
export function exportOnnx(graph: Graph, options: OnnxOptions = {}): Uint8Array<ArrayBuffer> {
  checkGraph(graph, "exportOnnx");
  checkOptions<OnnxOptions>("exportOnnx", options, { name: true, weights: true });
  const { name = "graph", weights } = options;
  checkName("exportOnnx", "name", name);
  if (weights !== undefined && !(weights instanceof Map))
    throw diagnose("E460", {
      message: `exportOnnx: weights are ${shown(weights)}`,
      help: "give a Map from paths of parameters to Float32Arrays",
    });
  const parameters = parametersOf(graph);
  if (!weights) return encodeModel(spell(graph, name, [], parameters));
  checkParameters(graph, ({ name: path, type }) => {
    const { length } = weights.get(path) ?? {};
    return length === elements(type.shape) ? type.shape : length === undefined ? length : [length];
  });
  const bytes = weightBytes(graph);
  if (bytes > mostInside)
    throw diagnose("E804", {
      message: `the weights of ${name} take ${(bytes / 2 ** 30).toFixed(2)} GiB, and a file holds less than 2`,
      help: "use exportOnnxOutside, which leaves them to a file of their own",
    });
  const tensors = parameters.map(({ name: path, type }) => {
    const { buffer, byteOffset, byteLength } = weights.get(path)!;
    return tensorOf(path, "f32", type.shape, new Uint8Array(buffer, byteOffset, byteLength));
  });
  return encodeModel(spell(graph, name, tensors, []));
}

/** @throws E460 for what is no text with something in it. */
function checkName(of: string, option: string, value: unknown): void {
  if (typeof value === "string" && value !== "") return;
  throw diagnose("E460", {
    message: `${of}: ${option} is ${shown(value)}`,
    help: `give a text: { ${option}: "encoder" }`,
  });
}

/** Where a parameter's values belong in the file of weights: float32, little-endian, row-major. */
export interface OutsideTensor {
  readonly path: string;
  readonly type: Type;
  /** In bytes, from the beginning of the file. */
  readonly offset: number;
  readonly bytes: number;
}

/**
 * As `exportOnnx`, for weights of any size: they are to be written to `file` beside the model, one
 * after another as the list says.
 *
 * @throws E800, E801, E802.
 */
export function exportOnnxOutside(
  graph: Graph,
  options: { readonly name?: string; readonly file: string },
): { readonly model: Uint8Array<ArrayBuffer>; readonly tensors: readonly OutsideTensor[] } {
  checkGraph(graph, "exportOnnxOutside");
  checkOptions<typeof options>("exportOnnxOutside", options, { name: true, file: true });
  const { name = "graph", file } = options ?? {};
  checkName("exportOnnxOutside", "name", name);
  checkName("exportOnnxOutside", "file", file);
  let offset = 0;
  const tensors = parametersOf(graph).map(({ name: path, type }): OutsideTensor => {
    const bytes = fileBytes("f32", elements(type.shape));
    const at = offset;
    offset += bytes;
    return { path, type, offset: at, bytes };
  });
  const initializers = tensors.map(({ path, type, offset: at, bytes }): OnnxTensor => {
    const { rawData: _, ...described } = tensorOf(path, "f32", type.shape, new Uint8Array());
    const where = { location: file, offset: String(at), length: String(bytes) };
    const externalData = Object.entries(where).map(([key, value]) => ({ key, value }));
    return { ...described, externalData, dataLocation: 1 };
  });
  return { model: encodeModel(spell(graph, name, initializers, [])), tensors };
}

/** How many bytes the parameters take. */
export const weightBytes = (graph: Graph): number =>
  parametersOf(graph).reduce((sum, { type }) => sum + fileBytes("f32", elements(type.shape)), 0);

/** The most that one message lists. */
const listed = 20;

/**
 * Requires a value for every parameter, of its shape: `shapeOf` says which shape there is, undefined
 * for none. @throws E803, which names all that do not fit.
 */
export function checkParameters(
  graph: Graph,
  shapeOf: (parameter: Source) => readonly number[] | undefined,
  where?: string,
): void {
  const parameters = parametersOf(graph);
  const problems = parameters.flatMap((parameter) => {
    const { name, type } = parameter;
    const shape = shapeOf(parameter);
    if (shape === undefined) return [`${name} is missing`];
    if (shape.join() === type.shape.join()) return [];
    return [`${name} is [${shape.join(", ")}], the model has [${type.shape.join(", ")}]`];
  });
  if (problems.length === 0) return;
  const more = problems.length > listed ? [`and ${problems.length - listed} more`] : [];
  const list = [...problems.slice(0, listed), ...more].join("\n    ");
  throw diagnose("E803", {
    message: `${problems.length} of the ${parameters.length} parameters do not fit the weights:\n    ${list}`,
    where,
    help: "give the weights of this very model; what an adapter adds lies in a file of its own",
  });
}

/** The graph in ONNX's words. Parameters are initializers or, without values, inputs. */
function spell(
  graph: Graph,
  name: string,
  initializers: readonly OnnxTensor[],
  given: readonly Source[],
): OnnxGraph {
  checkNames(graph);
  const [state] = graph.states;
  if (state) throw keepsStates(state.node);
  const w = new OnnxWriter();
  const values = new Map<Node, readonly Value[]>();
  const known = ({ node, result }: Tensor): Value =>
    values.get(node)?.[result] ?? bug("a tensor is read before it is made");
  for (const node of graph.nodes) values.set(node, spellNode(w, node, known));
  const outputs = graph.outputs.map(({ name: output, tensor }) => ({
    name: output,
    value: w.expand(known(tensor), tensor.shape),
  }));
  const { nodes, constants } = w.finish(outputs);
  return {
    name,
    node: nodes,
    initializer: [...initializers, ...constants],
    input: [...inputsOf(graph), ...given].map(({ name: input, type, doc }) =>
      valueInfo(input, type, doc),
    ),
    output: graph.outputs.map(({ name: output, tensor }) => valueInfo(output, tensor.type)),
  };
}

function spellNode(w: OnnxWriter, node: Node, known: (tensor: Tensor) => Value): readonly Value[] {
  const { op, attrs, inputs, types } = node;
  if (op.kind === "input" || op.kind === "parameter") {
    const { name, type } = attrs as Source;
    return [w.source(name, type)];
  }
  const spelling = spellingOf(op) ?? refuse(node);
  const x = inputs.map(known);
  const wide = (i: number) => w.expand(x[i]!, inputs[i]!.shape);
  const made = spelling({ w, node, attrs, x, wide, known, types });
  return Array.isArray(made) ? (made as readonly Value[]) : [made as Value];
}

function refuse(node: Node): never {
  const { name } = node.op;
  throw diagnose("E800", {
    message: `${name} has no spelling in ONNX's operators`,
    at: node.span,
    labels: node.inputs.map((x, i) => [x.node.span, `input ${i + 1}: ${show(x.type)}`]),
    help: "export the program that is used, not the one that trains: without gradients, noise and dropout; write an op of your own with those of inarch/ops",
  });
}

const keepsStates = ({ attrs, span }: Node) =>
  diagnose("E801", {
    message: `the program keeps the state "${(attrs as Source).name}" from run to run, which ONNX has no word for`,
    at: span,
    help: "export a program without states; a state can be an input and an output instead",
  });

/** Inputs, parameters and outputs share one space of names in a file. */
function checkNames(graph: Graph): void {
  const kinds = new Map<string, string>();
  const all = [
    ...inputsOf(graph).map(({ name }) => [name, "an input"] as const),
    ...parametersOf(graph).map(({ name }) => [name, "a parameter"] as const),
    ...graph.outputs.map(({ name }) => [name, "an output"] as const),
  ];
  for (const [name, kind] of all) {
    const other = kinds.get(name);
    if (other !== undefined)
      throw diagnose("E802", {
        message: `${other} and ${kind} are both called "${name}", which an ONNX model cannot tell apart`,
        help: "give one of them another name in the program",
      });
    kinds.set(name, kind);
  }
}

const valueInfo = (name: string, { dtype, shape }: Type, doc = ""): OnnxValueInfo => ({
  name,
  docString: doc,
  type: {
    tensorType: {
      elemType: elementType[dtype],
      shape: { dim: shape.map((dimValue) => ({ dimValue })) },
    },
  },
});
