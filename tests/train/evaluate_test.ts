import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import type { EncodedExample } from "../../lib/dataset/mod.ts";
import { attendWithin, type Gpt2, logitsOf } from "../../lib/model/mod.ts";
import { noGrad, scope } from "../../lib/tensor/mod.ts";
import { MASKS } from "../../lib/text/mod.ts";
import { measureLoss } from "../../lib/train/mod.ts";
import { withCounted } from "../../lib/dataset/sequences.ts";
import { onOneThread, release, smallExamples, smallModel } from "./small.ts";

/** How unlikely each of an example's tokens is, from its logits, in double precision; index 0 has none. */
async function surprises(model: Gpt2, { promptIds, responseIds }: EncodedExample) {
  const ids = [...promptIds, ...responseIds];
  const tokens = Int32Array.from(ids.slice(0, -1));
  const positions = tokens.map((_, i) => i);
  const end = tokens.map(() => tokens.length);
  using tensor = scope(() =>
    noGrad(() =>
      logitsOf(
        model,
        model.hidden({ tokens, positions, attend: attendWithin({ end, positions }) }),
      )
    )
  );
  const logits = await tensor.data();
  const result = [NaN];
  for (let row = 0; row < tokens.length; row++) {
    const scores = logits.subarray(row * model.vocabularySize, (row + 1) * model.vocabularySize);
    const sum = scores.reduce((total, score) => total + Math.exp(score), 0);
    result.push(Math.log(sum) - scores[ids[row + 1]]);
  }
  return result;
}

onOneThread("measureLoss() is the mean over all counted tokens", async (device) => {
  const model = smallModel(device);
  const examples = smallExamples(5);
  const perToken = await Promise.all(examples.map((example) => surprises(model, example)));
  for (const mask of MASKS) {
    const counted = examples.flatMap(({ promptIds, instructionLength }, i) => {
      const first = { none: 1, instruction: instructionLength, prompt: promptIds.length }[mask];
      return perToken[i].slice(first);
    });
    const mean = counted.reduce((sum, value) => sum + value, 0) / counted.length;
    for (const batchSize of [3, 100]) {
      const { loss, tokens, examples: count } = await measureLoss(model, examples, {
        mask,
        batchSize,
      });
      assertAlmostEquals(loss, mean, 1e-5);
      assertEquals([tokens, count], [counted.length, 5]);
    }
  }
  release(model);
});

onOneThread("measureLoss() leaves out examples of which nothing counts", async (device) => {
  const model = smallModel(device);
  const [first, second] = smallExamples(2);
  const long = { ...first, promptIds: new Array(40).fill(1) };
  const [without, withLong] = await Promise.all(
    [[first, second], [first, long, second]].map((examples) => measureLoss(model, examples)),
  );
  assertEquals(withLong, without);
  await assertRejects(
    () => measureLoss(model, [long]),
    RangeError,
    'Cannot measure the loss of 1 examples: no token counts under the mask "prompt"',
  );
  release(model);
});

onOneThread("measureLoss() tells how far it is, and stops on a signal", async (device) => {
  const model = smallModel(device);
  const controller = new AbortController();
  const seen: string[] = [];
  await assertRejects(
    () =>
      measureLoss(model, smallExamples(7), {
        batchSize: 3,
        signal: controller.signal,
        onProgress(done, total) {
          seen.push(`${done}/${total}`);
          if (done === 6) controller.abort(new Error("enough"));
        },
      }),
    Error,
    "enough",
  );
  assertEquals(seen, ["3/7", "6/7"]);
  release(model);
});

Deno.test("withCounted() keeps the order", () => {
  const examples = smallExamples(4);
  const cut = { mask: "prompt", maxLength: 2 } as const;
  assertEquals(withCounted(examples, {}), examples);
  assertEquals(withCounted(examples, cut), []);
});
