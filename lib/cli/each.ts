// Works on several things side by side, a few at a time.

/**
 * Applies a function to each item, at most `jobs` at a time.
 *
 * @param items The items.
 * @param jobs How many at a time.
 * @param work What to do with one.
 * @returns The results, in the items' order.
 */
export async function each<T, R>(
  items: readonly T[],
  jobs: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const at = next++;
      results[at] = await work(items[at]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, items.length) }, worker));
  return results;
}
