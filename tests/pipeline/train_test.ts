import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { encodeExamples, encodePreferences, splitEntries } from "../../lib/dataset/mod.ts";
import { generate, type Network } from "../../lib/model/mod.ts";
import { loadModel } from "../../lib/pipeline/mod.ts";
import { alpaca, type PromptFormat } from "../../lib/text/mod.ts";
import { dpo, measureLoss, sft } from "../../lib/train/mod.ts";
import { ENTRIES, loadNano, SHORT } from "./nano.ts";

Deno.test("Model.train() is sft() on the entries in the model's format", async () => {
  using pair = new Pair(await loadNano(), await loadNano());
  const [model, same] = pair;
  const training = model.train(ENTRIES, { ...SHORT, validation: 0.25, evalEvery: 1 });
  const last = await training.finish();
  const parts = splitEntries(ENTRIES, { fractions: [0.75, 0, 0.25] });
  const examples = encodeExamples(parts.train, same.tokenizer, alpaca);
  const validation = encodeExamples(parts.validation, same.tokenizer, alpaca);
  const losses: number[] = [];
  for await (
    const { loss } of sft(same.network, { ...SHORT, examples, validation, evalEvery: 1 })
  ) {
    losses.push(loss);
  }
  assertEquals(training.history.map(({ loss }) => loss), losses);
  assertEquals(last, training.history.at(-1));
  assert(last?.evaluation?.validationLoss !== undefined);
  for (const [name, tensor] of model.network.parameters) {
    assertEquals(await tensor.data(), await same.network.parameters.get(name)!.data(), name);
  }
  // either way the model knows what it was taught
  assertEquals(model.taught, same.taught);
  const [{ mask, maxLength, seed, steps, settings }] = model.taught.trainings;
  assertEquals([mask, maxLength, seed, steps], ["prompt", 256, 123, losses.length]);
  assertEquals(settings.learningRate, SHORT.learningRate);
});

Deno.test("Model.dpo() is dpo() on the pairs in the model's format; what was learnt is known", async () => {
  using pair = new Pair(await loadNano(), await loadNano());
  const [model, same] = pair;
  const preferences = ENTRIES.map(({ instruction, output }) => ({
    prompt: instruction,
    chosen: output,
    rejected: "no",
  }));
  const options = { batchSize: 2, maxSteps: 2, learningRate: 1e-4, evalEvery: 0 };
  await model.dpo(preferences, options).finish();
  const pairs = encodePreferences(preferences, same.tokenizer, alpaca);
  await dpo(same.network, { ...options, pairs }).finish();
  for (const [name, tensor] of model.network.parameters) {
    assertEquals(await tensor.data(), await same.network.parameters.get(name)!.data(), name);
  }
  assertEquals(model.taught, same.taught);
  const [{ steps, settings }] = model.taught.trainings;
  assertEquals([steps, settings.method, settings.beta], [2, "dpo", 0.1]);
  assertThrows(() => model.dpo(preferences, { mask: "none" } as never), TypeError, "mask");
});

/** Two models that are disposed of together. */
class Pair<T extends Disposable> implements Disposable, Iterable<T> {
  readonly #both: T[];
  constructor(...both: T[]) {
    this.#both = both;
  }
  [Symbol.iterator]() {
    return this.#both[Symbol.iterator]();
  }
  [Symbol.dispose]() {
    for (const one of this.#both) one[Symbol.dispose]();
  }
}

Deno.test("a training may be left at any step; what was taught so far is known", async () => {
  using model = await loadNano();
  assertEquals(model.taught, { base: "nano", trainings: [] });
  const training = model.train(ENTRIES, { ...SHORT, maxSteps: 3, mask: "instruction" });
  assertEquals(model.taught.trainings, [], "nothing was learnt yet");
  for await (const _ of training) break;
  const [{ steps, totalSteps, mask, loss }] = model.taught.trainings;
  assertEquals([steps, totalSteps, mask, loss], [1, 2, "instruction", training.history[0].loss]);
  const last = await training.finish();
  assertEquals([last?.step, model.taught.trainings[0].steps], [2, 2]);
  assertEquals(await training.finish(), last, "there is nothing left to do");
});

Deno.test("a model is asked as it was taught last, unless it is set otherwise", async () => {
  using model = await loadNano();
  const plain: PromptFormat = {
    name: "plain",
    instruction: ({ instruction, input }) => `Q: ${instruction}${input ? `\n${input}` : ""}`,
    responseMarker: "\nA: ",
  };
  const training = model.train(ENTRIES, { ...SHORT, format: plain });
  assertEquals(model.format, alpaca, "it has learnt nothing in it yet");
  await training.finish();
  assertEquals(model.format, plain);
  const { format } = model.taught;
  assert(format?.kind === "prompt" && format.name === "plain");
  model.format = "alpaca";
  assertEquals(model.format, alpaca);
  await model.train(ENTRIES, { ...SHORT, format: "zephyr" }).finish();
  assertEquals(model.format.name, "zephyr");
  assertEquals(model.taught.trainings.length, 2);
});

Deno.test("Model.train() refuses what would not be learnt as meant", async () => {
  using model = await loadNano();
  const train = (options: object) => () => model.train(ENTRIES, options);
  assertThrows(train({ lr: 1e-3 }), TypeError, 'did you mean "learningRate"?');
  assertThrows(train({ lora_alpha: 8 }), TypeError, 'the option "lora" of loadModel()?');
  assertThrows(train({ mask: "promt" }), RangeError, 'Cannot train with the mask "promt"');
  assertThrows(train({ dropLast: "no" }), TypeError, "expected true or false");
  assertThrows(train({ checkpoint: "here" }), TypeError, 'with the options "here"');
  assertThrows(train({ format: {} }), TypeError, "in the format an object");
  assertThrows(train({ examples: [] }), TypeError, 'Cannot train with the option "examples"');
  assertThrows(train({ validation: 1 }), RangeError, "Cannot hold back 1 of the entries");
  for (
    const [entries, message] of [
      [null, "Cannot train on null: expected an array of entries"],
      ["data.json", "Cannot train on a string: expected an array of entries"],
      [
        [...ENTRIES.slice(0, 1), { prompt: "a" }],
        "Cannot train on entry 2 of 2: expected an object",
      ],
      [[{ instruction: "a" }], 'found fields ["instruction"]'],
      [[3], "found a number"],
    ] as [never, string][]
  ) assertThrows(() => model.train(entries), TypeError, message);
  assertThrows(
    train({ learningRate: "1e-3" }),
    TypeError,
    '"learningRate" "1e-3": expected a number',
  );
  const whole = model as unknown as Network;
  const named = "its network is `model.network`";
  assertThrows(
    () => sft(whole, { examples: [] }),
    TypeError,
    `Cannot train without a network: found a whole model; ${named}`,
  );
  await assertRejects(() => measureLoss(whole, []), TypeError, named);
  await assertRejects(() => generate(whole, [[1]]), TypeError, named);
  await assertRejects(() => model.save(""), TypeError, 'Cannot save to "": expected a folder');
  await assertRejects(() => loadModel(undefined as never), TypeError, "expected a string");
  assertThrows(train({ validation: "test.json" }), TypeError, "Cannot validate on a string");
  const trims: PromptFormat = {
    name: "trims",
    instruction: ({ instruction }) => instruction.trim(),
    responseMarker: "\n",
  };
  assertThrows(train({ format: trims }), TypeError, 'Cannot write down the format "trims"');
  const reason = new Error("enough");
  const stopped = model.train(ENTRIES, { ...SHORT, signal: AbortSignal.abort(reason) });
  assertEquals(await assertRejects(() => stopped.finish()), reason);
});

Deno.test("Model.evaluate() scores answers and references as the parts do", async () => {
  using model = await loadNano();
  const test = ENTRIES.slice(0, 4);
  const before = await model.evaluate(test, { maxNewTokens: 6 });
  assertEquals(before.answers, await model.answer(test, { maxNewTokens: 6 }));
  assertEquals(before.responses.map(({ model_response }) => model_response), before.answers);
  assertEquals([before.examples, before.each.length], [4, 4]);
  await model.train(ENTRIES, { ...SHORT, maxSteps: 12, epochs: 6 }).finish();
  const after = await model.evaluate(test, { maxNewTokens: 6 });
  assert(after.loss < before.loss, `${after.loss} < ${before.loss}`);
  assertEquals(after.tokens, before.tokens);
  const more = await model.evaluate(test, { maxNewTokens: 6, mask: "none" });
  assert(more.tokens > after.tokens);
});
