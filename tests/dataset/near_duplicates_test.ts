// findNearDuplicates() finds what is alike, and nothing else.

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { findNearDuplicates, wordSimilarity } from "../../lib/dataset/mod.ts";

const entry = (instruction: string, output = "") => ({ instruction, input: "", output });

Deno.test("wordSimilarity() knows words of every script, and neither case nor punctuation", () => {
  assertEquals(wordSimilarity("The cat, the dog!", "DOG cat the"), 1);
  assertEquals(wordSimilarity("ein Öl", "ein Ohr"), 1 / 3);
  assertEquals(wordSimilarity("кот 7", "кот"), 1 / 2);
  assertEquals(wordSimilarity("", "?!"), 1);
  assertEquals(wordSimilarity("a", ""), 0);
});

Deno.test("findNearDuplicates() finds the pairs that comparing all with all finds", () => {
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
      findNearDuplicates(texts.map((text) => entry(text)), { threshold: 0.6 })
        .sort((a, b) => key(a) - key(b)),
      expected.sort((a, b) => key(a) - key(b)),
    );
  }));
});

Deno.test("findNearDuplicates() refuses a threshold that would find everything", () => {
  assertThrows(() => findNearDuplicates([], { threshold: 0 }), RangeError, "0 alike");
});
