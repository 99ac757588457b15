/** Plans that are kept: what is compiled once is not compiled again, and what differs is another plan. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { lora } from "../../../adapters/index.ts";
import { adapt, defineModel, input, type KeptPlans } from "../../../compiler/index.ts";
import { linear } from "../../../models/layers.ts";
import { formatSamConfig } from "../../../models/sam/config.ts";
import { hashedWeights } from "../../../models/sam/hashed.ts";
import { elementwiseOp, mean, mul, sub, unary } from "../../../ops/index.ts";
import { keepFile } from "../../../runtime/node/kept-files.ts";
import { writeSafetensors } from "../../../runtime/weights/index.ts";
import { adamW, compileTrainingAsync, sgd, type TrainingOptions } from "../../../training/index.ts";
import { keptPlans } from "../../../training/node/kept-plans.ts";
import { buildPackage, node, repository } from "../../support/command-line.ts";
import { compiledIn, countCompilations } from "../../support/count-compilations.ts";
import { drawSquares } from "../../support/drawn-squares.ts";
import { tinySam } from "../../support/sam-small.ts";
import { readAll } from "../../support/weights-files.ts";

const folder = mkdtempSync(join(tmpdir(), "inarch-plans-"));
let caches = 0;
const newCache = () => join(folder, `cache-${caches++}`);

/** The store of a folder, and how often it had to compile. */
async function counting(cache: string) {
  const plans = (await keptPlans({ XDG_CACHE_HOME: cache }))!;
  const counted = { made: 0 };
  const store: KeptPlans = {
    nameOf: plans.nameOf,
    of: (description, make) =>
      plans.of(description, () => {
        counted.made++;
        return make();
      }),
  };
  return { store, counted, files: () => readdirSync(join(cache, "inarch", "plans")).sort() };
}

const bare = (factor = 2) =>
  defineModel({
    name: "line",
    dims: { batch: 2 },
    build(p) {
      const x = input("x", "f32", ["batch", 3]);
      return { y: mul(linear(p.at("up"), x, 3, 4), factor) };
    },
  });

const model = (factor = 2) => adapt(bare(factor), lora({ rank: 2 }), { where: "up" });

const options: TrainingOptions = {
  loss({ y }) {
    const away = sub(y!, input("target", "f32", y!.shape));
    return { square: mean(mul(away, away)) };
  },
  optimiser: adamW(),
};

describe("a training's plan", () => {
  test("is compiled once, and again for whatever differs", async () => {
    const { store, counted, files } = await counting(newCache());
    const plan = (more: Partial<TrainingOptions> = {}, of = model()) =>
      compileTrainingAsync(of, { ...options, ...more, plans: store });
    const first = await plan();
    expect(counted.made).toBe(1);
    expect(await plan()).toEqual(first);
    expect(counted.made).toBe(1);
    const { optimiser } = options;
    const stubborn: typeof optimiser = {
      ...optimiser,
      update: (site) => ({ ...optimiser.update(site), parameters: site.parameters }),
    };
    const square: TrainingOptions["loss"] = ({ y }) => ({ square: mean(mul(y!, y!)) });
    const differing: Partial<TrainingOptions>[] = [
      ...[{ clip: 1 }, { micro: 2 }, { optimiser: sgd({ momentum: 0.9 }) }, { dims: { batch: 3 } }],
      ...[{ target: "wasm" }, { optimiser: adamW({ epsilon: 1e-7 }) }],
      // The same name and numbers, and other code.
      ...[{ optimiser: stubborn }, { programs: { forward: {} } }, { evaluate: {} }],
      ...[{ groups: [{ match: ["**"], rate: 2 }] }, { loss: square }],
    ];
    const others = [
      ...differing.map((more) => () => plan(more)),
      () => plan({}, model(3)),
      () => plan({}, adapt(bare(), lora({ rank: 2 }), { where: "up", train: ["up.bias"] })),
    ];
    for (const [i, other] of others.entries()) {
      const made = await other();
      expect(counted.made).toBe(i + 2);
      expect(JSON.stringify(made)).not.toBe(JSON.stringify(first));
      expect(await other()).toEqual(made);
      expect(counted.made).toBe(i + 2);
    }
    expect(files()).toHaveLength(others.length + 1);
  });

  test("with an op of others is compiled each time: nobody knows its code", async () => {
    const cache = newCache();
    const { store, counted } = await counting(cache);
    const own = (factor: number): ReturnType<typeof unary> =>
      unary(
        elementwiseOp("scaled", {
          at: (_k, x) => x!.mul(factor),
          vjp: (g) => [mul(g, factor)],
          tests: {
            samples: [{ inputs: [[1]], call: (x) => own(factor)(x!), outputs: [[factor]] }],
          },
        }),
      );
    const of = (factor: number) =>
      compileTrainingAsync(model(), {
        ...options,
        loss: ({ y }) => ({ own: mean(own(factor)(y!)) }),
        plans: store,
      });
    expect(JSON.stringify(await of(2))).not.toBe(JSON.stringify(await of(3)));
    expect(counted.made).toBe(0);
    expect(existsSync(join(cache, "inarch"))).toBe(false);
  });

  test("that is damaged is compiled again, and so where nothing can be kept", async () => {
    const cache = newCache();
    const { store, counted, files } = await counting(cache);
    const plan = (plans = store) => compileTrainingAsync(model(), { ...options, plans });
    const first = await plan();
    const path = join(cache, "inarch", "plans", files()[0]!);
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace('"micro":1', '"micro":2'));
    expect(await plan()).toEqual(first);
    expect(counted.made).toBe(2);
    expect(readFileSync(path, "utf8")).toBe(text);

    const inTheWay = newCache();
    writeFileSync(inTheWay, "a file");
    for (const place of [inTheWay, "/proc/inarch"]) {
      const none = await counting(place);
      expect(await plan(none.store)).toEqual(first);
      expect(none.counted.made).toBe(1);
    }
  });

  test("what was used longest ago makes room", async () => {
    const place = join(newCache(), "plans");
    const keep = (name: string, most: number) =>
      keepFile(place, name, new Uint8Array(100), most).then((path) => path);
    for (const [i, name] of ["a", "b", "c"].entries()) {
      const path = await keep(name, 1000);
      utimesSync(path, i === 0 ? 300 : i, i === 0 ? 300 : i);
    }
    await keep("d", 300);
    expect(readdirSync(place).sort()).toEqual(["a", "c", "d"]);
    // What was just written stays.
    await keep("e", 50);
    expect(readdirSync(place)).toEqual(["e"]);
  });
});

describe("a second start", () => {
  const [pictures, masks] = [join(folder, "pictures"), join(folder, "masks")];
  const [weights, config] = [join(folder, "tiny.safetensors"), join(folder, "tiny.json")];
  beforeAll(async () => {
    writeFileSync(weights, writeSafetensors(await readAll(hashedWeights(tinySam, "train")), {}));
    writeFileSync(config, JSON.stringify(formatSamConfig(tinySam)));
    drawSquares(pictures, masks, 4);
    await buildPackage();
  });
  const start = (command: readonly string[], cache: string) =>
    node(
      [...countCompilations, join(repository, "dist", "cli", "main.js"), ...command],
      ...[repository, { XDG_CACHE_HOME: cache, INARCH_DEVICE: "cpu" }],
    );
  const train = (out: string, cache: string) =>
    start(
      [
        ...["train", "--pictures", pictures, "--masks", masks, "--value", "1", "--ignore", "9"],
        ...["--weights", weights, "--config", config, "--out", join(folder, out)],
        ...["--steps", "1", "--batch", "2", "--method", "lora"],
      ],
      cache,
    );
  const predict = (out: string, cache: string) =>
    start(
      [
        ...["predict", pictures, "--run", join(folder, "one"), "--weights", weights],
        ...["--config", config, "--out", join(folder, out)],
      ],
      cache,
    );

  test("compiles nothing, whether one process or two at once made the plans, and ends with the same bytes", async () => {
    const cache = newCache();
    const firsts = await Promise.all([train("one", cache), train("two", cache)]);
    expect(firsts.map(({ code }) => code)).toEqual([0, 0]);
    expect(Math.max(...firsts.map(({ stderr }) => compiledIn(stderr).length))).toBeGreaterThan(3);
    const second = await train("three", cache);
    expect([second.code, compiledIn(second.stderr)]).toEqual([0, []]);
    const [one, two, three] = ["one", "two", "three"].map((run) =>
      readFileSync(join(folder, run, "last.safetensors"), "latin1"),
    );
    expect(one).toBe(two);
    expect(one).toBe(three);
    expect(compiledIn((await predict("found", cache)).stderr)).toHaveLength(1);
    expect(compiledIn((await predict("again", cache)).stderr)).toEqual([]);
  });
});
