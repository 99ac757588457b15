/** `inarch/adapters`: every adapter, and how one of your own is defined. */
export * from "../adapters/index.ts";
