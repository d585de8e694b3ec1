/**
 * Folders of saved models: which program may replace them, and how all files are replaced together.
 *
 * @module
 */

import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";
import type { Program } from "./program.ts";
import { describeProgram } from "./program.ts";
import { readRecord, RECORD_FILE, type TaughtRecord } from "./record.ts";

/** Files that belong to a saved model or adapter; others in the folder are left alone. */
const MODEL_FILES = [
  "config.json",
  "generation_config.json",
  "model.safetensors",
  "model.safetensors.index.json",
  "model.onnx",
  "model.onnx_data",
  "adapter_config.json",
  "adapter_model.safetensors",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "chat_template.jinja",
  "chat_template.json",
  RECORD_FILE,
];

/** The temporary folder for new files. */
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
 * Refuses to replace another program's model. A program may replace its own output: the same notebook, script or command
 * if both are known, otherwise a model made from the same base and the same data.
 *
 * @param directory The folder, which need not exist.
 * @param run The program, base and data of the model to save.
 * @param advice The end of the error: what the user can do.
 * @throws {Deno.errors.AlreadyExists} If the folder holds another program's model, or a model without a record.
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
 * Replaces the model in a folder. The new files are written to a temporary folder first, then renamed, the record last;
 * files that only the old model had are removed.
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

/** Whether a file belongs to a saved model, sharded weights included. */
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
