// findNearDuplicates() finds what is alike, and nothing else; by MinHash as often as its theory promises.

import { assertAlmostEquals, assertEquals, assertGreater, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  findLeaks,
  findNearDuplicates,
  loadEntries,
  splitEntries,
  wordSimilarity,
} from "../../lib/dataset/mod.ts";
import { chooseBands, MISSED, similarPairs } from "../../lib/dataset/minhash.ts";
import { Random } from "../../lib/random.ts";

const entry = (instruction: string, output = "") => ({ instruction, input: "", output });

Deno.test("wordSimilarity() knows words of every script, and neither case nor punctuation", () => {
  assertEquals(wordSimilarity("The cat, the dog!", "DOG cat the"), 1);
  assertEquals(wordSimilarity("ein Öl", "ein Ohr"), 1 / 3);
  assertEquals(wordSimilarity("кот 7", "кот"), 1 / 2);
  assertEquals(wordSimilarity("", "?!"), 1);
  assertEquals(wordSimilarity("a", ""), 0);
});

Deno.test("wordSimilarity() takes a letter's marks with it, composed or not", () => {
  assertEquals(wordSimilarity("हिन्दी", "हिन"), 0);
  assertEquals(wordSimilarity("caf\u0065\u0301 x", "x"), 1 / 2);
});

Deno.test("findNearDuplicates() by all pairs finds those that comparing all with all finds", () => {
  const word = fc.constantFrom("a", "b", "c", "d", "e", "constructor");
  const words = fc.array(word, { minLength: 1, maxLength: 5 }).map((list) => list.join(" "));
  fc.assert(fc.property(fc.array(words, { maxLength: 12 }), (texts) => {
    const expected = [];
    for (let second = 0; second < texts.length; second++) {
      for (let first = 0; first < second; first++) {
        const similarity = wordSimilarity(texts[first], texts[second]);
        if (similarity >= 0.6) expected.push({ first, second, similarity });
      }
    }
    const key = (pair: { first: number; second: number }) => pair.first * 100 + pair.second;
    assertEquals(
      findNearDuplicates(texts.map((text) => entry(text)), { threshold: 0.6, method: "exact" })
        .sort((a, b) => key(a) - key(b)),
      expected.sort((a, b) => key(a) - key(b)),
    );
  }));
});

Deno.test("findNearDuplicates() by MinHash finds every pair of the instruction data, at any threshold", async () => {
  const entries = await loadEntries("instructions");
  for (const threshold of [0.5, 0.6, 0.7, 0.85]) {
    const exact = findNearDuplicates(entries, { threshold, method: "exact" });
    assertEquals(findNearDuplicates(entries, { threshold }), exact, `threshold ${threshold}`);
    assertGreater(exact.length, 0);
  }
});

/** Pairs of sets of which the given share is common, each pair with numbers of its own. */
function pairsOfSets(count: number, similarity: number): Int32Array[] {
  const random = new Random(7);
  const common = Math.round(100 * similarity);
  const rest = (100 - common) / 2;
  return Array.from({ length: count }, () => {
    const union = new Set<number>();
    while (union.size < 100) union.add(random.integer(100_000));
    const members = [...union];
    const one = Int32Array.from(members.slice(0, common + rest)).sort();
    return [one, Int32Array.from(members.toSpliced(common, rest)).sort()];
  }).flat();
}

Deno.test("MinHash takes pairs for candidates as often as Broder's theorem says", () => {
  const count = 1000;
  for (const [threshold, similarity] of [[0.7, 0.7], [0.7, 0.5], [0.7, 0.3], [0.85, 0.75]]) {
    const { bands, rows } = chooseBands(threshold);
    const expected = 1 - (1 - similarity ** rows) ** bands;
    const candidates = new Set<number>();
    similarPairs(pairsOfSets(count, similarity), {
      threshold,
      compares: (first, second) => {
        if (first % 2 === 0 && second === first + 1) candidates.add(first);
        return false;
      },
    });
    // four standard deviations of a binomial share
    const tolerance = 4 * Math.sqrt(Math.max(expected * (1 - expected), MISSED) / count);
    assertAlmostEquals(candidates.size / count, expected, tolerance, `${similarity}`);
  }
});

Deno.test("chooseBands() misses at most one in a thousand pairs at the threshold, of any threshold", () => {
  for (let threshold = 0.01; threshold < 1; threshold += 0.01) {
    const { bands, rows } = chooseBands(threshold);
    const missed = (1 - threshold ** rows) ** bands;
    assertEquals(missed <= MISSED, true, `${threshold}: ${bands} × ${rows} misses ${missed}`);
  }
  assertEquals(chooseBands(0.7), { bands: 38, rows: 5 });
});

Deno.test("findNearDuplicates() compares conversations, also with instructions", () => {
  const messages = [
    { role: "user", content: "What is the plural of fox?" },
    { role: "assistant", content: "Foxes." },
  ];
  const fox = entry("What is the plural of fox?", "Foxes");
  assertEquals(findNearDuplicates([{ messages }, entry("!"), entry("?"), fox]), [
    { first: 0, second: 3, similarity: 1 },
  ]);
});

Deno.test("findLeaks() finds exactly the pairs that a split puts on two sides", async () => {
  const entries = await loadEntries("instructions");
  const split = splitEntries(entries);
  const indices = splitEntries([...entries.keys()]);
  const partOf = new Map(
    Object.entries(indices).flatMap(([part, of]) => (of as number[]).map((index) => [index, part])),
  );
  const pairs = findNearDuplicates(entries, { method: "exact" })
    .filter(({ first, second }) => partOf.get(first) !== partOf.get(second))
    .map(({ first, second }) => [first, second].join());
  const leaks = findLeaks(split);
  assertGreater(leaks.length, 0);
  const found = leaks.map(({ from, to }) =>
    [indices[from.part][from.index]!, indices[to.part][to.index]!].sort((a, b) => a - b).join()
  );
  assertEquals(found.sort(), pairs.sort());
  const order = ["train", "validation", "test"];
  assertEquals(
    leaks.every(({ from, to }) => order.indexOf(from.part) < order.indexOf(to.part)),
    true,
  );
});

Deno.test("findNearDuplicates() refuses a threshold that would find everything", () => {
  assertThrows(() => findNearDuplicates([], { threshold: 0 }), RangeError, "0 alike");
  assertThrows(
    () => findNearDuplicates([], { method: "simhash" as "exact" }),
    RangeError,
    'by "simhash": expected "minhash" or "exact"',
  );
});
