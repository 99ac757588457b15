/**
 * What a page and its worker say to each other of a model. Values are cloned as browsers do; in options, functions
 * and signals become numbers, and are called, or aborted, by messages.
 */
import { type Code, type Details, diagnose, type InarchError } from "../../diagnostics/index.ts";
import { isRecord } from "../weights/json.ts";

/** A worker, what a worker has of its page, or either end of a channel. */
export interface Port {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  /** Of channels alone. */
  start?(): void;
}

export type Message =
  /** Of a page: who is there? And of the worker, whose script may have come later. */
  | { readonly kind: "hello" }
  | { readonly kind: "load"; readonly id: number; readonly given: Given }
  | { readonly kind: "call"; readonly id: number; readonly name: string; readonly given: Given }
  | { readonly kind: "abort"; readonly signal: number }
  /** What a function was called with that a call was given. */
  | { readonly kind: "told"; readonly function: number; readonly values: readonly unknown[] }
  | { readonly kind: "value"; readonly id: number; readonly value: unknown }
  | { readonly kind: "error"; readonly id: number; readonly error: Failure };

/** Arguments, and which of their properties are functions and signals: `[argument, name, number]`. */
export interface Given {
  readonly values: readonly unknown[];
  readonly functions: readonly (readonly [number, string, number])[];
  readonly signals: readonly (readonly [number, string, number])[];
}

type Failure =
  | { readonly code: Code; readonly details: Pick<Details, "message" | "where" | "help"> }
  | { readonly other: unknown };

const mark = "inarch worker";

export function send(port: Port, message: Message): void {
  const own = message.kind === "value" ? [...buffersIn(message.value)] : [];
  try {
    port.postMessage({ [mark]: message }, own);
  } catch (cause) {
    throw diagnose("E415", {
      message: `what is sent between a page and its worker cannot be cloned: ${(cause as Error).message}`,
      help: "give numbers, arrays, pictures and plain objects; functions and signals only as properties of options",
      cause,
    });
  }
}

/** Other messages of the two are none of our business. */
export function listen(port: Port, hear: (message: Message) => void): void {
  port.addEventListener("message", ({ data }) => {
    if (isRecord(data) && mark in data) hear(data[mark] as Message);
  });
  port.start?.();
}

/** Memory of arrays in a value, which goes to the other side without a copy. */
function buffersIn(value: unknown, found = new Set<ArrayBuffer>()): Set<ArrayBuffer> {
  if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer) found.add(value.buffer);
  } else if (Array.isArray(value)) for (const one of value) buffersIn(one, found);
  else if (isPlain(value)) for (const one of Object.values(value)) buffersIn(one, found);
  return found;
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  isRecord(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value));

/** A model may bring a runtime of its own, whose errors are of another class of the same name. */
export const failureOf = (error: unknown): Failure => {
  const { name, code, details } = Object(error) as Partial<InarchError>;
  if (name !== "InarchError" || !code || !details) return { other: error };
  const { message, where, help } = details;
  return { code, details: { message, where, help } };
};

export const errorOf = (failure: Failure): unknown =>
  "code" in failure ? diagnose(failure.code, failure.details) : failure.other;

/** Takes functions and signals out of options; `keep` gives each a number. */
export function packed(values: readonly unknown[], keep: (value: unknown) => number): Given {
  const functions: [number, string, number][] = [];
  const signals: [number, string, number][] = [];
  const cloned = values.map((value, at) => {
    if (!isPlain(value)) return value;
    const own = Object.entries(value).filter(([name, one]) => {
      const to = typeof one === "function" ? functions : isSignal(one) ? signals : undefined;
      to?.push([at, name, keep(one)]);
      return !to;
    });
    return Object.fromEntries(own);
  });
  return { values: cloned, functions, signals };
}

export const isSignal = (value: unknown): value is AbortSignal =>
  typeof AbortSignal !== "undefined" && value instanceof AbortSignal;

/** The arguments with functions and signals of this side in their places. */
export function unpacked(
  { values, functions, signals }: Given,
  functionOf: (number: number) => unknown,
  signalOf: (number: number) => AbortSignal,
): unknown[] {
  const own = values.map((value) => (isPlain(value) ? { ...value } : value));
  for (const [at, name, number] of functions)
    (own[at] as Record<string, unknown>)[name] = functionOf(number);
  for (const [at, name, number] of signals)
    (own[at] as Record<string, unknown>)[name] = signalOf(number);
  return own;
}
