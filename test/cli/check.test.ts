import { beforeAll, describe, expect, test } from "vitest";
import { buildPackage, file, inarch, scratchFolder } from "../support/command-line.ts";

const folder = scratchFolder("check");

beforeAll(buildPackage);

const op = (derivative: string, value = "6") => `
import { elementwiseOp, mul, unary } from "inarch/ops";
export const op = elementwiseOp("triple", {
  at: (_k, x) => x.mul(3),
  vjp: (g) => [mul(g, ${derivative})],
  tests: {
    samples: [{ inputs: [[2]], call: (x) => triple(x), outputs: [[${value}]] }],
    cases: [{ claim: "a line", inputs: [{ shape: [5] }], call: (x) => triple(x), smooth: true }],
  },
});
export const triple = unary(op);
`;

describe("inarch check", () => {
  test("an op that is right", async () => {
    file(folder, "right.ts", op("3"));
    const { code, stdout } = await inarch(["check", "right.ts"], folder);
    expect(stdout).toContain("right  triple: at random: a line: its derivative");
    expect(stdout).toContain("4 right, 0 wrong");
    expect(code).toBe(0);
  });

  test("a wrong derivative and a wrong sample are named, and the exit code is 1", async () => {
    file(folder, "wrong.ts", op("2", "7"));
    const { code, stdout } = await inarch(["check", "wrong.ts"], folder);
    expect(stdout).toContain(
      "WRONG  triple: sample 1\n         output 0, element 0: 6 instead of 7",
    );
    expect(stdout).toMatch(
      /WRONG {2}triple: at random: a line: its derivative\n.*the derivative is/,
    );
    expect(stdout).toContain("2 right, 2 wrong");
    expect(code).toBe(1);
  });

  test("a composition by its samples, as JSON", async () => {
    file(
      folder,
      "composition.ts",
      `import { add } from "inarch/ops";
       export const twice = (x) => add(x, x);
       export const tests = { samples: [{ inputs: [[2]], call: twice, outputs: [[4]] }] };`,
    );
    const { code, stdout } = await inarch(["check", "composition.ts", "--json"], folder);
    expect(JSON.parse(stdout)).toMatchObject({ right: 2, wrong: 0 });
    expect(code).toBe(0);
  });

  test("an adapter whose file forgets a setting is wrong", async () => {
    file(
      folder,
      "forgetful.ts",
      `import { ones } from "inarch";
       import { defineAdapter } from "inarch/adapters";
       import { mul } from "inarch/ops";
       let made = 0;
       export const drifting = () => {
         const factor = ++made;
         return defineAdapter({
           name: "drifting",
           linear: ({ own, outputs }, x, base) => mul(base(x), mul(own.f32("l", [outputs], { init: ones }), factor + made++)),
         });
       };
       export const tests = { drifting: [{ adapter: () => drifting() }] };`,
    );
    const { code, stdout } = await inarch(["check", "forgetful.ts"], folder);
    expect(stdout).toMatch(/WRONG {2}drifting: a session from the base and the file/);
    expect(code).toBe(1);
  });

  test("E514 for a file without an op or samples, E510 for one that is not there", async () => {
    file(folder, "nothing.ts", "export const a = 1;");
    const nothing = await inarch(["check", "nothing.ts"], folder);
    expect(nothing.stderr).toContain("E514");
    expect(nothing.stderr).toContain("export const op = elementwiseOp");
    expect(nothing.code).toBe(1);
    expect((await inarch(["check", "absent.ts"], folder)).stderr).toContain("E510");
    expect((await inarch(["check", "absent"], folder)).stderr).toContain("./absent.ts");
  });
});
