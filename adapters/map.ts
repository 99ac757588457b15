/** Where an adapter needs to know how rows lie on maps. */
import type { Site, Tensor } from "../compiler/index.ts";
import { unfit } from "./refusals.ts";

/**
 * How the rows of x `[..., features]` are maps: what the model says; else the axes of a tensor
 * `[maps, height, width, features]`, or squares of the tokens `[maps, tokens, features]`.
 * @throws E131 where that is not so.
 */
export function mapOf(
  adapter: string,
  site: Site,
  x: Tensor<"f32">,
): readonly [maps: number, height: number, width: number] {
  const shape = x.shape as readonly number[];
  const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
  if (site.map) {
    const [maps, height, width] = site.map;
    if (maps * height * width === rows) return site.map;
    throw unfit(
      adapter,
      site,
      `${rows} rows are not the ${maps} maps of ${height} x ${width} that the model says`,
      "give the fact map: [maps, height, width] where the place is named",
    );
  }
  if (shape.length === 4) return shape.slice(0, 3) as unknown as readonly [number, number, number];
  const [maps, tokens] = shape.length === 3 ? (shape as [number, number]) : [1, rows];
  const side = Math.round(Math.sqrt(tokens));
  if (side * side === tokens) return [maps, side, side];
  throw unfit(
    adapter,
    site,
    `${tokens} tokens are no square map, and the model does not say what map they are`,
    "give the fact map: [maps, height, width] where the place is named",
  );
}
