/** A bundle with one bit changed, anywhere, is refused and says which file or tensor it is. */
import { expect, test } from "vitest";
import { bundleFiles } from "../../../build/bundle-files.ts";
import { compile } from "../../../compiler/compile.ts";
import { defineModel, input, traceProgram } from "../../../compiler/index.ts";
import { add, matmul } from "../../../ops/index.ts";
import { openBundle } from "../../../runtime/bundle/bundle.ts";
import { loadBundle } from "../../../runtime/bundle/model.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { blobSource, writeWithChecksums } from "../../../runtime/weights/index.ts";
import { floats } from "../../support/training-file.ts";
import { flipBit, openBytes, randomNumbers, refusal } from "../../support/weights-files.ts";

const model = defineModel({
  name: "layer",
  build: (p) => {
    const x = input("x", "f32", [2, 3]);
    return { y: add(matmul(x, p.f32("weight", [3, 5])), p.f32("bias", [5])) };
  },
});

async function built(): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const plan = compile(traceProgram(model, "forward"), { name: "layer", target: "reference" });
  const random = randomNumbers(3);
  const values = (count: number) => Array.from({ length: count }, () => random(1000) / 500 - 1);
  const weights = writeWithChecksums(
    new Map([
      ["weight", floats(values(15), [3, 5])],
      ["bias", floats(values(5), [5])],
    ]),
  );
  const { checksum = "" } = await openBytes(weights);
  const stored = { file: "weights.safetensors", bytes: weights.byteLength, checksum };
  const { files } = bundleFiles({
    name: "layer",
    plans: new Map([["forward", plan]]),
    weights: stored,
  });
  const all = new Map([[stored.file, weights]]);
  for (const [path, content] of files)
    all.set(
      path,
      Uint8Array.from(typeof content === "string" ? new TextEncoder().encode(content) : content),
    );
  return all;
}

const load = async (files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>) => {
  const bundle = await openBundle(async (path) => files.get(path)!, {
    source: "layer/",
    // As a page reads them: from a blob, piece by piece.
    open: async (path) => blobSource(path, new Blob([files.get(path)!])),
  });
  const running = await loadBundle(bundle, referenceDevice());
  await running.close();
};

const files = await built();

test("a whole bundle loads", () => load(files));

test.each([...files.keys()])(
  "%s with any one bit changed is refused",
  async (path) => {
    const bytes = files.get(path)!;
    const random = randomNumbers(path.length);
    const all = 8 * bytes.byteLength;
    // Every bit of what is small, and of what is large some hundreds.
    const bits =
      all <= 4000 ? [...Array(all).keys()] : Array.from({ length: 300 }, () => random(all));
    for (const bit of bits) {
      const flipped = Uint8Array.from(flipBit(bytes, bit));
      const error = await refusal(() => load(new Map(files).set(path, flipped)));
      const named = `${error.details.message} ${error.details.where}`;
      expect(named, `bit ${bit}`).toMatch(/format \d+/.test(named) ? /layer\// : path);
    }
  },
  60_000,
);
