/** Data sets to files. */
import { writeFileBeside } from "../write_beside.ts";
import type { DatasetEntry } from "./chat_entry.ts";

/** Kinds of files by the endings of their names. */
const WRITERS: Readonly<Record<string, (entries: readonly DatasetEntry[]) => string>> = {
  ".json": (entries) => `${JSON.stringify(entries, null, 2)}\n`,
  ".jsonl": (entries) => entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""),
};

/**
 * Writes entries to a file, of the kind that its name's ending says: `.json`, one array; or `.jsonl`, one entry a line. The
 * file is complete or absent.
 *
 * @param path The file.
 * @param entries The entries.
 * @throws {RangeError} If the name has another ending.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { loadDataset, writeDataset } from "tunebook/data";
 *
 * const entries = [{ instruction: "Name a colour.", input: "", output: "Blue." }];
 * const folder = await Deno.makeTempDir();
 * await writeDataset(`${folder}/colours.json`, entries);
 * assertEquals(await loadDataset(`${folder}/colours.json`), entries);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function writeDataset(
  path: string,
  entries: readonly DatasetEntry[],
): Promise<void> {
  const ending = /\.[^./\\]*$/.exec(path)?.[0].toLowerCase() ?? "";
  if (!Object.hasOwn(WRITERS, ending)) {
    throw new RangeError(
      `Cannot write "${path}": expected a name that ends with ${
        Object.keys(WRITERS).map((name) => `"${name}"`).join(", ")
      }`,
    );
  }
  await writeFileBeside(path, WRITERS[ending]!(entries));
}
