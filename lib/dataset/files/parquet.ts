/**
 * Rows of Parquet, the files of most data sets on the hub.
 *
 * @module
 */

import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";

/** The most rows that are read at a time. */
const AT_ONCE = 4096;

/**
 * Reads rows, some at a time.
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
  try {
    const metadata = await parquetMetadataAsync(file);
    const total = Number(metadata.num_rows);
    const held = metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0);
    if (total !== held) throw new Error(`it announces ${total} rows, and its groups have ${held}`);
    for (let rowStart = 0; rowStart < total; rowStart += AT_ONCE) {
      const rowEnd = Math.min(total, rowStart + AT_ONCE);
      const rows = await parquetReadObjects({ file, metadata, compressors, rowStart, rowEnd });
      for (const row of rows) yield toJson(row) as Record<string, unknown>;
    }
  } catch (error) {
    // What an engine says of damaged bytes tells a reader nothing.
    const isPlain = error instanceof Error && error.constructor === Error;
    const reason = isPlain ? error.message : "it is damaged";
    throw new SyntaxError(`Cannot read "${name}" as Parquet: ${reason}`, { cause: error });
  }
}

/** Whole numbers as numbers where these hold them; all else as it is. */
function toJson(value: unknown): unknown {
  if (typeof value === "bigint") {
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== "object" || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([field, one]) => [field, toJson(one)]));
}
