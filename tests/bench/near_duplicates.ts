/**
 * How long it takes to find near duplicates in a data set of the size of Alpaca's, 52,000 entries by default, by MinHash and
 * by comparing all pairs that share a word, and how many of the pairs MinHash finds. The entries are made of words whose
 * frequencies follow Zipf's law, as those of a language do, with lengths like Alpaca's, and one in 50 is a rewording of an
 * earlier one. Prints a table; `deno run tests/bench/near_duplicates.ts [entries] [--exact]` (comparing all takes minutes).
 */

import { findNearDuplicates, type InstructionEntry } from "../../lib/dataset/mod.ts";
import { Random } from "../../lib/random.ts";

const [count = 52_000] = Deno.args.map(Number).filter((value) => !Number.isNaN(value));
const VOCABULARY = 60_000;

/** Entries with words by Zipf's law; the mean lengths are Alpaca's: 10, 2 and 45 words. */
function makeEntries(count: number): InstructionEntry[] {
  const random = new Random(1);
  const word = () => `w${Math.floor(VOCABULARY ** random.float())}`;
  const words = (mean: number) => {
    const length = Math.max(1, Math.round(-Math.log(1 - random.float()) * mean));
    return Array.from({ length }, word);
  };
  const made: string[][][] = [];
  for (let i = 0; i < count; i++) {
    if (i > 0 && i % 50 === 0) {
      const share = random.float() * 0.2;
      const earlier = made[random.integer(i)]!;
      made.push(earlier.map((part) => part.map((old) => random.float() < share ? word() : old)));
    } else {
      made.push([words(10), random.float() < 0.4 ? words(5) : [], words(45)]);
    }
  }
  return made.map(([instruction, input, output]) => ({
    instruction: instruction!.join(" "),
    input: input!.join(" "),
    output: output!.join(" "),
  }));
}

const entries = makeEntries(count);
const methods = Deno.args.includes("--exact")
  ? ["minhash", "exact"] as const
  : ["minhash"] as const;
console.log(`${count} entries, pairs of which at least 0.7 of the words are the same\n`);
for (const method of methods) {
  const begun = performance.now();
  const pairs = findNearDuplicates(entries, { method });
  const seconds = (performance.now() - begun) / 1000;
  console.log(`${method.padEnd(8)} ${seconds.toFixed(2).padStart(8)} s   ${pairs.length} pairs`);
}
