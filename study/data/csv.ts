/** Comma-separated values, as RFC 4180 has them: quoted fields, doubled quotes, lines of either ending. */
import { diagnose } from "../../diagnostics/index.ts";

/** A row by the names of the first one, and the line where it begins. */
export interface CsvRow {
  readonly line: number;
  readonly fields: Readonly<Record<string, string>>;
}

export interface CsvTable {
  readonly columns: readonly string[];
  readonly rows: readonly CsvRow[];
}

/** @throws E1003 for a quote that is not closed, and for a row with another number of fields than the first. */
export function parseCsv(text: string, where: string): CsvTable {
  const [head, ...rest] = splitRows(text.replace(/^\ufeff/, ""), where);
  const columns = head?.fields.map((name) => name.trim()) ?? [];
  const rows = rest.map(({ line, fields }): CsvRow => {
    if (fields.length !== columns.length)
      throw unreadable(
        where,
        `line ${line} has ${fields.length} fields, and the first line ${columns.length}`,
        "quote fields that contain commas",
      );
    return { line, fields: Object.fromEntries(columns.map((name, i) => [name, fields[i]!])) };
  });
  return { columns, rows };
}

function splitRows(text: string, where: string) {
  const rows: { readonly line: number; readonly fields: string[] }[] = [];
  const next = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  let line = 1;
  while (next.lastIndex < text.length) {
    const row = { line, fields: [] as string[] };
    for (let more = true; more; ) {
      const field = next.exec(text);
      if (!field)
        throw unreadable(
          where,
          `a quoted field of line ${line} does not end, or goes on after its quote`,
          'write "" for a quote within a quoted field',
        );
      const [whole, quoted, plain = "", end] = field;
      row.fields.push(quoted?.replaceAll('""', '"') ?? plain);
      line += whole.split("\n").length - 1;
      more = end === ",";
    }
    // An empty line is none.
    if (row.fields.length > 1 || row.fields[0] !== "") rows.push(row);
  }
  return rows;
}

/** E1003. */
export const unreadable = (where: string, message: string, help: string) =>
  diagnose("E1003", { message, where, help });
