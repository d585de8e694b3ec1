/**
 * Rows of Parquet, the files of most data sets on the hub.
 *
 * @module
 */

import type { AsyncBuffer } from "hyparquet";

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
  const { parquetMetadataAsync, parquetReadObjects } = await import("hyparquet");
  const { compressors } = await import("hyparquet-compressors");
  try {
    const metadata = await parquetMetadataAsync(file);
    let rowStart = 0;
    for (const { num_rows } of metadata.row_groups) {
      const rowEnd = rowStart + Number(num_rows);
      const rows = await parquetReadObjects({ file, metadata, compressors, rowStart, rowEnd });
      for (const row of rows) yield toJson(row) as Record<string, unknown>;
      rowStart = rowEnd;
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
