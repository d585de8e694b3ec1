/**
 * Checkpoints: all that a training needs to go on to the same bits. A checkpoint is a directory that appears whole,
 * by being renamed, or not at all.
 *
 * ```
 * checkpoint/step-000120/
 *   config.json, model.safetensors       the model, in Hugging Face's layout
 *   optimizer.safetensors                mean/NAME and variance/NAME of each parameter
 *   training.json                        position, options, and what decided the bits
 * ```
 *
 * @module
 */

import { join } from "@std/path";
import { type LanguageModel, saveModel } from "../model/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import { openSafetensors, type Safetensors, writeSafetensors } from "../weights/mod.ts";
import type { AdamW } from "./optimizer.ts";

/** What `training.json` holds. */
export interface TrainingState {
  /** The file's version. */
  readonly version: 1;
  /** Steps taken. */
  readonly step: number;
  /** What decides the steps: seeds, order, learning rate, the data's hash. Resuming needs the same. */
  readonly options: Readonly<Record<string, unknown>>;
  /** What decides the bits: device, BLAS, threads, tilings. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

const NAME = /^step-(\d{6,})$/;

/**
 * Writes a checkpoint and removes the older ones.
 *
 * @param directory Where checkpoints are kept; made if it does not exist.
 * @param model The model.
 * @param optimizer Its optimizer.
 * @param state Position and options.
 * @returns The checkpoint's directory.
 */
export async function saveCheckpoint(
  directory: string,
  model: LanguageModel,
  optimizer: AdamW,
  state: TrainingState,
): Promise<string> {
  const name = `step-${String(state.step).padStart(6, "0")}`;
  const path = join(directory, name);
  const unfinished = join(directory, `.${name}.unfinished`);
  await Deno.mkdir(directory, { recursive: true });
  await removeIfPresent(unfinished);
  await saveModel(model, unfinished);
  const entries = [...optimizer.moments].flatMap(([parameter, { mean, variance }]) => [
    { name: `mean/${parameter}`, shape: mean.shape, data: () => mean.data() },
    { name: `variance/${parameter}`, shape: variance.shape, data: () => variance.data() },
  ]);
  await writeSafetensors(join(unfinished, "optimizer.safetensors"), entries);
  await Deno.writeTextFile(
    join(unfinished, "training.json"),
    `${JSON.stringify(state, null, 2)}\n`,
  );
  await removeIfPresent(path);
  await Deno.rename(unfinished, path);
  for (const { path: older, step } of await listCheckpoints(directory)) {
    if (step < state.step) await Deno.remove(older, { recursive: true });
  }
  return path;
}

/**
 * Finds the newest checkpoint.
 *
 * @param directory Where checkpoints are kept.
 * @returns Its directory and state, or undefined where there is none.
 * @throws {SyntaxError} If its `training.json` is not what was written.
 */
export async function findCheckpoint(
  directory: string,
): Promise<{ path: string; state: TrainingState } | undefined> {
  const newest = (await listCheckpoints(directory)).at(-1);
  if (!newest) return undefined;
  const file = join(newest.path, "training.json");
  let state: TrainingState;
  try {
    state = JSON.parse(await Deno.readTextFile(file));
  } catch (cause) {
    throw new SyntaxError(`Cannot read "${file}": ${(cause as Error).message}`, { cause });
  }
  if (state?.version !== 1 || !Number.isInteger(state.step) || !state.options || !state.facts) {
    throw new SyntaxError(`Cannot read "${file}": expected version 1 of a training's state`);
  }
  return { path: newest.path, state };
}

/**
 * Reads a checkpoint into a model and its optimizer.
 *
 * @param path The checkpoint's directory.
 * @param model The model whose weights are overwritten.
 * @param optimizer The optimizer whose state is overwritten.
 * @param step Steps taken.
 * @throws {TypeError} If a tensor has another shape.
 * @throws {Deno.errors.NotFound} If a tensor is missing.
 */
export async function restoreCheckpoint(
  path: string,
  model: LanguageModel,
  optimizer: AdamW,
  step: number,
): Promise<void> {
  {
    using weights = await openSafetensors(join(path, "model.safetensors"));
    for (const [name, tensor] of model.parameters) {
      const stored = weights.tensors.has(name) ? name : `transformer.${name}`;
      await restore(weights, stored, tensor);
    }
  }
  using moments = await openSafetensors(join(path, "optimizer.safetensors"));
  for (const [name, { mean, variance }] of optimizer.moments) {
    await restore(moments, `mean/${name}`, mean);
    await restore(moments, `variance/${name}`, variance);
  }
  optimizer.steps = step;
}

async function restore(file: Safetensors, name: string, tensor: Tensor): Promise<void> {
  const { shape } = file.info(name);
  if (shape.join() !== tensor.shape.join()) {
    throw new TypeError(
      `Cannot resume from "${file.path}": "${name}" has the shape (${shape.join(", ")}), ` +
        `the model's is (${tensor.shape.join(", ")})`,
    );
  }
  tensor.assign(await file.read(name));
}

async function listCheckpoints(directory: string): Promise<{ path: string; step: number }[]> {
  const found: { path: string; step: number }[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(directory)) {
      const match = NAME.exec(name);
      if (match && isDirectory) found.push({ path: join(directory, name), step: Number(match[1]) });
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found.sort((a, b) => a.step - b.step);
}

async function removeIfPresent(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
