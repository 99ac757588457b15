/** Instructions of a function, and the constants before them. */
import { expect, test } from "vitest";
import { Code } from "../../../../compiler/targets/wasm/code.ts";

/** Opcodes: v128.const, local.get, local.set. */
const [constant, get, set] = [[0xfd, 0x0c], 0x20, 0x21];
const four = (...pattern: number[]) => [pattern, pattern, pattern, pattern].flat();

test("a constant is made once, before all else, and zeros where they are used", () => {
  const code = new Code(1);
  const zero = [...constant, ...four(0, 0, 0, 0)];
  code.floats(1);
  code.patterns(0);
  code.aside(() => code.floats(1));
  code.patterns(0x3f800000);
  code.patterns(-1);
  expect(code.whole()).toEqual([
    ...[...constant, ...four(0, 0, 0x80, 0x3f), set, 1],
    ...[...constant, ...four(255, 255, 255, 255), set, 2],
    ...[get, 1, ...zero, get, 1, get, 2],
  ]);
  expect(code.locals).toEqual(["v128", "v128"]);
});
