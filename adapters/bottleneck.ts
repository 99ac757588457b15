/** The bottleneck that both forms of the classic adapter put behind a layer. */
import type { Init, Site, Tensor } from "../compiler/index.ts";
import { add, gelu } from "../ops/index.ts";
import { affine } from "./affine.ts";
import { unfit } from "./refusals.ts";

/** How the two weights begin; biases begin as zeros. */
export interface BottleneckInit {
  readonly down?: Init;
  readonly up: Init;
}

/**
 * h + Up(GELU(Down h)) of rows `[..., outputs]`, through `width` features. Parameters
 * `adapter_down.weight` `[width, outputs]`, `adapter_up.weight` `[outputs, width]`, each with a
 * `bias`.
 * @throws E131 if the bottleneck is wider than the layer's results.
 */
export function throughBottleneck(
  adapter: string,
  site: Site,
  h: Tensor<"f32">,
  width: number,
  init: BottleneckInit,
): Tensor<"f32"> {
  const outputs = h.shape.at(-1)!;
  if (width > outputs)
    throw unfit(
      adapter,
      site,
      `a bottleneck of ${width} is wider than the layer's ${outputs} results`,
      `give a bottleneck from 1 to ${outputs}`,
    );
  const narrow = gelu(affine(site.own.at("adapter_down"), h, width, init.down));
  return add(h, affine(site.own.at("adapter_up"), narrow, outputs, init.up));
}
