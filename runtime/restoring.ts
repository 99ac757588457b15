/** Calls on what may be put on another device once its own is lost. */
import type { InarchError } from "../diagnostics/index.ts";
import { type Calls, createCalls, type Order } from "./calls.ts";

export interface RestorableCalls {
  readonly calls: Calls;
  /** Calls that need no device: what puts the rest on another one. They have their turns among the others. */
  readonly restoring: Pick<Calls, "call">;
}

/** As `createCalls`; `check` asks the device of now. */
export function createRestorableCalls(
  order: Order,
  check: () => void,
  closed: () => InarchError,
): RestorableCalls {
  let isClosing = false;
  const checkOpen = () => {
    if (isClosing) throw closed();
  };
  const calls = createCalls(order, check, closed);
  return {
    calls: {
      call: calls.call,
      close(free) {
        isClosing = true;
        return calls.close(free);
      },
    },
    restoring: createCalls(order, checkOpen, closed),
  };
}
