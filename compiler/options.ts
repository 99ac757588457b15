/** The options of a compilation, and what they may be. */
import { checkOptions } from "../diagnostics/options.ts";
import {
  anything,
  atLeast,
  callback,
  checkValues,
  isObject,
  object,
  oneOf,
  text,
  truth,
  type Wants,
} from "../diagnostics/values.ts";
import type { WeightFormat } from "../formats/index.ts";
import type { AskedForms } from "./forms/pick.ts";
import type { Policy } from "./fuse/region.ts";
import type { Pass } from "./passes.ts";
import type { Plan } from "./plan.ts";
import type { Profile } from "./profile.ts";
import { type Precision, precisions } from "./storage/formats.ts";
import type { Layout } from "./storage/layout.ts";
import type { Tuning } from "./tuning/tuning.ts";

export interface CompileOptions {
  readonly name?: string;
  /** The name of a target: `wgsl` unless given. */
  readonly target?: Plan["target"];
  readonly profile?: Profile;
  /** `unfused` makes every node its own kernel: the baseline that fusion is checked against. */
  readonly policy?: Policy;
  /** Where tensors live that outlive a run. */
  readonly layout?: Layout;
  /**
   * `mixed` stores large tensors as halves and computes in `f32`; `bf16` stores them in bfloat16, for CUDA and
   * processors. `f32` unless given.
   */
  readonly precision?: Precision;
  /** In `mixed` and `bf16`: the fewest elements of a tensor that is stored so; 1024 unless given. */
  readonly halveFrom?: number;
  /**
   * What all frozen parameters are stored in, small ones too. A session rounds them to nearest when it
   * loads them; kernels compute with the rounded numbers in `f32`. Every device can read each of
   * `weightFormats`. Unless given they are `f32`, and large ones what the precision says.
   */
  readonly weightFormat?: WeightFormat | undefined;
  /** Forms of kernels that are to be used, by the names of ops: `{ matmul: "workgroups" }`. */
  readonly forms?: AskedForms;
  /** Tiles that were measured on the device: see `inarch tune`. */
  readonly tuning?: Tuning;
  /** Checks every kernel after each pass that makes or changes it. */
  readonly verify?: boolean;
  /** Is told of each pass, once it has run. */
  readonly onPass?: (pass: Pass) => void;
}

const wants: Wants<CompileOptions> = {
  name: text,
  // Asked of the target's and the format's own lists.
  target: anything,
  weightFormat: anything,
  profile: object("a profile: defaultProfile, or deviceProfile(device.capabilities)"),
  policy: oneOf("fused", "unfused"),
  layout: {
    words: "a layout: { states: [], parameters: new Map(), outputs: new Map() }",
    is: (value) => {
      const { states, parameters, outputs } = (value ?? {}) as Partial<Layout>;
      return Array.isArray(states) && parameters instanceof Map && outputs instanceof Map;
    },
  },
  precision: oneOf(...precisions),
  halveFrom: atLeast(0),
  forms: object("names of forms by names of ops"),
  tuning: object("what tuningOf read of a tuning file"),
  verify: truth,
  onPass: callback,
};

const trueOrNot = {
  words: "true, or left out",
  is: (value: unknown) => value === undefined || value === true,
};

const profileWants: Wants<Profile> = {
  name: text,
  maxBindingBytes: atLeast(1),
  maxBufferBytes: atLeast(1),
  maxBindings: atLeast(1),
  maxSharedBytes: atLeast(0),
  maxThreads: atLeast(1),
  maxGroups: atLeast(1),
  alignment: atLeast(1),
  subgroup: atLeast(0),
  slowBarriers: truth,
  reduces: truth,
  rolled: truth,
  half: truth,
  fma: trueOrNot,
  shuffles: trueOrNot,
  pairs: trueOrNot,
  registers: {
    words: "a whole number of 8 or more, or left out",
    is: (value) => value === undefined || (Number.isInteger(value) && Number(value) >= 8),
  },
  matrices: {
    words: "a device's matrix units",
    is: (value) => value === undefined || isObject(value),
  },
  deviceClass: oneOf("discrete", "integrated", "software", "processor", "unknown"),
};

/** @throws E460 for a name that no option has, E465 for a value that its option cannot have. */
export function checkCompileOptions(options: CompileOptions): void {
  checkOptions<CompileOptions>("compile", options, wants);
  checkValues("compile", options, wants);
  if (options.profile) checkProfile(options.profile);
}

/** @throws E460 for a name that a profile does not have, E465 for a limit that is missing or cannot be. */
export function checkProfile(profile: Profile): void {
  checkOptions<Profile>("a profile", profile, profileWants);
  checkValues("a profile", profile, profileWants, "all");
}
