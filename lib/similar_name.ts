// The known name that was probably meant by an unknown one. A leaf: it imports no room.

import { closestString } from "@std/text/closest-string";
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/**
 * Finds the known name that is spelled most alike.
 *
 * @param name The name that was given.
 * @param known The names that there are.
 * @returns The name; undefined if none is so much alike that it may have been meant.
 */
export function similarName(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const [given, names] = [name.toLowerCase(), known.map((one) => one.toLowerCase())];
  const nearest = closestString(given, names);
  const length = Math.min(given.length, nearest.length);
  const most = length < 4 ? 1 : Math.max(2, Math.floor(length / 3));
  return levenshteinDistance(given, nearest) <= most ? known[names.indexOf(nearest)] : undefined;
}
