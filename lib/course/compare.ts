// Compares an answer with the solution: first its shape, then its values, and the share of equal
// values.

/** Where an answer first differs. */
export interface Difference {
  /** Whether the type or the size differs. */
  kind: "shape" | "value";
  /** The difference, as the end of a sentence: `"at [2]: got 3, expected 4"`. */
  message: string;
  /** The same without what is expected: `"at [2]: got 3"`. */
  actual: string;
  /** The share of equal values, from 0 to 1; 0 if the shape differs. */
  correct: number;
}

/** How far a number may be from the solution, relative and absolute. */
const DEFAULT_TOLERANCE = 1e-4;

/**
 * Compares two values: numbers within a tolerance, everything else exactly, arrays and objects part by part.
 *
 * @param actual An answer, of any type.
 * @param expected The solution.
 * @param tolerance How far numbers may differ, relative to `max(1, |expected|)`.
 * @returns The first difference, shapes before values; undefined if there is none.
 */
export function compareAnswers(
  actual: unknown,
  expected: unknown,
  tolerance: number = DEFAULT_TOLERANCE,
): Difference | undefined {
  const shape = compareShapes(actual, expected, "");
  if (shape !== undefined) return differenceOf("shape", shape, 0);
  const count = { all: 0, right: 0 };
  const message = compareValues(actual, expected, tolerance, "", count);
  if (message === undefined) return undefined;
  return differenceOf("value", message, count.right / count.all);
}

/** What differs: a place and what is there, and what is expected instead. */
type Finding = readonly [actual: string, expected?: string];

function differenceOf(
  kind: Difference["kind"],
  [actual, expected]: Finding,
  correct: number,
): Difference {
  const message = expected === undefined ? actual : `${actual}, expected ${expected}`;
  return { kind, message, actual, correct };
}

function compareShapes(actual: unknown, expected: unknown, path: string): Finding | undefined {
  const at = path === "" ? "" : `at ${path}: `;
  if (isList(expected)) {
    if (!isList(actual)) return [`${at}got ${kindOf(actual)}`, kindOf(expected)];
    if (actual.length !== expected.length) {
      return [`${at}got ${actual.length} values`, String(expected.length)];
    }
    return first(expected.length, (i) => compareShapes(actual[i], expected[i], `${path}[${i}]`));
  }
  if (isRecord(expected)) {
    if (!isRecord(actual)) return [`${at}got ${kindOf(actual)}`, kindOf(expected)];
    const names = Object.keys(expected);
    const missing = names.find((name) => !Object.hasOwn(actual, name));
    if (missing !== undefined) return [`${at}the property "${missing}" is missing`];
    return first(
      names.length,
      (i) => compareShapes(actual[names[i]], expected[names[i]], `${path}.${names[i]}`),
    );
  }
  if (typeof actual !== typeof expected || (actual === null) !== (expected === null)) {
    return [`${at}got ${kindOf(actual)}`, kindOf(expected)];
  }
  return undefined;
}

/** Compares all values, to count the equal ones. */
function compareValues(
  actual: unknown,
  expected: unknown,
  tolerance: number,
  path: string,
  count: { all: number; right: number },
): Finding | undefined {
  let found: Finding | undefined;
  const compare = (a: unknown, e: unknown, step: string) => {
    const message = compareValues(a, e, tolerance, `${path}${step}`, count);
    found ??= message;
  };
  if (isList(expected)) {
    for (let i = 0; i < expected.length; i++) {
      compare((actual as ArrayLike<unknown>)[i], expected[i], `[${i}]`);
    }
    return found;
  }
  if (isRecord(expected)) {
    for (const [name, value] of Object.entries(expected)) {
      compare((actual as Record<string, unknown>)[name], value, `.${name}`);
    }
    return found;
  }
  count.all++;
  const right = typeof expected === "number" && Number.isFinite(expected)
    ? Math.abs(actual as number - expected) <= tolerance * Math.max(1, Math.abs(expected))
    : Object.is(actual, expected);
  if (right) {
    count.right++;
    return undefined;
  }
  return [`${path === "" ? "" : `at ${path}: `}got ${show(actual)}`, show(expected)];
}

function first(
  length: number,
  compare: (index: number) => Finding | undefined,
): Finding | undefined {
  for (let i = 0; i < length; i++) {
    const message = compare(i);
    if (message !== undefined) return message;
  }
  return undefined;
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !isList(value);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (isList(value)) return `a list of ${value.length} values`;
  if (typeof value === "object") return "an object";
  return value === undefined ? "nothing" : `a ${typeof value}`;
}

function show(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
