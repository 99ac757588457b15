/** Reads `.onnx` files with protobufjs, which is not what writes them. */
import protobuf from "protobufjs/light.js";
import type { Schema } from "../../export/onnx/protobuf.ts";
import { type OnnxModel, schema } from "../../export/onnx/schema.ts";

/** The bytes of a `.onnx` file as what they say, whole numbers as plain numbers. */
export function decodeModel(bytes: Uint8Array): OnnxModel {
  const plain = { longs: Number, defaults: true, arrays: true };
  return model.toObject(model.decode(bytes), plain) as OnnxModel;
}

/** A message of a schema, as protobufjs knows it. */
export function messageType(of: Schema, name: string): protobuf.Type {
  const nested = Object.entries(of).map(([message, fields]) => {
    const described = Object.entries(fields).map(([field, [id, type, rule]]) => [
      field,
      { id, type, ...(rule ? { rule } : {}) },
    ]);
    return [message, { fields: Object.fromEntries(described) }];
  });
  return protobuf.Root.fromJSON({ nested: Object.fromEntries(nested) }).lookupType(name);
}

const model = messageType(schema, "ModelProto");
