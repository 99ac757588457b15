/**
 * What the pickle machine works on: values, the caller's world, and the state between instructions.
 */
import { diagnose } from "../../diagnostics/index.ts";

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "tuple"; readonly items: readonly PickleValue[] }
  | { readonly kind: "list"; readonly items: PickleValue[] }
  | { readonly kind: "dict"; readonly entries: Map<PickleValue, PickleValue> }
  /** A function or class from the caller's list. */
  | { readonly kind: "global"; readonly name: string; readonly call?: PickleFunction }
  /** What a blocked name stands for, and whatever came of it. */
  | { readonly kind: "blocked"; readonly name: string }
  /** Something that the caller's functions made. */
  | { readonly kind: "object"; readonly object: object };

/** Makes a value of its arguments, or says in a string what is wrong with them. */
export type PickleFunction = (args: readonly PickleValue[]) => { value: PickleValue } | string;

export interface PickleWorld {
  /** What errors call the pickle. */
  readonly name: string;
  /** The allow-list, by `module.name`. */
  readonly globals: ReadonlyMap<string, PickleValue>;
  /** Turns a persistent id (the pickle's way to refer to data beside it) into a value. */
  readonly persistent: PickleFunction;
}

export interface PickleState {
  readonly world: PickleWorld;
  readonly view: DataView;
  at: number;
  stack: PickleValue[];
  /** Heights of the stack where a group of items starts. */
  marks: number[];
  memo: Map<number, PickleValue>;
  blocked: Set<string>;
  containers: number;
  /** Set by the instruction that ends the program. */
  done: boolean;
}

const maxContainers = 2 ** 20;

/** Counts a container, each of which takes far more memory than the byte that asks for it. */
export function countContainer(state: PickleState): void {
  if (++state.containers > maxContainers) {
    throw tooLarge(state.world.name, `over ${maxContainers} lists, tuples and dicts`);
  }
}

/** The bounds of the machine, as errors. */
export const tooLarge = (name: string, what: string) =>
  diagnose("E227", {
    message: `the pickle has ${what}, more than a state dict can need`,
    where: name,
    help: "save the weights alone: torch.save(model.state_dict(), path)",
  });
