// splitEntries() gives every entry to one part, in the right numbers, and keeps together what belongs together.

import {
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLessOrEqual,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { findLeaks, loadEntries } from "../../lib/dataset/mod.ts";
import { parseSplit, splitEntries } from "../../lib/dataset/split.ts";
import { groupsOf, strataOf } from "../../lib/dataset/split_labels.ts";
import splits from "../golden/splits.json" with { type: "json" };

const numbers = (n: number) => Array.from({ length: n }, (_, i) => i);

function sizes(n: number, fractions?: number[]): number[] {
  const { train, test, validation } = splitEntries(numbers(n), { fractions });
  return [train.length, test.length, validation.length];
}

Deno.test("splitEntries() takes slices of the file in the order given: train, test, validation", () => {
  const { train, test, validation } = splitEntries(numbers(20), { order: "given" });
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

Deno.test("splitEntries() shuffles membership by a seed, and keeps the file's order in each part", () => {
  const entries = numbers(200);
  const once = splitEntries(entries, { seed: 1 });
  assertEquals(splitEntries(entries, { seed: 1 }), once);
  assertEquals(splitEntries(entries), splitEntries(entries, { seed: 123 }));
  assertNotEquals(splitEntries(entries, { seed: 2 }), once);
  assertNotEquals(once, splitEntries(entries, { order: "given" }));
  for (const part of Object.values(once)) {
    assertEquals(part, part.toSorted((a: number, b: number) => a - b));
  }
  const all = [...once.train, ...once.test, ...once.validation];
  assertEquals(all.sort((a, b) => a - b), entries);
  assertEquals(splitEntries(entries, { fractions: [1, 0, 0] }).train, entries);
});

Deno.test("splitEntries() puts each entry into the test part as often as any other", () => {
  const times = new Array(20).fill(0);
  for (let seed = 0; seed < 2000; seed++) {
    for (const entry of splitEntries(numbers(20), { seed }).test) times[entry]++;
  }
  // 2 of 20 in 2000 splits: 200 each, with a standard deviation of 13.4
  for (const count of times) {
    assertGreater(count, 140);
    assertLessOrEqual(count, 260);
  }
});

Deno.test("splitEntries() gives each part as many of each class as scikit-learn's StratifiedShuffleSplit", () => {
  for (const { labels, fractions, ...expected } of splits.splits) {
    const classes = [...new Set(labels)].sort();
    for (const part of ["train", "test"] as const) {
      const least = classes.map(() => Infinity), most = classes.map(() => 0);
      for (let seed = 0; seed < 100; seed++) {
        const split = splitEntries(labels, { fractions, stratify: labels, seed });
        assertEquals(
          split.train.length + split.test.length + split.validation.length,
          labels.length,
        );
        classes.forEach((name, i) => {
          const count = split[part].filter((label) => label === name).length;
          least[i] = Math.min(least[i], count);
          most[i] = Math.max(most[i], count);
        });
      }
      assertEquals({ least, most }, expected[part], `${fractions}, ${part}`);
    }
  }
});

Deno.test("splitEntries() leaves no group in two parts, and misses sizes by at most two of the largest", () => {
  const label = fc.integer({ min: 0, max: 12 }).map(String);
  fc.assert(
    fc.property(fc.array(label, { minLength: 20, maxLength: 80 }), fc.nat(), (groups, seed) => {
      const fractions = [0.6, 0.2, 0.2];
      const split = splitEntries(numbers(groups.length), { fractions, groups, seed });
      const parts = Object.values(split) as number[][];
      assertEquals(parts.flat().sort((a, b) => a - b), numbers(groups.length));
      const seen = parts.map((part) => new Set(part.map((index) => groups[index])));
      assertEquals(seen[0].size + seen[1].size + seen[2].size, new Set(groups).size);
      const largest = Math.max(
        ...Map.groupBy(groups, (one) => one).values().map(({ length }) => length),
      );
      for (const [part, name] of (["train", "test", "validation"] as const).entries()) {
        const wanted = fractions[part] * groups.length;
        assertLessOrEqual(Math.abs(split[name].length - wanted), 2 * largest, name);
      }
    }),
  );
});

Deno.test("splitEntries() with a group for each entry has the exact sizes", () => {
  const groups = numbers(1100).map(String);
  const { train, test, validation } = splitEntries(numbers(1100), { groups });
  assertEquals([train.length, test.length, validation.length], [935, 110, 55]);
  const left = splitEntries(numbers(100), {
    fractions: [0.5, 0.2, 0.1],
    groups: groups.slice(0, 100),
  });
  assertEquals(left.train.length + left.test.length + left.validation.length, 80);
});

Deno.test("splitEntries() balances classes over groups", () => {
  // 60 groups of 5, every third of which is of another class
  const groups = numbers(300).map((i) => String(i % 60));
  const stratify = numbers(300).map((i) => i % 60 % 3 === 0 ? "rare" : "common");
  for (let seed = 0; seed < 20; seed++) {
    const { test } = splitEntries(numbers(300), {
      fractions: [0.6, 0.2, 0.2],
      groups,
      stratify,
      seed,
    });
    const rare = test.filter((index) => stratify[index] === "rare").length;
    assertEquals([test.length, rare], [60, 20]);
  }
});

Deno.test("splitEntries() refuses what an order would ignore, and labels that do not fit", () => {
  for (const more of [{ seed: 1 }, { stratify: ["a"] }, { groups: ["a"] }]) {
    assertThrows(
      () => splitEntries([1], { order: "given", ...more }),
      TypeError,
      `Cannot split in the order "given" with "${Object.keys(more)[0]}"`,
    );
  }
  assertThrows(
    () => splitEntries([1, 2], { stratify: ["a"] }),
    RangeError,
    "2 entries with 1 labels",
  );
  assertThrows(
    () => splitEntries([1], { order: "random" as "given" }),
    RangeError,
    'order "random"',
  );
});

Deno.test("groupsOf() joins prompts that share a completion, and what other entries connect", () => {
  const entry = (instruction: string, output: string) => ({ instruction, input: "", output });
  const entries = [
    entry("How do I return a parcel?", "Print the label."),
    entry("When are you open?", "From nine to five."),
    entry("My shoes do not fit at all, what now?", "Print the label. "),
    entry("My shoes do not fit at all, what now then?", "Print it, the label."),
  ];
  assertEquals(groupsOf(entries, ["completion"]), ["0", "1", "0", "3"]);
  assertEquals(groupsOf(entries, ["near"]), ["0", "1", "2", "2"]);
  assertEquals(groupsOf(entries, ["completion", "near"]), ["0", "1", "0", "0"]);
  const messages = [{ role: "user", content: "Hi" }, {
    role: "assistant",
    content: "From nine to five.",
  }];
  assertEquals(groupsOf([{ messages }, { messages: messages.toReversed() }], ["completion"]), [
    "0",
    "0",
  ]);
});

Deno.test("a split by groups of near duplicates has no leaks, and one without them has", async () => {
  const entries = await loadEntries("instructions");
  assertGreater(findLeaks(splitEntries(entries), { threshold: 0.8 }).length, 0);
  const groups = groupsOf(entries, ["completion", "near"], { threshold: 0.8 });
  const split = splitEntries(entries, { groups });
  assertEquals(findLeaks(split, { threshold: 0.8 }), []);
  assertGreaterOrEqual(split.test.length, 90);
});

Deno.test("strataOf() has quarters of lengths, and refuses topics that no entry has", () => {
  const entries = numbers(8).map((i) => ({
    instruction: "x".repeat(i + 1),
    input: "",
    output: "",
  }));
  assertEquals(
    strataOf(entries, ["length"]).map((label) => label.slice(7, 8)),
    [..."11223344"],
  );
  assertThrows(() => strataOf(entries, ["topic"]), RangeError, "none of them has a topic");
  const some = entries.map((entry, i) => i === 0 ? { ...entry, topic: "first" } : entry);
  assertEquals(strataOf(some, ["topic"]).slice(0, 2), ["first", "without topic"]);
});
