/** `inarch/models`: the transformers that inarch knows, and the layers they are made of. */
export * from "../models/index.ts";
