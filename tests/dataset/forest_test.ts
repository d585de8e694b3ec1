import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { collate, IGNORE_INDEX } from "../../lib/dataset/collate.ts";
import { type EncodedExample, encodeExamples } from "../../lib/dataset/encode.ts";
import { type BatchLayout, forest, parentsOf } from "../../lib/dataset/forest.ts";
import type { ForestBatch } from "../../lib/forest.ts";
import { gpt2Tokenizer } from "../../lib/text/gpt2.ts";
import { MASKS } from "../../lib/text/mask.ts";
import golden from "../golden/dataset.json" with { type: "json" };

const EOS = 9;

/** What a model sees and must predict: "tokens up to here -> target", as often as it counts. */
type Predictions = Record<string, number>;

function predictionsOfPadded(
  examples: EncodedExample[],
  options: Parameters<typeof collate>[1],
): Predictions {
  const { inputs, targets, batchSize, length } = collate(examples, options);
  const found: Predictions = {};
  for (let b = 0; b < batchSize; b++) {
    for (let t = 0; t < length; t++) {
      const target = targets[b * length + t]!;
      if (target === IGNORE_INDEX) continue;
      const key = `${inputs.slice(b * length, b * length + t + 1).join(" ")} -> ${target}`;
      found[key] = (found[key] ?? 0) + 1;
    }
  }
  return found;
}

/** The same from a forest, by attention's own rule: i sees j iff j <= i < end[j]. */
function predictionsOfForest({ tokens, positions, end, edges }: ForestBatch): Predictions {
  const found: Predictions = {};
  for (const [k, row] of edges.rows.entries()) {
    const seen = [...tokens.keys()].filter((j) => j <= row && row < end[j]!);
    assertEquals(seen.map((j) => positions[j]), seen.map((_, depth) => depth));
    const key = `${seen.map((j) => tokens[j]).join(" ")} -> ${edges.targets[k]}`;
    found[key] = (found[key] ?? 0) + edges.counts[k]!;
  }
  return found;
}

// few tokens and short sequences, so that equal ones, beginnings of others and branches abound
const token = fc.integer({ min: 0, max: 2 });
const example = fc.record({
  promptIds: fc.array(token, { minLength: 1, maxLength: 5 }),
  responseIds: fc.array(token, { maxLength: 4 }).map((ids) => [...ids, EOS]),
  instructionLength: fc.nat(6),
});
const batches = fc.array(example, { minLength: 1, maxLength: 8 });
const lengths = fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined });

const layouts = fc.constantFrom<BatchLayout>("forest", "packed", "padded");

Deno.test("forest() predicts what the padded batch predicts, under each mask, in each layout", () => {
  let branching = 0;
  fc.assert(
    fc.property(batches, fc.constantFrom(...MASKS), lengths, layouts, (
      examples,
      mask,
      maxLength,
      layout,
    ) => {
      const options = { mask, maxLength };
      const padding = { ...options, padId: EOS };
      const padded = collate(examples, padding);
      if (padded.tokensCounted === 0) {
        assertThrows(() => forest(examples, options), RangeError, "nothing counts");
        return;
      }
      const batch = forest(examples, { ...options, layout });
      assertEquals(predictionsOfForest(batch), predictionsOfPadded(examples, padding));
      assertEquals(batch.tokensCounted, padded.tokensCounted);
      assertEquals(batch.tokensPadded, padded.tokensPadded);
      assertEquals(batch.tokensReal, padded.tokensReal);
      assertEquals(batch.edges.counts.reduce((a, b) => a + b), padded.tokensCounted);
      assertEquals(batch.cut, padded.cut);
      assertEquals(batch.tokens.length, batch.tokensComputed);
      assert(batch.tokensComputed <= padded[layout === "padded" ? "tokensPadded" : "tokensReal"]);
      assertEquals([...batch.edges.rows], batch.edges.rows.toSorted().values().toArray());
      if (new Set(batch.edges.rows).size < batch.edges.rows.length) branching++;
    }),
    { seed: 7, numRuns: 2000 },
  );
  assert(branching > 100, "tokens with several targets were among the cases");
});

Deno.test("forest() computes no context twice, unless separate, and none in vain", () => {
  fc.assert(
    fc.property(batches, fc.constantFrom(...MASKS), lengths, (examples, mask, maxLength) => {
      const options = { mask, maxLength };
      if (collate(examples, options).tokensCounted === 0) return;
      const { tokens, end, edges } = forest(examples, options);
      const contexts = [...tokens.keys()].map((i) =>
        [...tokens.keys()].filter((j) => j <= i && i < end[j]!).map((j) => tokens[j]).join(" ")
      );
      assertEquals(new Set(contexts).size, contexts.length);
      // every leaf predicts something that counts
      for (const i of tokens.keys()) {
        if (end[i] === i + 1) assert(edges.rows.includes(i), `leaf ${i}`);
      }
    }),
    { seed: 8, numRuns: 500 },
  );
});

Deno.test("forest() counts a duplicate twice and computes it once", () => {
  const one = { promptIds: [1, 2], responseIds: [3, EOS], instructionLength: 1 };
  const batch = forest([one, one], { mask: "none" });
  assertEquals([...batch.tokens], [1, 2, 3]);
  assertEquals([...batch.positions], [0, 1, 2]);
  assertEquals([...batch.end], [3, 3, 3]);
  assertEquals([...batch.edges.counts], [2, 2, 2]);
  const separate = forest([one, one], { mask: "none", layout: "packed" });
  assertEquals([...separate.tokens], [1, 2, 3, 1, 2, 3]);
  assertEquals([...separate.end], [3, 3, 3, 6, 6, 6]);
  assertEquals([...separate.positions], [0, 1, 2, 0, 1, 2]);
});

Deno.test("forest() takes a sequence that begins another: the closing token is a target only", () => {
  const batch = forest([
    { promptIds: [1], responseIds: [2, EOS], instructionLength: 1 },
    { promptIds: [1], responseIds: [2, 3, EOS], instructionLength: 1 },
  ]);
  assertEquals([...batch.tokens], [1, 2, 3]);
  assertEquals([...batch.edges.rows], [0, 1, 1, 2]);
  assertEquals([...batch.edges.targets], [2, EOS, 3, EOS]);
  assertEquals([...batch.edges.counts], [2, 1, 1, 1]);
});

Deno.test("forest() keeps trees apart whose first tokens differ", () => {
  const batch = forest([
    { promptIds: [1], responseIds: [EOS], instructionLength: 1 },
    { promptIds: [2], responseIds: [EOS], instructionLength: 1 },
  ]);
  assertEquals([...batch.end], [1, 2]);
  assertEquals([...parentsOf(batch.end)], [-1, -1]);
});

Deno.test("forest() says why nothing counts", () => {
  const examples = encodeExamples(golden.entries, gpt2Tokenizer());
  const error = assertThrows(() => forest(examples, { maxLength: 30 }), RangeError);
  assertEquals(
    error.message,
    'Cannot learn from a batch in which nothing counts: under the mask "prompt" and with at most ' +
      "30 tokens per sequence, no token of its 10 examples is left",
  );
  assertThrows(() => forest([]), RangeError, "Cannot make a batch of no examples");
});

Deno.test("forest() takes sequences too long for recursion", () => {
  const promptIds = Array.from({ length: 50_000 }, (_, i) => i % 50_000);
  const batch = forest([{ promptIds, responseIds: [1, EOS], instructionLength: 1 }]);
  assertEquals(batch.tokensComputed, 50_001);
  assertEquals(batch.end[0], 50_001);
});

Deno.test("parentsOf() finds each token's parent", () => {
  const batch = forest(
    [[1, 2, 3], [1, 2, 4], [1, 5, 6], [7, 8, 9]].map((ids) => ({
      promptIds: ids,
      responseIds: [EOS],
      instructionLength: 1,
    })),
    { mask: "none" },
  );
  assertEquals([...batch.tokens], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assertEquals([...parentsOf(batch.end)], [-1, 0, 1, 1, 0, 4, -1, 6, 7]);
});
