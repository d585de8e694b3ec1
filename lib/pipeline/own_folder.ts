/**
 * Folders that models are saved into: whose they are, and how all files of a model change together.
 *
 * @module
 */

import { join, resolve } from "@std/path";
import type { Program } from "./program.ts";
import { describeProgram } from "./program.ts";
import { readRecord, RECORD_FILE, type TaughtRecord } from "./record.ts";

/** Files that belong to a saved model or adapter; others in the folder are left alone. */
const MODEL_FILES = [
  "config.json",
  "generation_config.json",
  "model.safetensors",
  "model.safetensors.index.json",
  "adapter_config.json",
  "adapter_model.safetensors",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "chat_template.jinja",
  RECORD_FILE,
];

/** Where files are written before they take their places. */
const UNFINISHED = ".saving";

/** What tells a run's output from another's. */
export interface Lineage {
  /** The program, where it is known. */
  readonly program?: Program;
  /** The model that was trained. */
  readonly base: string;
  /** The data of its trainings, by hash. */
  readonly data: readonly string[];
}

/**
 * Refuses to save over a model that another run made. A run may replace its own output: where the program is known on
 * both sides, what the same notebook, script or command made; else what was made of the same model and the same data.
 *
 * @param directory The folder, which need not exist.
 * @param run What is to be saved there.
 * @param advice What a person may do about it.
 * @throws {Deno.errors.AlreadyExists} If the model there is another's, or nobody knows whose.
 */
export async function assertOwn(
  directory: string,
  run: Lineage,
  advice = 'give another folder, or "overwrite: true"',
): Promise<void> {
  const names = await namesIn(directory);
  if (!names.some((name) => MODEL_FILES.includes(name))) return;
  const cannot = `Cannot save to "${directory}"`;
  const record = await readRecord(directory);
  if (record === undefined) {
    throw new Deno.errors.AlreadyExists(
      `${cannot}: it holds a model without a "${RECORD_FILE}" that says what made it; ${advice}`,
    );
  }
  if (isSameRun(directory, record, run)) return;
  const maker = record.program === undefined
    ? `a model made from "${record.base}"`
    : `what the ${record.program.kind} "${record.program.name}" made`;
  throw new Deno.errors.AlreadyExists(`${cannot}: it holds ${maker}; ${advice}`);
}

function isSameRun(directory: string, record: TaughtRecord, { program, base, data }: Lineage) {
  if (record.program !== undefined && program !== undefined) {
    const { kind, name } = describeProgram(program, directory);
    return record.program.kind === kind && record.program.name === name;
  }
  return record.base === base &&
    record.trainings.map(({ data }) => data).join() === data.join();
}

/**
 * Replaces a folder's model by another: its files are written beside, then take their places, the record last, and
 * files of the former model that the new one does not have go.
 *
 * @param directory The folder; made if it does not exist.
 * @param write Writes all files into the folder that it is given.
 * @returns What `write` returned.
 */
export async function replaceModel<T>(
  directory: string,
  write: (directory: string) => Promise<T>,
): Promise<T> {
  const isNew = await Deno.stat(directory).then(() => false, () => true);
  const unfinished = join(directory, UNFINISHED);
  try {
    await Deno.remove(unfinished, { recursive: true }).catch(() => {}); // a kill may have left it
    await Deno.mkdir(unfinished, { recursive: true });
    const result = await write(unfinished);
    const written = await namesIn(unfinished);
    const others = written.filter((name) => name !== RECORD_FILE);
    for (const name of others) await Deno.rename(join(unfinished, name), join(directory, name));
    for (const name of await namesIn(directory)) {
      if (isOfModel(name) && !written.includes(name)) await Deno.remove(join(directory, name));
    }
    if (written.includes(RECORD_FILE)) {
      await Deno.rename(join(unfinished, RECORD_FILE), join(directory, RECORD_FILE));
    }
    await Deno.remove(unfinished);
    return result;
  } catch (error) {
    const failed = isNew ? directory : unfinished;
    await Deno.remove(failed, { recursive: true }).catch(() => {});
    throw error;
  }
}

/** Weights in several files are of the former model too. */
function isOfModel(name: string): boolean {
  return MODEL_FILES.includes(name) || /^model-\d{5}-of-\d{5}\.safetensors$/.test(name);
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await Array.fromAsync(Deno.readDir(resolve(directory)), ({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
