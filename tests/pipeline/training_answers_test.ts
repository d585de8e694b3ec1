// Answers and scores while a model learns, and early stopping by them.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { METRICS, scoreMetrics } from "../../lib/eval/mod.ts";
import type { Model } from "../../lib/pipeline/mod.ts";
import { answersAtOnce, withBetter } from "../../lib/pipeline/training_answers.ts";
import type { Step } from "../../lib/train/mod.ts";
import { findCheckpoint } from "../../lib/train/checkpoint.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";
import { ENTRIES, loadNano } from "./nano.ts";

const settings = {
  batchSize: 4,
  learningRate: 2e-3,
  maxSteps: 4,
  evalEvery: 0,
  validation: ENTRIES.slice(0, 3),
} as const;
const answers = { every: 2, count: 2, metrics: ["rougeL", "perplexity"], maxNewTokens: 6 };

async function stepsOf(training: AsyncIterable<Step>, count = Infinity): Promise<Step[]> {
  const steps: Step[] = [];
  for await (const step of training) {
    if (steps.push(step) === count) break;
  }
  return steps;
}

/** What must be equal from run to run. */
const timeless = (steps: readonly Step[]) => steps.map(({ seconds: _, ...rest }) => rest);

async function headOf({ network }: Model): Promise<Float32Array> {
  return await [...network.parameters.values()].at(-1)!.data();
}

Deno.test("train() answers and scores as the model learns, and learns the same bits as without", async () => {
  const [one, two] = [await loadNano({ dropout: 0.1 }), await loadNano({ dropout: 0.1 })];
  const plain = await stepsOf(one.train(ENTRIES, settings));
  const steps = await stepsOf(two.train(ENTRIES, { ...settings, answers }));
  assertEquals(
    timeless(steps).map(({ observation: _, ...rest }) => rest),
    timeless(plain),
  );
  assertEquals(await headOf(two), await headOf(one));
  assertEquals(
    steps.flatMap(({ step, observation }) => observation ? [step] : []),
    [2, 4],
  );
  const { scores, answers: given } = steps[3].observation!;
  assertEquals(given.map(({ prompt }) => prompt), [
    "Name the colour number 0.",
    "Repeat the word.\nword 1",
  ]);
  assertEquals(given.map(({ reference }) => reference), ["Blue.", "word 1"]);
  // The model's own answers now, and the scores that `evaluate()` gives them.
  const asked = ENTRIES.slice(0, 2);
  assertEquals(given.map(({ answer }) => answer), await two.answer(asked, { maxNewTokens: 6 }));
  const responses = asked.map((entry, i) => ({ ...entry, model_response: given[i].answer }));
  assertEquals(scores.rougeL, scoreMetrics(responses, ["rougeL"]).rougeL.corpus);
  const { metrics } = await two.evaluate(asked, { metrics: ["perplexity"], maxNewTokens: 6 });
  assertEquals(scores.perplexity, metrics.perplexity.corpus);
});

Deno.test("train() stops early by a score, and resumes to the same end", async () => {
  using temporary = new TemporaryDirectory();
  const options = {
    ...settings,
    maxSteps: undefined,
    epochs: 3,
    answers: { ...answers, every: 1, metrics: ["rougeL"] },
    earlyStopping: { patience: 3, metric: "rougeL", minImprovement: 0.5 },
    restoreBest: true,
  };
  const undisturbed = await loadNano();
  using expected = undisturbed.train(ENTRIES, options);
  const steps = timeless(await stepsOf(expected));
  const { best } = expected;
  // No rise of half a point: it ends three answers after the best.
  assertEquals([expected.done, steps.length], [true, best!.step + 3]);
  assert(steps.length < expected.totalSteps);
  assertEquals(best!.score, steps[best!.step - 1].observation!.scores.rougeL);

  const checkpoint = { directory: temporary.path, every: 2 };
  const first = await loadNano();
  using dies = first.train(ENTRIES, { ...options, checkpoint });
  await stepsOf(dies, 3);
  const second = await loadNano();
  using training = second.train(ENTRIES, { ...options, checkpoint, resume: true });
  assertEquals(timeless(await stepsOf(training)), steps.slice(2));
  assertEquals(await headOf(second), await headOf(undisturbed));
  assertEquals((await findCheckpoint(temporary.path))!.state.best, best);
});

Deno.test("every metric of the table says which of its values are better", () => {
  for (const { name, top } of METRICS) {
    const { better } = withBetter({ patience: 1, metric: name }, [name]);
    assertEquals(better, top === undefined ? "lower" : "higher");
  }
  assertEquals(withBetter({ patience: 1, metric: "perplexity" }, ["perplexity"]).better, "lower");
  assertThrows(
    () => withBetter({ patience: 1, metric: "bleu" }, ["rougeL"]),
    TypeError,
    'Cannot stop early by "bleu": expected it among the metrics of "answers", which are "rougeL"',
  );
  assertThrows(
    () => withBetter({ patience: 1, metric: "bleu", better: "lower" }, ["bleu"]),
    TypeError,
    "higher values of it are better",
  );
});

Deno.test("answers of a training take no more memory for keys and values than is allowed", () => {
  const network = { layers: 4, keyWidth: 128 };
  const bytes = 2 * 4 * 4 * 128 * (36 + 64);
  assertEquals(answersAtOnce(network, 36, { maxNewTokens: 64, maxBytes: 5 * bytes }), 5);
  assertEquals(answersAtOnce(network, 36, { maxNewTokens: 64, maxBytes: 5 * bytes - 1 }), 4);
  assertEquals(answersAtOnce(network, 36, { maxNewTokens: 64, maxBytes: 1 }), 1);
});

Deno.test("train() refuses answers that cannot be given or scored", async () => {
  const model = await loadNano();
  const refused = (options: Parameters<Model["train"]>[1], message: string) =>
    assertThrows(() => model.train(ENTRIES, { ...settings, ...options }), Error, message);
  refused({ answers: { every: 0 } }, 'with "every" 0: expected a positive integer');
  refused({ answers: { every: 1, metrics: ["rogueL"] } }, 'did you mean "rougeL"');
  refused({ answers: { every: 1 }, validation: [] }, 'expected entries in "validation"');
  refused({ answers: { every: 1 }, validation: [{ text: "Once" }] }, "that ask something");
  refused({ earlyStopping: { patience: 1, metric: "bleu" } }, "expected it among the metrics");
});
