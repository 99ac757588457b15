/** inarch: the DSL's frame and the compiler. Ops are in `inarch/ops`, models in `inarch/models`. */
export * from "../compiler/index.ts";
