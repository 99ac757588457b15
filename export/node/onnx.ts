/**
 * A program of a model as an ONNX file, its weights inside; those beyond 2 GiB go to a file beside it,
 * tensor by tensor. That file's name holds a hash of its content and the model names it, so that a model never
 * meets weights of another: they are written first, and those of the model before go when the new one is there.
 */
import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { type LoadedModel, traceLoaded } from "../../build/load-model.ts";
import { type Graph, parametersOf } from "../../compiler/graph/graph.ts";
import type { Dims } from "../../compiler/graph/sources.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { bytesOf } from "../../formats/index.ts";
import { checkAdapterFiles } from "../../merge/files.ts";
import type { Progress } from "../../runtime/devices/device.ts";
import { writeFileAtOnce } from "../../runtime/node/save.ts";
import { openWeightsFile } from "../../runtime/node/weights.ts";
import { checkUnread } from "../../runtime/weights/adapter-file.ts";
import {
  checkFinite,
  fitNames,
  namedBy,
  openHash,
  type Weights,
} from "../../runtime/weights/index.ts";
import { isAdapterFile } from "../../runtime/weights/kinds.ts";
import { checkAllSaid } from "../../runtime/weights/same-adapters.ts";
import {
  checkParameters,
  exportOnnx,
  exportOnnxOutside,
  mostInside,
  weightBytes,
} from "../onnx/index.ts";

export interface ExportRequest {
  readonly loaded: LoadedModel;
  readonly program: string;
  readonly dims: Dims;
  /** Paths of checkpoints, or that parameters become inputs. */
  readonly weights: readonly string[] | "inputs";
  /** The path of the file to write. */
  readonly onnx: string;
  /** Weights of more bytes go to a file beside it: more than a protobuf holds, unless given. */
  readonly mostInside?: number;
  readonly onProgress: Progress;
}

export interface ExportReport {
  readonly onnx: string;
  readonly program: string;
  /** Of the ONNX file. */
  readonly bytes: number;
  readonly parameters: number;
  /** The file beside it, which belongs to it. */
  readonly data: { readonly file: string; readonly bytes: number } | null;
}

/**
 * Exports a program.
 * @throws E502 without weights, E800 to E803 (what cannot be exported), E205 (NaN and infinite
 * weights), those of tracing and of reading and writing files.
 */
export async function exportModel(request: ExportRequest): Promise<ExportReport> {
  const { loaded, program, dims, weights, onnx } = request;
  const graph = traceLoaded(loaded, program, dims);
  const parameters = parametersOf(graph).length;
  const about = { onnx, program, parameters };
  if (weights === "inputs" || parameters === 0) {
    const model = exportOnnx(graph, { name: program });
    await writeModel(onnx, model);
    return { ...about, bytes: model.byteLength, data: null };
  }
  if (weights.length === 0) throw noWeights(parameters);
  checkOutput(onnx, weights);
  const opened: Weights[] = [];
  try {
    for (const path of weights)
      opened.push(namedBy(await openWeightsFile(path), loaded.model.tensorNames));
    const names = parametersOf(graph).map(({ name }) => name);
    const fitted = opened.map((file) => fitNames(file, names));
    const sources = await sourcesOf(graph, fitted);
    const written =
      weightBytes(graph) > (request.mostInside ?? mostInside) ? writeOutside : writeInside;
    return { ...about, ...(await written(graph, sources, request)) };
  } finally {
    for (const one of opened) await one.close();
  }
}

/** By parameter the file that has it. Errors: E803, E205, E431, E435 to E437, E461. */
async function sourcesOf(
  graph: Graph,
  opened: readonly Weights[],
): Promise<ReadonlyMap<string, Weights>> {
  const find = (name: string) => opened.findLast(({ tensors }) => tensors.has(name));
  const where = opened.map(({ source }) => source).join(", ");
  const parameters = new Map(parametersOf(graph).map(({ name, type }) => [name, type.shape]));
  const adapters = graph.adapters ?? [];
  const described = await checkAdapterFiles({ adapters, parameters }, opened);
  checkParameters(graph, ({ name }) => find(name)?.tensors.get(name)?.shape, where);
  checkAllSaid({ adapters, parameters: parameters.keys() }, described, where);
  checkAllRead(graph, opened);
  const sources = new Map(parametersOf(graph).map(({ name }) => [name, find(name)!]));
  for (const weights of opened) {
    const own = [...sources].flatMap(([name, source]) => (source === weights ? [name] : []));
    await checkFinite(weights, own);
    if (isAdapterFile(weights)) await checkUnread(weights, (name) => own.includes(name));
  }
  return sources;
}

/**
 * Of a file whose tensors nothing reads the results would be those of the files before it; and an adapter's
 * file that does not name its adapters must find all of its tensors in the model or its base.
 * @throws E803
 */
function checkAllRead(graph: Graph, [base, ...others]: readonly Weights[]): void {
  const read = new Set(parametersOf(graph).map(({ name }) => name));
  for (const { tensors, source, metadata } of others) {
    const names = [...tensors.keys()];
    const mute = isAdapterFile({ metadata }) && metadata.adapters === undefined;
    const isStray = (name: string) => !read.has(name) && !base!.tensors.has(name);
    const stray = names.some((name) => read.has(name)) && !mute ? undefined : names.find(isStray);
    if (stray === undefined) continue;
    throw diagnose("E803", {
      message: `the program reads no ${stray}, nor does ${base!.source} have it`,
      where: source,
      help: "export a model with the adapters that it was trained with, or merge them first: inarch merge MODEL --weights BASE --weights ADAPTER -o FILE",
    });
  }
}

type Written = Pick<ExportReport, "bytes" | "data">;

async function writeInside(
  graph: Graph,
  sources: ReadonlyMap<string, Weights>,
  { program, onnx, onProgress }: ExportRequest,
): Promise<Written> {
  const values = new Map<string, Float32Array>();
  const total = weightBytes(graph);
  let done = 0;
  for (const [name, weights] of sources) {
    const read = await weights.readF32(name);
    values.set(name, read);
    done += read.byteLength;
    onProgress(done, total, "bytes of weights");
  }
  const model = exportOnnx(graph, { name: program, weights: values });
  await writeModel(onnx, model);
  return { bytes: model.byteLength, data: null };
}

async function writeOutside(
  graph: Graph,
  sources: ReadonlyMap<string, Weights>,
  { program, onnx, onProgress }: ExportRequest,
): Promise<Written> {
  const total = weightBytes(graph);
  const values = async function* (unit: string) {
    let done = 0;
    for (const { name } of parametersOf(graph))
      for await (const piece of sources.get(name)!.chunks(name)) {
        yield bytesOf(piece);
        done += piece.byteLength;
        onProgress(done, total, unit);
      }
  };
  const hash = openHash();
  for await (const piece of values("bytes of weights checked")) hash.add(piece);
  const file = `${onnx}.${hash.digits().slice(0, 12)}.data`;
  // Readers look for the data beside the model, wherever the two are moved together.
  const { model } = exportOnnxOutside(graph, { name: program, file: basename(file) });
  const isNew = !existsSync(file);
  await writeFileAtOnce(file, async (sink) => {
    for await (const piece of values("bytes of weights")) await sink.write(piece);
  });
  await writeModel(onnx, model, file).catch(async (error) => {
    // The model before may have the same weights.
    if (isNew) await rm(file, { force: true });
    throw error;
  });
  return { bytes: model.byteLength, data: { file, bytes: total } };
}

/** Writes the model, and removes weights that an earlier one of this name had beside it. */
async function writeModel(onnx: string, model: Uint8Array, data?: string): Promise<void> {
  await writeFileAtOnce(onnx, (sink) => sink.write(model));
  const start = `${basename(onnx)}.`;
  for (const name of await readdir(dirname(onnx)).catch(() => []))
    if (name.startsWith(start) && /^[0-9a-f]{12}\.data$/.test(name.slice(start.length)))
      if (data === undefined || name !== basename(data))
        await rm(join(dirname(onnx), name), { force: true }).catch(() => undefined);
}

const noWeights = (parameters: number) =>
  diagnose("E502", {
    message: `inarch export needs --weights: the program has ${parameters} parameters`,
    help: "give a checkpoint with --weights FILE; for a look at the graph alone, add --weights-as-inputs",
  });

function checkOutput(onnx: string, weights: readonly string[]): void {
  for (const path of weights)
    if (resolve(path) === resolve(onnx))
      throw diagnose("E503", {
        message: `--onnx cannot be "${onnx}": these are the weights`,
        help: "give the output another name, such as model.onnx",
      });
}
