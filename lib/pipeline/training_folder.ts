// The folder of a training: log and checkpoints while it runs, the model and a summary once it is
// done.

import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";
import type { DatasetEntry, PreferenceEntry } from "../dataset/mod.ts";
import { ChatTemplate } from "../text/mod.ts";
import { type FolderLock, lockFolder } from "../folder_lock.ts";
import { stringifyJson } from "../json_source.ts";
import { findCheckpoint, removeCheckpoints } from "../train/checkpoint.ts";
import type { Best, Evaluation } from "../train/mod.ts";
import { checkpointName } from "../weights/names.ts";
import { writeFileBeside } from "../write_beside.ts";
import type { Model } from "./model.ts";
import { assertOwn } from "./own_folder.ts";
import { currentProgram } from "./program.ts";
import { RECORD_FILE } from "./record.ts";
import type { SaveOptions } from "./save.ts";

/** What is known of a training that is done: `training.json`, and what `--json` prints. */
export interface TrainingSummary {
  /** The folder. */
  readonly out: string;
  /** How it learnt, if not by supervised fine-tuning. */
  readonly method?: "dpo";
  /** How many steps were taken. */
  readonly steps: number;
  /** The last step's loss. */
  readonly loss: number | null;
  /** What was measured after the last step, if anything was. */
  readonly evaluation: Evaluation | null;
  /** The lowest validation loss, or the best score, and after which step it was, where its weights were kept. */
  readonly best?: Pick<Best, "step" | "validationLoss" | "score">;
  /** Wall time of all steps. */
  readonly seconds: number;
  /** Tokens that the model computed in all steps. */
  readonly tokensComputed: number;
  /** Targets that counted in all steps. */
  readonly tokensCounted: number;
  /** What it was trained on. */
  readonly device: string;
  /** How its entries were written: as prompt and response, or by a chat template. */
  readonly format: "alpaca" | "chat";
  /** Of the weights' file. */
  readonly sha256: string;
}

/** Any of these shows that a folder is a training's own, and not one that holds several. */
const OWN = ["config.json", "adapter_config.json", RECORD_FILE, "checkpoint", "steps.jsonl"];

/** Files that `writeBeside()` was writing when the process was killed. */
const HALF_WRITTEN = /^\..+\.[0-9a-f]{8}\.unfinished$/;

/** The folder of one training. */
export class TrainingFolder {
  /** Where checkpoints are. */
  readonly checkpoints: string;
  /** The log, unless it is kept elsewhere. */
  readonly log: string;
  readonly #summary: string;

  private constructor(readonly path: string) {
    this.checkpoints = join(path, "checkpoint");
    this.log = join(path, "steps.jsonl");
    this.#summary = join(path, "training.json");
  }

  /**
   * Finds a training's folder: the one that is named, or one with a name of the model's in it, where it is a folder of
   * several or is written with a slash at its end.
   *
   * @param out What was asked for.
   * @param model The model's name.
   * @returns The folder, which need not exist.
   */
  static async find(out: string, model: string): Promise<TrainingFolder> {
    const path = resolve(out);
    const info = await Deno.stat(path).catch(() => undefined);
    if (info && !info.isDirectory) throw new Error(`Cannot write to "${out}": it is not a folder`);
    const names = info ? await Array.fromAsync(Deno.readDir(path), ({ name }) => name) : [];
    const isParent = info ? !OWN.some((name) => names.includes(name)) : /[/\\]$/.test(out);
    return new TrainingFolder(isParent ? join(path, checkpointName(model)) : path);
  }

  /**
   * Keeps other processes from training here.
   *
   * @throws {Deno.errors.Busy} If another one does.
   */
  async lock(): Promise<FolderLock> {
    return await lockFolder(this.path, { verb: "train", work: "training" });
  }

  /** Whether a stopped training here can be resumed. */
  async hasCheckpoint(): Promise<boolean> {
    return await findCheckpoint(this.checkpoints) !== undefined;
  }

  /** The summary of the training that was finished here, if one was. */
  async finished(): Promise<TrainingSummary | undefined> {
    let summary: TrainingSummary;
    try {
      summary = JSON.parse(await Deno.readTextFile(this.#summary));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw new SyntaxError(`Cannot read "${this.#summary}": ${(error as Error).message}`);
    }
    await removeCheckpoints(this.checkpoints); // a kill may have come when they were half removed
    return summary;
  }

  /**
   * Creates the folder for a training that starts or resumes, and removes files that a kill left
   * incomplete.
   */
  async open(): Promise<void> {
    await removeIfPresent(this.#summary);
    const parent = dirname(this.path);
    const unfinished = join(parent, `.${basename(this.path)}.unfinished`);
    await removeIfPresent(unfinished);
    if (await Deno.stat(this.path).catch(() => undefined)) {
      for await (const { name } of Deno.readDir(this.path)) {
        if (HALF_WRITTEN.test(name)) await removeIfPresent(join(this.path, name));
      }
      return;
    }
    // It comes with what tells it from a folder of several, so that a kill right here is no other --out to --resume.
    await Deno.mkdir(join(unfinished, "checkpoint"), { recursive: true });
    await Deno.rename(unfinished, this.path);
  }

  /**
   * Refuses to begin where another run's model is.
   *
   * @param base The model that is to be trained.
   * @param advice What a person may do about it.
   * @throws {Deno.errors.AlreadyExists} If the model there is another's.
   */
  async assertOwn(base: string, advice: string): Promise<void> {
    const program = currentProgram();
    await assertOwn(this.path, { ...(program && { program }), base, data: [] }, advice);
  }

  /**
   * Saves what a training made, a model or an adapter, then removes its checkpoints.
   *
   * @param model The model.
   * @param options How weights are stored, and whether adapters become part of them.
   * @param test Entries or pairs that were kept back, for scoring.
   * @param facts What the summary says beside the folder and the hash.
   * @returns The summary, and notices for the user.
   */
  async finish(
    model: Model,
    options: Pick<SaveOptions, "dtype" | "merge">,
    test: readonly (DatasetEntry | PreferenceEntry)[],
    facts: Omit<TrainingSummary, "out" | "format" | "sha256">,
  ): Promise<{ summary: TrainingSummary; notices: readonly string[] }> {
    const { sha256, notices } = await model.save(this.path, { ...options, overwrite: true });
    const format = model.format instanceof ChatTemplate ? "chat" : "alpaca";
    const summary = { out: this.path, ...facts, format, sha256 } as const;
    if (test.length > 0) {
      await writeFileBeside(join(this.path, "test.json"), `${stringifyJson(test, 4)}\n`);
    }
    await writeFileBeside(this.#summary, `${JSON.stringify(summary, null, 2)}\n`);
    await removeCheckpoints(this.checkpoints);
    return { summary, notices };
  }
}

async function removeIfPresent(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
