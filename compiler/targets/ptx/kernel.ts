/** Statements, and the text around them. */
import type { Kernel, Stmt } from "../../kernel/ir.ts";
import { sharedBytes } from "../plan-kernels.ts";
import { operand } from "./expressions.ts";
import { declareFragment, fragment } from "./fragments.ts";
import { copy, declaration, given, givenPlaces, loadSeveral, store } from "./memory.ts";
import { bits, Writer } from "./writer.ts";

type For = Extract<Stmt, { kind: "for" }>;

/** What drivers of CUDA 11 and later assemble, for GPUs of compute capability 8.0 and later. */
export const head = [".version 7.0", ".target sm_80", ".address_size 64"];

export function printKernel(kernel: Kernel, entry: string): string {
  const w = new Writer(kernel);
  const places = givenPlaces(kernel);
  const own = kernel.scratch.filter((b) => !places.has(b));
  const scratch = own.map((b) => declaration(w, b));
  for (const f of kernel.fragments) declareFragment(w, f);
  block(w, kernel.body);
  const params = kernel.params.map((_, i) => `  .param .u64 param${i}`);
  return [
    ...head,
    ...(places.size > 0 ? [given] : []),
    `.visible .entry ${entry}(`,
    params.join(",\n"),
    `)`,
    `.maxntid ${kernel.threads.join(", ")}`,
    "{",
    ...(places.size > 0 ? [`  // ${sharedBytes(kernel)} bytes are given.`] : []),
    ...scratch,
    ...w.text(),
    "  ret;",
    "}",
    "",
  ].join("\n");
}

function block(w: Writer, body: readonly Stmt[]): void {
  for (const s of body) statement(w, s);
}

function statement(w: Writer, s: Stmt): void {
  switch (s.kind) {
    case "let": {
      const { type } = s.value;
      const value = operand(w, s.value);
      // What a variable holds now.
      w.name(s.name, w.isVariable(value) ? w.make(type, `mov.${bits[type]}`, value) : value);
      return;
    }
    case "var": {
      const { type } = s.value;
      const value = operand(w, s.value);
      w.name(s.name, w.variable(type));
      w.copy(type, w.named(s.name), value);
      return;
    }
    case "set":
      w.copy(s.value.type, w.named(s.name), operand(w, s.value));
      return;
    case "store":
      store(w, s.to, s.index, [s.value], operand);
      return;
    case "load4": {
      const all = loadSeveral(w, s.from, s.index, s.names.length, operand);
      for (const [i, name] of s.names.entries()) w.name(name, all[i]!);
      return;
    }
    case "store4":
      store(w, s.to, s.index, s.values, operand);
      return;
    case "for":
      loop(w, s);
      return;
    case "if": {
      const end = w.label();
      w.emit(`@!${operand(w, s.cond)} bra`, end);
      block(w, s.body);
      w.place(end);
      return;
    }
    case "barrier":
      w.emit("bar.sync", "0");
      return;
    case "copy":
      copy(w, s, operand);
      return;
    case "copy-group":
      w.emit("cp.async.commit_group");
      return;
    case "copy-wait":
      w.emit("cp.async.wait_group", `${s.left}`);
      return;
    default:
      fragment(w, s, operand);
  }
}

function loop(w: Writer, { name, count, rolled, body }: For): void {
  if (count === 0) return;
  const counter = w.make("u32", "mov.u32", "0");
  const start = w.label();
  w.name(name, counter);
  w.place(start);
  if (rolled) w.emit('.pragma "nounroll"');
  block(w, body);
  w.emit("add.u32", counter, counter, "1");
  w.emit(`@${w.make("bool", "setp.lt.u32", counter, `${count}`)} bra`, start);
}
