/**
 * The plan: all that the runtime sees. JSON; knows nothing of graphs or ops.
 *
 * Buffers have roles; tensors have places in them; steps dispatch kernels over bindings. A plan is
 * a pure function of the program, the sizes, the target and the profile.
 */
import type { FormatName } from "../formats/index.ts";
import type { Init } from "./graph/init.ts";

export type { Init } from "./graph/init.ts";

/** The version of this format. A runtime refuses others. */
export const planFormat = 4;

/** The name of one of the targets that `compiler/targets/index.ts` lists. */
export type TargetName = string;
export type StoredScalar = "f32" | "i32" | "u32";
export type PlanDType = StoredScalar | "bool";

/**
 * - `weights`: filled once from a checkpoint, read only
 * - `arena`: scratch memory, reused by tensors that do not live at the same time
 * - `input`: filled before a run; another plan's output may be bound in its place
 * - `output`: read after a run, or bound as another plan's input
 * - `state`: outlives runs, filled with zeros, or as a state says that it begins; plans of one model
 *   share it by its name
 */
export type Role = "weights" | "arena" | "input" | "output" | "state";

export interface PlanBuffer {
  readonly role: Role;
  readonly bytes: number;
  /** Of a state. */
  readonly name?: string;
}

/** A tensor's place: a range of a buffer. Offsets are multiples of the profile's alignment. */
export interface Place {
  readonly buffer: number;
  readonly offset: number;
  readonly bytes: number;
}

export interface PlanTensor extends Place {
  /** The parameter's path, or the input's, output's or state's name. */
  readonly name: string;
  readonly dtype: PlanDType;
  readonly shape: readonly number[];
  /** The format of an `f32`; not said where it is that of its dtype. */
  readonly stored?: FormatName;
  /** How a parameter lies in memory that is not row-major. */
  readonly panels?: Panels;
  readonly doc?: string;
  /** How a parameter begins where no checkpoint has it, and a state where it is not zeros. */
  readonly init?: Init;
}

/**
 * A matrix in panels: its columns are cut in pieces of `width`, and a piece's numbers of one row follow those of
 * the row before. So a product reads a right operand from the first number to the last.
 */
export interface Panels {
  /** It divides the number of columns. */
  readonly width: number;
  /** Whether the first axis counts the columns, as in a right operand that is transposed. */
  readonly turned: boolean;
}

/**
 * A kernel as its target has it, whole and ready to compile: text, or bytes of a module. In JSON bytes
 * are `{ "bytes": base64 }` (`runtime/plan-json.ts`).
 */
export type KernelSource = string | Uint8Array;

export interface PlanKernel {
  readonly name: string;
  readonly source: KernelSource;
  readonly entry: string;
  readonly threads: readonly [number, number, number];
  /** The kernel's parameters, in binding order. */
  readonly params: readonly PlanParam[];
  /** Bytes of workgroup memory. */
  readonly sharedBytes: number;
  /** The exact width of subgroup that the kernel needs; 0 if any will do. */
  readonly subgroup: number;
  /** It reduces over subgroups, of whatever width. */
  readonly reduces?: true;
  /** It asks for `fma` rounded once. */
  readonly fma?: true;
  /** What its matrix fragments ask of a device; none in most kernels. */
  readonly matrices?: KernelMatrices;
}

/**
 * What matrix fragments multiply: `rows` x `depth` by `depth` x `columns`, added in `f32`.
 */
export interface MatrixProduct {
  readonly operand: FormatName;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
}

/**
 * The subgroups that hold matrix fragments: all have `width` threads anyway (`fixed`), or because the
 * kernel asks for it (`chosen`), or `width` is the most that they can have (`most`).
 */
export interface MatrixSubgroups {
  readonly width: number;
  readonly widths: "fixed" | "chosen" | "most";
  /**
   * Lanes have elements of sums that kernels know (`fragment-elements` of kernel IR), memory may hold operands by
   * columns, and copies of memory go on while fragments are multiplied.
   */
  readonly numbered?: true;
}

export interface KernelMatrices extends MatrixProduct, MatrixSubgroups {}

/** What a device multiplies as fragments, all of it. */
export interface MatrixUnits extends MatrixSubgroups {
  /** Bytes of workgroup memory of kernels that multiply them, where these can have more than others. */
  readonly sharedBytes?: number;
  readonly products: readonly MatrixProduct[];
}

export interface PlanParam {
  /** The format of its elements: widened where they are loaded, rounded where they are stored. */
  readonly scalar: FormatName;
  /** Elements. */
  readonly size: number;
  /**
   * How the buffer is bound. Scratch memory is always `read-write`: one buffer must not be bound
   * both ways in one dispatch, and a tensor read and a tensor written may share an arena.
   */
  readonly access: "read" | "read-write";
  /** Whether the kernel writes it. */
  readonly writes: boolean;
}

export interface PlanStep {
  readonly kernel: number;
  readonly groups: readonly [number, number, number];
  readonly bindings: readonly Place[];
  /** The op of the step's anchor and the shape of its result, for timings and reports. */
  readonly label: string;
}

/** A copy within the device's memory, once every step has run: what a state becomes. */
export interface Commit {
  readonly from: Place;
  readonly to: Place;
}

export interface Plan {
  readonly format: typeof planFormat;
  readonly name: string;
  readonly target: TargetName;
  readonly profile: string;
  readonly buffers: readonly PlanBuffer[];
  readonly parameters: readonly PlanTensor[];
  readonly states: readonly PlanTensor[];
  readonly inputs: readonly PlanTensor[];
  readonly outputs: readonly PlanTensor[];
  readonly kernels: readonly PlanKernel[];
  readonly steps: readonly PlanStep[];
  /** In any order: none reads what another writes. */
  readonly commits: readonly Commit[];
  /** The least bytes that the arenas could have: the most that lives at one step. */
  readonly arenaLowerBound: number;
  /** Of a model with adapters: all of them, in the order in which they were grafted. */
  readonly adapters?: readonly PlanAdapter[];
}

/**
 * An adapter that a program was traced with: what must be the same where its tensors are loaded. An
 * adapter's file holds it too.
 */
export interface PlanAdapter {
  readonly name: string;
  /** What it was made with, by name: JSON, null for what was left out. */
  readonly settings: Readonly<Record<string, unknown>>;
  /**
   * Names of settings that nobody gave and no shape tells. A file that does not say them may have been
   * trained with others.
   */
  readonly assumed: readonly string[];
  /** Names of settings that nothing needs once training is over. */
  readonly trainingOnly: readonly string[];
  /** Paths of the places where it works, as far as the program passes them. */
  readonly places: readonly string[];
}
