// dedupeEntries() removes what an entry that it keeps says too, and says what it removed.

import { assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import fc from "fast-check";
import { dedupeEntries, wordSimilarity } from "../../lib/dataset/mod.ts";

const entry = (instruction: string, output = "") => ({ instruction, input: "", output });

Deno.test("dedupeEntries() removes equal entries, whatever the order of their fields", () => {
  const [one, two] = [entry("Name a fruit.", "An apple."), entry("Name a fruit.", "A pear.")];
  const { output, ...rest } = one;
  assertEquals(dedupeEntries([one, two, { output, ...rest }], { near: false }), {
    kept: [one, two],
    removed: [{ index: 2, keptAs: 0, kind: "exact", similarity: 1 }],
  });
});

Deno.test("dedupeEntries() takes entries that differ in a weight for near duplicates only", () => {
  const one = entry("Name a fruit.", "An apple.");
  const heavy = { ...one, weight: 2 };
  assertEquals(dedupeEntries([one, heavy], { near: false }).removed, []);
  assertEquals(dedupeEntries([one, heavy]).removed, [
    { index: 1, keptAs: 0, kind: "near", similarity: 1 },
  ]);
});

Deno.test("dedupeEntries() keeps an entry that is like a removed one only", () => {
  const chain = ["a b c d", "a b c d e", "a b c d e f"].map((text) => entry(text));
  assertEquals(dedupeEntries(chain, { threshold: 0.8 }).removed.map(({ index }) => index), [1]);
});

Deno.test("dedupeEntries() keeps no two entries that are alike, and removes none without one like it", () => {
  const word = fc.constantFrom("a", "b", "c", "d", "e");
  const words = fc.array(word, { minLength: 1, maxLength: 4 }).map((list) => list.join(" "));
  fc.assert(fc.property(fc.array(words, { maxLength: 12 }), (texts) => {
    const entries = texts.map((text) => entry(text));
    const threshold = 0.6;
    const { kept, removed } = dedupeEntries(entries, { threshold, method: "exact" });
    assertEquals(kept.length + removed.length, entries.length);
    const gone = new Set(removed.map(({ index }) => index));
    for (const { index, keptAs, similarity, kind } of removed) {
      assertEquals(gone.has(keptAs), false);
      assertEquals(wordSimilarity(texts[index]!, texts[keptAs]!), similarity);
      assertGreaterOrEqual(similarity, threshold);
      assertEquals(kind === "exact", texts[index] === texts[keptAs]);
    }
    for (const [at, { instruction }] of kept.entries()) {
      for (const other of kept.slice(0, at)) {
        assertLess(wordSimilarity(instruction, other.instruction), threshold);
      }
    }
  }));
});
