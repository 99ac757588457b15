/** Unknown options of public functions. */
import { expect, test } from "vitest";
import { checkOptions } from "../../diagnostics/options.ts";

interface Clip {
  readonly clip?: number;
  readonly rate?: number;
}

const check = (given: unknown) => () =>
  checkOptions<Clip>("train", given as Clip, { clip: 1, rate: 1 });

test("known options, and none at all, are taken", () => {
  for (const given of [undefined, {}, { clip: 1 }, { rate: undefined, clip: 1 }])
    expect(check(given)).not.toThrow();
});

test("an unknown option is E460 with the nearest name, whatever its value", () => {
  expect(check({ clipp: 1 })).toThrow(
    'error[E460] train has no option "clipp"\n  help: write clip; it has clip, rate',
  );
  expect(check({ Rate: undefined })).toThrow("write rate");
  expect(check({ momentumBuffer: 1 })).toThrow("help: it has clip, rate");
});

test("inherited names count, and names of every object's prototype are unknown", () => {
  expect(check(Object.create({ clipp: 1 }))).toThrow("E460");
  expect(check(JSON.parse('{ "__proto__": 1 }'))).toThrow('"__proto__"');
  expect(check({ constructor: 1 })).toThrow('"constructor"');
});

test("what is no object is E460", () => {
  expect(check(null)).toThrow("was given null");
  expect(check([1])).toThrow("was given an array");
  expect(check("clip")).toThrow('was given "clip"');
});
