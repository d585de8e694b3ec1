/**
 * One object from a model's name to its answers: network, tokenizer, prompt format, adapters, device and provenance.
 *
 * @module
 */

import { assertEntries, type DatasetEntry } from "../dataset/chat_entry.ts";
import { type EncodedExample, encodeExamples, type EntryFormat } from "../dataset/encode.ts";
import { encodePreferences, type PreferenceEntry, withAnswer } from "../dataset/preferences.ts";
import { cleanResponse } from "../eval/responses.ts";
import { assertArray } from "../kind_of.ts";
import { assertPrompts, generateTokens } from "../model/generate.ts";
import { LoraAdapter, type LoraSettings, removeLora } from "../model/lora.ts";
import type { Network } from "../model/model.ts";
import { assertKnownOptions } from "../options.ts";
import type { Device } from "../tensor/device.ts";
import { beforeStop, StopStrings } from "../text/stop_strings.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { CHECKPOINT_OPTIONS } from "../train/options.ts";
import { dpo } from "../train/dpo.ts";
import type { DpoSettings, DpoStep } from "../train/dpo_options.ts";
import type { CheckpointOptions } from "../train/options.ts";
import { sft } from "../train/sft.ts";
import type { Training } from "../train/training.ts";
import type { ResolvedModel } from "../weights/resolved.ts";
import { continueEach } from "./answer_each.ts";
import { holdBack, type Question, toEntry } from "./entries.ts";
import { evaluateModel } from "./evaluate.ts";
import type { ModelEvaluation } from "./evaluation.ts";
import type { Exported, ExportOptions } from "./export/options.ts";
import type { FoundModel } from "./find_model.ts";
import { describeFormat, type FormatName } from "./format.ts";
import {
  ANSWER_EACH_OPTIONS,
  ANSWER_OPTIONS,
  type AnswerEachOptions,
  type AnswerOptions,
  DPO_TRAIN_OPTIONS,
  type DpoTrainOptions,
  EVALUATE_OPTIONS,
  type EvaluateOptions,
  type FinishedAnswer,
  FORMAT_OPTION,
  type FormatOption,
  TRAIN_OPTIONS,
  type TrainOptions,
} from "./model_options.ts";
import type { GenerationDefaults } from "./generation_defaults.ts";
import { askModel, assertSamples, encodeQuestion } from "./prompts.ts";
import type { Taught } from "./record.ts";
import type { SavedModel, SaveOptions } from "./save.ts";
import { Teaching } from "./teaching.ts";
import { textPieces } from "./text_pieces.ts";
import { assertAnswers, measurementOf, withBetter } from "./training_answers.ts";

/** Adapters beside a network. */
export interface ModelAdapter {
  /** Rank, alpha, dropout. */
  readonly settings: LoraSettings;
  /** Where they were loaded from; undefined where they were added. */
  readonly directory?: string;
}

/**
 * A model that answers, learns and is saved; {@linkcode loadModel} makes one.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { loadModel, Model } from "tunebook";
 *
 * const model = await loadModel("nano", { device: "cpu" });
 * assertEquals(model instanceof Model, true);
 * const answers = await model.answer(["What is the plural of fox?"], { maxNewTokens: 4 });
 * assertEquals(answers.length, 1);
 * ```
 */
export class Model implements Disposable {
  /** The bare network: tokens to logits. The lower layers (`sft()`, `generate()`, `measureLoss()`) take it. */
  readonly network: Network;
  /** Turns text into the network's tokens and back. */
  readonly tokenizer: Tokenizer;
  /** The files that it was loaded from. */
  readonly source: ResolvedModel;
  /** What it was taught, and the format that follows. */
  readonly #teaching: Teaching;

  /** @ignore Use {@linkcode loadModel}. */
  constructor(network: Network, found: FoundModel) {
    this.network = network;
    this.tokenizer = found.tokenizer;
    this.source = found.source;
    this.#teaching = new Teaching(network, found);
  }

  /** @ignore Sets the record after the weights of another model were restored into this one. */
  adopt(found: FoundModel): void {
    this.#teaching.adopt(found);
  }

  /** Where it computes. */
  get device(): Device {
    return this.network.device;
  }

  /** @internal What its files say of its answers; callers' options take precedence. */
  get generation(): GenerationDefaults {
    return this.#teaching.found.generation;
  }

  /** The adapters beside the network, if there are any. */
  get adapter(): ModelAdapter | undefined {
    for (const { adapter } of this.network.linears.values()) {
      if (!(adapter instanceof LoraAdapter)) continue;
      const { adapter: directory } = this.#teaching.found;
      return { settings: adapter.settings, ...(directory !== undefined && { directory }) };
    }
    return undefined;
  }

  /**
   * The format of its prompts: the one that it was taught, otherwise its chat template, otherwise Alpaca's prompt. Set a
   * name or a format to change it; a later training in another format replaces it.
   */
  get format(): EntryFormat {
    return this.#teaching.format;
  }

  set format(format: FormatName | EntryFormat) {
    this.#teaching.format = this.#teaching.formatFor([], format);
  }

  /**
   * What it was taught, here and before it was loaded: format, base, each training's data and settings, and what was
   * measured since the last.
   */
  get taught(): Taught {
    return this.#teaching.taught;
  }

  /**
   * Answers one question, or many in batches.
   *
   * @param question A question, an instruction, or a conversation; if that ends with an answer, the answer
   * is left out of the prompt.
   * @param options How tokens are chosen, and how many at most.
   * @returns The answer, without white space around it.
   * @throws {RangeError} If a prompt does not fit the context, or an option is out of range.
   * @throws {TypeError} If an option is unknown, or a conversation is given to a model without a chat template.
   *
   * @example One question, and several
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { loadModel } from "tunebook";
   *
   * const model = await loadModel("nano", { device: "cpu" });
   * const one = await model.answer("Name the opposite of hot.", { maxNewTokens: 4 });
   * const [first] = await model.answer(["Name the opposite of hot."], { maxNewTokens: 4 });
   * assertEquals(one, first);
   * ```
   */
  answer(question: Question, options?: AnswerOptions): Promise<string>;
  /**
   * Answers many questions in batches. Beginnings that prompts share are computed once.
   *
   * @param questions The questions.
   * @param options How tokens are chosen, and how many at most.
   * @returns The answers, in the questions' order.
   */
  answer(questions: readonly Question[], options?: AnswerOptions): Promise<string[]>;
  async answer(
    asked: Question | readonly Question[],
    options: AnswerOptions = {},
  ): Promise<string | string[]> {
    assertKnownOptions("answer", options, ANSWER_OPTIONS);
    if (!isArray(asked)) return (await this.#answerAll([asked], options))[0];
    return await this.#answerAll(asked, options);
  }

  /**
   * Answers a question and yields the text while it is generated. A piece never ends within a character.
   *
   * @param question A question, an instruction, or a conversation.
   * @param options As {@linkcode Model.answer} takes them.
   * @returns Pieces of text, none empty.
   * @throws {RangeError} If the prompt does not fit the context, or an option is out of range.
   * @throws {TypeError} If an option is unknown.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { loadModel } from "tunebook";
   *
   * const model = await loadModel("nano", { device: "cpu" });
   * let text = "";
   * for await (const piece of model.stream("Name a fruit.", { maxNewTokens: 8 })) text += piece;
   * assertEquals(text.trim(), await model.answer("Name a fruit.", { maxNewTokens: 8 }));
   * ```
   */
  async *stream(
    question: Question,
    options: AnswerOptions = {},
  ): AsyncGenerator<string, void, void> {
    assertKnownOptions("answer", options, ANSWER_OPTIONS);
    const { prompts, settings } = this.#ask([question], options);
    const tokens = generateTokens(this.network, prompts, settings);
    const stop = new StopStrings(options.stop ?? []);
    for await (const text of textPieces(onlyTokens(tokens), this.tokenizer)) {
      const piece = stop.push(text);
      if (piece !== "") yield piece;
    }
    const rest = stop.end();
    if (rest !== "") yield rest;
  }

  /**
   * Answers many questions and yields each answer as soon as it is finished, so that a log of them can be kept. When one
   * is finished, the next question takes its place in the batch.
   *
   * @param questions The questions.
   * @param options As {@linkcode Model.answer} takes them, and the indexes of questions to leave out.
   * @returns The answers, in the order in which they end; the same answers as {@linkcode Model.answer} gives.
   * @throws {RangeError} If a prompt does not fit the context, or an option is out of range.
   * @throws {TypeError} If an option is unknown.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { loadModel } from "tunebook";
   *
   * const model = await loadModel("nano", { device: "cpu" });
   * const questions = ["Name a fruit.", "Name a colour."];
   * const answers: string[] = [];
   * for await (const { index, answer } of model.answerEach(questions, { maxNewTokens: 4 })) answers[index] = answer;
   * assertEquals(answers, await model.answer(questions, { maxNewTokens: 4 }));
   * ```
   */
  async *answerEach(
    questions: readonly Question[],
    options: AnswerEachOptions = {},
  ): AsyncGenerator<FinishedAnswer, void, void> {
    assertKnownOptions("answer", options, ANSWER_EACH_OPTIONS);
    assertArray("answer", questions, "questions");
    const { skip = new Set(), samples = 1, ...answering } = options;
    assertSamples(samples, answering);
    const { prompts, settings } = this.#ask(questions, answering);
    const asked = prompts.map((prompt, index) => ({ index, prompt }))
      .filter(({ index, prompt }) => !skip.has(index) && prompt.length > 0);
    assertPrompts(this.network, asked.map(({ prompt }) => prompt), settings);
    let done = 0;
    const finished = continueEach(this.network, asked, { ...settings, samples });
    for await (const { index, sample, tokens, finish } of finished) {
      options.onProgress?.(++done, asked.length * samples);
      const answer = this.#textOf(tokens, options.stop);
      yield { index, sample, answer, tokens: tokens.length, finish };
    }
  }

  /**
   * Fine-tunes the model on entries. Each iteration of the returned training takes a step and changes the weights; a loop
   * that is left early keeps the steps taken so far.
   *
   * @param entries Instructions or conversations.
   * @param options Those of `sft()`, the format, and entries to evaluate on.
   * @returns The training: loop over it, or call `finish()`.
   * @throws {RangeError} If an option is out of range, or no token of the entries counts.
   * @throws {TypeError} If an option is unknown, or an entry cannot be written in the format.
   *
   * @example A training that is watched
   * ```ts
   * import { assert } from "@std/assert";
   * import { loadModel } from "tunebook";
   *
   * const model = await loadModel("nano", { device: "cpu" });
   * const entries = [{ instruction: "Name a colour.", input: "", output: "Blue." }];
   * const losses: number[] = [];
   * for await (const { loss } of model.train(entries, { epochs: 3, learningRate: 1e-3 })) losses.push(loss);
   * assert(losses[2] < losses[0]);
   * ```
   *
   * @example Answers that are scored, and decide when it ends
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { loadModel } from "tunebook";
   *
   * const model = await loadModel("nano", { device: "cpu" });
   * const entries = [{ instruction: "Name a colour.", input: "", output: "Blue." }];
   * using training = model.train(entries, {
   *   validation: entries,
   *   epochs: 2,
   *   answers: { every: 1, metrics: ["rougeL"], maxNewTokens: 4 },
   *   earlyStopping: { patience: 3, metric: "rougeL" },
   * });
   * for await (const { observation } of training) assertEquals(observation?.answers.length, 1);
   * assertEquals(typeof training.best?.score, "number");
   * ```
   */
  train(entries: readonly DatasetEntry[], options: TrainOptions = {}): Training {
    assertKnownOptions("train", options, TRAIN_OPTIONS);
    const { format: named, validation = [], checkpoint, answers, earlyStopping, ...rest } = options;
    assertKnownOptions("write checkpoints", checkpoint, CHECKPOINT_OPTIONS);
    if (answers) assertAnswers(answers);
    assertEntries("train on", entries);
    if (typeof validation !== "number") assertEntries("validate on", validation);
    const format = this.#teaching.formatFor(entries, named);
    describeFormat(format); // what could not be written down is refused before hours are spent
    const [learnt, heldOut] = holdBack(entries, validation);
    return sft(this.network, {
      ...rest,
      ...(answers && { measurement: measurementOf(this, heldOut, answers, format) }),
      ...(earlyStopping && { earlyStopping: withBetter(earlyStopping, answers?.metrics ?? []) }),
      ...(checkpoint && { checkpoint: this.#withRecord(checkpoint) }),
      examples: encodeExamples(learnt, this.tokenizer, format),
      validation: encodeExamples(heldOut, this.tokenizer, format),
    });
  }

  /**
   * Trains the model on preferences by direct preference optimization: chosen answers become more likely than rejected ones.
   * As a rule the model has been fine-tuned on answers before. The training is as {@linkcode Model.train} returns it.
   *
   * @param preferences Prompts with a chosen and a rejected answer.
   * @param options Those of `dpo()`, the format, and preferences to evaluate on.
   * @returns The training: loop over it, or call `finish()`.
   * @throws {RangeError} If an option is out of range, or no pair has tokens of both answers.
   * @throws {TypeError} If an option is unknown, or a preference cannot be written in the format.
   *
   * @example Shorter answers
   * ```ts
   * import { assert } from "@std/assert";
   * import { loadModel } from "tunebook";
   *
   * const model = await loadModel("nano", { device: "cpu" });
   * const preferences = [{ prompt: "Name a colour.", chosen: "Blue.", rejected: "A colour is blue." }];
   * const training = model.dpo(preferences, { epochs: 3, learningRate: 1e-4 });
   * const last = await training.finish();
   * assert(last!.margin > 0);
   * ```
   */
  dpo(
    preferences: readonly PreferenceEntry[],
    options: DpoTrainOptions = {},
  ): Training<DpoStep, DpoSettings> {
    assertKnownOptions("train on preferences", options, DPO_TRAIN_OPTIONS);
    const { format: named, validation = [], checkpoint, ...rest } = options;
    assertKnownOptions("write checkpoints", checkpoint, CHECKPOINT_OPTIONS);
    assertArray("train on", preferences, "preferences");
    assertArray("validate on", validation, "preferences");
    const chosen = preferences.map((preference) => withAnswer(preference, "chosen"));
    const format = this.#teaching.formatFor(chosen, named);
    describeFormat(format); // as for `train()`
    return dpo(this.network, {
      ...rest,
      ...(checkpoint && { checkpoint: this.#withRecord(checkpoint) }),
      pairs: encodePreferences(preferences, this.tokenizer, format),
      validation: encodePreferences(validation, this.tokenizer, format),
    });
  }

  /** Checkpoints with tokenizer and record, so that each is a model. */
  #withRecord(checkpoint: CheckpointOptions): CheckpointOptions {
    const complete = async (directory: string) => {
      const { completeCheckpoint } = await import("./save.ts");
      await completeCheckpoint(this, this.#teaching.toSave(), directory);
      await checkpoint.complete?.(directory);
    };
    return { ...checkpoint, complete };
  }

  /**
   * Encodes a question as the prompt that the model continues.
   *
   * @param question A question, an instruction, or a conversation.
   * @param options The format, if not its own.
   * @returns Token ids, as `generate()` takes them.
   *
   * @example
   * ```ts
   * import { assert } from "@std/assert";
   * import { loadModel } from "tunebook";
   *
   * const model = await loadModel("nano", { device: "cpu" });
   * assert(model.tokenizer.decode(model.encodePrompt("Hi")).endsWith("### Response:\n"));
   * ```
   */
  encodePrompt(question: Question, options: FormatOption = {}): number[] {
    assertKnownOptions("encode", options, FORMAT_OPTION);
    const entry = toEntry(question);
    return encodeQuestion(entry, this.tokenizer, this.#teaching.formatFor([entry], options.format));
  }

  /**
   * Encodes entries as the examples that {@linkcode Model.train} learns from, for use with the lower layers.
   *
   * @param entries Instructions or conversations.
   * @param options The format, if not its own.
   * @returns One example for each entry, as `sft()`, `measureLoss()` and the views take them.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { loadModel } from "tunebook";
   *
   * const model = await loadModel("nano", { device: "cpu" });
   * const [{ responseIds }] = model.encodeExamples([{ instruction: "Name a colour.", input: "", output: "Blue" }]);
   * assertEquals(model.tokenizer.decode(responseIds), "Blue<|endoftext|>");
   * ```
   */
  encodeExamples(entries: readonly DatasetEntry[], options: FormatOption = {}): EncodedExample[] {
    assertKnownOptions("encode", options, FORMAT_OPTION);
    assertEntries("encode", entries);
    return encodeExamples(
      entries,
      this.tokenizer,
      this.#teaching.formatFor(entries, options.format),
    );
  }

  /**
   * Scores the model on entries: the loss of the reference answers, the model's own answers, and how well they match the
   * references.
   *
   * @param entries Instructions or conversations.
   * @param options How tokens are chosen, what the loss counts.
   * @returns Loss, ROUGE-L, exact match, the metrics asked for, and the answers.
   * @throws {RangeError} If there are no entries, if no token of them counts, if a metric is unknown, or if a prompt does not
   * fit the context.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { loadModel } from "tunebook";
   *
   * const model = await loadModel("nano", { device: "cpu" });
   * const entries = [{ instruction: "Name a colour.", input: "", output: "Blue." }];
   * const { answers, metrics } = await model.evaluate(entries, { maxNewTokens: 4, metrics: ["chrf"] });
   * assertEquals([answers.length, metrics.chrf.each.length], [1, 1]);
   * ```
   */
  async evaluate(
    entries: readonly DatasetEntry[],
    options: EvaluateOptions = {},
  ): Promise<ModelEvaluation> {
    assertKnownOptions("evaluate", options, EVALUATE_OPTIONS);
    assertEntries("evaluate on", entries);
    const format = this.#teaching.formatFor(entries, options.format);
    const { evaluation, facts } = await evaluateModel(this, entries, format, options);
    this.#teaching.addEvaluation(facts);
    return evaluation;
  }

  /**
   * Saves the whole model: the weights, or the adapter and the name of its base; the tokenizer; the chat template;
   * `taught.json`, the record of its format, trainings and scores; and `README.md`, a model card, unless a person wrote
   * one. {@linkcode loadModel}, transformers and PEFT read the folder.
   *
   * A notebook, script or command that runs again replaces its own output. A folder that holds another program's model, or
   * one without a record, is refused unless `overwrite` is given.
   *
   * @param directory The folder; made if it does not exist.
   * @param options The stored type, whether to merge adapters into the weights, and whether to overwrite.
   * @returns Length and hash of the file with the weights.
   * @throws {Deno.errors.AlreadyExists} If the folder holds another program's model.
   * @throws {TypeError} If `merge` is given for a model without adapters, or an option is unknown.
   *
   * @example Saved and loaded again
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { loadModel } from "tunebook";
   *
   * const folder = await Deno.makeTempDir();
   * const model = await loadModel("nano", { device: "cpu" });
   * await model.save(folder);
   * const again = await loadModel(folder, { device: "cpu" });
   * const asked = "Name the opposite of hot.";
   * assertEquals(await again.answer(asked, { maxNewTokens: 4 }), await model.answer(asked, { maxNewTokens: 4 }));
   * await Deno.remove(folder, { recursive: true });
   * ```
   */
  async save(directory: string, options: SaveOptions = {}): Promise<SavedModel> {
    const { saveModel } = await import("./save.ts"); // when it is needed, as for exports
    return await saveModel(this, this.#teaching.toSave(), directory, options);
  }

  /**
   * Exports the model to Ollama, llama.cpp, PyTorch, onnxruntime or transformers, with the prompt template that it was taught. A model
   * that was never taught a format keeps its own template. What was written is read back, and is an error where it is not
   * the model: prompts are replayed, and their tokens, their logits and the closing token compared.
   *
   * @param target `"ollama:NAME"`, a path that ends with `.gguf` (`"gguf:PATH"` for other names), one that ends with
   * `.pth` for a PyTorch state dict, `"onnx:FOLDER"` for a folder with `model.onnx`, or a folder for Hugging Face's layout.
   * @param options The type of the weights; whether adapters become part of them; progress.
   * @returns The size of the weights, notices for the user, and how the export was compared.
   * @throws {Error} If what was written is not the model.
   * @throws {TypeError} If the target cannot hold unmerged adapters, or the format of the model is unknown.
   * @throws {Deno.errors.ConnectionRefused} If there is no Ollama.
   * @throws {Deno.errors.AlreadyExists} If the folder holds another program's model.
   *
   * @example A file for llama.cpp
   * ```ts
   * import { assert } from "@std/assert";
   * import { loadModel } from "tunebook";
   *
   * const folder = await Deno.makeTempDir();
   * const model = await loadModel("nano", { device: "cpu" });
   * await model.export(`${folder}/nano.gguf`, { type: "Q8_0" });
   * assert((await Deno.stat(`${folder}/nano.gguf`)).size > 1e6);
   * await Deno.remove(folder, { recursive: true });
   * ```
   */
  async export(target: string, options: ExportOptions = {}): Promise<Exported> {
    // When it is needed: those who never export need not load all forms of files.
    const { exportModel } = await import("./export.ts");
    const { formatToExport } = await import("./export/format.ts");
    const { saveModel } = await import("./save.ts");
    const { source, tokenizer, network, generation } = this;
    const named = options.format === undefined
      ? undefined
      : this.#teaching.formatFor([], options.format);
    const format = named ?? formatToExport(target, this.#teaching.taughtFormat, this.taught);
    return await exportModel(
      { source, tokenizer, network, generation, ...(format && { format }) },
      target,
      options,
      {
        save: (directory, how, write) =>
          saveModel(this, this.#teaching.toSave(), directory, how, write),
      },
    );
  }

  /** Gives the memory of weights and adapters back. */
  [Symbol.dispose](): void {
    removeLora(this.network);
    for (const tensor of this.network.parameters.values()) tensor.dispose();
  }

  /** What `console.log` shows. */
  [Symbol.for("Deno.customInspect")](): string {
    const { network: { architecture, parameters }, source, device, format, adapter } = this;
    const weights = [...parameters.values()].reduce((sum, { size }) => sum + size, 0);
    const packed = new Set([...parameters.values()].map(({ dtype }) => dtype));
    packed.delete("f32");
    const stored = packed.size > 0 ? `, matrices in ${[...packed].join(", ")}` : "";
    const beside = adapter ? `, LoRA of rank ${adapter.settings.rank}` : "";
    return `Model "${source.spec}" (${architecture}, ${
      (weights / 1e6).toFixed(1)
    } million weights` +
      `${stored}${beside}, format "${format.name}", ${device.name})`;
  }

  async #answerAll(questions: readonly Question[], options: AnswerOptions): Promise<string[]> {
    const { prompts, settings } = this.#ask(questions, options);
    const asked = [...prompts.keys()].filter((i) => prompts[i].length > 0);
    const answers: number[][] = prompts.map(() => []);
    let done = prompts.length - asked.length;
    for await (
      const { sequence, token, finish } of generateTokens(
        this.network,
        asked.map((i) => prompts[i]),
        settings,
      )
    ) {
      if (token !== undefined) answers[asked[sequence]].push(token);
      if (finish) options.onProgress?.(++done, prompts.length);
    }
    return answers.map((tokens) => this.#textOf(tokens, options.stop));
  }

  /** An answer's text. */
  #textOf(tokens: readonly number[], stop: readonly string[] = []): string {
    return cleanResponse(beforeStop(this.tokenizer.decode(tokens), stop));
  }

  #ask(questions: readonly Question[], options: AnswerOptions) {
    const entries = questions.map(toEntry);
    return askModel(this, entries, this.#teaching.formatFor(entries, options.format), options);
  }
}

function isArray<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

async function* onlyTokens(
  generated: AsyncIterable<{ token?: number }>,
): AsyncGenerator<number, void, void> {
  for await (const { token } of generated) if (token !== undefined) yield token;
}
