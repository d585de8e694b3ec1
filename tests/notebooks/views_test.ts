// What chapters say about their views, and what recorded traces must show for that to be true. Where a new nano model
// or a new trace fails here, the chapter's words have to change with it.

import { assert, assertAlmostEquals, assertEquals, assertGreater } from "@std/assert";
import { assertLess, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { documents } from "../../data/nano/corpus.ts";
import { collate, Gpt2, gpt2Tokenizer, loadEntries, loadModel, type Model } from "../../lib/mod.ts";
import { alpaca, chatTemplateOf } from "../../lib/text/mod.ts";
import { chatBeside } from "../../notebooks/views/chat.ts";
import { loadNetwork, pick, Random, sft } from "../../lib/mod.ts";
import { earlyStopping } from "../../notebooks/exercises/05_fine_tuning.ts";
import { errorsOf, runWithBug, TOLERANCE } from "../../notebooks/views/divergence.ts";
import { plantLeaks } from "../../notebooks/views/duplicate_leak.ts";
import { inOrder, input, plus, tanh, times } from "../../notebooks/views/gradient_flow.ts";
import { readWeights, runByHand, runLibrary } from "../../notebooks/views/gpt2_parts.ts";
import { labelBatch, NO_BUGS } from "../../notebooks/views/label_bench.ts";
import { multiplyTiled, ORDERS } from "../../notebooks/views/race_revealer.ts";
import { measureEpoch, stopEarly } from "../../notebooks/views/overfitting.ts";
import { dominantDirections, norm, sumOfDirections } from "../../notebooks/views/svd.ts";
import { WordVectors } from "../../notebooks/views/embeddings.ts";
import embeddings from "../../notebooks/traces/embeddings.json" with { type: "json" };
import leakRuns from "../../notebooks/traces/duplicate_leak.json" with { type: "json" };
import judge from "../../notebooks/traces/judge.json" with { type: "json" };
import realModel from "../../notebooks/traces/real_model.json" with { type: "json" };
import ranks from "../../notebooks/traces/ranks.json" with { type: "json" };

Deno.test("chapter 1: planted leaks are entries of the other side, reworded, answers and all", () => {
  const entries = (from: number) =>
    Array.from({ length: 30 }, (_, i) => ({
      instruction: `Do thing ${from + i}.`,
      input: "",
      output: `Done ${from + i}`,
    }));
  const [train, heldOut] = [entries(0), entries(100)];
  const leaky = plantLeaks(train, heldOut, 8, 3);
  const leaks = leaky.filter(({ output }) => heldOut.some((entry) => entry.output === output));
  assertEquals([leaky.length, leaks.length], [30, 8]);
  assert(leaks.every(({ instruction }) => !heldOut.some((e) => e.instruction === instruction)));
});

Deno.test("chapter 1: in the recorded runs the held-out loss falls with the leaks, the clean one does not", () => {
  const [without, ...others] = leakRuns;
  let last = without.heldOut.at(-1)!;
  for (const { heldOut, clean } of others) {
    assertLess(heldOut.at(-1)!, last);
    last = heldOut.at(-1)!;
    assertGreater(clean.at(-1)!, 0.95 * without.clean.at(-1)!, "leaks taught something");
  }
});

Deno.test("chapter 2: the label bench without a bug has the library's labels, and each bug changes them", () => {
  const examples = [[5, 3], [4, 6]].map(([prompt, response], seed) => {
    const random = new Random(seed);
    const ids = (length: number) => Array.from({ length }, () => random.integer(50_000));
    return { promptIds: ids(prompt), responseIds: [...ids(response), 50256], instructionLength: 2 };
  });
  const { inputs, targets, length } = collate(examples);
  const right = labelBatch(examples, 50256);
  for (const row of [0, 1]) {
    const part = (values: Int32Array, width: number) =>
      Array.from(values.subarray(row * width, row * width + length));
    assertEquals(part(right.inputs, right.length), part(inputs, length));
    assertEquals(part(right.targets, right.length), part(targets, length));
  }
  const bugs = [
    { shift: 0 },
    { shift: 2 },
    { closingMasked: true },
    { paddingCounted: true },
    { promptCounted: true },
  ];
  const seen = new Set([right.targets.join()]);
  for (const bug of bugs) {
    seen.add(labelBatch(examples, 50256, { ...NO_BUGS, ...bug }).targets.join());
  }
  assertEquals(seen.size, 6);
});

Deno.test("chapter 3: the slopes of the graph are those that small steps show", () => {
  const lossOf = (w: number) => {
    const y = tanh(
      "y",
      plus("sum", times("w·x", input("w", w), input("x", 1.5)), input("b", -0.4)),
    );
    return times("loss", y, y);
  };
  const loss = lossOf(0.8);
  const gradients = new Map([[loss, 1]]);
  for (const node of inOrder(loss).toReversed()) {
    node.inputs.forEach((one, i) =>
      gradients.set(one, (gradients.get(one) ?? 0) + gradients.get(node)! * node.slopes[i])
    );
  }
  const w = [...gradients.keys()].find(({ name }) => name === "w")!;
  const slope = (lossOf(0.8 + 1e-5).value - lossOf(0.8 - 1e-5).value) / 2e-5;
  assertAlmostEquals(gradients.get(w)!, slope, 1e-8);
});

Deno.test("chapter 3: with both barriers every order is right; without one some orders are, and some are not", () => {
  const [n, tile] = [8, 4];
  const random = new Random(3);
  const [a, b] = [0, 1].map(() => Float64Array.from({ length: n * n }, () => random.integer(5)));
  const product = Array.from({ length: n * n }, (_, at) => {
    const [row, column] = [Math.floor(at / n), at % n];
    return Array.from({ length: n }, (_, k) => a[row * n + k] * b[k * n + column])
      .reduce((x, y) => x + y);
  });
  const isRight = (afterLoad: boolean, afterUse: boolean) =>
    ORDERS.map((order) => {
      const run = multiplyTiled(a, b, n, tile, { afterLoad, afterUse }, order);
      assertEquals(run.readsPerThread, 2 * n / tile);
      return run.product.every((value, i) => value === product[i]);
    });
  assert(isRight(true, true).every((right) => right));
  for (const right of [isRight(true, false), isRight(false, true)]) {
    assert(right[0], `${ORDERS[0]} hides it`);
    assert(right.includes(false), "no order reveals it");
  }
});

Deno.test("chapter 4: parts in plain numbers agree with the library, and each bug first shows where the text says", async () => {
  const { network: model } = await loadNetwork("nano", { device: await pick({ device: "cpu" }) });
  if (!(model instanceof Gpt2)) throw new TypeError(`Expected a GPT-2, got ${model.architecture}`);
  const tokens = gpt2Tokenizer().encode("The opposite of hot is cold. The opposite of");
  const weights = await readWeights(model);
  const reference = await runLibrary(model, tokens);
  const right = errorsOf(runByHand(model, weights, tokens), reference);
  assertLess(Math.max(...right.map(({ error }) => error)), TOLERANCE / 5);
  const first = (bug: string) => {
    const errors = errorsOf(runWithBug(model, weights, tokens, bug), reference);
    const { layer, name, error } = errors.find(({ error }) => !(error <= TOLERANCE))!;
    return { where: `${name} of layer ${layer + 1}`, error };
  };
  assertEquals(first("bug A").where, "attend of layer 1");
  assertEquals(first("bug B").where, "attend of layer 1");
  assertEquals(first("bug C").where, "widen of layer 3");
  const { where, error } = first("bug D");
  assertEquals(where, "norm 1 of layer 1");
  assertLess(error, 0.2, "only by little");
});

Deno.test("chapter 4: neighbours and analogies are computed from the words' directions", () => {
  const vector = (...values: number[]) => Float32Array.from(values);
  // Pairs that differ in the second number, and a word beside whose row has another length.
  const vectors = new WordVectors(
    new Map([
      ["man", vector(5, 0, 1)],
      ["woman", vector(5, 4, 1)],
      ["king", vector(0, 0, 5)],
      ["queen", vector(0, 4, 5)],
      ["chair", vector(-20, -20, -20)],
    ]),
  );
  assertEquals(vectors.analogy("man", "king", "woman", 1)[0].word, "queen");
  assertEquals(vectors.nearest("king", 4).map(({ word }) => word).includes("king"), false);
  const cosines = vectors.nearest("king", 4).map(({ cosine }) => cosine);
  assertEquals(cosines, cosines.toSorted((a, b) => b - a));
  assert(cosines.every((cosine) => Math.abs(cosine) <= 1 + 1e-6));
  assertThrows(() => vectors.nearest("throne"), RangeError, 'Cannot look up "throne"');
});

Deno.test("chapter 4: the recorded analogies fail as the text says", () => {
  const first = (row: number, column: "without the three words" | "all words") =>
    embeddings.analogies[row][column].split(" ")[0];
  const without = embeddings.analogies.map((_, i) => first(i, "without the three words"));
  assertEquals(without, ["paints", "Vienna", "large", "queen"]);
  const all = embeddings.analogies.map((_, i) => first(i, "all words"));
  assertEquals(all, ["paint", "Paris", "big", "king"]);
  assertEquals(embeddings.nearest[1]["nearest words"].split(" ")[0], "hot");
});

Deno.test("chapter 5: early stopping keeps and stops where the exercise's solution does", () => {
  for (const [losses, patience] of earlyStopping.inputs) {
    assertEquals(stopEarly(losses, patience).best, earlyStopping.solution(losses, patience));
  }
  assertEquals(stopEarly([5, 4, 4.5, 4.4, 3], 2), { best: 1, stop: 3 });
  assertEquals(stopEarly([5, 4, 4.5, 3.9], 2), { best: 3 });
});

Deno.test("chapter 5: on a hundred entries the training loss falls, the held-out loss turns, and plain text is forgotten", async () => {
  const model = await loadModel("nano");
  const entries = await loadEntries(
    new URL("../../data/instructions/instruction-data.json", import.meta.url).pathname,
  );
  const texts = documents(99).take(20).map((text) => ({ text })).toArray();
  const parts = {
    training: model.encodeExamples(entries.slice(0, 100)),
    heldOut: model.encodeExamples(entries.slice(900, 924)),
    plain: model.encodeExamples(texts),
  };
  const epochs = [await measureEpoch(model.network, 0, parts)];
  const settings = { examples: parts.training, learningRate: 1e-3, evalEvery: 0, seed: 1 };
  for await (const { step, epoch } of sft(model.network, { ...settings, epochs: 6 })) {
    if (step % 26 === 0) epochs.push(await measureEpoch(model.network, epoch, parts));
  }
  const [first, early, , last] = epochs;
  assertLess(last.training, early.training);
  assertLess(early.heldOut, first.heldOut);
  assertGreater(last.heldOut, early.heldOut, "the held-out loss does not turn");
  assertGreater(early.plain, first.plain + 0.2);
  assertGreater(last.plain, early.plain);
});

Deno.test("chapter 7: the recorded judge does not tell gold from other answers", () => {
  assertLess(Math.abs(judge.gap), 10);
  assertLess(Math.abs(judge.ranked - 0.5), 0.15);
});

Deno.test("chapter 8: directions add up to the matrix, each of the strength that it shows", () => {
  const random = new Random(5);
  const rows = Array.from(
    { length: 6 },
    () => Float64Array.from({ length: 9 }, () => random.normal()),
  );
  const directions = dominantDirections(rows);
  assertEquals(directions.length, 6);
  const left = (rank: number) => {
    const sum = sumOfDirections(directions, rank);
    return norm(rows.map((row, i) => row.map((value, j) => value - sum[i][j])));
  };
  assertLess(left(6), 1e-9);
  const weakest = directions.slice(2).reduce((sum, { strength }) => sum + strength ** 2, 0);
  assertAlmostEquals(left(2), Math.sqrt(weakest), 1e-9);
});

Deno.test("chapter 8: of the recorded update a small rank leaves much out, and gets much of the loss back", () => {
  const at = (rank: number) => ranks.steps.find((step) => step.rank === rank)!;
  const [base, small, full] = [at(0), at(16), at(128)];
  assertGreater(small.residual, 0.25);
  assertGreater((base.loss - small.loss) / (base.loss - full.loss), 0.6);
});

/** A model that keeps what it was asked, and answers by a number. */
function fakeModel(format: unknown): { model: Model; asked: unknown[] } {
  const asked: unknown[] = [];
  const answer = (question: unknown) => {
    asked.push(structuredClone(question));
    return Promise.resolve(`answer ${asked.length}`);
  };
  return { model: { format, answer } as unknown as Model, asked };
}

Deno.test("chapter 9: a chat sends what is typed to all models until an empty message, with the conversation where models have one", async () => {
  const [template, instruction] = [
    fakeModel(chatTemplateOf(gpt2Tokenizer(), "chatml")),
    fakeModel(alpaca),
  ];
  const shown: string[] = [];
  const typed = ["Hello", " And then? ", ""];
  await chatBeside({ first: template.model, "<second>": instruction.model }, {
    script: ["never sent"],
    read: () => typed.shift()!,
    display: async (view) => void shown.push(view.html),
  });
  const first = { role: "user", content: "Hello" };
  assertEquals(instruction.asked, ["Hello", "And then?"]);
  assertEquals(template.asked, [
    { messages: [first] },
    {
      messages: [first, { role: "assistant", content: "answer 1" }, {
        role: "user",
        content: "And then?",
      }],
    },
  ]);
  assertEquals(shown.length, 2);
  assertStringIncludes(shown[1], "&lt;second&gt;");
  assertStringIncludes(shown[1], "answer 2");
});

Deno.test("chapter 9: where nobody can type, a chat sends its script", async () => {
  const { model, asked } = fakeModel(alpaca);
  const display = () => Promise.resolve();
  await chatBeside({ model }, { script: ["one", "two"], read: () => null, display });
  assertEquals(asked, ["one", "two"]);
  await assertRejects(() => chatBeside({}, { script: [] }), RangeError, "without a model");
});

Deno.test("chapter 9: the recorded model learnt the form of short answers, and its held-out loss fell", () => {
  const { heldOut, answers, losses } = realModel;
  assertLess(heldOut.after, 0.8 * heldOut.before);
  assertEquals(losses.length, 12);
  const characters = (which: "before" | "after") =>
    answers.reduce((sum, answer) => sum + answer[which].length, 0);
  assertLess(characters("after"), 0.5 * characters("before"));
  assert(answers.every(({ after }) => after.endsWith(".")), "an answer is cut off");
});
