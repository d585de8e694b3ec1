/**
 * Checkpoints: everything that a training needs to resume with bit-identical results. A checkpoint
 * is a directory that is renamed into place when complete.
 *
 * ```
 * checkpoint/step-000120/
 *   config.json, model.safetensors the model, in Hugging Face's layout, if all weights are
 *   trainable trained.safetensors the trainable tensors otherwise; training.json has the hash of
 *   the others optimizer.safetensors mean/NAME and variance/NAME of each parameter best.safetensors
 *   weights of the best evaluation, if they are kept training.json position, options, and what
 *   decided the bits
 * ```
 *
 * @module
 */

import { createHash } from "node:crypto";
import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { isFullyTrainable } from "../model/trainable.ts";
import { saveNetwork } from "../model/files.ts";
import type { Network } from "../model/model.ts";
import type { Tensor } from "../tensor/mod.ts";
import { partsOf } from "../tensor/parts.ts";
import { openSafetensors, type Safetensors } from "../weights/safetensors/read.ts";
import { writeSafetensors } from "../weights/safetensors/write.ts";
import type { WrittenFile } from "../weights/write_tensors.ts";
import { sha256File } from "../weights/sha256.ts";
import { writeFileBeside } from "../write_beside.ts";
import type { AdamW } from "./optimizer.ts";
import type { TrainingState } from "./state.ts";

const TRAINED = "trained.safetensors";
const NAME = /^step-(\d{6,})$/;
/** Suffixes of incomplete and of removed checkpoints, which a kill may leave behind. */
const LEFTOVER = /^\.step-\d{6,}\.(unfinished|discarded)$/;

/**
 * Writes a checkpoint and removes the others. A kill at any moment leaves the newest complete one.
 *
 * @param directory The directory of checkpoints; created if it does not exist.
 * @param model The model.
 * @param optimizer Its optimizer.
 * @param state Position and options.
 * @param options `anew` means that existing checkpoints belong to another training: they may be of
 * later steps and look newer, so they are removed before this one is renamed into place. `best` are
 * weights to keep too, by name. `complete` writes more files into the checkpoint.
 * @returns The checkpoint's directory.
 */
export async function saveCheckpoint(
  directory: string,
  model: Network,
  optimizer: AdamW,
  state: TrainingState,
  options: {
    anew?: boolean;
    best?: ReadonlyMap<string, Float32Array>;
    complete?: (directory: string) => Promise<void>;
  } = {},
): Promise<string> {
  const name = `step-${String(state.step).padStart(6, "0")}`;
  const path = join(directory, name);
  const unfinished = join(directory, `.${name}.unfinished`);
  await Deno.mkdir(directory, { recursive: true });
  await removeLeftovers(directory);
  const written = [
    isFullyTrainable(model)
      ? await saveNetwork(model, unfinished)
      : await saveTrained(optimizer, unfinished),
  ];
  const entries = [...optimizer.moments].flatMap(([parameter, { mean, variance }]) => [
    { name: `mean/${parameter}`, shape: mean.shape, data: () => partsOf(mean) },
    { name: `variance/${parameter}`, shape: variance.shape, data: () => partsOf(variance) },
  ]);
  written.push(await writeSafetensors(join(unfinished, "optimizer.safetensors"), entries));
  if (options.best) {
    const best = Array.from(options.best, ([name, values]) => {
      const { shape } = optimizer.parameters.get(name)!;
      return { name, shape, data: () => Promise.resolve(values) };
    });
    written.push(await writeSafetensors(join(unfinished, "best.safetensors"), best));
  }
  await options.complete?.(unfinished);
  const files = Object.fromEntries(written.map(({ path, sha256 }) => [basename(path), sha256]));
  for await (const { name, isFile } of Deno.readDir(unfinished)) {
    if (isFile) files[name] ??= await sha256File(join(unfinished, name));
  }
  const whole = { ...state, files };
  const text = JSON.stringify({ ...whole, sha256: hashOf(whole) }, null, 2);
  await writeFileBeside(join(unfinished, "training.json"), `${text}\n`);
  const others = await listCheckpoints(directory);
  if (options.anew) { for (const other of others) await discard(other.path); }
  await Deno.rename(unfinished, path);
  if (!options.anew) { for (const other of others) await discard(other.path); }
  return path;
}

/**
 * Removes all checkpoints and their directory.
 *
 * @param directory The directory of checkpoints; it need not exist.
 */
export async function removeCheckpoints(directory: string): Promise<void> {
  for (const { path } of await listCheckpoints(directory)) await discard(path);
  await removeIfPresent(directory);
}

/**
 * Finds the newest checkpoint.
 *
 * @param directory The directory of checkpoints.
 * @returns The newest one's directory and state; undefined if there is none.
 * @throws {SyntaxError} If its `training.json` is damaged.
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
  const { sha256, ...rest } = state;
  if (hashOf(rest) !== sha256) throw damaged(newest.path, "training.json", sha256);
  if (state.step !== newest.step) {
    throw new SyntaxError(
      `Cannot resume from "${newest.path}": its training.json is of step ${state.step}`,
    );
  }
  return { path: newest.path, state };
}

/**
 * Checks that the files of a checkpoint are those that were written.
 *
 * @param path The checkpoint's directory.
 * @param state Its state, which has their hashes.
 * @throws {SyntaxError} If a file has other bytes.
 * @throws {Deno.errors.NotFound} If a file is missing.
 */
export async function assertWhole(path: string, { files }: TrainingState): Promise<void> {
  for (const [name, sha256] of Object.entries(files ?? {})) {
    if (await sha256File(join(path, name)) !== sha256) throw damaged(path, name, sha256);
  }
}

function damaged(path: string, name: string, sha256: unknown): SyntaxError {
  return new SyntaxError(
    `Cannot resume from "${path}": ${name} is not what was written (its SHA-256 was ${sha256}); ` +
      "remove the checkpoint to start again",
  );
}

function hashOf(state: object): string {
  return createHash("sha256").update(JSON.stringify(state)).digest("hex");
}

/**
 * Reads a checkpoint into a model and its optimizer.
 *
 * @param path The checkpoint's directory.
 * @param model The model whose weights are overwritten.
 * @param optimizer The optimizer whose state is overwritten.
 * @param step Steps taken.
 * @throws {TypeError} If a tensor has another shape.
 * @throws {RangeError} If a tensor is missing.
 * @throws {SyntaxError} If a file is incomplete.
 */
export async function restoreCheckpoint(
  path: string,
  model: Network,
  optimizer: AdamW,
  step: number,
): Promise<void> {
  const full = isFullyTrainable(model);
  using weights = await openSafetensors(join(path, full ? "model.safetensors" : TRAINED));
  using moments = await openSafetensors(join(path, "optimizer.safetensors"));
  const pairs: [Safetensors, string, Tensor][] = [];
  for (const [name, tensor] of optimizer.parameters) {
    pairs.push([weights, weights.tensors.has(name) ? name : `${model.prefix}${name}`, tensor]);
  }
  for (const [name, { mean, variance }] of optimizer.moments) {
    pairs.push([moments, `mean/${name}`, mean], [moments, `variance/${name}`, variance]);
  }
  // All are checked before the first is overwritten.
  for (const [file, name, tensor] of pairs) assertShape(file, name, tensor);
  for (const [file, name, tensor] of pairs) tensor.assign(await file.read(name));
  optimizer.steps = step;
}

/**
 * Reads the weights of the best evaluation.
 *
 * @param path The checkpoint's directory.
 * @param optimizer The optimizer of the parameters.
 * @returns Elements by name.
 * @throws {TypeError} If a tensor has another shape.
 * @throws {RangeError} If a tensor is missing.
 * @throws {SyntaxError} If the file is incomplete.
 */
export async function readBest(
  path: string,
  optimizer: AdamW,
): Promise<ReadonlyMap<string, Float32Array>> {
  using file = await openSafetensors(join(path, "best.safetensors"));
  const best = new Map<string, Float32Array>();
  for (const [name, tensor] of optimizer.parameters) {
    assertShape(file, name, tensor);
    best.set(name, await file.read(name));
  }
  return best;
}

/** Writes the trainable parameters. */
async function saveTrained({ parameters }: AdamW, directory: string): Promise<WrittenFile> {
  await Deno.mkdir(directory, { recursive: true });
  const entries = Array.from(parameters, ([name, tensor]) => {
    return { name, shape: tensor.shape, data: () => partsOf(tensor) };
  });
  return await writeSafetensors(join(directory, TRAINED), entries);
}

function assertShape(file: Safetensors, name: string, tensor: Tensor): void {
  const { shape } = file.info(name);
  if (shape.join() !== tensor.shape.join()) {
    throw new TypeError(
      `Cannot resume from "${file.path}": "${name}" has the shape (${shape.join(", ")}), ` +
        `the model's is (${tensor.shape.join(", ")})`,
    );
  }
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

/**
 * Removes a checkpoint. It is renamed first, so that a kill does not leave half of one that looks
 * complete.
 */
async function discard(path: string): Promise<void> {
  const discarded = join(dirname(path), `.${basename(path)}.discarded`);
  await removeIfPresent(discarded);
  await Deno.rename(path, discarded);
  await Deno.remove(discarded, { recursive: true });
}

async function removeLeftovers(directory: string): Promise<void> {
  for await (const { name } of Deno.readDir(directory)) {
    if (LEFTOVER.test(name)) await Deno.remove(join(directory, name), { recursive: true });
  }
}

async function removeIfPresent(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
