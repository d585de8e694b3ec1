/**
 * Rows of Parquet, the files of most data sets on the hub.
 *
 * @module
 */

import type { AsyncBuffer, SchemaTree } from "hyparquet";
import { noteNumber } from "../../json_source.ts";
import { pythonFloat } from "../../python_float.ts";

/** The types of floats, which Python writes with a point. */
const FLOATS: readonly unknown[] = ["FLOAT", "DOUBLE"];

/** Its texts are UTF-8, in which a mark at the beginning is a character like all others. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes as text; those that are none, as a column without a type may hold, stay bytes, which no form takes for text. */
function textOf(bytes: Uint8Array | undefined): string | Uint8Array | undefined {
  try {
    return bytes && decoder.decode(bytes);
  } catch {
    return bytes;
  }
}

/**
 * Reads rows, those of one row group at a time, since a group's columns are compressed whole.
 *
 * @param file The file's bytes.
 * @param name Its name in errors.
 * @returns Objects with a value for each column, as JSON has them.
 * @throws {SyntaxError} If it is not Parquet, or is damaged.
 */
export async function* parquetRows(
  file: AsyncBuffer,
  name: string,
): AsyncGenerator<Record<string, unknown>> {
  // When they are needed: they load slowly.
  const { parquetMetadataAsync, parquetReadObjects, parquetSchema } = await import("hyparquet");
  const { compressors } = await import("hyparquet-compressors");
  try {
    const metadata = await parquetMetadataAsync(file);
    const schema = parquetSchema(metadata);
    const parsers = { stringFromBytes: textOf };
    let rowStart = 0;
    for (const { num_rows } of metadata.row_groups) {
      const rowEnd = rowStart + Number(num_rows);
      const from = { file, metadata, compressors, parsers, rowStart, rowEnd };
      const rows = await parquetReadObjects(from);
      for (const row of rows) yield toJson(row, schema) as Record<string, unknown>;
      rowStart = rowEnd;
    }
  } catch (error) {
    // What an engine says of damaged bytes tells a reader nothing.
    const isPlain = error instanceof Error && error.constructor === Error;
    const reason = isPlain ? error.message : "it is damaged";
    throw new SyntaxError(`Cannot read "${name}" as Parquet: ${reason}`, { cause: error });
  }
}

/**
 * Whole numbers as numbers where these hold them; all else as it is. Floats that are whole are noted as floats, as in JSON.
 */
function toJson(value: unknown, schema: SchemaTree): unknown {
  if (typeof value === "bigint") {
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
  if (Array.isArray(value)) {
    const list = value.map((one) => toJson(one, schema));
    if (isFloat(schema)) list.forEach((one, i) => noteFloat(list, i, one));
    return list;
  }
  if (typeof value !== "object" || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const columnOf = fieldsOf(schema);
  const row = Object.fromEntries(
    Object.entries(value).map(([field, one]) => [field, toJson(one, columnOf(field))]),
  );
  for (const [field, one] of Object.entries(row)) {
    if (isFloat(columnOf(field))) noteFloat(row, field, one);
  }
  return row;
}

function noteFloat(holder: object, key: string | number, value: unknown): void {
  if (Number.isInteger(value)) noteNumber(holder, key, pythonFloat(value as number));
}

/** Whether a column, or a list of lists of one, has floats. */
function isFloat(schema: SchemaTree): boolean {
  return FLOATS.includes(leafOf(schema));
}

/** The type of the values of a column, or of a list of them. */
function leafOf(schema: SchemaTree): unknown {
  return schema.children.length === 1 ? leafOf(schema.children[0]!) : schema.element.type;
}

/** The columns of a struct, also of one in a list; all keys of a map have the column of its values. */
function fieldsOf(schema: SchemaTree): (field: string) => SchemaTree {
  const { element: { converted_type: kind }, children } = schema;
  const [repeated] = children;
  if (kind === "MAP") return () => repeated!.children.at(-1)!;
  if (kind === "LIST") {
    return fieldsOf(repeated!.children.length === 1 ? repeated!.children[0]! : repeated!);
  }
  return (field) => children.find(({ element }) => element.name === field)!;
}
