/**
 * What a model was taught, in this process and before it was loaded, and the prompt format that follows from it.
 *
 * @module
 */

import type { DatasetEntry } from "../dataset/chat_entry.ts";
import type { EntryFormat } from "../dataset/encode.ts";
import type { Network } from "../model/model.ts";
import { trainingsOf } from "../train/log.ts";
import { nameBase } from "../weights/base.ts";
import type { FoundModel } from "./find_model.ts";
import { describeFormat, formatFor, type FormatName } from "./format.ts";
import { describeTraining, type EvaluationFacts, type Taught } from "./record.ts";

/** The trainings, evaluations and formats of a model. */
export class Teaching {
  readonly #network: Network;
  readonly #loaded: FoundModel;
  #found: FoundModel;
  /** Evaluations in this process, and how many steps of training the model had taken before each. */
  readonly #evaluations: { readonly steps: number; readonly facts: EvaluationFacts }[] = [];
  /** The format that was set, and the number of trainings at that time: a later training takes precedence. */
  #set: { format: EntryFormat; trainings: number } | undefined;

  /**
   * Begins with what the model's files say.
   *
   * @param network The network, which notes its trainings.
   * @param found The files.
   */
  constructor(network: Network, found: FoundModel) {
    this.#network = network;
    this.#loaded = this.#found = found;
  }

  /** The files that the weights come from. */
  get found(): FoundModel {
    return this.#found;
  }

  /** Replaces the record, after the weights of another model were restored into this one. */
  adopt(found: FoundModel): void {
    this.#found = found;
    this.#evaluations.length = 0;
  }

  /** The record: format, base, trainings, and what was measured since the last. */
  get taught(): Taught {
    const { source } = this.#loaded;
    const { taught } = this.#found;
    const { commit } = source;
    const format = this.taughtFormat;
    const evaluations = this.#currentEvaluations();
    return {
      ...(format && { format: describeFormat(format) }),
      ...nameBase(source),
      ...(commit !== undefined && { commit }),
      trainings: [
        ...taught?.trainings ?? [],
        ...trainingsOf(this.#network).map(describeTraining),
      ],
      ...(evaluations.length > 0 && { evaluations }),
    };
  }

  /** The format that was set or taught, in this process or before; undefined where none is known. */
  get taughtFormat(): EntryFormat | undefined {
    const since = trainingsOf(this.#network).slice(this.#set?.trainings ?? 0);
    if (since.length > 0) return since.at(-1)!.format;
    return this.#set?.format ?? (this.#found.taught?.format && this.#found.format);
  }

  /** The format of prompts; setting it holds until a training in another. */
  get format(): EntryFormat {
    return this.taughtFormat ?? this.#found.format;
  }

  set format(format: EntryFormat) {
    this.#set = { format, trainings: trainingsOf(this.#network).length };
  }

  /**
   * Chooses the format of entries.
   *
   * @param entries The entries.
   * @param named The format that was asked for.
   * @returns That format, otherwise the model's.
   * @throws {TypeError} If the entries cannot be written in it.
   */
  formatFor(
    entries: readonly DatasetEntry[],
    named: FormatName | EntryFormat | undefined,
  ): EntryFormat {
    const { tokenizer } = this.#loaded;
    const { chatTemplate } = this.#found;
    const isTaught = this.taughtFormat !== undefined;
    const choice = { tokenizer, format: this.format, isTaught };
    return formatFor({ ...choice, ...(chatTemplate && { chatTemplate }) }, entries, named);
  }

  /** Adds what was measured of the weights as they are now. */
  addEvaluation(facts: EvaluationFacts): void {
    this.#evaluations.push({ steps: this.#stepsTaken(), facts });
  }

  /** What is saved beside the weights. */
  toSave() {
    const { format: _, ...taught } = this.taught;
    const { chatTemplate, taught: loaded } = this.#found;
    return { taught, format: this.taughtFormat, chatTemplate, loaded };
  }

  #stepsTaken(): number {
    return trainingsOf(this.#network).reduce((sum, { step }) => sum + step, 0);
  }

  /** Evaluations of the weights as they are now. Of those on the same entries with the same settings, the last. */
  #currentEvaluations(): EvaluationFacts[] {
    const taken = this.#stepsTaken();
    const before = taken === 0 ? this.#found.taught?.evaluations ?? [] : [];
    const here = this.#evaluations.filter(({ steps }) => steps === taken);
    const all = [...before, ...here.map(({ facts }) => facts)];
    const kind = ({ data, settings }: EvaluationFacts) => JSON.stringify([data, settings]);
    return [...new Map(all.map((facts) => [kind(facts), facts])).values()];
  }
}
