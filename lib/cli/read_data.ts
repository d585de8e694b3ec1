// Reading a data set for a subcommand.

import { type DatasetEntry, loadDataset } from "../dataset/mod.ts";

/**
 * Reads a data set as the options of a subcommand say, and prints what is to be known about it.
 *
 * @param source A file, a URL, or `"instructions"`.
 * @param options The signal that stops a download.
 * @returns The entries.
 */
export async function readData(
  source: string,
  options: { signal?: AbortSignal } = {},
): Promise<DatasetEntry[]> {
  const { signal } = options;
  return await loadDataset(source, { signal });
}
