/** Which addresses loops carry on, and by how much. */
import { expect, test } from "vitest";
import type { Expr } from "../../../../compiler/kernel/ir.ts";
import { index, literal, Value } from "../../../../compiler/kernel/value.ts";
import { Code } from "../../../../compiler/targets/wasm/code.ts";
import { Pointers } from "../../../../compiler/targets/wasm/pointers.ts";

const ref = (name: string, mutable = false) =>
  new Value({ kind: "ref", type: "u32", name, mutable }, 99);
const [row, d, e] = [ref("row"), ref("d"), ref("e")];
const base = 0;

/** What is asked inside of loops over d and e, and what was written for it. */
function inLoops(ask: (pointers: Pointers) => void, count: 1 | 2 = 1) {
  const code = new Code(1);
  const begun: Expr[] = [];
  const pointers = new Pointers(code, (at) => begun.push(at));
  pointers.declare("row");
  const inner = () => (count === 1 ? ask(pointers) : around("e", () => ask(pointers)));
  const around = (counter: string, body: () => void) =>
    pointers.loop(counter, body, (inside) => inside());
  around("d", inner);
  return { begun, bytes: code.bytes };
}

test("a place that grows evenly is a local that is raised, and constants are the access's own", () => {
  const { begun, bytes } = inLoops((pointers) => {
    const first = pointers.to(base, row.mul(64).add(d.mul(3)).add(5).expr, 2)!;
    expect(first.offset).toBe(20);
    // Another place in the same line, and a place that was named.
    pointers.declare("at", d.mul(3).add(row.mul(64)).expr);
    expect(pointers.to(base, ref("at").add(7).expr, 2)).toEqual({ ...first, offset: 28 });
    expect(pointers.to(base, row.mul(32).add(d.mul(3)).expr, 2)!.local).not.toBe(first.local);
  });
  expect(begun).toEqual([row.expr, row.expr]);
  // Three elements of four bytes: i32.const 12, i32.add, local.set 1.
  const raised = [0x20, 1, 0x41, 12, 0x6a, 0x21, 1];
  expect(bytes.join()).toContain(raised.join());
});

test("in a loop in a loop an address begins anew in each round of the outer one", () => {
  const { begun } = inLoops((pointers) => {
    expect(pointers.to(base, d.mul(8).add(e).expr, 2)).toEqual({ local: 1, offset: 0 });
    // It does not grow here.
    expect(pointers.to(base, d.mul(8).expr, 2)).toBeUndefined();
  }, 2);
  expect(begun).toEqual([d.expr]);
});

test("what is no sum, is read from memory or may change is computed where it is used", () => {
  const x = { name: "x", space: "global", scalar: "u32", size: 9, writable: false } as const;
  const loaded = new Value({ kind: "load", type: "u32", from: x, index: row.expr });
  const { begun } = inLoops((pointers) => {
    pointers.declare("inside");
    for (const at of [
      d.mul(row),
      d.div(3),
      d.add(loaded),
      d.add(ref("v", true)),
      d.add(ref("inside")),
      d.add(2 ** 23),
      index(4),
      literal(4, "u32"),
    ])
      expect(pointers.to(base, at.expr, 2)).toBeUndefined();
  });
  expect(begun).toEqual([]);
});
