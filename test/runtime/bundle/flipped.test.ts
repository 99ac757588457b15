/** A bundle with one bit changed, anywhere in a module's content or in the weights, is refused and says what it is. */
import { expect, test } from "vitest";
import { profileEntry } from "../../../build/bundle-content.ts";
import { compile } from "../../../compiler/compile.ts";
import { defineModel, input, traceProgram } from "../../../compiler/index.ts";
import { add, matmul } from "../../../ops/index.ts";
import type { Bundle } from "../../../runtime/bundle/bundle.ts";
import { loadBundle } from "../../../runtime/bundle/model.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { writeWithChecksums } from "../../../runtime/weights/index.ts";
import { bundleOf, weightsOf } from "../../support/bundles.ts";
import { floats } from "../../support/training-file.ts";
import { flipBit, randomNumbers, refusal } from "../../support/weights-files.ts";

const model = defineModel({
  name: "layer",
  build: (p) => {
    const x = input("x", "f32", [2, 3]);
    return { y: add(matmul(x, p.f32("weight", [3, 5])), p.f32("bias", [5])) };
  },
});

const plan = compile(traceProgram(model, "forward"), { name: "layer", target: "reference" });
const plans = new Map([["forward", plan]]);
const random = randomNumbers(3);
const values = (count: number) => Array.from({ length: count }, () => random(1000) / 500 - 1);
const weights = writeWithChecksums(
  new Map([
    ["weight", floats(values(15), [3, 5])],
    ["bias", floats(values(5), [5])],
  ]),
);
const whole = await bundleOf({ name: "layer", plans, weights });
const { content } = profileEntry({ name: "only", plans });

const load = async (bundle: Bundle) => {
  const running = await loadBundle(bundle, referenceDevice());
  await running.close();
};

const encode = (text: string) => Uint8Array.from(new TextEncoder().encode(text));
const decode = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);

/** Of bytes, the bundle that has them instead of its own. */
const parts: Readonly<
  Record<string, readonly [Uint8Array<ArrayBuffer>, (bytes: Uint8Array<ArrayBuffer>) => unknown]>
> = {
  plans: [encode(content.plans), (bytes) => ({ ...content, plans: decode(bytes) })],
  kernels: [
    encode(content.kernels[0]!),
    (bytes) => ({ ...content, kernels: [decode(bytes), ...content.kernels.slice(1)] }),
  ],
};

/** Every bit of what is small, and of what is large some hundreds. */
function* flipped(bytes: Uint8Array<ArrayBuffer>) {
  const random = randomNumbers(bytes.length);
  const all = 8 * bytes.byteLength;
  const bits =
    all <= 4000 ? [...Array(all).keys()] : Array.from({ length: 300 }, () => random(all));
  for (const bit of bits) yield [bit, Uint8Array.from(flipBit(bytes, bit))] as const;
}

test("a whole bundle loads", () => load(whole));

test.each(Object.keys(parts))("%s with any one bit changed are refused", async (name) => {
  const [bytes, put] = parts[name]!;
  for (const [bit, changed] of flipped(bytes)) {
    const read = async () => put(changed) as never;
    const profiles = [{ ...whole.profiles[0]!, load: read }];
    const error = await refusal(() => load({ ...whole, profiles }));
    expect([error.code, error.details.where], `bit ${bit}`).toEqual([
      "E614",
      "the bundle of layer, profile only",
    ]);
  }
});

test("weights with any one bit changed are refused", async () => {
  for (const [bit, changed] of flipped(weights)) {
    const bundle = { ...whole, weights: await weightsOf(weights, changed) };
    const error = await refusal(() => load(bundle));
    expect(`${error.details.message} ${error.details.where}`, `bit ${bit}`).toMatch(/blob:/);
  }
}, 60_000);
