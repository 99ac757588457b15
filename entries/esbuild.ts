/** `inarch/esbuild`: the plugin that compiles the models an app imports when esbuild builds it. */
export { inarch } from "../build/plugins/esbuild.ts";
export type { GraphOptions, PluginOptions } from "../build/plugins/graphs.ts";
