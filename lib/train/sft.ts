/**
 * Supervised fine-tuning: `for await (const step of sft(model, options))`.
 *
 * @module
 */

import { encodeHex } from "@std/encoding";
import { type EncodedExample, orderBatches, reportLengths } from "../dataset/mod.ts";
import { type LanguageModel, lossOf } from "../model/mod.ts";
import { record } from "../provenance.ts";
import { Random } from "../random.ts";
import { stopSignal } from "../stop.ts";
import { backward, globalNorm, scope, type Tensor } from "../tensor/mod.ts";
import type { Mask } from "../text/mod.ts";
import { type BatchLayout, makeBatch, type TrainingBatch } from "./batch.ts";
import {
  findCheckpoint,
  restoreCheckpoint,
  saveCheckpoint,
  type TrainingState,
} from "./checkpoint.ts";
import { measureLoss, withCounted } from "./evaluate.ts";
import { AdamW, type AdamWSettings } from "./optimizer.ts";

/** Options of {@linkcode sft}. */
export interface SftOptions extends AdamWSettings {
  /** What to learn from. */
  readonly examples: readonly EncodedExample[];
  /** What to evaluate on; none by default. */
  readonly validation?: readonly EncodedExample[];
  /** How often to go through the examples. 1 by default. */
  readonly epochs?: number;
  /** Stops after so many steps, if the epochs have more. */
  readonly maxSteps?: number;
  /** Examples a batch. 8 by default. */
  readonly batchSize?: number;
  /** Whether a last batch that is not full is left out, as the reference does. True by default. */
  readonly dropLast?: boolean;
  /** `shuffled` anew each epoch (the default), as `given`, or batches of indices. */
  readonly order?: "given" | "shuffled" | readonly (readonly number[])[];
  /** How a batch's sequences stand together; `forest` by default, `packed` where the model has dropout. */
  readonly layout?: BatchLayout;
  /** 5e-5 by default. */
  readonly learningRate?: number;
  /** Gradients longer than this, all taken together, are shortened to it. Not by default. */
  readonly maxGradientNorm?: number;
  /** Decides order and dropout. 123 by default. */
  readonly seed?: number;
  /** Which tokens count; `prompt` by default. */
  readonly mask?: Mask;
  /** The most tokens of a sequence; the model's context by default. */
  readonly maxLength?: number;
  /** Evaluates after every so many steps, and after the last; 0 for never. 5 by default. */
  readonly evalEvery?: number;
  /** On so many batches of each part. 5 by default. */
  readonly evalIters?: number;
  /** Run at the end of each epoch; what it returns is the step's `sample`. */
  readonly sample?: (model: LanguageModel) => string | Promise<string>;
  /** Where checkpoints are kept, and after how many steps one is written (50 by default, and when it ends). */
  readonly checkpoint?: { readonly directory: string; readonly every?: number };
  /** Goes on from the newest checkpoint, if there is one. By default it begins anew. */
  readonly resume?: boolean;
  /**
   * Asked where the checkpoint was made with another device, BLAS or number of threads, so that bits will differ.
   * By default the answer is no, and resuming fails.
   */
  readonly confirmOtherBits?: (differences: readonly string[]) => boolean | Promise<boolean>;
  /** Stops between steps: the loop rejects with the signal's reason. By default the stop button of a notebook. */
  readonly signal?: AbortSignal;
}

/** Losses on parts of the data. */
export interface Evaluation {
  /** On the first batches of the examples. */
  readonly trainLoss: number;
  /** On the first batches of the validation examples, if there are any. */
  readonly validationLoss?: number;
}

/** What happened in a step. */
export interface Step {
  /** Its number, from 1. */
  readonly step: number;
  /** How many there will be. */
  readonly totalSteps: number;
  /** Its epoch, from 1. */
  readonly epoch: number;
  /** Mean loss of a counted token of its batch before the update, in nats. */
  readonly loss: number;
  readonly learningRate: number;
  /** Tokens that the model computed. */
  readonly tokensComputed: number;
  /** Targets that counted. */
  readonly tokensCounted: number;
  /** Wall time of forward, backward and update. */
  readonly seconds: number;
  /** Euclidean norm of all gradients, before clipping. */
  readonly gradientNorm: number;
  /** Losses measured after the update, on steps that evaluate. */
  readonly evaluation?: Evaluation;
  /** What {@linkcode SftOptions.sample} returned, on the last step of an epoch. */
  readonly sample?: string;
}

/**
 * Sets up supervised fine-tuning of all of a model's parameters. Nothing is computed before the loop begins.
 *
 * The loop may be left at any step, by `break`, an error or a signal: the model then has the weights of the last whole
 * step, and looping over the same object again goes on from there.
 *
 * @param model The model, changed in place.
 * @param options Data and settings.
 * @returns What to loop over.
 * @throws {RangeError} If an option is out of range, or no example has anything that counts.
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
  readonly #count: { mask: Mask; maxLength: number };
  readonly #layout: BatchLayout;
  readonly #stepsPerEpoch: number;
  readonly #optimizer: AdamW;
  #epochBatches: { epoch: number; batches: number[][] } | undefined;
  #dataHash: string | undefined;
  #step = 0;
  #started = false;
  #running = false;
  #resumedFrom: string | undefined;

  /** @ignore Use {@linkcode sft}. */
  constructor(model: LanguageModel, options: SftOptions) {
    assertOptions(options);
    this.#model = model;
    this.#options = options;
    const { mask = "prompt", epochs = 1, maxSteps = Infinity } = options;
    this.#count = {
      mask,
      maxLength: Math.min(options.maxLength ?? Infinity, model.contextLength),
    };
    this.#layout = options.layout ?? (model.hasDropout ? "packed" : "forest");
    const { message } = reportLengths(options.examples, this.#count);
    this.notices = message ? [message] : [];
    // Explicit orders name examples by index, so those must stay where they are.
    this.#examples = typeof (options.order ?? "shuffled") === "string"
      ? withCounted(options.examples, this.#count)
      : options.examples;
    this.#stepsPerEpoch = this.#batches(0).length;
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
        const step = await this.#takeStep(signal);
        this.history.push(step);
        await this.#checkpointIfDue();
        yield step;
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
    const { checkpoint, resume, confirmOtherBits, seed = 123 } = this.#options;
    const found = checkpoint && resume ? await findCheckpoint(checkpoint.directory) : undefined;
    if (found) {
      const { path, state } = found;
      const now = await this.#state();
      const others = differences(state.options, now.options);
      if (others.length > 0) {
        throw new RangeError(
          `Cannot resume from "${path}": it was made with other options (${others.join("; ")})`,
        );
      }
      const otherBits = differences(state.facts, now.facts);
      if (otherBits.length > 0 && !await confirmOtherBits?.(otherBits)) {
        throw new RangeError(
          `Cannot resume from "${path}" to the same bits: ${otherBits.join("; ")}`,
        );
      }
      await restoreCheckpoint(path, this.#model, this.#optimizer, state.step);
      this.#step = state.step;
      this.#resumedFrom = path;
    }
    await record("training", { ...this.#model.device.facts, seed });
    this.#started = true;
  }

  /**
   * Writes a checkpoint now.
   *
   * @returns Its directory.
   * @throws {TypeError} If no directory for checkpoints was given.
   */
  async save(): Promise<string> {
    const directory = this.#options.checkpoint?.directory;
    if (!directory) throw new TypeError('Cannot save a checkpoint without "checkpoint.directory"');
    return await saveCheckpoint(directory, this.#model, this.#optimizer, await this.#state());
  }

  /** Gives the optimizer's memory back. The model stays. */
  [Symbol.dispose](): void {
    this.#optimizer[Symbol.dispose]();
  }

  async #takeStep(signal: AbortSignal | undefined): Promise<Step> {
    const { learningRate = 5e-5, maxGradientNorm = Infinity, seed = 123 } = this.#options;
    const number = this.#step + 1;
    const epoch = Math.floor(this.#step / this.#stepsPerEpoch);
    const began = performance.now();
    const batch = this.#batch(epoch, this.#step % this.#stepsPerEpoch);
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
    const seconds = (performance.now() - began) / 1000;
    const step: Step = {
      step: number,
      totalSteps: this.totalSteps,
      epoch: epoch + 1,
      loss,
      learningRate,
      tokensComputed: batch.tokensComputed,
      tokensCounted: batch.tokensCounted,
      seconds,
      gradientNorm,
    };
    const evaluation = this.#isEvaluated(number) ? await this.#evaluate(signal) : undefined;
    const endsEpoch = number % this.#stepsPerEpoch === 0;
    const sample = endsEpoch ? await this.#options.sample?.(this.#model) : undefined;
    return {
      ...step,
      ...(evaluation && { evaluation }),
      ...(sample !== undefined && { sample }),
    };
  }

  #isEvaluated(step: number): boolean {
    const { evalEvery = 5 } = this.#options;
    return evalEvery > 0 && (step % evalEvery === 0 || step === this.totalSteps);
  }

  /** Measures losses; undefined where a stop comes first, since the step itself is done. */
  async #evaluate(signal: AbortSignal | undefined): Promise<Evaluation | undefined> {
    const { validation = [], batchSize = 8, evalIters = 5 } = this.#options;
    const measure = async (examples: readonly EncodedExample[]) =>
      (await measureLoss(this.#model, examples.slice(0, evalIters * batchSize), {
        ...this.#count,
        batchSize,
        signal,
      })).loss;
    try {
      const trainLoss = await measure(this.#examples);
      if (validation.length === 0) return { trainLoss };
      return { trainLoss, validationLoss: await measure(validation) };
    } catch (error) {
      if (signal?.aborted) return undefined;
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

  #batch(epoch: number, index: number): TrainingBatch {
    const indices = this.#batches(epoch)[index];
    try {
      return makeBatch(indices.map((i) => this.#examples[i]), {
        ...this.#count,
        layout: this.#layout,
      });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new RangeError(
        `${error.message} (batch ${index + 1} of epoch ${epoch + 1}: examples ${
          indices.join(", ")
        })`,
        { cause: error },
      );
    }
  }

  async #checkpointIfDue(): Promise<void> {
    const { checkpoint } = this.#options;
    if (!checkpoint) return;
    const every = checkpoint.every ?? 50;
    if (this.#step % every === 0 || this.#step === this.totalSteps) await this.save();
  }

  /** What decides the steps, and the bits. */
  async #state(): Promise<TrainingState> {
    const { learningRate = 5e-5, maxGradientNorm, seed = 123, batchSize = 8 } = this.#options;
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.1 } = this.#options;
    const { order = "shuffled", dropLast = true } = this.#options;
    this.#dataHash ??= await hash(
      this.#examples.flatMap(({ promptIds, responseIds, instructionLength }) => [
        promptIds.length,
        instructionLength,
        ...promptIds,
        ...responseIds,
      ]),
    );
    return {
      version: 1,
      step: this.#step,
      options: {
        ...this.#count,
        layout: this.#layout,
        batchSize,
        dropLast,
        order: typeof order === "string" ? order : await hash(order.flat()),
        seed,
        learningRate,
        maxGradientNorm: maxGradientNorm ?? null,
        beta1,
        beta2,
        epsilon,
        weightDecay,
        examples: this.#dataHash,
      },
      facts: this.#model.device.facts,
    };
  }
}

function assertOptions(options: SftOptions): void {
  const check = (name: keyof SftOptions, valid: (value: number) => boolean, expected: string) => {
    const value = options[name];
    if (value !== undefined && !valid(value as number)) {
      throw new RangeError(`Cannot train with "${name}" ${value}: expected ${expected}`);
    }
  };
  const isCount = (value: number) => Number.isInteger(value) && value >= 1;
  const isWhole = (value: number) => Number.isInteger(value) && value >= 0;
  const isRate = (value: number) => value >= 0 && value < Infinity;
  const isDecay = (value: number) => value >= 0 && value < 1;
  check("epochs", isCount, "a positive integer");
  check("maxSteps", isCount, "a positive integer");
  check("batchSize", isCount, "a positive integer");
  check("maxLength", isCount, "a positive integer");
  check("evalEvery", isWhole, "an integer of 0 or more");
  check("evalIters", isCount, "a positive integer");
  check("seed", Number.isSafeInteger, "an integer");
  check("learningRate", isRate, "a number of 0 or more");
  check("weightDecay", isRate, "a number of 0 or more");
  check("maxGradientNorm", (value) => value > 0, "a number above 0");
  check("beta1", isDecay, "a number from 0 up to, not including, 1");
  check("beta2", isDecay, "a number from 0 up to, not including, 1");
}

/** Says where two sets of facts differ. */
function differences(
  before: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names].filter((name) => before[name] !== now[name])
    .map((name) => `${name} was ${JSON.stringify(before[name])}, is ${JSON.stringify(now[name])}`);
}

/** A seed for each step's dropout. */
function mixSeeds(seed: number, step: number): number {
  return new Random([seed, step]).uint32();
}

async function hash(integers: readonly number[]): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", Int32Array.from(integers));
  return encodeHex(digest);
}
