/** The bytes that are written are those that protobufjs writes for the same values. */
import { expect, test } from "vitest";
import { encode, type Schema } from "../../../export/onnx/protobuf.ts";
import { messageType } from "../../support/onnx-file.ts";

const schema: Schema = {
  Outer: {
    number: [1, "int64"],
    short: [2, "int32"],
    real: [3, "float"],
    text: [4, "string"],
    data: [5, "bytes"],
    inner: [6, "Inner"],
    numbers: [17, "int64", "repeated"],
    texts: [300, "string", "repeated"],
    inners: [5000, "Inner", "repeated"],
  },
  Inner: { number: [1, "int64"] },
};

const oracle = messageType(schema, "Outer");

test.each([
  ["nothing", {}],
  [
    "empty values",
    { number: 0, real: 0, text: "", data: new Uint8Array(), numbers: [], inner: {} },
  ],
  ["one byte and more", { numbers: [0, 1, 127, 128, 16383, 16384, 2 ** 31, 2 ** 53 - 1] }],
  ["negative numbers", { number: -1, short: -2, numbers: [-(2 ** 31), -(2 ** 53) + 1] }],
  ["floats", { real: -1.1e-3 }],
  ["words outside ASCII", { text: "größe 大小 𝛼", texts: ["", "x"] }],
  ["messages in messages", { inner: { number: 300 }, inners: [{}, { number: 7 }] }],
  ["long contents", { data: new Uint8Array(100_000).fill(7), inner: { number: 1 } }],
])("%s", (_, message) => {
  expect(encode(schema, "Outer", message)).toEqual(new Uint8Array(oracle.encode(message).finish()));
});
