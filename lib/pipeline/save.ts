/**
 * A model in a folder: weights or adapter, tokenizer, format, record.
 *
 * @module
 */

import { basename } from "@std/path/basename";
import { isAbsolute } from "@std/path/is-absolute";
import { join } from "@std/path/join";
import { relative } from "@std/path/relative";
import { resolve } from "@std/path/resolve";
import type { EntryFormat } from "../dataset/mod.ts";
import { saveNetwork } from "../model/files.ts";
import { mergedCopy } from "../model/lora.ts";
import { saveLora } from "../model/lora_files.ts";
import type { Network } from "../model/model.ts";
import { isFullyTrainable } from "../model/trainable.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { stopSignal } from "../stop.ts";
import { type ChatTemplate, saveTokenizer, type Tokenizer } from "../text/mod.ts";
import type { ResolvedModel, WritableDtype, WrittenFile } from "../weights/mod.ts";
import { assertWritable } from "../weights/dtype.ts";
import { writeFileBeside } from "../write_beside.ts";
import { CARD_FILE, isCardReplaceable, writeCard } from "./card/card_file.ts";
import { findLineage } from "./card/lineage.ts";
import { type CardFacts, modelCard } from "./card/model_card.ts";
import { describeFormat, toChatTemplate } from "./format.ts";
import { type GenerationDefaults, toGenerationConfig } from "./generation_defaults.ts";
import { assertOwn, type Lineage, replaceModel } from "./own_folder.ts";
import { currentProgram, describeProgram } from "./program.ts";
import { readRecord, RECORD_FILE, type Taught, type TaughtRecord, writeRecord } from "./record.ts";

/** Options of {@linkcode Model.save}. */
export interface SaveOptions {
  /** Whether a model that another run made, or that has no record, may be replaced. False by default. */
  readonly overwrite?: boolean;
  /** How weights are stored. F32 by default. */
  readonly dtype?: WritableDtype;
  /** Whether what adapters learnt becomes part of the weights that are saved. False by default: they are saved alone. */
  readonly merge?: boolean;
  /** Stops it: the call rejects with the signal's reason, and the folder is as it was. */
  readonly signal?: AbortSignal;
}

const NAMES: OptionNames<SaveOptions> = {
  overwrite: true,
  dtype: true,
  merge: true,
  signal: true,
};

/** What a model's folder says. */
export interface SavedModel {
  /** The folder, in full. */
  readonly directory: string;
  /** Bytes of the file with the weights. */
  readonly bytes: number;
  /** Its hash. */
  readonly sha256: string;
  /** Notices for the user: a `README.md` that was kept because a person wrote or edited it. */
  readonly notices: readonly string[];
}

/** A model, as far as it is saved. */
interface Saving {
  readonly network: Network;
  readonly tokenizer: Tokenizer;
  readonly source: ResolvedModel;
  readonly generation: GenerationDefaults;
}

/** What is known of its training. */
interface Lesson {
  /** What it was taught, the format aside. */
  readonly taught: Omit<Taught, "format">;
  /** The format that it was taught, where one is known. */
  readonly format?: EntryFormat;
  /** The chat template that it came with, if any. */
  readonly chatTemplate?: ChatTemplate;
  /** The record that it was loaded with, if any. */
  readonly loaded?: TaughtRecord;
}

/** Writes all weights of a network, and its configuration, into a folder. */
export type WriteNetwork = (
  network: Network,
  directory: string,
  options: { dtype?: WritableDtype; signal?: AbortSignal },
) => Promise<WrittenFile>;

/**
 * Saves a model; see {@linkcode Model.save}.
 *
 * @param model The model.
 * @param lesson What is known of its training.
 * @param directory The folder.
 * @param options How.
 * @param write Writes weights that are not an adapter's; as safetensors by default.
 */
export async function saveModel(
  model: Saving,
  lesson: Lesson,
  directory: string,
  options: SaveOptions = {},
  write: WriteNetwork = saveNetwork,
): Promise<SavedModel> {
  assertKnownOptions("save", options, NAMES);
  if (typeof directory !== "string" || directory === "") {
    throw new TypeError(`Cannot save to ${JSON.stringify(directory)}: expected a folder's path`);
  }
  assertWritable("save weights", options.dtype);
  const { network, source } = model;
  const { overwrite = false, merge = false, dtype, signal = stopSignal() } = options;
  const adapted = [...network.linears.values()].some(({ adapter }) => adapter);
  if (merge && !adapted) {
    throw new TypeError(`Cannot merge into "${directory}": the model has no adapters`);
  }
  const folder = resolve(directory);
  if (adapted && !merge && source.kind === "directory" && resolve(source.directory) === folder) {
    throw new TypeError(
      `Cannot save the adapter to "${directory}": that is the folder of the model that it belongs to`,
    );
  }
  const record = describeRecord(model, lesson, folder);
  if (!overwrite) await assertOwn(folder, lineageOf(record));
  const alone = adapted && !merge;
  const holds = alone ? "adapter" : write === saveNetwork ? "weights" : "onnx";
  const replacesCard = await isCardReplaceable(folder);
  const { bytes, sha256 } = await replaceModel(folder, async (unfinished) => {
    const how = { ...(dtype && { dtype }), ...(signal && { signal }) };
    const written = await writeWeights(network, unfinished, { ...how, alone, write });
    const complete = { ...record, sha256: written.sha256 };
    await writeText(model, lesson, unfinished);
    if (replacesCard) {
      await writeCard(
        unfinished,
        await describeModel(model, folder, {
          ...{ holds, record: complete },
          hasTemplate: lesson.format !== undefined || lesson.chatTemplate !== undefined,
        }),
      );
    }
    await writeRecord(unfinished, complete);
    return written;
  });
  const notices = replacesCard ? [] : [noticeOfCard(folder)];
  return { directory: folder, bytes, sha256, notices };
}

/**
 * Adds what was measured of a model to the record and the card in its folder.
 *
 * @param model The model, as it was loaded from the folder.
 * @param directory The folder of its weights or its adapter.
 * @returns Notices for the user.
 * @throws {TypeError} If the folder has no record.
 */
export async function recordEvaluations(
  model: Saving & { readonly taught: Taught },
  directory: string,
): Promise<readonly string[]> {
  const folder = resolve(directory);
  const record = await assertRecord(folder);
  const { evaluations } = model.taught;
  const evaluated = { ...record, ...(evaluations && { evaluations }) };
  const replacesCard = await isCardReplaceable(folder);
  if (replacesCard) {
    const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
    const text = await describeModel(model, folder, {
      holds: names.includes("adapter_config.json") ? "adapter" : "weights",
      hasTemplate: names.includes("chat_template.jinja"),
      record: evaluated,
    });
    await writeCard(folder, text);
  }
  await writeRecord(folder, evaluated);
  return replacesCard ? [] : [noticeOfCard(folder)];
}

/**
 * Reads the record of a folder in which scores are to be kept.
 *
 * @param directory The folder of a model.
 * @returns The record.
 * @throws {TypeError} If there is none.
 */
export async function assertRecord(directory: string): Promise<TaughtRecord> {
  const record = await readRecord(directory);
  if (record !== undefined) return record;
  throw new TypeError(
    `Cannot record scores of "${directory}": expected a folder with "${RECORD_FILE}", which train, save and export write`,
  );
}

/** The card of a saved model. */
async function describeModel(
  { network, source }: Saving,
  folder: string,
  facts: Pick<CardFacts, "holds" | "hasTemplate" | "record">,
): Promise<string> {
  return modelCard({
    ...facts,
    name: basename(folder),
    architecture: network.architecture,
    parameters: [...network.parameters.values()].reduce((sum, { size }) => sum + size, 0),
    lineage: await findLineage(source),
  });
}

function noticeOfCard(folder: string): string {
  return `"${
    join(folder, CARD_FILE)
  }" was kept, because it was not written by Tunebook or was edited since; ` +
    "without it a model card is written";
}

/** Tokenizer, template, and the model's own settings of its answers. */
async function writeText(
  { tokenizer, source, generation }: Saving,
  { format, chatTemplate }: Lesson,
  directory: string,
): Promise<void> {
  await saveTokenizer(tokenizer, directory, source);
  const template = format ? toChatTemplate(format, tokenizer) : chatTemplate?.source;
  if (template !== undefined) {
    await writeFileBeside(join(directory, "chat_template.jinja"), template);
  }
  const settings = toGenerationConfig(generation, tokenizer);
  if (settings !== undefined) {
    const text = `${JSON.stringify(settings, null, 2)}\n`;
    await writeFileBeside(join(directory, "generation_config.json"), text);
  }
}

/**
 * Makes a checkpoint loadable as a model: adds the record, and the tokenizer and template if it holds all weights.
 *
 * @param model The model that is being trained.
 * @param lesson Its record so far.
 * @param directory The checkpoint's.
 */
export async function completeCheckpoint(
  model: Saving,
  lesson: Lesson,
  directory: string,
): Promise<void> {
  if (isFullyTrainable(model.network)) await writeText(model, lesson, directory);
  await writeRecord(directory, describeRecord(model, lesson, resolve(directory)));
}

async function writeWeights(
  network: Network,
  directory: string,
  { alone, write, ...how }: {
    alone: boolean;
    write: WriteNetwork;
    dtype?: WritableDtype;
    signal?: AbortSignal;
  },
): Promise<WrittenFile> {
  if (alone) return await saveLora(network, directory, how);
  using merged = mergedCopy(network);
  return await write(merged.network, directory, how);
}

function describeRecord(
  { source }: Saving,
  { taught, format, loaded }: Lesson,
  folder: string,
): TaughtRecord {
  const isInPlace = source.kind === "directory" && resolve(source.directory) === folder;
  const { evaluations } = taught;
  const { base, revision, commit } = isInPlace && loaded ? loaded : taught;
  const program = currentProgram();
  return {
    version: 1,
    ...(format && { format: describeFormat(format) }),
    base: isAbsolute(base) ? relative(folder, base).replaceAll("\\", "/") : base,
    ...(revision !== undefined && { revision }),
    ...(commit !== undefined && { commit }),
    trainings: taught.trainings,
    ...(evaluations && { evaluations }),
    ...(program && { program: describeProgram(program, folder) }),
  };
}

function lineageOf({ base, trainings }: TaughtRecord): Lineage {
  const program = currentProgram();
  return { ...(program && { program }), base, data: trainings.map(({ data }) => data) };
}
