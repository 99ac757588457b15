/** The losses once more, in plain double precision: loops over flat arrays, nothing stable, nothing shared. */

/** [maps, pixels] by rows. */
export type Maps = readonly (readonly number[])[];

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
export const total = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);
const average = (list: readonly number[]) => total(list) / list.length;

const entropy = (x: number, t: number) =>
  -(t * Math.log(sigmoid(x)) + (1 - t) * Math.log(1 - sigmoid(x)));

/** What a function of a logit and its target gives everywhere. */
const each = (x: Maps, t: Maps, f: (x: number, t: number) => number) =>
  x.map((row, i) => row.map((v, j) => f(v, t[i]![j]!)));

export const plainBce = (x: Maps, t: Maps) => average(each(x, t, entropy).flat());

/** As published: with a positive weight. */
export function plainBalancedBce(x: Maps, t: Maps): number {
  const positive = total(t.flat()) + 1e-10;
  const negative = total(t.flat().map((v) => 1 - v));
  const weight = negative / positive;
  const weighted = each(
    x,
    t,
    (v, u) => -(weight * u * Math.log(sigmoid(v)) + (1 - u) * Math.log(1 - sigmoid(v))),
  );
  return (positive / (positive + negative)) * average(weighted.flat());
}

export const plainDice = (x: Maps, t: Maps) =>
  average(x.map((row, i) => 1 - diceRatio(row, t[i]!)));

function diceRatio(x: readonly number[], t: readonly number[]): number {
  const p = x.map(sigmoid);
  return (2 * total(p.map((v, j) => v * t[j]!)) + 1) / (total(p) + total(t) + 1);
}

export function plainFocal(x: Maps, t: Maps, alpha: number, gamma: number): number {
  const one = (v: number, u: number) => {
    const p = u === 1 ? sigmoid(v) : 1 - sigmoid(v);
    return -(u === 1 ? alpha : 1 - alpha) * (1 - p) ** gamma * Math.log(p);
  };
  return average(each(x, t, one).flat());
}

export const plainIou = (x: Maps, t: Maps) =>
  average(
    x.map((row, i) => {
      const p = row.map(sigmoid);
      const common = total(p.map((v, j) => v * t[i]![j]!));
      return 1 - common / (total(p) + total(t[i]!) - common);
    }),
  );

/** Pixels count as whole numbers say, once unless given. */
export function plainStructure(
  x: Maps,
  t: Maps,
  height: number,
  width: number,
  counts: Maps = t.map((row) => row.map(() => 1)),
): number {
  const overlaps = x.map((row, i) => {
    const map = t[i]!;
    let [common, both] = [0, 0];
    for (let y = 0; y < height; y++)
      for (let z = 0; z < width; z++) {
        let sum = 0;
        for (let dy = -15; dy <= 15; dy++)
          for (let dz = -15; dz <= 15; dz++)
            if (y + dy >= 0 && y + dy < height && z + dz >= 0 && z + dz < width)
              sum += map[(y + dy) * width + z + dz]!;
        const at = y * width + z;
        const weight = counts[i]![at]! * (1 + 5 * Math.abs(sum / 961 - map[at]!));
        common += sigmoid(row[at]!) * map[at]! * weight;
        both += (sigmoid(row[at]!) + map[at]!) * weight;
      }
    return 1 - (common + 1) / (both - common + 1);
  });
  const repeated = (maps: Maps) =>
    maps.map((row, i) => row.flatMap((v, j) => Array<number>(counts[i]![j]!).fill(v)));
  return plainBce(repeated(x), repeated(t)) + average(overlaps);
}

/** -log softmax(logits)[label]. */
function surprise(logits: readonly number[], label: number): number {
  return -Math.log(Math.exp(logits[label]!) / total(logits.map(Math.exp)));
}

/** Logits per pixel; labels that are `ignore` do not count. */
export function plainCrossEntropy(x: Maps, labels: readonly number[], ignore: number): number {
  const counted = x.flatMap((row, i) => (labels[i] === ignore ? [] : [surprise(row, labels[i]!)]));
  return average(counted);
}

/** As `plainCrossEntropy`. */
export function plainClassDice(x: Maps, labels: readonly number[], ignore: number): number {
  const seen = x.flatMap((row, i) => (labels[i] === ignore ? [] : [{ row, label: labels[i]! }]));
  const classes = [...x[0]!.keys()].map((c) => {
    const p = seen.map(({ row }) => Math.exp(row[c]!) / total(row.map(Math.exp)));
    const t = seen.map(({ label }) => Number(label === c));
    const common = total(p.map((v, i) => v * t[i]!));
    return 1 - (2 * common + 1e-5) / (total(p.map((v) => v * v)) + total(t) + 1e-5);
  });
  return average(classes);
}

/** Values per pixel, one for depth. */
export function plainDepth(p: readonly number[], t: readonly number[]): number {
  return average(p.flatMap((v, i) => (t[i] === 0 ? [] : [Math.abs(v - t[i]!)])));
}

/** Vectors per pixel. */
export function plainNormals(p: Maps, t: Maps): number {
  const cosines = p.flatMap((vector, i) => {
    if (total(t[i]!) === 0) return [];
    return [total(vector.map((v, c) => v * t[i]![c]!)) / Math.hypot(...vector)];
  });
  return 1 - average(cosines);
}

export interface PlainSet {
  /** [queries, classes + 1] */
  readonly classes: Maps;
  /** [queries, pixels] */
  readonly masks: Maps;
  /** [targets] */
  readonly labels: readonly number[];
  /** [targets, pixels] */
  readonly targetMasks: Maps;
}

/** The pairs [query, target] of the cheapest matching, by trying all of them. */
export function plainMatching({
  classes,
  masks,
  labels,
  targetMasks,
}: PlainSet): [number, number][] {
  const present = [...labels.keys()].filter((g) => labels[g]! >= 0);
  const cost = masks.map((row, q) =>
    present.map(
      (g) =>
        -2 * Math.exp(-surprise(classes[q]!, labels[g]!)) +
        5 * plainBce([row], [targetMasks[g]!]) +
        5 * (1 - diceRatio(row, targetMasks[g]!)),
    ),
  );
  return cheapestPairs(cost).map(([q, i]) => [q, present[i]!]);
}

/** Terms of a batch: class, mask, dice. */
export function plainSetTerms(batch: readonly PlainSet[]) {
  let [own, weights, mask, dice] = [0, 0, 0, 0];
  for (const item of batch) {
    const pairs = plainMatching(item);
    for (const [q, logits] of item.classes.entries()) {
      const pair = pairs.find(([query]) => query === q);
      const weight = pair ? 1 : 0.1;
      own += weight * surprise(logits, pair ? item.labels[pair[1]]! : logits.length - 1);
      weights += weight;
    }
    for (const [q, g] of pairs) {
      mask += plainBce([item.masks[q]!], [item.targetMasks[g]!]);
      dice += 1 - diceRatio(item.masks[q]!, item.targetMasks[g]!);
    }
  }
  const objects = Math.max(1, batch.flatMap(({ labels }) => labels.filter((l) => l >= 0)).length);
  return { class: own / weights, mask: mask / objects, dice: dice / objects };
}

/** The cheapest matching of [rows, columns] as pairs, by trying all of them. */
export function cheapestPairs(cost: Maps): [number, number][] {
  const columns = cost[0]?.length ?? 0;
  const size = Math.min(cost.length, columns);
  let [best, least]: [[number, number][], number] = [[], Number.POSITIVE_INFINITY];
  const visit = (row: number, pairs: [number, number][], sum: number) => {
    if (pairs.length === size && sum < least) [best, least] = [pairs, sum];
    if (pairs.length === size || row === cost.length) return;
    for (let c = 0; c < columns; c++)
      if (!pairs.some(([, taken]) => taken === c))
        visit(row + 1, [...pairs, [row, c]], sum + cost[row]![c]!);
    if (cost.length - row > size - pairs.length) visit(row + 1, pairs, sum);
  };
  visit(0, [], 0);
  return best;
}

/** The standard normal distribution below x, by Simpson's rule from 0. */
function phi(x: number): number {
  const steps = 2000;
  const density = (v: number) => Math.exp((-v * v) / 2) / Math.sqrt(2 * Math.PI);
  let sum = density(0) + density(x);
  for (let i = 1; i < steps; i++) sum += (i % 2 ? 4 : 2) * density((x * i) / steps);
  return 0.5 + (sum * x) / steps / 3;
}

export function plainBalance(
  gates: Maps,
  noise?: { clean: Maps; noisy: Maps; deviation: Maps; kept: number },
): number {
  const experts = [...gates[0]!.keys()];
  const importance = experts.map((e) => total(gates.map((row) => row[e]!)));
  const load = experts.map((e) => {
    if (!noise) return gates.filter((row) => row[e]! > 0).length;
    const { clean, noisy, deviation, kept } = noise;
    return total(
      noisy.map((row, b) => {
        const ranked = [...row].sort((p, q) => q - p);
        const threshold = row[e]! > ranked[kept]! ? ranked[kept]! : ranked[kept - 1]!;
        return phi((clean[b]![e]! - threshold) / deviation[b]![e]!);
      }),
    );
  });
  const variation = (v: readonly number[]) => {
    const middle = average(v);
    const variance = total(v.map((n) => (n - middle) ** 2)) / (v.length - 1);
    return variance / (middle ** 2 + 1e-10);
  };
  return 0.01 * (variation(importance) + variation(load));
}

/** ||x^T x - I|| of a matrix by rows. */
export function plainOrthogonality(x: Maps): number {
  const columns = [...x[0]!.keys()];
  const off = columns.flatMap((i) =>
    columns.map((j) => total(x.map((row) => row[i]! * row[j]!)) - Number(i === j)),
  );
  return Math.hypot(...off);
}
