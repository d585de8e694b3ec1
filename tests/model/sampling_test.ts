// chooseToken() draws from the distribution that temperature, top-k and top-p leave.

import golden from "../golden/sampling.json" with { type: "json" };
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { chooseToken, generate, type SamplingOptions } from "../../lib/model/mod.ts";
import { chooseCandidates } from "../../lib/model/sampling.ts";
import { assertClose } from "../support.ts";
import { onOneThread, release, smallModel } from "../train/small.ts";
import { Random } from "../../lib/random.ts";

/** What each token's probability is, by the definitions, with everything sorted. */
function probabilities(logits: Float32Array, options: SamplingOptions): number[] {
  const { temperature = 1, topK = logits.length, topP = 1 } = options;
  const order = [...logits.keys()].sort((a, b) => logits[b] - logits[a] || a - b).slice(0, topK);
  const weights = order.map((id) => Math.exp((logits[id] - logits[order[0]]) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight);
  let kept = 0;
  for (let sum = 0; kept < order.length && sum < topP * total; kept++) sum += weights[kept];
  const mass = weights.slice(0, kept).reduce((sum, weight) => sum + weight);
  const result = new Array<number>(logits.length).fill(0);
  order.slice(0, kept).forEach((id, i) => result[id] = weights[i] / mass);
  return result;
}

Deno.test("chooseToken() draws each token as often as its probability says", () => {
  const logits = Float32Array.of(1, 3, 2, -1, 3, 0.5, -20);
  for (
    const options of [{ temperature: 1 }, { temperature: 0.7, topK: 3 }, {
      temperature: 2,
      topP: 0.8,
    }]
  ) {
    const random = new Random(3);
    const counts = new Array<number>(logits.length).fill(0);
    for (let i = 0; i < 20_000; i++) counts[chooseToken(logits, options, random)]++;
    probabilities(logits, options).forEach((probability, id) => {
      assertAlmostEquals(counts[id] / 20_000, probability, 0.015, `token ${id}`);
    });
  }
});

Deno.test("chooseToken() never draws what top-k and top-p leave out, ties and large vocabularies included", () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: -6, max: 6 }), { minLength: 1, maxLength: 60 }),
    fc.integer({ min: 1, max: 70 }),
    fc.double({ min: 0.01, max: 1, noNaN: true }),
    fc.integer({ min: 0, max: 1000 }),
    (values, topK, topP, seed) => {
      const logits = Float32Array.from(values);
      const options = { temperature: 1.3, topK, topP };
      const token = chooseToken(logits, options, new Random(seed));
      assert(probabilities(logits, options)[token] > 0);
    },
  ));
});

Deno.test("chooseToken() takes the most likely at temperature 0, and refuses what is not a number", () => {
  assertEquals(chooseToken(Float32Array.of(1, 4, 4), {}, new Random(1)), 1);
  assertEquals(
    chooseToken(Float32Array.of(1, 4, 4), { temperature: 1, topK: 1 }, new Random(1)),
    1,
  );
  assertThrows(
    () => chooseToken(Float32Array.of(1, NaN), { temperature: 1 }, new Random(1)),
    RangeError,
    "the logit of token 1 is not a number",
  );
});

Deno.test("penalties and cuts give transformers' logits and probabilities", () => {
  for (const { name, options: given, prompt, answer, ...expected } of golden.cases) {
    const context = { tokens: [...prompt, ...answer], promptLength: prompt.length };
    const logits = Float32Array.from(expected.logits);
    let penalised = new Float32Array();
    const options: SamplingOptions = {
      temperature: 1,
      ...given,
      processLogits: (logits, tokens) => {
        assertEquals(tokens, context.tokens);
        penalised = logits.slice();
      },
    };
    const { candidates, weights, total } = chooseCandidates(logits, options, context);
    assertClose(penalised, expected.penalised, { relative: 1e-5 }, name);
    const found = new Array<number>(logits.length).fill(0);
    candidates.forEach((id, i) => found[id] = weights[i] / total);
    assertClose(found, expected.probabilities, { relative: 1e-5 }, name);
    assertEquals(found.map((one) => one > 0), expected.probabilities.map((one) => one > 0), name);
    assertClose(
      logits,
      expected.logits,
      { relative: 1e-6 },
      "the given logits are left as they are",
    );
  }
});

onOneThread(
  "generate() gives penalties the tokens before, and the hook decides",
  async (device) => {
    const model = smallModel(device);
    const [{ tokens }] = await generate(model, [[1, 2, 3]], { maxNewTokens: 6 });
    const seen: number[][] = [];
    const processLogits = (logits: Float32Array, tokens: readonly number[]) => {
      seen.push([...tokens]);
      logits.forEach((_, id) => logits[id] = id === seen.length + 9 ? 0 : -Infinity);
    };
    const [hooked] = await generate(model, [[1, 2, 3]], {
      ...{ maxNewTokens: 3, temperature: 1, processLogits },
    });
    assertEquals(hooked.tokens, [10, 11, 12]);
    assertEquals(seen, [[1, 2, 3], [1, 2, 3, 10], [1, 2, 3, 10, 11]]);
    // A presence penalty above all differences of logits: no token comes twice.
    const [once] = await generate(model, [[1, 2, 3]], { maxNewTokens: 20, presencePenalty: 1e4 });
    assertEquals(new Set(once.tokens).size, 20);
    assert(new Set(tokens).size < 6 || tokens[0] === once.tokens[0]);
    const [stopped] = await generate(model, [[1, 2, 3]], {
      maxNewTokens: 20,
      presencePenalty: 1e4,
      stopper: () => (token) => token === once.tokens[4],
    });
    assertEquals(stopped, { tokens: once.tokens.slice(0, 5), finish: "stop" });
    release(model);
  },
);

Deno.test("sampling refuses options out of range, and a hook that leaves nothing", () => {
  const sample = (options: SamplingOptions) =>
    chooseToken(Float32Array.of(1, 2), options, new Random(1));
  const wrong: [SamplingOptions, string][] = [
    [{ minP: 2 }, "Cannot sample with minP 2: expected 0 to 1"],
    [{ repetitionPenalty: 0 }, "Cannot sample with repetitionPenalty 0: expected a number above 0"],
    [{ presencePenalty: NaN }, "Cannot sample with presencePenalty null: expected a number"],
    [{ processLogits: (logits) => logits.fill(-Infinity) }, "all logits are −Infinity"],
  ];
  for (const [options, message] of wrong) {
    assertThrows(() => sample(options), RangeError, message);
  }
  const short = () => sample({ processLogits: () => new Float32Array(1) });
  assertThrows(short, TypeError, "expected 2 logits in a Float32Array");
});
