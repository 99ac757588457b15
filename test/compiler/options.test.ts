/** Options of a compilation, as callers without types may give them: a wrong value is no other option. */
import { expect, test } from "vitest";
import { type CompileOptions, compile } from "../../compiler/compile.ts";
import { trace } from "../../compiler/graph/graph.ts";
import { input } from "../../compiler/graph/sources.ts";
import { defaultProfile, type Profile } from "../../compiler/profile.ts";
import { relu, softmax } from "../../ops/index.ts";

const graph = trace(() => ({ y: softmax(relu(input("x", "f32", [2, 4]))) }), {});

const options = (given: object) => given as CompileOptions;
const profile = (given: object) => ({ profile: { ...defaultProfile, ...given } as Profile });

const cases: readonly (readonly [given: object, code: string, says: RegExp])[] = [
  [{ policy: "unfussed" }, "E465", /policy, which cannot be "unfussed"\n.*write policy: "unfused"/],
  [{ policy: "none" }, "E465", /give "fused" or "unfused"/],
  [{ policy: null }, "E465", /cannot be null/],
  [{ precision: "half" }, "E465", /give "f32" or "mixed"/],
  [{ halveFrom: -1 }, "E465", /halveFrom, which cannot be -1\n.*at least 0/],
  [{ halveFrom: Number.NaN }, "E465", /cannot be NaN/],
  [{ halveFrom: "5" }, "E465", /cannot be "5"/],
  [{ forms: "workgroups" }, "E465", /names of forms by names of ops/],
  [{ forms: ["workgroups"] }, "E465", /cannot be an array/],
  [{ forms: { softmaxx: "portable" } }, "E465", /of softmaxx.*\n.*\n.*write softmax: "portable"/],
  [{ forms: { matmul: "workgroups" } }, "E465", /of matmul.*\n.*\n.*there are softmax/],
  [{ forms: { relu: "portable" } }, "E465", /of relu.*\n.*\n.*there are softmax/],
  [{ tuning: 3 }, "E465", /tuning, which cannot be 3/],
  [{ layout: { statess: [] } }, "E465", /new Map\(\)/],
  [{ verify: "yes" }, "E465", /give true or false/],
  [{ onPass: 3 }, "E465", /give a function/],
  [{ name: 5 }, "E465", /give a string/],
  [{ profile: "discrete" }, "E465", /defaultProfile, or deviceProfile/],
  [
    { profile: { maxThreads: 64 } },
    "E465",
    /a profile has the option name, which cannot be undefined/,
  ],
  [profile({ maxThread: 64 }), "E460", /a profile has no option "maxThread"\n.*write maxThreads/],
  [profile({ maxThreads: "64" }), "E465", /maxThreads, which cannot be "64"/],
  [profile({ maxBindings: 0 }), "E465", /at least 1/],
  [profile({ deviceClass: "dicrete" }), "E465", /write deviceClass: "discrete"/],
  [profile({ half: 1 }), "E465", /half, which cannot be 1/],
  [profile({ matrices: true }), "E465", /a device's matrix units/],
];

test.each(cases)("%j is refused", (given, code, says) => {
  expect(() => compile(graph, options(given))).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(says) }),
  );
});

test("an option that is undefined is none", () => {
  const none = Object.fromEntries(
    ["name", "policy", "precision", "halveFrom", "forms", "verify", "onPass"].map((name) => [
      name,
      undefined,
    ]),
  );
  expect(compile(graph, options(none))).toEqual(compile(graph));
  expect(compile(graph, { halveFrom: Number.POSITIVE_INFINITY })).toEqual(compile(graph));
});
