/** Numbers of bytes as people write and read them. */
import { describe, expect, test } from "vitest";
import { formatBytes, parseBytes } from "../../diagnostics/bytes.ts";
import { refusal } from "../support/weights-files.ts";

describe("sizes", () => {
  test.each([
    ["1GiB", 2 ** 30],
    ["512MiB", 512 * 2 ** 20],
    ["4GB", 4e9],
    ["1.5 gib", 1.5 * 2 ** 30],
    ["2G", 2 ** 31],
    ["4096", 4096],
  ])("%s is %s bytes", (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  test.each(["", "GiB", "-1GiB", "1XB", "0", "1e9", "0.1B", "99999999TiB"])(
    "E503 for %j",
    async (text) => {
      const { code, details } = await refusal(() => parseBytes(text));
      expect([code, details.message]).toEqual(["E503", `--budget cannot be "${text}"`]);
    },
  );

  test.each([
    [12, "12 bytes"],
    [1536, "1.5 KiB"],
    [2 ** 30 - 2 ** 20, "1023.0 MiB"],
    [2 ** 31, "2.00 GiB"],
  ])("%s bytes are shown as %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
