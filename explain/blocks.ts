/** Blocks: regions that belong together by the paths of the parameters that they read. */

/** What is known of a step: whose parameters it reads, and which steps made what it reads. */
export interface Member {
  /** The path of the parameter that says where the step belongs; undefined: it reads none. */
  readonly path: string | undefined;
  readonly producers: readonly number[];
}

/** Consecutive steps of one path. So the graph of blocks has no cycle, whatever their names. */
export interface Block {
  readonly name: string;
  /** Steps from the first up to and without `end`. */
  readonly first: number;
  readonly end: number;
}

/** Groups steps, in their order. What has no parameters belongs to what it reads last. */
export function blocksOf(members: readonly Member[], fallback: string): Block[] {
  const names: (string | undefined)[] = [];
  for (const { path, producers } of members) {
    const before = names[Math.max(...producers)];
    names.push(path === undefined ? before : blockName(path));
  }
  // What reads neither parameters nor results belongs to what comes next.
  for (let i = names.length - 1; i >= 0; i--) names[i] ??= names[i + 1] ?? fallback;
  const blocks: Block[] = [];
  names.forEach((name, i) => {
    const last = blocks.at(-1);
    if (last && last.name === name) blocks[blocks.length - 1] = { ...last, end: i + 1 };
    else blocks.push({ name: name!, first: i, end: i + 1 });
  });
  return blocks;
}

/**
 * `encoder.blocks.3.attn.qkv.weight` -> `encoder.blocks.3`: up to a number that stands for a
 * module of several layers. Without one, the first two parts: `encoder.neck.0.weight` ->
 * `encoder.neck`.
 */
export function blockName(path: string): string {
  const parts = path.split(".");
  const numbered = parts.findIndex((part, i) => /^\d+$/.test(part) && i < parts.length - 2);
  const kept = numbered > 0 ? numbered + 1 : Math.max(1, Math.min(2, parts.length - 1));
  return parts.slice(0, kept).join(".");
}

/** What a member of a block is called: its module, or `otherwise` where the block is the module. */
export function titlesOf(
  blocks: readonly Block[],
  members: readonly (Pick<Member, "path"> & { readonly otherwise: string })[],
): string[] {
  return blocks.flatMap(({ first, end }) => {
    const inside = members.slice(first, end);
    const titles = inside.map(({ path, otherwise }) => {
      const module = path === undefined ? "" : moduleBelow(blockName(path), path);
      return module || otherwise;
    });
    // Where two members read one module, the parameters tell them apart.
    return titles.map((title, i) => {
      const path = inside[i]!.path;
      const isAlone = titles.filter((t) => t === title).length === 1;
      if (isAlone || path === undefined || title === inside[i]!.otherwise) return title;
      return `${title}.${path.split(".").at(-1)}`;
    });
  });
}

/**
 * A parameter's module below its block: `attn.qkv`; empty where the block is the module. A number
 * alone says nothing: `neck.0`.
 */
export function moduleBelow(block: string, path: string): string {
  const module = path.split(".").slice(0, -1).join(".");
  if (!module.startsWith(`${block}.`)) return "";
  const below = module.slice(block.length + 1);
  return /^\d+$/.test(below) ? `${block.split(".").at(-1)}.${below}` : below;
}
