import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { parseSplit, splitEntries } from "../../lib/dataset/split.ts";

const numbers = (n: number) => Array.from({ length: n }, (_, i) => i);

function sizes(n: number, fractions?: number[]): number[] {
  const { train, test, validation } = splitEntries(numbers(n), { fractions });
  return [train.length, test.length, validation.length];
}

Deno.test("splitEntries() splits in file order: train, test, validation", () => {
  const { train, test, validation } = splitEntries(numbers(20));
  assertEquals([...train, ...test, ...validation], numbers(20));
  assertEquals([train[0], test[0], validation[0]], [0, 17, 19]);
});

Deno.test("splitEntries() counts as Raschka's chapter 7 does: rounded down, the rest for validation", () => {
  assertEquals(sizes(1100), [935, 110, 55]);
  for (let n = 2; n < 1200; n++) {
    // the reference's own arithmetic
    const train = Math.trunc(n * 0.85);
    const test = Math.trunc(n * 0.1);
    assertEquals(sizes(n), [train, test, n - train - test], `${n} entries`);
  }
});

Deno.test("splitEntries() takes all for training, or leaves entries out", () => {
  assertEquals(sizes(7, [1, 0, 0]), [7, 0, 0]);
  assertEquals(sizes(10, [0.5, 0.2, 0.1]), [5, 2, 1]);
  assertEquals(sizes(100, [0.29, 0.7, 0.01]), [29, 70, 1]);
});

Deno.test("splitEntries() refuses numbers that are not fractions", () => {
  for (const fractions of [[0.5, 0.5], [1.5, 0, 0], [0.9, -0.1, 0.2], [NaN, 0, 0]]) {
    assertThrows(
      () => splitEntries(numbers(10), { fractions }),
      RangeError,
      "give three fractions",
    );
  }
  assertThrows(
    () => splitEntries(numbers(10), { fractions: [0.9, 0.2, 0.1] }),
    RangeError,
    "more than 1",
  );
  const error = assertThrows(() => splitEntries(numbers(1)), RangeError);
  assertEquals(
    error.message,
    'Cannot split 1 entries by "0.85,0.1,0.05": nothing is left to train on',
  );
});

Deno.test("parseSplit() reads three numbers", () => {
  assertEquals(parseSplit("0.85, 0.10,0.05"), [0.85, 0.1, 0.05]);
  assertEquals(parseSplit("1,0,0"), [1, 0, 0]);
  for (const text of ["", "0.85", "1,0", "a,b,c", "1,,0", "0.5,0.5,0,0", "2,0,0"]) {
    assertThrows(() => parseSplit(text), RangeError, `Cannot split by "${text}"`);
  }
});

Deno.test("splitEntries() shuffles by a seed, the same way each time, and loses no entry", () => {
  const entries = numbers(20);
  const once = splitEntries(entries, { seed: 1 });
  assertEquals(splitEntries(entries, { seed: 1 }), once);
  assertNotEquals(splitEntries(entries, { seed: 2 }), once);
  assertNotEquals(once, splitEntries(entries));
  const all = [...once.train, ...once.test, ...once.validation];
  assertEquals(all.sort((a, b) => a - b), entries);
});
