/**
 * A pickle machine that cannot run anything. Python's pickle is a stack program that may call any
 * function; this one knows the opcodes that build data, and names of functions only through a list
 * its caller gives. A name that is not on the list becomes an inert `blocked` value, so that all
 * such names can be reported together.
 *
 * Work and memory are bounded by the counts below: values are made by instructions only, and no
 * instruction is executed twice.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { opcodes } from "./pickle-opcodes.ts";
import { type PickleState, type PickleValue, type PickleWorld, tooLarge } from "./pickle-state.ts";

const maxBytes = 64 * 2 ** 20;
const maxInstructions = 2 ** 22;
/** Beyond this many, names are counted and not listed. */
const maxNames = 200;

/**
 * Runs the pickle (protocols 2 to 5) and returns what it builds.
 *
 * Errors: E225 (malformed, or an instruction that data does not need), E226 (names that are not on
 * the list, all of them), E227 (larger than any state dict).
 */
export function unpickle(bytes: Uint8Array, world: PickleWorld): PickleValue {
  checkPickleSize(bytes.byteLength, world.name);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const state: PickleState = {
    world,
    view,
    at: 0,
    stack: [],
    marks: [],
    memo: new Map(),
    blocked: new Set(),
    containers: 0,
    done: false,
  };
  for (let count = 0; !state.done; count++) {
    if (count > maxInstructions) throw tooLarge(world.name, `over ${maxInstructions} instructions`);
    step(state);
  }
  if (state.blocked.size > 0) throw blockedNames(world.name, state.blocked);
  if (state.stack.length !== 1 || state.marks.length !== 0) {
    throw malformed(state, `the program leaves ${state.stack.length} values instead of one`);
  }
  return state.stack[0]!;
}

/** Refuses a pickle by its size alone, so that it need not be read. Errors: E227. */
export function checkPickleSize(bytes: number, name: string): void {
  if (bytes > maxBytes) throw tooLarge(name, `${bytes} bytes`);
}

function malformed(state: PickleState, message: string) {
  // A program that asks for functions often trips over what they would have returned: the names are
  // what its owner must hear of.
  if (state.blocked.size > 0) return blockedNames(state.world.name, state.blocked);
  return diagnose("E225", {
    message,
    where: `${state.world.name}, byte ${state.at}`,
    help: "it is damaged, or no state dict: save with torch.save(model.state_dict(), path)",
  });
}

function step(state: PickleState): void {
  const start = state.at;
  if (start >= state.view.byteLength)
    throw malformed(state, "the pickle stops without its end mark");
  const code = state.view.getUint8(start);
  const opcode = opcodes.get(code);
  if (!opcode) {
    const hex = code.toString(16).padStart(2, "0");
    throw malformed(state, `the instruction 0x${hex} is not one that a state dict needs`);
  }
  state.at = start + 1;
  const problem = opcode.run(state);
  if (problem !== undefined) {
    state.at = start;
    throw malformed(state, `${opcode.name}: ${problem}`);
  }
}

function blockedNames(name: string, blocked: ReadonlySet<string>) {
  const names = [...blocked].sort();
  const more = names.length > maxNames ? ` and ${names.length - maxNames} more` : "";
  const listed = names.slice(0, maxNames).join(", ") + more;
  return diagnose("E226", {
    message: `the checkpoint asks for ${listed}: only tensors are read, and nothing is executed`,
    where: name,
    help:
      "if you trust where it comes from, open it in Python and save the weights alone: " +
      'torch.save(model.state_dict(), "weights.pth")',
  });
}
