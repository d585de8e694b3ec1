// The public interface as a whole: every function that takes options refuses those that it does not have.

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import * as data from "../lib/dataset/mod.ts";
import * as evaluation from "../lib/eval/mod.ts";
import * as grading from "../lib/grade/mod.ts";
import * as model from "../lib/model/mod.ts";
import { Random } from "../lib/random.ts";
import * as tunebook from "../lib/mod.ts";
import * as runtime from "../lib/runtime/mod.ts";
import * as serving from "../lib/serve/mod.ts";
import * as show from "../lib/show/mod.ts";
import * as train from "../lib/train/mod.ts";
import * as tensor from "../lib/tensor/mod.ts";
import { ChatTemplate, gpt2Tokenizer } from "../lib/text/mod.ts";
import * as weights from "../lib/weights/mod.ts";
import { ROOT } from "./check.ts";
import { ENTRY_POINTS, exportsOf } from "./interface.ts";
import { interfacePage } from "./interface_page.ts";

/** What is never looked at, because the options are refused first. */
const nothing = undefined as never;
const network = { parameters: new Map(), linears: new Map(), contextLength: 8 } as never;
const notebook = runtime.parseNotebook(
  '{ "nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [] }',
);
const example = { promptIds: [1, 2], responseIds: [3], instructionLength: 1 };

const SMALL = { vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2 };
const GATED = { ...SMALL, kvHeads: 1, feedForwardWidth: 8 } as never;

/** A small file of each format. */
async function withFiles(use: (path: (name: string) => string) => Promise<unknown>) {
  const folder = await Deno.makeTempDir();
  try {
    const tensors = [{ name: "a", shape: [1], data: new Float32Array(1) }];
    await weights.writeSafetensors(`${folder}/model.safetensors`, tensors);
    await weights.writeGguf(`${folder}/model.gguf`, tensors);
    await use((name) => `${folder}/${name}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A model whose parts are never looked at. */
const whole = Object.create(tunebook.Model.prototype) as tunebook.Model;
const nano = () => tunebook.loadModel("nano", { device: "cpu" });
const x = undefined as never;

/** A call of each function with the options that it is given, by entry point and name. */
const CALLS: Record<string, (options: never) => unknown> = {
  "Model#answer": (options) => whole.answer("", options),
  "Model#answerEach": (options) => whole.answerEach([], options).next(),
  "Model#dpo": (options) => whole.dpo([], options),
  "Model#encodeExamples": (options) => whole.encodeExamples([], options),
  "Model#encodePrompt": (options) => whole.encodePrompt("", options),
  "Model#evaluate": (options) => whole.evaluate([], options),
  "Model#export": async (options) => (await nano()).export("nowhere.gguf", options),
  "Model#save": async (options) => (await nano()).save("nowhere", options),
  "Model#stream": (options) => whole.stream("", options).next(),
  "Model#train": (options) => whole.train([], options),
  "data.collate": (options) => data.collate([example], options),
  "data.cleanEntries": (options) => data.cleanEntries([], options),
  "data.findPersonalData": (options) => data.findPersonalData("", options),
  "data.dedupeEntries": (options) => data.dedupeEntries([], options),
  "data.labelBySelfConsistency": (options) => data.labelBySelfConsistency([], nothing, options),
  "data.majorityAnswer": (options) => data.majorityAnswer([], options),
  "data.paraphraseByRules": (options) => data.paraphraseByRules([], options),
  "data.proposeCorrections": (options) => data.proposeCorrections([], nothing, options),
  "data.proposePairs": (options) => data.proposePairs([], nothing, options),
  "data.proposeParaphrases": (options) => data.proposeParaphrases([], nothing, options),
  "data.exploreEntries": (options) => data.exploreEntries([], gpt2Tokenizer(), options),
  "data.findLeaks": (options) => data.findLeaks({ train: [], test: [], validation: [] }, options),
  "data.findNearDuplicates": (options) => data.findNearDuplicates([], options),
  "data.forest": (options) => data.forest([example], options),
  "data.inspectExamples": (options) => data.inspectExamples([], gpt2Tokenizer(), options),
  "data.loadDataset": (options) => data.loadDataset("nowhere", options),
  "data.loadEntries": (options) => data.loadEntries("nowhere", options),
  "data.loadPreferences": (options) => data.loadPreferences("nowhere", options),
  "data.orderBatches": (options) => data.orderBatches(1, options),
  "data.parseDataset": (options) => data.parseDataset("[]", "data", options),
  "data.parseEntries": (options) => data.parseEntries("[]", "data", options),
  "data.parsePreferences": (options) => data.parsePreferences("[]", "data", options),
  "data.preferenceForest": (options) => data.preferenceForest([], options),
  "data.readDataset": (options) => data.readDataset("nowhere", options),
  "data.readPreferences": (options) => data.readPreferences("nowhere", options),
  "data.reportLengths": (options) => data.reportLengths([example], options),
  "data.groupsOf": (options) => data.groupsOf([], [], options),
  "data.oversample": (options) => data.oversample([], options),
  "data.splitEntries": (options) => data.splitEntries([1], options),
  "data.totalBatches": (options) => data.totalBatches([example], [], options),
  "data.writeDataset": (options) => data.writeDataset("data.json", [], options),
  "eval.checkTrust": (options) => evaluation.checkTrust([], nothing, options),
  "eval.compareResponses": (options) => evaluation.compareResponses([], [], [], options),
  "eval.domainFilter": (options) => evaluation.domainFilter([], options),
  "eval.evaluateAnswers": (options) => evaluation.evaluateAnswers(nothing, nothing, options),
  "eval.judgeCard": (options) => evaluation.judgeCard(nothing, [], options),
  "eval.judgePairs": (options) => evaluation.judgePairs([], [], nothing, options),
  "eval.judgeWithSeeds": (options) =>
    evaluation.judgeWithSeeds([], () => ({ name: "", settings: {}, ask: nothing }), [1], options),
  "eval.judgeResponses": (options) => evaluation.judgeResponses([], nothing, options),
  "eval.judgeScorer": (options) => evaluation.judgeScorer(nothing, options),
  "eval.ollamaJudge": (options) => evaluation.ollamaJudge("llama3", options),
  "eval.openAiJudge": (options) => evaluation.openAiJudge("llama3", options),
  "eval.pairedBootstrap": (options) => evaluation.pairedBootstrap([1], [1], options),
  "eval.parseJudge": (options) => evaluation.parseJudge("ollama:llama3", options),
  "eval.parseTeacher": (options) => evaluation.parseTeacher("ollama:llama3", options),
  "eval.personalDataFilter": (options) => evaluation.personalDataFilter(options),
  "eval.readResponses": (options) => evaluation.readResponses("nowhere", options),
  "eval.rougeL": (options) => evaluation.rougeL("", "", options),
  "eval.scoreMetrics": (options) => evaluation.scoreMetrics([], [], options),
  "eval.shuffledAnswers": (options) => evaluation.shuffledAnswers([], options),
  "grade.autograde": (options) => grading.autograde(nothing, options),
  "grade.collectSubmissions": (options) => grading.collectSubmissions(nothing, "", "", options),
  "grade.findSimilar": (options) => grading.findSimilar([], [], options),
  "grade.gradeSubmission": (options) => grading.gradeSubmission(nothing, notebook, options),
  "grade.proveRelease": (options) => grading.proveRelease(notebook, options),
  "grade.releaseAssignment": (options) => grading.releaseAssignment(nothing, "", options),
  "grade.validateNotebook": (options) => grading.validateNotebook("nowhere", options),
  "grade.writeFeedbackPages": (options) =>
    grading.writeFeedbackPages(nothing, nothing, "", options),
  "loadModel": (options) => tunebook.loadModel("nano", options),
  "model.Gemma.create": (options) => model.Gemma.create(nothing, GATED, options),
  "model.Gpt2.create": (options) => model.Gpt2.create(nothing, SMALL, options),
  "model.Llama.create": (options) => model.Llama.create(nothing, GATED, options),
  "model.addLora": (options) => model.addLora(network, options),
  "model.chooseToken": (options) =>
    model.chooseToken(new Float32Array([1]), options, new Random(1)),
  "model.exportGguf": (options) => model.exportGguf(network, "nowhere", options),
  "model.exportLoraGguf": (options) => model.exportLoraGguf(network, "nowhere", options),
  "model.exportOnnx": (options) => model.exportOnnx(network, "nowhere", options),
  "model.generate": (options) => model.generate(network, [], options),
  "model.generateTokens": (options) => model.generateTokens(network, [], options).next(),
  "model.loadNetwork": (options) => model.loadNetwork("nowhere", options),
  "model.lossOf": (options) => model.lossOf(network, nothing, options),
  "model.quantize": (options) => model.quantize(network, "nf4", options),
  "model.saveLora": (options) => model.saveLora(network, "nowhere", options),
  "model.saveNetwork": (options) => model.saveNetwork(network, "nowhere", options),
  "runtime.Session#execute": async (options) => {
    await using session = await runtime.Session.start();
    await session.execute("1", options);
  },
  "runtime.Session.start": (options) => runtime.Session.start(options),
  "runtime.checkNotebook": (options) => runtime.checkNotebook("nowhere", options),
  "runtime.diffReports": (options) => runtime.diffReports("", "", options),
  "runtime.installKernel": (options) => runtime.installKernel(options),
  "runtime.removeKernel": (options) => runtime.removeKernel(options),
  "runtime.renderMarkdownReport": (options) => runtime.renderMarkdownReport(notebook, options),
  "runtime.renderReport": (options) => runtime.renderReport(notebook, options),
  "runtime.runNotebook": (options) => runtime.runNotebook(notebook, options),
  "runtime.verifyReport": (options) => runtime.verifyReport("", options),
  "runtime.writeMarkdownReport": (options) =>
    runtime.writeMarkdownReport("nowhere", notebook, options),
  "show.attentionView": (options) => show.attentionView(data.forest([example]), options),
  "show.barChart": (options) => show.barChart({}, options),
  "show.batchView": (options) => show.batchView(nothing, nothing, options),
  "show.compareTable": (options) => show.compareTable([], options),
  "show.enableLivePlotly": (options) => show.enableLivePlotly(options),
  "show.figure": (options) => show.figure([], {}, options),
  "show.forestView": (options) => show.forestView(nothing, nothing, options),
  "show.frames": (options) => show.frames({ a: [1] }, () => nothing, options),
  "show.heatmap": (options) => show.heatmap([], options),
  "show.histogram": (options) => show.histogram([1], options),
  "show.lineChart": (options) => show.lineChart([1], options),
  "show.liveTraining": (options) => show.liveTraining(options),
  "show.topicLosses": (options) => show.topicLosses([], options),
  "show.lossCurve": (options) => show.lossCurve([], options),
  "show.maskView": (options) => show.maskView(example, nothing, [], options),
  "show.progress": (options) => show.progress("", 1, options),
  "show.scatter": (options) => show.scatter([1], [1], options),
  "show.table": (options) => show.table([], options),
  "show.tokenView": (options) => show.tokenView([], options),
  "tensor.adamwEachInto": (options) => tensor.adamwEachInto([], options),
  "tensor.adamwInto": (options) => tensor.adamwInto(x, x, x, x, options),
  "tensor.arange": (options) => tensor.arange(1, options),
  "tensor.argmax": (options) => tensor.argmax(x, options),
  "tensor.attention": (options) => tensor.attention(x, x, x, options),
  "tensor.cachedAttention": (options) => tensor.cachedAttention(x, x, x, options),
  "tensor.eye": (options) => tensor.eye(1, options),
  "tensor.full": (options) => tensor.full([1], 1, options),
  "tensor.linearCrossEntropy": (options) => tensor.linearCrossEntropy(x, x, x, options),
  "tensor.linearLogProbs": (options) => tensor.linearLogProbs(x, x, x, options),
  "tensor.matmul": (options) => tensor.matmul(x, x, options),
  "tensor.ones": (options) => tensor.ones([1], options),
  "tensor.pick": (options) => tensor.pick(options),
  "tensor.random": (options) => tensor.random([1], options),
  "tensor.randomNormal": (options) => tensor.randomNormal([1], options),
  "tensor.rmsNorm": (options) => tensor.rmsNorm(x, x, options),
  "tensor.rotaryAngles": (options) => tensor.rotaryAngles(x, Int32Array.of(0), options),
  "tensor.rotaryFrequencies": (options) => tensor.rotaryFrequencies(options),
  "tensor.tensor": (options) => tensor.tensor([1], options),
  "tensor.variance": (options) => tensor.variance(x, options),
  "tensor.zeros": (options) => tensor.zeros([1], options),
  "text.ChatTemplate": (options) => new ChatTemplate("", options),
  "text.ChatTemplate#render": (options) => new ChatTemplate("").render([], options),
  "text.ChatTemplate#renderMarked": (options) => new ChatTemplate("").renderMarked([], options),
  "train.AdamW": (options) => new train.AdamW(new Map(), options),
  "train.dpo": (options) => train.dpo(network, options),
  "train.learningRateAt": (options) => train.learningRateAt(1, 1, options),
  "train.measureLoss": (options) => train.measureLoss(network, [], options),
  "train.sft": (options) => train.sft(network, options),
  "weights.Gguf#read": (options) =>
    withFiles(async (path) => {
      using file = await weights.openGguf(path("model.gguf"));
      await file.read("a", options);
    }),
  "weights.Gguf#sha256": (options) =>
    withFiles(async (path) => {
      using file = await weights.openGguf(path("model.gguf"));
      await file.sha256(options);
    }),
  "weights.Safetensors#read": (options) =>
    withFiles(async (path) => {
      using file = await weights.openSafetensors(path("model.safetensors"));
      await file.read("a", options);
    }),
  "serve.serveModel": (options) => serving.serveModel(nothing, options),
  "weights.Safetensors#sha256": (options) =>
    withFiles(async (path) => {
      using file = await weights.openSafetensors(path("model.safetensors"));
      await file.sha256(options);
    }),
  "weights.createOllamaModel": (options) => weights.createOllamaModel("mine", options),
  "weights.downloadSnapshot": (options) => weights.downloadSnapshot("owner/name", options),
  "weights.resolveModel": (options) => weights.resolveModel("nano", options),
  "weights.writeGguf": (options) => weights.writeGguf("nowhere", [], options),
  "weights.writeStateDict": (options) => weights.writeStateDict("nowhere", [], options),
  "weights.writeSafetensors": (options) => weights.writeSafetensors("nowhere", [], options),
};

/** Functions whose options are another library's or the language's. */
const OTHERS = ["eval.JudgeError"];

Deno.test("every public function with options is among those that are tried here", async () => {
  const found = new Set<string>();
  for (const entry of ENTRY_POINTS.keys()) {
    for (const { callables, file, isValue } of (await exportsOf(entry)).values()) {
      // What "tunebook" takes from other entry points is found there.
      if (entry === "tunebook" && !file.startsWith("lib/pipeline/")) continue;
      for (const { name, parameters } of callables) {
        const full = entry === "tunebook" ? name : `${entry.slice("tunebook/".length)}.${name}`;
        const reachable = isValue || name.includes("#"); // who makes an object may be a function alone
        if (reachable && parameters.includes("options") && !OTHERS.includes(full)) found.add(full);
      }
    }
  }
  assertEquals([...found].sort(), Object.keys(CALLS).sort());
});

for (const [name, call] of Object.entries(CALLS)) {
  Deno.test(`${name}() refuses an option that it does not have`, async () => {
    const { message } = await assertRejects(
      async () => await call({ noSuchOption: 1 } as never),
      TypeError,
    );
    assertStringIncludes(message, 'with the option "noSuchOption": ');
  });
}

Deno.test("tunebook has at most 80 values", async () => {
  const values = [...(await exportsOf("tunebook")).values()]
    .filter(({ isValue }) => isValue);
  assertEquals(values.length <= 80, true, `it has ${values.length}`);
});

Deno.test("docs/interface.md lists every export", async () => {
  const page = await Deno.readTextFile(new URL("../docs/interface.md", import.meta.url));
  assertEquals(page, await interfacePage(), "out of date: write it with deno task interface");
});

Deno.test("every exported function and class has an example that imports it by its public name", async () => {
  const without: string[] = [];
  for (const entry of ENTRY_POINTS.keys()) {
    for (const { name, kind, isValue, examples } of (await exportsOf(entry)).values()) {
      if (!isValue || !["function", "class"].includes(kind)) continue;
      // As `import { name } from "tunebook/x"`, or as show.name() of `import * as show`.
      const named = new RegExp(`import \\{[^}]*\\b${name}\\b[^}]*\\} from "tunebook[/"]`);
      const starred = new RegExp(`import \\* as show from "tunebook/show"[^]*\\bshow\\.${name}\\b`);
      const relative = /from "\.{1,2}\//;
      const good = examples.some((code) =>
        (named.test(code) || starred.test(code)) && !relative.test(code)
      );
      if (!good) without.push(`${entry}: ${name}`);
    }
  }
  assertEquals(without, []);
});

Deno.test("the documentation of every entry point is complete", async () => {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", ...ENTRY_POINTS.values()],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  });
  const { success, stderr } = await command.output();
  assertEquals(success, true, new TextDecoder().decode(stderr));
});
