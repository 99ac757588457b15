/** A graph of ours, exported to ONNX and opened in ONNX Runtime with the same weights and inputs. */
import { type Graph, inputsOf, parametersOf } from "../../compiler/index.ts";
import { exportOnnx } from "../../export/onnx/index.ts";
import type { Runner } from "../measure/comparison.ts";
import type { OurProgram } from "./inarch.ts";
import { type Ort, openOnnxRuntime } from "./onnx-runtime.ts";

export async function openExported(program: OurProgram, ort: Ort): Promise<Runner> {
  const { graph, inputs } = program;
  const feeds = inputsOf(graph).map(({ name, type }) => {
    const shape = type.shape as readonly number[];
    return [name, { data: inputs[name]!, shape }] as const;
  });
  const model = exportOnnx(graph, { weights: await valuesOf(program, graph) });
  return openOnnxRuntime(model, ort, Object.fromEntries(feeds));
}

async function valuesOf({ weights }: OurProgram, graph: Graph) {
  const named = parametersOf(graph).map(({ name, type }) => ({
    name,
    shape: type.shape as readonly number[],
  }));
  const all = weights(named);
  const values = new Map<string, Float32Array>();
  for (const { name } of named) values.set(name, await all.readF32(name));
  return values;
}
