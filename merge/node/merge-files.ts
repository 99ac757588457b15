/** Merges into a file, tensor by tensor, so that memory does not grow with the model. */
import type { Model } from "../../compiler/graph/model.ts";
import type { Device, Progress } from "../../runtime/devices/device.ts";
import { checkOutput } from "../../runtime/node/output.ts";
import { writeFileAtOnce } from "../../runtime/node/save.ts";
import { openWeightsFile } from "../../runtime/node/weights.ts";
import {
  type FileAdapter,
  namedBy,
  planSafetensors,
  readAdapterFile,
  streamSafetensors,
  type Weights,
} from "../../runtime/weights/index.ts";
import { isAdapterFile } from "../../runtime/weights/kinds.ts";
import { mergeAdapters } from "../merge.ts";

export interface MergeRequest {
  /** With its adapters. */
  readonly model: Model;
  /** Paths: the base and the files of adapters. */
  readonly files: readonly string[];
  readonly output: string;
  readonly task: number | undefined;
  readonly device: Device;
  readonly onProgress: Progress;
  /** Stops merging: no file is left. */
  readonly signal?: AbortSignal | undefined;
}

export interface MergeReport {
  readonly output: string;
  readonly tensors: number;
  /** Size of the file. */
  readonly bytes: number;
  /** Tensors that were computed, and those that trained and were taken as they are. */
  readonly merged: readonly string[];
  readonly replaced: readonly string[];
}

/** What files say of the adapters in them. Errors: E437, and those of reading files. */
export async function adaptersOf(files: readonly string[]): Promise<readonly FileAdapter[]> {
  const found: FileAdapter[] = [];
  for (const path of files) {
    const file = await openWeightsFile(path);
    try {
      if (isAdapterFile(file)) found.push(...(readAdapterFile(file).adapters ?? []));
    } finally {
      await file.close();
    }
  }
  return found;
}

/** Merges into a file. Errors: those of `mergeAdapters`, E240 and E241 (the output). */
export async function mergeFiles(request: MergeRequest): Promise<MergeReport> {
  const { model, files, output, task, device, onProgress, signal } = request;
  const opened: Weights[] = [];
  let close = async () => {
    for (const one of opened) await one.close();
  };
  try {
    for (const path of files) {
      const one = await openWeightsFile(path);
      opened.push(namedBy(one, model.tensorNames));
      await checkOutput(output, one.files);
    }
    const options = { device, signal, ...(task === undefined ? {} : { task }) };
    const weights = await mergeAdapters(model, opened, options);
    close = weights.close;
    const metadata = { format: "pt", ...weights.metadata };
    const layout = planSafetensors(weights.tensors, metadata);
    const { totalBytes, header } = layout;
    let done = header.byteLength;
    await writeFileAtOnce(output, (file) =>
      streamSafetensors(file, layout, async function* (name) {
        for await (const piece of weights.rawChunks(name)) {
          done += piece.byteLength;
          onProgress(done, totalBytes, "bytes written");
          yield piece;
        }
      }),
    );
    const { merged, replaced } = weights;
    return { output, tensors: weights.tensors.size, bytes: totalBytes, merged, replaced };
  } finally {
    await close();
  }
}
