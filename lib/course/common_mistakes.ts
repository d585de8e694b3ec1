// Names mistakes that happen in every exercise, from the numbers of an answer and those that are expected: not a
// number, a wrong sign, off by one, a factor too many.

/** The numbers of a value, in order; undefined if it has other parts than the expected value. */
function numbersOf(actual: unknown, expected: unknown): [number, number][] | undefined {
  if (typeof expected === "number") {
    return typeof actual === "number" ? [[actual, expected]] : undefined;
  }
  if (typeof expected !== "object" || expected === null) return [];
  if (typeof actual !== "object" || actual === null) return undefined;
  const names = Object.keys(expected);
  if (names.join() !== Object.keys(actual).join()) return undefined;
  const parts = names.map((name) =>
    numbersOf(
      (actual as Record<string, unknown>)[name],
      (expected as Record<string, unknown>)[name],
    )
  );
  return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
}

/**
 * Names what all numbers of a wrong answer have in common.
 *
 * @param results What the answer gives for each input; undefined where it gives nothing.
 * @param expected What is right for each.
 * @param isRight Whether two numbers count as equal.
 * @returns A sentence, which does not say what is right; undefined if nothing stands out.
 */
export function nameCommonMistake(
  results: readonly unknown[],
  expected: readonly unknown[],
  isRight: (actual: number, expected: number) => boolean,
): string | undefined {
  const missing = results.filter((result) => result === undefined).length;
  if (missing > 0 && missing < results.length) {
    return "For some inputs nothing is returned: does every path through the function end with `return`?";
  }
  const perInput = results.map((result, i) => numbersOf(result, expected[i]));
  if (perInput.some((numbers) => numbers === undefined)) return undefined;
  const pairs = perInput.flat() as [number, number][];
  if (pairs.some(([actual, right]) => Number.isNaN(actual) && !Number.isNaN(right))) {
    return "NaN is not a number: it comes from 0 / 0, from ∞ − ∞, or from calculating with something undefined, " +
      "such as an element past the end of a list";
  }
  // A number that is 0 says nothing about a sign or a factor.
  const telling = pairs.filter(([, right]) => right !== 0);
  if (pairs.length < 2 || telling.length === 0) return undefined;
  const all = (change: (right: number) => number) =>
    pairs.every(([actual, right]) => isRight(actual, change(right)));
  if (all((right) => -right)) {
    return "The size is right everywhere, and the sign is wrong everywhere";
  }
  const [[actual, right]] = telling as [[number, number]];
  for (const step of [1, -1]) {
    if (pairs.every(([, right]) => Number.isInteger(right)) && all((right) => right + step)) {
      return `Off by one: every number is 1 too ${step > 0 ? "large" : "small"}`;
    }
  }
  const factor = actual / right;
  if (telling.length < 2 || factor === 0 || !Number.isFinite(factor)) return undefined;
  if (!all((right) => factor * right)) return undefined;
  return `Every number is ${
    Number(factor.toPrecision(3))
  } times what it should be: a factor is missing, or there is one too many`;
}
