/**
 * The files that entries were read from, kept apart from the entries: they are not part of what is learnt.
 *
 * @module
 */

import { basename } from "@std/path/basename";

/** A file of which entries were learnt or evaluated. */
export interface DataFile {
  /** Its name: without folders, or the address without passwords and queries. */
  readonly name: string;
  /** SHA-256 of its bytes. */
  readonly sha256: string;
  /** How many entries of it there are. */
  readonly entries: number;
}

type Origin = Omit<DataFile, "entries">;

const origins = new WeakMap<object, Origin>();

/**
 * Remembers the file that entries were read from.
 *
 * @param entries The entries.
 * @param source The file's path or address.
 * @param sha256 SHA-256 of its bytes.
 */
export function rememberOrigin(entries: readonly object[], source: string, sha256: string): void {
  const origin = { name: publicName(source), sha256 };
  for (const entry of entries) origins.set(entry, origin);
}

/**
 * Passes an entry's origin on to what is made from it.
 *
 * @param from The entry.
 * @param to Its example.
 */
export function passOrigin(from: object, to: object): void {
  const origin = origins.get(from);
  if (origin !== undefined) origins.set(to, origin);
}

/**
 * The files that entries or examples were read from. Those that were made or changed by a program have no file.
 *
 * @param values Entries or examples.
 * @returns The files, in the order of their first entries.
 */
export function originsOf(values: readonly object[]): DataFile[] {
  const found = Map.groupBy(values, (value) => origins.get(value));
  found.delete(undefined);
  return Array.from(found as Map<Origin, object[]>, ([origin, { length }]) => (
    { ...origin, entries: length }
  ));
}

/** A name that can be published: folders, passwords and queries are left out. */
function publicName(source: string): string {
  if (source.startsWith("hf:")) return source;
  const url = /^https?:/.test(source) ? URL.parse(source) : null;
  return url === null ? basename(source.replaceAll("\\", "/")) : url.origin + url.pathname;
}
