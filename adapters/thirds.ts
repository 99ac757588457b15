/** A fused layer that makes queries, keys and values, of which an adapter may work on some. */
import type { Site, Tensor } from "../compiler/index.ts";
import { concat, full } from "../ops/index.ts";
import { unfit, wrongSetting } from "./refusals.ts";

export type Third = "q" | "k" | "v";

const thirds: readonly Third[] = ["q", "k", "v"];

/** The chosen thirds in the order in which the layer makes them. @throws E134 for unknown names. */
export function chosenThirds(adapter: string, parts: readonly Third[]): readonly Third[] {
  const wrong = parts.find((part) => !thirds.includes(part));
  const repeated = parts.find((part, i) => parts.indexOf(part) !== i);
  if (wrong === undefined && repeated === undefined && parts.length > 0)
    return thirds.filter((third) => parts.includes(third));
  throw wrongSetting(
    `${adapter}: parts are ${JSON.stringify(parts)}`,
    `name each third once, of ${thirds.map((t) => `"${t}"`).join(", ")}; all unless given`,
  );
}

/** How wide a third of the layer is. @throws E131 where its outputs are no three thirds. */
export function widthOfThird(adapter: string, site: Site, outputs: number): number {
  if (outputs % 3 === 0) return outputs / 3;
  throw unfit(
    adapter,
    site,
    `${outputs} outputs are not three thirds`,
    'thirds are those of a fused qkv: bind it to one, such as "**.attn.qkv", or leave out parts',
  );
}

/** Pieces of the chosen thirds, `[..., width]` each, among zeros: `[..., 3 width]`. */
export function amongThirds(
  chosen: readonly Third[],
  pieces: readonly Tensor<"f32">[],
): Tensor<"f32"> {
  const none = full(0, pieces[0]!.shape as readonly number[]);
  const all = thirds.map((third) => pieces[chosen.indexOf(third)] ?? none);
  return concat(all, -1);
}
