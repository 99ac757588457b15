/** Names with something in front: one rule, in every command and every session. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { lora } from "../../../adapters/index.ts";
import { compile } from "../../../compiler/compile.ts";
import { adapt, defineModel, input, traceProgram } from "../../../compiler/index.ts";
import { convert } from "../../../export/node/convert.ts";
import { mergeAdapters } from "../../../merge/merge.ts";
import { linear } from "../../../models/layers.ts";
import { inferSamConfig } from "../../../models/sam/checkpoint.ts";
import { metaNames, withMetaNames } from "../../../models/sam/names.ts";
import { mean } from "../../../ops/index.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { createSession } from "../../../runtime/session.ts";
import { fitNames, writeSafetensors } from "../../../runtime/weights/index.ts";
import { createTrainer, sgd } from "../../../training/index.ts";
import { randomNumbers } from "../../../verify/ops/evaluate.ts";
import { floats } from "../../support/training-file.ts";
import { fixturePath, openBytes, readAll, refusal } from "../../support/weights-files.ts";

const folder = mkdtempSync(join(tmpdir(), "prefix-"));
afterAll(() => rmSync(folder, { recursive: true }));

const prefixes = ["module.", "model.", "sam.", "base_model.model.", "_orig_mod.", "a.b.module.c."];
const nano = await openBytes(await readFile(fixturePath("sam_nano.pth")));
const tensors = await readAll(nano);
const renamed = (rename: (name: string) => string) =>
  writeSafetensors(new Map([...tensors].map(([name, tensor]) => [rename(name), tensor])));

describe("a SAM", () => {
  test.each(prefixes)("under %s is seen without it", async (prefix) => {
    const file = await openBytes(renamed((name) => prefix + name));
    const named = withMetaNames(file);
    expect([...named.tensors.keys()].sort()).toEqual(
      [...withMetaNames(nano).tensors.keys()].sort(),
    );
    expect(inferSamConfig(file, { decoderNumHeads: 2 })).toEqual(
      inferSamConfig(nano, { decoderNumHeads: 2 }),
    );
  });

  test.each([...prefixes, "wrapped inside"])(
    "under %s is converted to both namings",
    async (prefix) => {
      const inside = (name: string) => name.replace(/blocks\.(\d+)\./, "blocks.$1._orig_mod.");
      const path = join(folder, "prefixed.safetensors");
      writeFileSync(
        path,
        renamed((name) => (prefix.endsWith(".") ? prefix + name : inside(name))),
      );
      for (const names of ["hf", "meta"] as const) {
        const output = join(folder, "converted.safetensors");
        const report = await convert({ input: path, output, names });
        const plain = join(folder, "plain.safetensors");
        await convert({ input: fixturePath("sam_nano.pth"), output: plain, names });
        expect(report.prefix).toBe(prefix.endsWith(".") ? prefix : "");
        const [got, wanted] = [await readFile(output), await readFile(plain)];
        expect([...(await readAll(await openBytes(got))).keys()]).toEqual([
          ...(await readAll(await openBytes(wanted))).keys(),
        ]);
      }
    },
  );

  test("in Hugging Face's names under a prefix has Meta's", () => {
    const names = metaNames(
      ["module.vision_encoder.layers.0.attn.qkv.weight", "module.head.weight"],
      "f",
    );
    expect([...names!]).toEqual([
      ["image_encoder.blocks.0.attn.qkv.weight", "module.vision_encoder.layers.0.attn.qkv.weight"],
      ["head.weight", "module.head.weight"],
    ]);
  });

  test("twice in a file is refused, with both prefixes", async () => {
    const both = ["student.", "teacher."].flatMap((prefix) =>
      [...tensors].map(([name, tensor]) => [prefix + name, tensor] as const),
    );
    const file = await openBytes(writeSafetensors(new Map(both)));
    const { code, details } = await refusal(() => withMetaNames(file));
    expect(code).toBe("E463");
    expect(details.message).toMatch(/"student\." \(\d+\), "teacher\." \(\d+\)/);
    // As it is beside an average of it, it is what it was.
    const beside = [...tensors].flatMap(
      ([name, tensor]) =>
        [
          [name, tensor],
          [`ema.${name}`, tensor],
        ] as const,
    );
    const file2 = await openBytes(writeSafetensors(new Map(beside)));
    expect(withMetaNames(file2).tensors.has("image_encoder.pos_embed")).toBe(true);
  });

  test("with a name both wrapped and not is refused", () => {
    const names = ["module.mask_decoder.iou_token.weight", "mask_decoder.iou_token.weight"];
    expect(() => metaNames(names, "file")).toThrow("would both be mask_decoder.iou_token.weight");
  });

  test("is told by the command line", async () => {
    const path = join(folder, "dp.safetensors");
    writeFileSync(
      path,
      renamed((name) => `module.${name}`),
    );
    const output = join(folder, "o.safetensors");
    const words = ["dist/cli/main.js", "convert", path, output, "--names", "hf"];
    expect(execFileSync(process.execPath, words, { encoding: "utf8" })).toContain(
      'names without "module."',
    );
  });
});

const model = defineModel({
  name: "layers",
  build: (p) => ({ y: linear(p.at("head", "a"), input("x", "f32", [2, 4]), 4, 4) }),
});
const layer = (prefix: string, more: string[] = []) =>
  openBytes(
    writeSafetensors(
      new Map([
        [`${prefix}head.a.weight`, floats(randomNumbers(16, 1), [4, 4])],
        [`${prefix}head.a.bias`, floats(randomNumbers(4, 2), [4])],
        ...more.map((name) => [name, floats([1], [1])] as const),
      ]),
    ),
  );
const x = randomNumbers(8, 3);

describe("any model", () => {
  const plan = compile(traceProgram(model, "forward"), { name: "layers", target: "reference" });
  const run = async (weights: Awaited<ReturnType<typeof layer>>) =>
    (await createSession(plan, referenceDevice(), { weights })).run({ x });

  test.each(["module.", "net.core."])("under %s runs, trains and merges", async (prefix) => {
    const wrapped = await layer(prefix, [`${prefix}other`, "epoch"]);
    expect(await run(wrapped)).toEqual(await run(await layer("")));
    const adapted = adapt(model, lora({ rank: 1 }));
    const trainer = await createTrainer(adapted, {
      device: referenceDevice(),
      weights: wrapped,
      rate: 0.1,
      optimiser: sgd(),
      loss: ({ y }) => ({ y: mean(y!) }),
    });
    await trainer.step({ x });
    const merged = await mergeAdapters(adapted, [
      wrapped,
      await openBytes(await trainer.saveAdapter()),
    ]);
    expect([...merged.tensors.keys()].sort()).toEqual([
      "epoch",
      "head.a.bias",
      "head.a.weight",
      "other",
    ]);
    expect(fitNames(wrapped, ["head.a.weight"]).source).toBe(`crafted (names without "${prefix}")`);
  });

  test("under two prefixes is refused", async () => {
    const two = await layer("one.", ["two.head.a.weight", "two.head.a.bias"]);
    expect((await refusal(() => run(two))).code).toBe("E463");
  });

  test("of which a file has few names anywhere is missing what it misses", async () => {
    const other = await openBytes(writeSafetensors(new Map([["z.q", floats([1], [1])]])));
    expect((await refusal(() => run(other))).code).toBe("E420");
  });

  test("whose own names hold a wrapper's is left alone", () => {
    const own = { source: "f", tensors: new Map([["module.w", floatEntryOf()]]), chunks: noChunks };
    expect(fitNames(own, ["module.w"])).toBe(own);
  });
});

const floatEntryOf = () => ({ dtype: "f32", shape: [1], bytes: 4 }) as const;
async function* noChunks() {}
