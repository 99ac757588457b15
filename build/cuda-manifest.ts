/** The manifest of a folder for CUDA: what its programs need and do, a line each, for programs in any language. */
import type { Place, Plan, PlanTensor } from "../compiler/plan.ts";
import { givenBytes } from "../runtime/devices/cuda.ts";
import type { PtxModule } from "./cuda-module.ts";
import { heading } from "./modules.ts";

export const manifestFile = "manifest.txt";

/** Whether a path is one of the files that a build for CUDA names by a hash of what they hold. */
export const isOfCudaFolder = (path: string): boolean =>
  /^(?:weights-[0-9a-f]{12}\.bin|kernels-[0-9a-f]{12}\.(?:ptx|sm_\w+\.cubin))$/.test(path);

/** What lies in a tensor's place before the first run: bytes of the file of weights. */
export interface Filled {
  readonly tensor: PlanTensor;
  readonly at: number;
  readonly bytes: number;
}

export interface ManifestProgram {
  readonly name: string;
  readonly plan: Plan;
  readonly filled: readonly Filled[];
}

const explained = `${heading}
// A line tells of one thing, its first word of what. Buffers are numbered from 0 on in each program; a place is BUFFER
// OFFSET; lengths and offsets are in bytes, all numbers in memory 4 bytes long unless TENSOR is stored otherwise.
// kernels NAME: NAME.ptx for every GPU, NAME.sm_80.cubin and others for the GPUs of that architecture
// weights FILE
// program NAME: what follows is of it
// buffer ROLE LENGTH: a state is filled with zeros
// fill PLACE LENGTH FROM TENSOR: with what the file of weights has from there on
// input NAME TYPE PLACE LENGTH SHAPE...
// output NAME TYPE PLACE LENGTH SHAPE...
// step ENTRY GRID BLOCK SHARED COUNT PLACE...: a launch; of threads in three axes; its arguments are addresses; SHARED
//   bytes of shared memory are given to it, which the kernel must be allowed before (cuFuncSetAttribute, attribute 8)
// copy PLACE PLACE LENGTH: from the first to the second, once all steps have run
`;

export function manifestOf(
  files: { readonly kernels: string; readonly weights: string | undefined },
  programs: readonly ManifestProgram[],
  { entryOf }: PtxModule,
): string {
  const lines = programs.flatMap(({ name, plan, filled }) => [
    `program ${name}`,
    ...plan.buffers.map(({ role, bytes }) => `buffer ${role} ${bytes}`),
    ...filled.map(({ tensor, at, bytes }) => `fill ${place(tensor)} ${bytes} ${at} ${tensor.name}`),
    ...plan.inputs.map((tensor) => `input ${described(tensor)}`),
    ...plan.outputs.map((tensor) => `output ${described(tensor)}`),
    ...plan.steps.map(({ kernel, groups, bindings }) => {
      const own = plan.kernels[kernel]!;
      const sizes = [...groups, ...own.threads, givenBytes(own), bindings.length];
      return ["step", entryOf(own), ...sizes, ...bindings.map(place)].join(" ");
    }),
    ...plan.commits.map(({ from, to }) => `copy ${place(from)} ${place(to)} ${from.bytes}`),
  ]);
  const weights = files.weights === undefined ? [] : [`weights ${files.weights}`];
  return `${explained}${[`kernels ${files.kernels}`, ...weights, ...lines].join("\n")}\n`;
}

const place = ({ buffer, offset }: Place): string => `${buffer} ${offset}`;

const described = (tensor: PlanTensor): string =>
  [tensor.name, tensor.dtype, place(tensor), tensor.bytes, ...tensor.shape].join(" ");
