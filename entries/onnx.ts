/** `inarch/onnx`: programs as ONNX files. */
export * from "../export/onnx/index.ts";
