/** A run's log: its lines, and the same for tables and for TensorBoard. */
import type { Validation } from "./scores.ts";

export interface StepLine {
  /** How many steps there are with this one. */
  readonly step: number;
  readonly loss: number;
  readonly terms: Readonly<Record<string, number>>;
  readonly norm: number;
  readonly rate: number;
  /** The trained tensor whose gradient is not finite, or "loss": the step changed nothing. */
  readonly vetoed?: string | undefined;
}

export interface ValidationLine {
  /** After so many steps. */
  readonly step: number;
  readonly validation: Validation;
  /** The kind of device that the run began on, in its first line. */
  readonly device?: string;
}

export type LogLine = StepLine | ValidationLine;

/** Numbers of a line, by name, as tables and TensorBoard have them; what is not defined is not there. */
function scalarsOf(line: LogLine): (readonly [name: string, value: number])[] {
  if ("validation" in line) {
    const { metrics, accuracy, iou } = line.validation;
    const all: (readonly [string, number | null | undefined])[] = [
      ...Object.entries(metrics).map(([name, value]) => [`validation/${name}`, value] as const),
      ["validation/accuracy", accuracy] as const,
      ...Object.entries(iou).map(([name, value]) => [`validation/iou/${name}`, value] as const),
    ];
    return all.flatMap(([name, value]) =>
      (value ?? null) === null ? [] : [[name, value!] as const],
    );
  }
  const { loss, terms, norm, rate } = line;
  return [
    ["training/loss", loss],
    ...Object.entries(terms).map(([name, value]) => [`training/${name}`, value] as const),
    ["training/norm", norm],
    ["training/rate", rate],
  ];
}

/** Comma-separated, with a row for each line of the log. */
export function csvOf(log: readonly LogLine[]): string {
  const rows = log.map((line) => ({ step: line.step, values: new Map(scalarsOf(line)) }));
  const columns = [...new Set(rows.flatMap(({ values }) => [...values.keys()]))];
  const quoted = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const line = (cells: readonly (string | number)[]) =>
    cells.map((cell) => quoted(String(cell))).join(",");
  return [
    line(["step", ...columns]),
    ...rows.map(({ step, values }) =>
      line([step, ...columns.map((name) => values.get(name) ?? "")]),
    ),
    "",
  ].join("\n");
}

/**
 * The log as a file of events that TensorBoard reads: records of their length, its checksum, the event, and the
 * event's checksum. Times are the steps, so that equal runs have equal files.
 *
 * Source: TensorFlow `core/lib/io/record_writer.h` and `core/util/event.proto`.
 */
export function eventsOf(log: readonly LogLine[]): Uint8Array<ArrayBuffer> {
  const records = [
    event(0, bytesField(3, new TextEncoder().encode("brain.Event:2"))),
    ...log.map((line) => {
      const values = scalarsOf(line).map(([name, value]) => {
        const tag = bytesField(1, new TextEncoder().encode(name));
        return bytesField(1, joined([tag, floatField(2, value)]));
      });
      return event(line.step, bytesField(5, joined(values)));
    }),
  ];
  return joined(records.map(recordOf));
}

const event = (step: number, what: Uint8Array) => {
  const time = new Uint8Array(9);
  time[0] = (1 << 3) | 1;
  new DataView(time.buffer).setFloat64(1, step, true);
  // 0 is not written, as in any message of its kind.
  const at = step === 0 ? [] : [2 << 3, ...varint(step)];
  return joined([time, Uint8Array.from(at), what]);
};

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

const bytesField = (field: number, bytes: Uint8Array) =>
  joined([Uint8Array.of((field << 3) | 2, ...varint(bytes.length)), bytes]);

function floatField(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(5);
  bytes[0] = (field << 3) | 5;
  new DataView(bytes.buffer).setFloat32(1, value, true);
  return bytes;
}

function recordOf(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(data.length + 16);
  const view = new DataView(record.buffer);
  view.setUint32(0, data.length, true);
  view.setUint32(8, masked(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, masked(data), true);
  return record;
}

/** CRC-32C, turned and moved, so that a checksum of checksums is no checksum of its own. */
function masked(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
