/** The last blocks of even stages: `stages` of them, or one for each block where there are fewer. */
export function endsOfStages(blocks: number, stages: number): number[] {
  const length = Math.min(blocks, stages);
  return Array.from({ length }, (_, i) => Math.floor(((i + 1) * blocks) / length) - 1);
}
