/**
 * Removes what is computed for nothing: named values that nobody reads, and arrays of a thread's own that
 * are only written. Compilers warn of them.
 */
import type { Buffer, Expr, Kernel, Stmt } from "./ir.ts";
import { withArguments, withParts } from "./parts.ts";

export function withoutUnused(kernel: Kernel): Kernel {
  const loaded = new Set<Buffer>();
  const note = (e: Expr): Expr => {
    if (e.kind === "load") loaded.add(e.from);
    return withArguments(e, note);
  };
  const walk = (body: readonly Stmt[]): readonly Stmt[] =>
    body.map((s) => {
      if (s.kind === "load4") loaded.add(s.from);
      return withParts(s, note, walk);
    });
  walk(kernel.body);
  const isUnread = (buffer: Buffer) => buffer.space === "local" && !loaded.has(buffer);
  return {
    ...kernel,
    scratch: kernel.scratch.filter((buffer) => !isUnread(buffer)),
    body: kept(kernel.body, isUnread, new Set()),
  };
}

/** Backwards, since a value is read behind its name alone. Variables stay. */
function kept(
  body: readonly Stmt[],
  isUnread: (buffer: Buffer) => boolean,
  read: Set<string>,
): Stmt[] {
  const note = (e: Expr): Expr => {
    if (e.kind === "ref") read.add(e.name);
    return withArguments(e, note);
  };
  const isUseless = (s: Stmt): boolean =>
    (s.kind === "let" && !read.has(s.name)) ||
    ((s.kind === "load4" || s.kind === "fragment-elements") &&
      !s.names.some((name) => read.has(name))) ||
    (s.kind === "store" && isUnread(s.to)) ||
    ((s.kind === "for" || s.kind === "if") && s.body.length === 0);
  const all: Stmt[] = [];
  for (const stmt of body.toReversed()) {
    const inner = stmt.kind === "for" || stmt.kind === "if" ? kept(stmt.body, isUnread, read) : [];
    const next = stmt.kind === "for" || stmt.kind === "if" ? { ...stmt, body: inner } : stmt;
    if (isUseless(next)) continue;
    all.push(withParts(next, note, (same) => same));
  }
  return all.toReversed();
}
