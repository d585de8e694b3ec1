/**
 * A training, whatever it minimizes: steps, evaluations, checkpoints, stopping.
 *
 * @module
 */

import { LoraAdapter, type LoraSettings } from "../model/lora.ts";
import type { Network } from "../model/model.ts";
import { trainableParameters } from "../model/trainable.ts";
import type { Communicator } from "../mpi/mod.ts";
import { recordProvenance } from "../provenance.ts";
import { stopSignal } from "../stop.ts";
import { recordDevice } from "../tensor/facts.ts";
import type { Tensor } from "../tensor/mod.ts";
import {
  assertWhole,
  findCheckpoint,
  readBest,
  restoreCheckpoint,
  saveCheckpoint,
} from "./checkpoint.ts";
import { FolderClaim } from "./claim.ts";
import { CHECKPOINT_EVERY } from "./defaults.ts";
import { DivergenceMonitor } from "./divergence.ts";
import { type Best, BestTracker, VALIDATION_LOSS } from "./early_stopping.ts";
import { addTrainingLog, type TrainingLog } from "./log.ts";
import { type RankLeader, rankLeader } from "./notebook_ranks.ts";
import type { Objective } from "./objective.ts";
import { AdamW } from "./optimizer.ts";
import type { Evaluation, Observation, Step } from "./options.ts";
import {
  assertSameFacts,
  broadcastTensors,
  hashTensors,
  StoppedByRank,
  stopTogether,
} from "./ranks.ts";
import { allRates, scheduledRate, warmupSteps } from "./schedule.ts";
import type { LoopSettings, TrainingSettings } from "./settings.ts";
import { assertResumable, describeOptions, type TrainingState } from "./state.ts";
import { TopicMonitor } from "./topic_monitor.ts";

/** A training: loop over it to take steps. */
export class Training<
  Report extends Step = Step,
  Settings extends LoopSettings = TrainingSettings,
> implements AsyncIterable<Report>, Disposable {
  /** The options with every default filled in. */
  readonly settings: Settings;
  /** Warnings to show before it begins: examples that are cut or left out. */
  readonly notices: readonly string[];
  /** The number of steps. */
  readonly totalSteps: number;
  /** All steps taken by this object. */
  readonly history: Report[] = [];

  readonly #model: Network;
  readonly #objective: Objective<Report>;
  readonly #optimizer: AdamW;
  /** Tracks validation losses, if the training may end early or keeps its best weights. */
  readonly #tracker: BestTracker | undefined;
  /** Watches the losses of topics; begins again when a training is resumed. */
  readonly #topics = new TopicMonitor();
  /** Watches the loss; begins again too. */
  readonly #divergence = new DivergenceMonitor();
  readonly #log: TrainingLog;
  /** Calls other ranks into the loop, in a notebook whose cells run in this rank alone. */
  readonly #leader: RankLeader | undefined;
  #described: Promise<Record<string, unknown>> | undefined;
  #step = 0;
  /** The newest checkpoint that belongs to this training. */
  #saved: { path: string; step: number } | undefined;
  #started = false;
  #running = false;
  /** The claim on the folder of checkpoints, while a loop runs. */
  #held: FolderClaim | undefined;
  #resumedFrom: string | undefined;

  /** @ignore Use {@linkcode sft} or {@linkcode dpo}. */
  constructor(model: Network, settings: Settings, objective: Objective<Report>) {
    this.#model = model;
    this.settings = settings;
    this.#objective = objective;
    const { epochs, maxSteps, earlyStopping, restoreBest } = settings;
    this.totalSteps = Math.min(objective.stepsPerEpoch * epochs, maxSteps);
    // A function of one's own is tried before hours are spent.
    if (typeof settings.schedule === "function") allRates(this.totalSteps, settings);
    this.notices = [...objective.notices, ...noticesOfWarmup(settings, this.totalSteps)];
    const { beta1, beta2, epsilon, weightDecay, recompute } = settings;
    this.#optimizer = new AdamW(assertLearns(trainableParameters(model)), {
      ...{ beta1, beta2, epsilon, weightDecay, reserveGradients: recompute },
    });
    const { communicator } = settings;
    const leader = rankLeader();
    this.#leader = communicator === leader?.communicator ? leader : undefined;
    this.#log = {
      format: objective.format,
      adapter: adapterOf(model),
      settings: {},
      examples: objective.examples,
      files: objective.files,
      device: model.device.name,
      step: 0,
      totalSteps: this.totalSteps,
    };
    addTrainingLog(model, this.#log);
    if (earlyStopping || restoreBest) {
      const kept = restoreBest ? this.#optimizer.parameters : undefined;
      this.#tracker = new BestTracker(earlyStopping, kept);
    }
  }

  /** Steps taken, including those before a checkpoint. */
  get step(): number {
    return this.#step;
  }

  /**
   * The evaluation with the lowest validation loss, or the best score, so far; with `earlyStopping` or `restoreBest`.
   */
  get best(): Best | undefined {
    return this.#tracker?.best;
  }

  /**
   * Whether the training is complete: all steps are taken, or the validation loss or score no longer improves.
   */
  get done(): boolean {
    return this.#step >= this.totalSteps || (this.#tracker?.exhausted ?? false);
  }

  /** The checkpoint that it resumed from, once it has begun. */
  get resumedFrom(): string | undefined {
    return this.#resumedFrom;
  }

  /**
   * Takes steps until the training ends. Where it writes checkpoints, no other training may write there meanwhile.
   *
   * @throws {Deno.errors.Busy} If another training is under way in the folder of checkpoints, naming its process.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Report, void, void> {
    if (this.#running) throw new TypeError("Cannot train twice at once: a loop is still running");
    this.#running = true;
    try {
      const signal = this.settings.signal ?? stopSignal();
      await using claim = await this.#claim(signal);
      this.#held = claim;
      await this.start();
      await this.#prepare(signal);
      await this.#catchUp(signal);
      while (!this.done) {
        await this.#callRanks(signal);
        await this.#together(() => stopTogether(this.settings.communicator, signal));
        const update = await this.#update(signal);
        try {
          const step = { ...update, ...await this.#lookAt(update, signal) };
          this.history.push(step);
          this.#log.loss = step.loss;
          this.#log.evaluation = step.evaluation ?? this.#log.evaluation;
          claim?.rest();
          yield step;
        } finally {
          claim?.work();
          // Written only now, so that a kill between checkpoint and log cannot lose what the loop's
          // body logged.
          await this.#saveIfDue();
        }
      }
      this.#tracker?.restore();
    } finally {
      await this.#leader?.leave(this);
      this.#held = undefined;
      this.#running = false;
    }
  }

  /**
   * Takes the remaining steps, and frees the optimizer's memory.
   *
   * @returns The last step; undefined if none was left.
   */
  async finish(): Promise<Report | undefined> {
    for await (const _ of this);
    this[Symbol.dispose]();
    return this.history.at(-1);
  }

  /**
   * Restores the newest checkpoint, if resuming was requested. The loop calls it; call it earlier
   * to read {@linkcode step}.
   *
   * @throws {RangeError} If the checkpoint belongs to another training, or the results would not be
   * bit-identical.
   */
  async start(): Promise<void> {
    if (this.#started) return;
    const { checkpoint, resume, seed, communicator } = this.settings;
    const found = checkpoint && resume && this.#isFirst
      ? await findCheckpoint(checkpoint.directory)
      : undefined;
    if (found) {
      const { path, state } = found;
      await assertResumable(path, state, await this.#state(), {
        totalSteps: this.totalSteps,
        confirmOtherBits: this.settings.confirmOtherBits,
      });
      await assertWhole(path, state);
      const best = state.best && this.settings.restoreBest
        ? await readBest(path, this.#optimizer)
        : undefined;
      await restoreCheckpoint(path, this.#model, this.#optimizer, state.step);
      this.#tracker?.resume(state.best, best);
      this.#step = this.#log.step = state.step;
      this.#saved = { path, step: state.step };
      this.#resumedFrom = path;
      await this.#objective.resume?.(path);
    }
    if (communicator && !this.#leader) await this.#startTogether(communicator);
    this.#log.settings = await this.#objective.describe();
    await recordDevice(this.#model.device);
    await recordProvenance("training", { seed });
    this.#started = true;
  }

  /**
   * Writes a checkpoint now, unless the newest one is already of this step.
   *
   * @returns Its directory.
   * @throws {TypeError} If no directory for checkpoints was given, or other ranks' checkpoints are rank 0's.
   */
  async save(): Promise<string> {
    const { directory, complete } = this.settings.checkpoint ?? {};
    if (!this.#isFirst) throw new TypeError("Cannot save a checkpoint in this rank: rank 0 does");
    if (!directory) throw new TypeError('Cannot save a checkpoint without "checkpoint.directory"');
    if (this.#saved?.step === this.#step) return this.#saved.path;
    const held = this.#held;
    await using _claim = held ? undefined : await this.#claim(undefined);
    held?.work();
    const state = await this.#state();
    await this.#prepare(undefined);
    const anew = this.#saved === undefined;
    const path = await saveCheckpoint(directory, this.#model, this.#optimizer, state, {
      anew,
      best: this.#tracker?.weights,
      complete: async (unfinished) => {
        await this.#objective.save?.(unfinished);
        await complete?.(unfinished);
      },
    });
    this.#saved = { path, step: state.step };
    return path;
  }

  /** Frees the optimizer's memory, but not the model's. */
  [Symbol.dispose](): void {
    this.#optimizer[Symbol.dispose]();
  }

  /** Whether this process reads and writes for all ranks. */
  get #isFirst(): boolean {
    return (this.settings.communicator?.rank ?? 0) === 0;
  }

  /** Calls the other ranks of a notebook into this loop, unless they are in it. */
  async #callRanks(signal: AbortSignal | undefined): Promise<void> {
    const leader = this.#leader;
    if (!leader || leader.isFollowedIn(this)) return;
    await leader.call(this, this.#model, this.settings, async () => {
      await this.#startTogether(leader.communicator);
      await this.#evaluateIfMissing(signal);
    });
  }

  /** Does what a notebook's other ranks do at the same time. */
  #together<T>(work: () => Promise<T>): Promise<T> {
    return this.#leader ? this.#leader.together(work) : work();
  }

  /** Brings other ranks to where rank 0 is, and checks that all will do the same. */
  async #startTogether(communicator: Communicator): Promise<void> {
    const now = { from: this.#resumedFrom, step: this.#step, best: this.#tracker?.best };
    const text = await communicator.broadcastText(JSON.stringify(now));
    const { from, step, best } = JSON.parse(text) as typeof now;
    if (step > 0) {
      const { parameters, moments } = this.#optimizer;
      await broadcastTensors(communicator, parameters.values());
      for (const { mean, variance } of moments.values()) {
        await broadcastTensors(communicator, [mean, variance]);
      }
      let weights = this.#tracker?.weights;
      if (best && this.settings.restoreBest) {
        weights ??= new Map(Array.from(parameters, ([name, { size }]) => [
          name,
          new Float32Array(size),
        ]));
        for (const values of weights.values()) {
          await communicator.broadcast(values as Float32Array<ArrayBuffer>);
        }
      }
      this.#tracker?.resume(best, weights);
      this.#optimizer.steps = step;
      this.#step = this.#log.step = step;
      this.#resumedFrom = from;
    }
    const { options, facts } = await this.#state();
    // Threads may be shared unevenly, and tilings measured; they decide no bits of what all ranks compute alike.
    const { threads: _, tiling: __, ...device } = facts;
    await assertSameFacts(communicator, "train", {
      deno: Deno.version.deno,
      ...options,
      ...device,
      evalEvery: this.settings.evalEvery,
      evalIters: this.settings.evalIters,
      validation: this.#objective.validation,
      weights: await hashTensors(this.#optimizer.parameters),
      totalSteps: this.totalSteps,
    });
  }

  /** Measures what the objective needs before the first step. */
  async #prepare(signal: AbortSignal | undefined): Promise<void> {
    await this.#objective.prepare?.(signal);
  }

  /** Takes the next step. */
  async #update(signal: AbortSignal | undefined): Promise<Report> {
    const { settings, totalSteps } = this;
    const { maxGradientNorm, recompute } = settings;
    const step = this.#step + 1;
    const learningRate = scheduledRate(step, totalSteps, settings);
    const began = performance.now();
    const report = await this.#together(() =>
      this.#objective.step(this.#step, this.#optimizer, {
        ...{ step, learningRate, maxGradientNorm, recompute, signal },
      })
    );
    this.#step = this.#log.step = step;
    const warning = this.#divergence.observe(step, report.loss, learningRate);
    return {
      step,
      totalSteps,
      epoch: Math.ceil(step / this.#objective.stepsPerEpoch),
      learningRate,
      seconds: (performance.now() - began) / 1000,
      ...report,
      ...(warning !== undefined && { warning }),
    } as Report;
  }

  /** Evaluates after a step and makes a sample, if these are due. */
  async #lookAt(
    { step }: Step,
    signal: AbortSignal | undefined,
  ): Promise<Pick<Report, "evaluation" | "observation" | "sample">> {
    const evaluation = this.#evaluatesAfter(step)
      ? await this.#together(() => this.#evaluate(signal))
      : undefined;
    const observation = this.#measuresAfter(step)
      ? await this.#together(() => this.#measure(signal))
      : undefined;
    const endsEpoch = step % this.#objective.stepsPerEpoch === 0;
    const sample = endsEpoch && this.#isFirst
      ? await this.settings.sample?.(this.#model)
      : undefined;
    return {
      ...(evaluation && { evaluation }),
      ...(observation && { observation }),
      ...(sample !== undefined && { sample }),
    };
  }

  #evaluatesAfter(step: number): boolean {
    const { evalEvery } = this.settings;
    return evalEvery > 0 && step > 0 && (step % evalEvery === 0 || step === this.totalSteps);
  }

  #measuresAfter(step: number): boolean {
    const { every } = this.settings.measurement ?? {};
    return every !== undefined && step > 0 && (step % every === 0 || step === this.totalSteps);
  }

  /**
   * Makes an evaluation that a stop prevented, if early stopping or the best weights depend on it.
   */
  async #catchUp(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#missesEvaluation) return;
    // Ranks that are called do it at once.
    if (this.#leader) await this.#callRanks(signal);
    else await this.#evaluateIfMissing(signal);
  }

  get #missesEvaluation(): boolean {
    const tracker = this.#tracker;
    if (!tracker || tracker.best?.evaluatedAt === this.#step) return false;
    return tracker.metric === VALIDATION_LOSS
      ? this.#evaluatesAfter(this.#step)
      : this.#measuresAfter(this.#step);
  }

  async #evaluateIfMissing(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#missesEvaluation) return;
    if (this.#tracker!.metric === VALIDATION_LOSS) await this.#evaluate(signal);
    else await this.#measure(signal);
    await stopTogether(this.settings.communicator, signal);
  }

  /** Measures losses; undefined if a stop comes first, because the step itself is done. */
  async #evaluate(signal: AbortSignal | undefined): Promise<Evaluation | undefined> {
    let evaluation: Evaluation;
    try {
      evaluation = await this.#objective.evaluate(signal);
    } catch (error) {
      if (signal?.aborted && error === signal.reason) return undefined;
      if (error instanceof StoppedByRank) return undefined;
      throw error;
    }
    if (evaluation.validationLoss !== undefined && this.#tracker?.metric === VALIDATION_LOSS) {
      await this.#tracker.observe(this.#step, evaluation.validationLoss);
    }
    const warnings = evaluation.topicLosses && this.#topics.observe(evaluation.topicLosses);
    return warnings?.length ? { ...evaluation, warnings } : evaluation;
  }

  /** Measures answers in rank 0, for all ranks; undefined if a stop comes first. */
  async #measure(signal: AbortSignal | undefined): Promise<Observation | undefined> {
    const { communicator, measurement } = this.settings;
    let own: Observation | undefined;
    try {
      own = this.#isFirst ? await measurement!.measure(this.#model, signal) : undefined;
    } catch (error) {
      if (!signal?.aborted || error !== signal.reason) throw error;
    }
    const observation: Observation | undefined = communicator
      ? JSON.parse(await communicator.broadcastText(JSON.stringify(own ?? null))) ?? undefined
      : own;
    const tracker = this.#tracker;
    if (!observation || !tracker || tracker.metric === VALIDATION_LOSS) return observation;
    const score = observation.scores[tracker.metric];
    if (score === undefined) {
      throw new RangeError(
        `Cannot stop early by "${tracker.metric}": the scores are ${
          Object.keys(observation.scores).join(", ") || "none"
        }`,
      );
    }
    await tracker.observe(this.#step, score);
    return observation;
  }

  /** Keeps other trainings out of the folder of checkpoints, if there is one. */
  async #claim(signal: AbortSignal | undefined): Promise<FolderClaim | undefined> {
    const { directory } = this.settings.checkpoint ?? {};
    if (!this.#isFirst) return undefined;
    return directory === undefined ? undefined : await FolderClaim.take(directory, signal);
  }

  async #saveIfDue(): Promise<void> {
    const { checkpoint } = this.settings;
    if (!checkpoint || !this.#isFirst) return;
    const every = checkpoint.every ?? CHECKPOINT_EVERY;
    if (this.#step % every === 0 || this.done) await this.save();
  }

  /** The facts that decide the steps, and the bits. */
  async #state(): Promise<TrainingState> {
    const { best } = this;
    this.#described ??= this.#objective.describe().then((settings) =>
      describeOptions(this.#model, this.settings, settings, this.totalSteps)
    );
    const options = await this.#described;
    const { communicator } = this.settings;
    // The order of sums depends on how many ranks there are.
    const facts = {
      ...this.#model.device.facts,
      ...(communicator && { ranks: communicator.size }),
    };
    return { version: 1, step: this.#step, options, ...(best && { best }), facts };
  }
}

/** What to say of a warm-up that is not over when the training is. */
function noticesOfWarmup(settings: LoopSettings, totalSteps: number): string[] {
  const steps = warmupSteps(settings, totalSteps);
  if (steps < totalSteps || totalSteps === 0) return [];
  const highest = scheduledRate(totalSteps, totalSteps, settings);
  return [
    `the warm-up of ${steps} steps is as long as the training of ${totalSteps}, or longer: the learning rate ` +
    `ends at ${Number(highest.toPrecision(3))} instead of ${settings.learningRate}`,
  ];
}

/** The settings of a model's adapters, if it has any. */
function adapterOf({ linears }: Network): LoraSettings | undefined {
  for (const { adapter } of linears.values()) {
    if (adapter instanceof LoraAdapter) return adapter.settings;
  }
}

function assertLearns(parameters: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  if (parameters.size > 0) return parameters;
  throw new TypeError(
    "Cannot train a model without trainable weights: all of its weights are frozen",
  );
}
