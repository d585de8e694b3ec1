// What a beginner may get wrong with the lower layers of a model, and the sentence that says so.

import { assertRejects, assertThrows } from "@std/assert";
import { collate, encodeExamples, forest } from "../../lib/dataset/mod.ts";
import {
  addLora,
  freeze,
  generate,
  mergeLora,
  quantize,
  saveLora,
  saveNetwork,
  trainableParameters,
} from "../../lib/model/mod.ts";
import { loadModel } from "../../lib/pipeline/mod.ts";
import * as show from "../../lib/show/mod.ts";
import { measureLoss, sft } from "../../lib/train/mod.ts";
import { loadNano } from "./nano.ts";

const ENTRIES = [{ instruction: "Name a colour.", input: "", output: "Blue." }];

Deno.test("functions of a network refuse a whole model, and say where its network is", async () => {
  using model = await loadNano();
  const whole = model as never;
  const calls: [action: string, call: () => unknown][] = [
    ["adapt", () => addLora(whole)],
    ["merge adapters", () => mergeLora(whole)],
    ["pack layers", () => quantize(whole)],
    ["save weights", () => saveNetwork(whole, "nowhere")],
    ["save an adapter", () => saveLora(whole, "nowhere")],
    ["freeze weights", () => freeze(whole)],
    ["find the weights that learn", () => trainableParameters(whole)],
    ["generate", () => generate(whole, [[1]])],
    ["measure the loss", () => measureLoss(whole, [])],
    ["train", () => sft(whole, { examples: [] })],
  ];
  for (const [action, call] of calls) {
    await assertRejects(
      async () => await call(),
      TypeError,
      `Cannot ${action} without a network: found a whole model; its network is \`model.network\``,
    );
  }
});

Deno.test("what is to be encoded first is refused", async () => {
  using model = await loadNano();
  const entries = ENTRIES as never;
  const calls: [call: () => unknown, message: string][] = [
    [() => sft(model.network, { examples: entries }), "Cannot train on example 1 of 1"],
    [() => measureLoss(model.network, entries), "Cannot measure the loss of example 1 of 1"],
    [() => collate(entries), "Cannot make a padded batch of example 1 of 1"],
    [() => forest(entries), "Cannot make a forest batch of example 1 of 1"],
    [() => generate(model.network, "Hi" as never), "Cannot continue a string"],
    [() => generate(model.network, [["Hi"]] as never), "Cannot continue prompt 0, an array"],
    [() => encodeExamples(ENTRIES, undefined as never), "Cannot encode with undefined"],
    [() => encodeExamples(ENTRIES, model as never), "Cannot encode with a Model"],
    [() => model.tokenizer.encode(3 as never), "Cannot encode a number"],
  ];
  for (const [call, message] of calls) {
    await assertRejects(async () => await call(), TypeError, message);
  }
});

Deno.test("types of weights and targets of exports are checked before anything is computed", async () => {
  using model = await loadNano();
  const save = (dtype: string) => model.save("nowhere", { dtype: dtype as never });
  await assertRejects(() => save("f16"), TypeError, 'as "f16": did you mean "F16"?');
  await assertRejects(() => save("int8"), TypeError, 'expected one of "F32", "F16", "BF16"');
  addLora(model.network, { rank: 2 });
  for (const target of ["model.onnx", "model.safetensors", "ollama:", "", undefined as never]) {
    await assertRejects(() => model.export(target), TypeError, 'expected "ollama:NAME", a path');
  }
  await assertRejects(
    () => model.export("model.gguf", { type: "q4_k_m" as never }),
    TypeError,
    'Cannot export weights as "q4_k_m"',
  );
  const load = (options: object) => () => loadModel("nano", { device: "cpu", ...options });
  await assertRejects(load({ quantize: "4bit" }), TypeError, 'Cannot pack weights as "4bit"');
  await assertRejects(load({ dropout: "0.1" }), RangeError, 'with dropout "0.1"');
  await assertRejects(load({ learningRate: 1 }), TypeError, '"learningRate" of train()?');
  await assertRejects(() => loadModel(3 as never), TypeError, "with the name 3: expected a string");
});

Deno.test("views refuse what they cannot draw, and do not draw nothing", () => {
  const calls: [call: () => unknown, message: string][] = [
    [() => show.lossCurve("x" as never), "such as training.history"],
    [() => show.table("x" as never), "Cannot show a table of a string"],
    [() => show.lineChart(3 as never), "Cannot draw a number: expected numbers"],
    [() => show.lineChart({ loss: ["a"] } as never), 'Cannot draw "loss", which is a string'],
    [() => show.barChart("x" as never), "Cannot draw bars of a string"],
    [() => show.barChart({ a: "1" } as never), 'Cannot draw bars of a string for "a"'],
    [() => show.histogram(["a"] as never), "Cannot draw a string: expected numbers"],
    [() => show.scatter(1 as never, [1]), "Cannot draw points of a number"],
    [() => show.heatmap([1, 2] as never), "Cannot draw a heat map with a row of a number"],
    [() => show.tokenView("x" as never), "Cannot show tokens of a string"],
  ];
  for (const [call, message] of calls) assertThrows(call, TypeError, message);
});
