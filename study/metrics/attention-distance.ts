/** Mean attention distance: how far from a token the tokens are that it attends to. */
import { diagnose } from "../../diagnostics/index.ts";
import { type Mean, runningMean } from "./mean.ts";

/** One attention layer of one picture, or of one window of it. */
export interface AttentionMap {
  /** `[heads, tokens, tokens]`: each row is a softmax, what a token takes of every other. */
  readonly weights: ArrayLike<number>;
  readonly heads: number;
  /** The tokens lie in rows of `width`, `height` of them: of the whole picture, or of a window. */
  readonly width: number;
  readonly height: number;
  /** The side of a token in pixels of the model's input, 16 in SAM. */
  readonly patch: number;
}

/**
 * For each head: the mean over tokens i of sum_j A_ij * patch * ||p_i - p_j||, positions in steps of the grid; in
 * pixels of the model's input. Of a window, distances lie within the window.
 *
 * Source: Dosovitskiy et al. 2021, appendix D.7, as Conv-LoRA's figure of attention distances uses it.
 * @throws E1020 where the weights do not fill heads x tokens x tokens.
 */
export function attentionDistance(map: AttentionMap): number[] {
  const { weights, heads, width, height, patch } = map;
  const tokens = width * height;
  if (weights.length !== heads * tokens * tokens)
    throw diagnose("E1020", {
      message: `${heads} heads over ${width} x ${height} tokens have ${heads * tokens * tokens} weights, not ${weights.length}`,
      help: "give the softmax of one layer and one picture: [heads, tokens, tokens]",
    });
  // By how far apart two tokens are in rows and in columns.
  const apart = Float64Array.from({ length: tokens }, (_, i) =>
    Math.hypot(i % width, Math.floor(i / width)),
  );
  return Array.from({ length: heads }, (_, head) => {
    let sum = 0;
    for (let i = 0, at = head * tokens * tokens; i < tokens; i++) {
      const [x, y] = [i % width, Math.floor(i / width)];
      for (let row = 0; row < height; row++)
        for (let column = 0; column < width; column++)
          sum += weights[at++]! * apart[Math.abs(row - y) * width + Math.abs(column - x)]!;
    }
    return (patch * sum) / tokens;
  });
}

/** Distances of every layer and head, over pictures. */
export interface AttentionDistances {
  /** Adds a picture's layer, or a window of it: every window counts once. @throws as `attentionDistance`. */
  add(layer: string, map: AttentionMap): void;
  /** By layer, in the order in which they came: a mean for each head. */
  scores(): ReadonlyMap<string, readonly Mean[]>;
}

export function attentionDistances(): AttentionDistances {
  const layers = new Map<string, ReturnType<typeof runningMean>[]>();
  return {
    add(layer, map) {
      const heads = attentionDistance(map);
      const means = layers.get(layer) ?? heads.map(() => runningMean());
      layers.set(layer, means);
      if (means.length !== heads.length)
        throw diagnose("E1020", {
          message: `the layer ${layer} has ${heads.length} heads, and had ${means.length} before`,
          help: "give every layer a name of its own",
        });
      heads.forEach((distance, head) => {
        means[head]!.add(distance);
      });
    },
    scores: () =>
      new Map([...layers].map(([layer, means]) => [layer, means.map((mean) => mean.result())])),
  };
}
