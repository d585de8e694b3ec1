/**
 * Writes steps of a training for TensorBoard.
 *
 * @module
 */

import { join } from "@std/path/join";
import { writeAll } from "../write_beside.ts";
import type { DpoEvaluation, DpoStep } from "./dpo_options.ts";
import type { Event } from "./event_file.ts";
import type { Step } from "./options.ts";
import type { PreferenceMetrics } from "./preference_loss.ts";

/**
 * Writes an event file for `tensorboard --logdir`: `train/loss`, `train/learning_rate`, `train/grad_norm`,
 * `train/tokens_per_second`, and on steps with an evaluation `eval/train_loss` and `eval/loss`, the
 * validation loss; of `dpo()` also TRL's `rewards/…` and `logps/…` below `train` and `eval`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import type { Step } from "tunebook";
 * import { TensorBoard } from "tunebook/train";
 *
 * const directory = await Deno.makeTempDir();
 * const board = await TensorBoard.open(directory);
 * for (const step of [] as Step[]) await board.write(step); // of a training: for await
 * board[Symbol.dispose]();
 * assertEquals(Array.from(Deno.readDirSync(directory)).length, 1);
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export class TensorBoard implements Disposable {
  readonly #file: Deno.FsFile;

  readonly #encode: (event: Event) => Uint8Array;

  private constructor(
    file: Deno.FsFile,
    readonly path: string,
    encode: (event: Event) => Uint8Array,
  ) {
    this.#file = file;
    this.#encode = encode;
  }

  /**
   * Starts a new event file. It invalidates later steps in earlier files of the directory.
   *
   * @param directory The directory; created if it does not exist.
   * @param step Steps already done: 0, or where a training resumes.
   * @returns The writer.
   */
  static async open(directory: string, step = 0): Promise<TensorBoard> {
    await Deno.mkdir(directory, { recursive: true });
    const wallTime = Date.now() / 1000;
    // Readers sort a directory's files by name, which is also the order of time.
    const time = wallTime.toFixed(3).padStart(14, "0");
    const unique = crypto.randomUUID().slice(0, 8);
    const path = join(directory, `events.out.tfevents.${time}.tunebook.${unique}`);
    // When it is needed: few trainings write for TensorBoard.
    const { encodeEvent, FILE_VERSION, frameRecord } = await import("./event_file.ts");
    const file = await Deno.open(path, { write: true, createNew: true });
    const board = new TensorBoard(file, path, (event) => frameRecord(encodeEvent(event)));
    await board.#write({ wallTime, fileVersion: FILE_VERSION });
    await board.#write({ wallTime, step: step + 1, sessionStart: true });
    return board;
  }

  /**
   * Writes a step's numbers.
   *
   * @param step The step.
   */
  async write(step: Step): Promise<void> {
    const { loss, learningRate, gradientNorm, tokensComputed, seconds } = step;
    const { evaluation, observation } = step;
    const scalars: Record<string, number> = {
      "train/loss": loss,
      "train/learning_rate": learningRate,
      "train/grad_norm": gradientNorm,
      "train/tokens_per_second": tokensComputed / seconds,
    };
    if ("margin" in step) Object.assign(scalars, scalarsOfPairs("train", step as DpoStep));
    const { validation } = (evaluation ?? {}) as Partial<DpoEvaluation>;
    if (validation) Object.assign(scalars, scalarsOfPairs("eval", validation));
    if (evaluation) {
      scalars["eval/train_loss"] = evaluation.trainLoss;
      if (evaluation.validationLoss !== undefined) {
        scalars["eval/loss"] = evaluation.validationLoss;
      }
    }
    for (const [name, score] of Object.entries(observation?.scores ?? {})) {
      scalars[`eval/${name}`] = score;
    }
    await this.#write({ wallTime: Date.now() / 1000, step: step.step, scalars });
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  #write(event: Event): Promise<void> {
    return writeAll(this.#file, this.#encode(event));
  }
}

/** What is measured of pairs, by TRL's names. */
function scalarsOfPairs(
  part: "train" | "eval",
  { chosenReward, rejectedReward, accuracy, margin, chosenLogProb, rejectedLogProb }:
    PreferenceMetrics,
): Record<string, number> {
  return {
    [`${part}/rewards/chosen`]: chosenReward,
    [`${part}/rewards/rejected`]: rejectedReward,
    [`${part}/rewards/accuracies`]: accuracy,
    [`${part}/rewards/margins`]: margin,
    [`${part}/logps/chosen`]: chosenLogProb,
    [`${part}/logps/rejected`]: rejectedLogProb,
  };
}
