/** A fused layer that makes queries, keys and values, of which an adapter may work on some. */
import type { Site, Tensor } from "../compiler/index.ts";
import { shown } from "../diagnostics/options.ts";
import { concat, full } from "../ops/index.ts";
import { listed, unfit, wrongSetting } from "./refusals.ts";

export type QkvPart = "q" | "k" | "v";

const qkvParts: readonly QkvPart[] = ["q", "k", "v"];

/** The chosen parts in the order in which the layer makes them. @throws E134 for unknown names. */
export function chosenParts(adapter: string, parts: readonly QkvPart[]): readonly QkvPart[] {
  if (!Array.isArray(parts))
    throw wrongSetting(`${adapter}: parts are ${shown(parts)}`, 'give a list: ["q", "v"]');
  const wrong = parts.find((part) => !qkvParts.includes(part));
  const repeated = parts.find((part, i) => parts.indexOf(part) !== i);
  if (wrong === undefined && repeated === undefined && parts.length > 0)
    return qkvParts.filter((part) => parts.includes(part));
  throw wrongSetting(
    `${adapter}: parts are ${listed(parts)}`,
    `name each part once, of ${qkvParts.map((t) => `"${t}"`).join(", ")}; all unless given`,
  );
}

/** How wide a part of the layer is. @throws E131 where its outputs are no three parts. */
export function widthOfPart(adapter: string, site: Site, outputs: number): number {
  if (outputs % 3 === 0) return outputs / 3;
  throw unfit(
    adapter,
    site,
    `${outputs} outputs are not three parts`,
    'parts are those of a fused qkv: bind it to one, such as "**.attn.qkv", or leave out parts',
  );
}

/** Pieces of the chosen parts, `[..., width]` each, among zeros: `[..., 3 width]`. */
export function amongParts(
  chosen: readonly QkvPart[],
  pieces: readonly Tensor<"f32">[],
): Tensor<"f32"> {
  const none = full(0, pieces[0]!.shape as readonly number[]);
  const all = qkvParts.map((part) => pieces[chosen.indexOf(part)] ?? none);
  return concat(all, -1);
}
