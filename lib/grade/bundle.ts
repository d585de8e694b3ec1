/**
 * What a student hands in, as one file: a zip that `collect` takes as it is.
 *
 * @module
 */

import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import "./collect/archive.ts"; // how the library works is set there

/** The time of all files: a bundle of the same files is the same, byte for byte. */
const TIME = new Date(1980, 0, 1);

/**
 * Makes a zip.
 *
 * @param files The contents by their names.
 * @returns The zip; the same files give the same bytes.
 */
export async function bundleFiles(files: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array> {
  const zip = new ZipWriter(new Uint8ArrayWriter(), {
    lastModDate: TIME,
    extendedTimestamp: false,
  });
  for (const [name, bytes] of files) await zip.add(name, new Uint8ArrayReader(bytes));
  return await zip.close();
}
