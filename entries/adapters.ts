/** `inarch/adapters`: every adapter, how one of your own is defined, and presets for SAM. */
export * from "../adapters/index.ts";
export * from "../models/sam/presets/index.ts";
