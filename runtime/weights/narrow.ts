/** Floats in a format of fewer bits, for files. */
import { diagnose } from "../../diagnostics/index.ts";
import { fileBytes, floatNames } from "../../formats/index.ts";
import { type FloatDtype, fromFloat32, largestFinite, toFloat32 } from "./dtype.ts";

/** Where values stand: `first` is the number of the first in its tensor. */
interface At {
  readonly name: string;
  readonly format: FloatDtype;
  readonly first: number;
  readonly file: string;
}

/**
 * Rounds values of a tensor to another format. `before` are the same in more bits, where the file has them so.
 * @throws E242 for a finite value that would become infinite: the model would not say why it fails.
 */
export function narrowed(
  values: Float32Array<ArrayBuffer>,
  { name, format, first, file }: At,
  before: Float32Array | Float64Array = values,
): Uint8Array<ArrayBuffer> {
  const bytes = fromFloat32(values, format);
  const after = toFloat32(bytes, format);
  for (let i = 0; i < before.length; i++) {
    if (Number.isFinite(after[i]) || !Number.isFinite(before[i])) continue;
    throw diagnose("E242", {
      message: `element ${first + i} is ${before[i]}, the largest ${format} is ${largestFinite[format]}`,
      where: `${file}, tensor "${name}"`,
      help: [...roomier(format).map((name) => `use --dtype ${name}`), "leave --dtype out"].join(
        ", or ",
      ),
    });
  }
  return bytes;
}

/** Formats that take no more bytes and hold larger numbers. */
const roomier = (format: FloatDtype) =>
  floatNames.filter(
    (name) =>
      fileBytes(name, 1) <= fileBytes(format, 1) && largestFinite[name] > largestFinite[format],
  );
