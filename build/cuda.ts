/**
 * Compiles a model to a folder that runs on NVIDIA's GPUs without inarch and without Node: kernels as PTX and as
 * what ptxas makes of it, weights, a manifest, and a program in C that runs them through the driver's library.
 */
import { join } from "node:path";
import type { Plan, PlanTensor } from "../compiler/plan.ts";
import { diagnose } from "../diagnostics/index.ts";
import type { Device, DeviceBuffer, Progress } from "../runtime/devices/device.ts";
import { holdStates } from "../runtime/held-states.ts";
import { writeFileAtOnce } from "../runtime/node/save.ts";
import { openWeightsFile } from "../runtime/node/weights.ts";
import { needsWeights } from "../runtime/states.ts";
import { writeTensor } from "../runtime/stored.ts";
import { checkWholeFile } from "../runtime/weights/adapted.ts";
import { hashOf } from "../runtime/weights/hash.ts";
import { fitNames, namedBy, type Weights } from "../runtime/weights/index.ts";
import { type BuildRequest, compilePrograms, plansOf } from "./build.ts";
import { checkFolder, writeBundleFolder } from "./bundle-folder.ts";
import { planWeights } from "./bundle-weights.ts";
import { hostFile, hostText } from "./cuda-host.ts";
import { type Filled, manifestFile, manifestOf } from "./cuda-manifest.ts";
import { assemble, ptxModule } from "./cuda-module.ts";
import { shortHash } from "./modules.ts";
import type { BuildProfile } from "./profiles.ts";

export interface CudaRequest
  extends Pick<
    BuildRequest,
    | "loaded"
    | "out"
    | "programs"
    | "dims"
    | "precision"
    | "weightFormat"
    | "weights"
    | "onProgress"
    | "signal"
  > {
  /** Of the target `ptx`. */
  readonly profile: BuildProfile;
}

export interface CudaReport {
  readonly out: string;
  readonly name: string;
  /** By program. */
  readonly programs: Readonly<Record<string, { readonly steps: number; readonly kernels: number }>>;
  /** By path. */
  readonly files: readonly string[];
  /** Bytes of weights; null where the model has none. */
  readonly weights: number | null;
  /** Architectures whose kernels are assembled. */
  readonly assembled: readonly string[];
  /** Why others' are not, by architecture. */
  readonly without: Readonly<Record<string, string>>;
}

/**
 * Compiles the programs and writes the folder, all of it or nothing.
 * @throws E1144 for a model whose weights are not given; E205, E434, E600 and E601 as `build` does.
 */
export async function buildCuda(request: CudaRequest): Promise<CudaReport> {
  const { loaded, out, programs, dims, profile, onProgress } = request;
  await checkFolder(out);
  const wanted = programs.flatMap((program) => plansOf(loaded.model, program, dims));
  let compiled = 0;
  const plans = await compilePrograms(request, wanted, profile, () =>
    onProgress(++compiled, wanted.length, "programs"),
  );
  const all = [...plans.values()];
  if (request.weights === undefined && all.some(needsWeights))
    throw diagnose("E1144", {
      message: `the folder would lack the weights of ${loaded.model.name}`,
      help: "add --weights FILE: the checkpoint of the model",
    });
  const weights = await openFor(request, all);
  try {
    const checked = weights && (await planWeights(weights, all, onProgress));
    const layout = layoutOf(plans, await statesOf(all, weights));
    const module = ptxModule(all);
    const kernels = `kernels-${shortHash(module.text)}`;
    const { made, without } = await assemble(module.text, onProgress);
    const file = layout.bytes === 0 ? undefined : nameOf(layout, checked?.checksum);
    const manifest = manifestOf(
      { kernels, weights: file },
      [...plans].map(([name, plan]) => ({ name, plan, filled: layout.filled.get(name)! })),
      module,
    );
    const files = new Map<string, string | Uint8Array>([
      [`${kernels}.ptx`, module.text],
      ...[...made].map(([name, cubin]) => [`${kernels}.${name}.cubin`, cubin] as const),
      [hostFile, hostText],
      [manifestFile, manifest],
    ]);
    const content = { files, opened: [hostFile, manifestFile], more: file ? [file] : [] };
    await writeBundleFolder(out, content, async (folder) => {
      if (file)
        await writeFileAtOnce(join(folder, file), async (sink) =>
          eachPiece(layout, weights, (bytes) => sink.write(bytes), onProgress),
        );
    });
    return {
      ...{ out, name: loaded.model.name, without },
      programs: Object.fromEntries(
        [...plans].map(([name, { steps, kernels }]) => [
          name,
          { steps: steps.length, kernels: kernels.length },
        ]),
      ),
      files: [...files.keys(), ...(file ? [file] : [])].sort(),
      weights: file ? layout.bytes : null,
      assembled: [...made.keys()],
    };
  } finally {
    await weights?.close();
  }
}

async function openFor({ weights, loaded }: CudaRequest, plans: readonly Plan[]) {
  if (weights === undefined) return undefined;
  const opened = fitNames(
    namedBy(await openWeightsFile(weights), loaded.model.tensorNames),
    plans.flatMap((plan) => plan.parameters.map(({ name }) => name)),
  );
  for (const plan of plans) checkWholeFile(plan, opened);
  return opened;
}

/** What states begin with that do not begin as zeros, by name. */
async function statesOf(plans: readonly Plan[], weights: Weights | undefined) {
  const found = new Map<string, Uint8Array<ArrayBuffer>>();
  const device = {
    write(to: DeviceBuffer & { readonly name: string }, offset: number, data: ArrayBufferView) {
      const bytes = found.get(to.name) ?? new Uint8Array(to.bytes);
      found.set(to.name, bytes);
      bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    },
  };
  for (const { name: where, states } of plans) {
    const all = states.map((tensor) => ({
      tensor: { ...tensor, offset: 0 },
      buffer: { name: tensor.name, bytes: tensor.bytes, isFreed: false, destroy() {} },
    }));
    const held = await holdStates(where, device as unknown as Device, all, weights);
    await held.begin(all);
  }
  return found;
}

/** What the file holds, in order: tensors of the weights as a GPU has them, and bytes of states. */
interface Piece extends Filled {
  readonly state?: Uint8Array<ArrayBuffer> | undefined;
}

interface Layout {
  /** What fills the places of each program. */
  readonly filled: ReadonlyMap<string, readonly Filled[]>;
  readonly pieces: readonly Piece[];
  readonly bytes: number;
}

/** A tensor that several programs have in one format is stored once. */
function layoutOf(
  plans: ReadonlyMap<string, Plan>,
  states: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
): Layout {
  const pieces = new Map<string, Piece>();
  let bytes = 0;
  const placed = (tensor: PlanTensor, state?: Uint8Array<ArrayBuffer>): Filled => {
    const key = JSON.stringify([state !== undefined, tensor.name, tensor.stored ?? tensor.dtype]);
    const known = pieces.get(key);
    if (known) return { ...known, tensor };
    const own = { tensor, at: bytes, bytes: tensor.bytes, state };
    pieces.set(key, own);
    bytes += tensor.bytes;
    return own;
  };
  const filled = [...plans].map(([name, plan]) => {
    const own = plan.parameters.map((tensor) => placed(tensor));
    const begun = plan.states.flatMap((tensor) => {
      const state = states.get(tensor.name);
      return state ? [placed(tensor, state)] : [];
    });
    return [name, [...own, ...begun]] as const;
  });
  return { filled: new Map(filled), pieces: [...pieces.values()], bytes };
}

/** By what is in the file. */
function nameOf({ pieces }: Layout, checksum: string | undefined): string {
  const parts = pieces.map(({ tensor, at, bytes, state }) =>
    [tensor.name, tensor.stored, at, bytes, state && hashOf(state)].join(" "),
  );
  return `weights-${shortHash([checksum, ...parts].join("\n"))}.bin`;
}

/** The bytes of the file, in order. */
async function eachPiece(
  { pieces, bytes: total }: Layout,
  weights: Weights | undefined,
  take: (bytes: Uint8Array) => void | Promise<void>,
  onProgress: Progress,
): Promise<void> {
  let done = 0;
  const given = async (bytes: Uint8Array) => {
    await take(bytes);
    done += bytes.length;
    onProgress(done, total, "bytes of weights");
  };
  for (const { tensor, at, bytes, state } of pieces) {
    if (state) await given(state);
    else {
      const device = {
        write: (_: unknown, __: number, { buffer, byteOffset, byteLength }: ArrayBufferView) =>
          given(new Uint8Array(buffer, byteOffset, byteLength)),
      };
      const { name } = tensor;
      const chunks = weights!.chunks(name, undefined, true);
      await writeTensor(device, null as never, { ...tensor, offset: 0 }, chunks, weights!.source);
    }
    // What a format leaves of its last word.
    if (done < at + bytes) await given(new Uint8Array(at + bytes - done));
  }
}
