/** The models that have names of their own on the command line. */
import { readFile } from "node:fs/promises";
import type { Model } from "../compiler/model.ts";
import { diagnose } from "../diagnostics/index.ts";

/** `sam` is any SAM, by its configuration; the others are the published ones. */
export const builtInNames: readonly string[] = ["sam-vit-b", "sam-vit-l", "sam-vit-h", "sam"];

export async function loadBuiltIn(name: string, config?: string): Promise<Model> {
  throw diagnose("E510", { message: `${name} ${config} ${readFile.name}` });
}
