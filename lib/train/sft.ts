/**
 * Supervised fine-tuning: `for await (const step of sft(model, options))`.
 *
 * @module
 */

import { type EncodedExample, orderBatches, reportLengths } from "../dataset/mod.ts";
import { type LanguageModel, lossOf } from "../model/mod.ts";
import { record } from "../provenance.ts";
import { Random } from "../random.ts";
import { stopSignal } from "../stop.ts";
import { backward, globalNorm, scope, type Tensor } from "../tensor/mod.ts";
import type { Mask } from "../text/mod.ts";
import { type BatchLayout, makeBatch } from "./batch.ts";
import { findCheckpoint, restoreCheckpoint, saveCheckpoint } from "./checkpoint.ts";
import { measureLoss, withCounted } from "./evaluate.ts";
import { AdamW } from "./optimizer.ts";
import { assertOptions, type Evaluation, type SftOptions, type Step } from "./options.ts";
import { describeOptions, differences, type TrainingState } from "./state.ts";

/**
 * Sets up supervised fine-tuning of all of a model's parameters. Nothing is computed before the loop begins.
 *
 * The loop may be left at any step, by `break`, an error or a signal: the model then has the weights of the last whole
 * step, and looping over the same object again goes on from there.
 *
 * @param model The model, changed in place.
 * @param options Data and settings.
 * @returns What to loop over.
 * @throws {RangeError} If an option is out of range, or in a batch, or in all examples, nothing counts.
 */
export function sft(model: LanguageModel, options: SftOptions): Training {
  return new Training(model, options);
}

/** A training: loop over it to take steps. */
export class Training implements AsyncIterable<Step>, Disposable {
  /** What a person should know before it begins: examples that are cut or left out. */
  readonly notices: readonly string[];
  /** How many steps there will be. */
  readonly totalSteps: number;
  /** All steps taken by this object. */
  readonly history: Step[] = [];

  readonly #model: LanguageModel;
  readonly #options: SftOptions;
  readonly #examples: readonly EncodedExample[];
  /** Examples to evaluate on, those of which nothing counts left out. */
  readonly #evaluated: { train: readonly EncodedExample[]; validation: readonly EncodedExample[] };
  readonly #count: { mask: Mask; maxLength: number };
  readonly #layout: BatchLayout;
  readonly #stepsPerEpoch: number;
  readonly #optimizer: AdamW;
  #epochBatches: { epoch: number; batches: number[][] } | undefined;
  #described: Promise<Record<string, unknown>> | undefined;
  #step = 0;
  /** The newest checkpoint that belongs to this training. */
  #saved: { path: string; step: number } | undefined;
  #started = false;
  #running = false;
  #resumedFrom: string | undefined;

  /** @ignore Use {@linkcode sft}. */
  constructor(model: LanguageModel, options: SftOptions) {
    assertOptions(options);
    this.#model = model;
    this.#options = options;
    const { examples, validation = [], mask = "prompt", epochs = 1, maxSteps = Infinity } = options;
    this.#count = {
      mask,
      maxLength: Math.min(options.maxLength ?? Infinity, model.contextLength),
    };
    this.#layout = options.layout ?? (model.hasDropout ? "packed" : "forest");
    const counted = withCounted(examples, this.#count);
    if (counted.length === 0) {
      throw new RangeError(
        `Cannot learn from ${examples.length} examples: under the mask "${mask}" and with at most ` +
          `${this.#count.maxLength} tokens a sequence, no token of them counts`,
      );
    }
    this.#evaluated = { train: counted, validation: withCounted(validation, this.#count) };
    this.notices = [
      reportLengths(examples, this.#count).message,
      prefixed("Validation: ", reportLengths(validation, this.#count).message),
    ].filter((notice) => notice !== undefined);
    // Explicit orders name examples by index, so those must stay where they are.
    this.#examples = typeof (options.order ?? "shuffled") === "string" ? counted : examples;
    this.#stepsPerEpoch = this.#batches(0).length;
    this.#assertBatchesCount(new Set(counted));
    this.totalSteps = Math.min(this.#stepsPerEpoch * epochs, maxSteps);
    this.#optimizer = new AdamW(model.parameters, options);
  }

  /** Steps taken, those before a checkpoint included. */
  get step(): number {
    return this.#step;
  }

  /** The checkpoint that it went on from, once it has begun. */
  get resumedFrom(): string | undefined {
    return this.#resumedFrom;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Step, void, void> {
    if (this.#running) throw new TypeError("Cannot train twice at once: a loop is still running");
    this.#running = true;
    try {
      await this.start();
      const signal = this.#options.signal ?? stopSignal();
      while (this.#step < this.totalSteps) {
        signal?.throwIfAborted();
        const update = await this.#update();
        try {
          const step = { ...update, ...await this.#lookAt(update, signal) };
          this.history.push(step);
          yield step;
        } finally {
          // Only now: what the loop's body logs of a step must not be lost by a kill between checkpoint and log.
          await this.#saveIfDue();
        }
      }
    } finally {
      this.#running = false;
    }
  }

  /**
   * Restores the newest checkpoint where that was asked for. The loop does it; call it to know {@linkcode step} before.
   *
   * @throws {RangeError} If the checkpoint belongs to another training, or would go on to other bits.
   */
  async start(): Promise<void> {
    if (this.#started) return;
    const { checkpoint, resume, seed = 123 } = this.#options;
    const found = checkpoint && resume ? await findCheckpoint(checkpoint.directory) : undefined;
    if (found) {
      const { path, state } = found;
      await this.#assertResumable(path, state);
      await restoreCheckpoint(path, this.#model, this.#optimizer, state.step);
      this.#step = state.step;
      this.#saved = { path, step: state.step };
      this.#resumedFrom = path;
    }
    await record("training", { ...this.#model.device.facts, seed });
    this.#started = true;
  }

  /**
   * Writes a checkpoint now, unless the newest one is of this step already.
   *
   * @returns Its directory.
   * @throws {TypeError} If no directory for checkpoints was given.
   */
  async save(): Promise<string> {
    const directory = this.#options.checkpoint?.directory;
    if (!directory) throw new TypeError('Cannot save a checkpoint without "checkpoint.directory"');
    if (this.#saved?.step === this.#step) return this.#saved.path;
    const state = await this.#state();
    const anew = this.#saved === undefined;
    const path = await saveCheckpoint(directory, this.#model, this.#optimizer, state, { anew });
    this.#saved = { path, step: state.step };
    return path;
  }

  /** Gives the optimizer's memory back. The model stays. */
  [Symbol.dispose](): void {
    this.#optimizer[Symbol.dispose]();
  }

  /** Takes a step: forward, backward, update. */
  async #update(): Promise<Step> {
    const { learningRate = 5e-5, maxGradientNorm = Infinity, seed = 123 } = this.#options;
    const number = this.#step + 1;
    const epoch = Math.floor(this.#step / this.#stepsPerEpoch);
    const began = performance.now();
    const batch = makeBatch(
      this.#batches(epoch)[this.#step % this.#stepsPerEpoch].map((i) => this.#examples[i]),
      { ...this.#count, layout: this.#layout },
    );
    const dropoutSeed = this.#model.hasDropout ? mixSeeds(seed, number) : undefined;
    this.#optimizer.zeroGrad();
    using lossTensor = scope(() => {
      const loss = lossOf(this.#model, batch, { dropoutSeed });
      backward(loss);
      return loss;
    });
    const gradients = [...this.#model.parameters.values()].map(({ grad }) => grad)
      .filter((grad): grad is Tensor => grad !== undefined);
    const [gradientNorm, loss] = await Promise.all([globalNorm(gradients), lossTensor.item()]);
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
      this.#optimizer.zeroGrad();
      throw new RangeError(
        `Cannot go on after step ${this.#step}: the next loss is ${loss} and the gradient's norm ` +
          `${gradientNorm}; the model keeps its weights (a lower learning rate than ${learningRate} may help)`,
      );
    }
    this.#optimizer.step(learningRate, Math.min(1, maxGradientNorm / (gradientNorm + 1e-6)));
    await this.#model.device.sync();
    this.#step = number;
    return {
      step: number,
      totalSteps: this.totalSteps,
      epoch: epoch + 1,
      loss,
      learningRate,
      tokensComputed: batch.tokensComputed,
      tokensCounted: batch.tokensCounted,
      seconds: (performance.now() - began) / 1000,
      gradientNorm,
    };
  }

  /** Evaluates after a step, and makes a sample, where these are due. */
  async #lookAt(
    { step }: Step,
    signal: AbortSignal | undefined,
  ): Promise<Pick<Step, "evaluation" | "sample">> {
    const { evalEvery = 5 } = this.#options;
    const evaluates = evalEvery > 0 && (step % evalEvery === 0 || step === this.totalSteps);
    const evaluation = evaluates ? await this.#evaluate(signal) : undefined;
    const endsEpoch = step % this.#stepsPerEpoch === 0;
    const sample = endsEpoch ? await this.#options.sample?.(this.#model) : undefined;
    return { ...(evaluation && { evaluation }), ...(sample !== undefined && { sample }) };
  }

  /** Measures losses; undefined where a stop comes first, since the step itself is done. */
  async #evaluate(signal: AbortSignal | undefined): Promise<Evaluation | undefined> {
    const { batchSize = 8, evalIters = 5 } = this.#options;
    const measure = async (examples: readonly EncodedExample[]) =>
      (await measureLoss(this.#model, examples.slice(0, evalIters * batchSize), {
        ...this.#count,
        batchSize,
        signal,
      })).loss;
    const { train, validation } = this.#evaluated;
    try {
      const trainLoss = await measure(train);
      if (validation.length === 0) return { trainLoss };
      return { trainLoss, validationLoss: await measure(validation) };
    } catch (error) {
      if (signal?.aborted && error === signal.reason) return undefined;
      throw error;
    }
  }

  #batches(epoch: number): number[][] {
    if (this.#epochBatches?.epoch !== epoch) {
      const { batchSize = 8, order = "shuffled", seed = 123, dropLast = true } = this.#options;
      const full = dropLast && this.#examples.length >= batchSize;
      const options = { batchSize, order, seed, epoch, dropLast: full };
      this.#epochBatches = { epoch, batches: orderBatches(this.#examples.length, options) };
    }
    return this.#epochBatches.batches;
  }

  /** Finds a batch of which nothing counts before hours are spent on those before it. */
  #assertBatchesCount(counted: ReadonlySet<EncodedExample>): void {
    const { mask, maxLength } = this.#count;
    for (const [at, indices] of this.#batches(0).entries()) {
      if (indices.some((i) => counted.has(this.#examples[i]))) continue;
      throw new RangeError(
        `Cannot learn from batch ${at + 1} of the order (examples ${indices.join(", ")}): under ` +
          `the mask "${mask}" and with at most ${maxLength} tokens a sequence, no token of it counts`,
      );
    }
  }

  async #saveIfDue(): Promise<void> {
    const { checkpoint } = this.#options;
    if (!checkpoint) return;
    const every = checkpoint.every ?? 50;
    if (this.#step % every === 0 || this.#step === this.totalSteps) await this.save();
  }

  async #assertResumable(path: string, state: TrainingState): Promise<void> {
    const now = await this.#state();
    const others = differences(state.options, now.options);
    if (others.length > 0) {
      throw new RangeError(
        `Cannot resume from "${path}": it was made with other options (${others.join("; ")})`,
      );
    }
    if (state.step > this.totalSteps) {
      throw new RangeError(
        `Cannot resume from "${path}": it is after step ${state.step}, and ${this.totalSteps} ` +
          "steps are asked for",
      );
    }
    const otherBits = differences(state.facts, now.facts);
    if (otherBits.length > 0 && !await this.#options.confirmOtherBits?.(otherBits)) {
      throw new RangeError(
        `Cannot resume from "${path}" to the same bits: ${otherBits.join("; ")}`,
      );
    }
  }

  /** What decides the steps, and the bits. */
  async #state(): Promise<TrainingState> {
    this.#described ??= describeOptions(this.#model, this.#options, {
      ...this.#count,
      examples: this.#examples,
      layout: this.#layout,
    });
    const options = await this.#described;
    return { version: 1, step: this.#step, options, facts: this.#model.device.facts };
  }
}

/** A seed for each step's dropout. */
function mixSeeds(seed: number, step: number): number {
  return new Random([seed, step]).uint32();
}

function prefixed(prefix: string, message: string | undefined): string | undefined {
  return message === undefined ? undefined : prefix + message;
}
