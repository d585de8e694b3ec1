/**
 * The queue: requests that wait join those that are being answered, between two tokens.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { type Continuation, Decoding, type Finish } from "../model/decoding.ts";
import type { Network, SamplingOptions } from "../model/mod.ts";
import { Random } from "../random.ts";
import { TokenDecoder, type Tokenizer } from "../text/mod.ts";
import { RequestError } from "./errors.ts";
import { StopStrings } from "../text/stop_strings.ts";

/** A prompt to continue. */
export interface Job {
  /** Its tokens. */
  readonly prompt: readonly number[];
  /** The tokens that end the answer. */
  readonly ends: readonly number[];
  /** How tokens are chosen. */
  readonly sampling: SamplingOptions;
  /** Decides the draws. */
  readonly seed: number;
  /** The most tokens of the answer. */
  readonly maxNewTokens: number;
  /** The most tokens of prompt and answer together, at most the model's context. */
  readonly contextLength: number;
  /** Strings that end the answer; they are not part of it. */
  readonly stop: readonly string[];
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** How an answer ended, and what it took. */
export interface Ending {
  /** `stop`: at an end token or a stop string; `length`: after the most tokens, or at the end of the context. */
  readonly reason: "stop" | "length";
  /** Tokens of the answer. */
  readonly tokens: number;
  /** Milliseconds in the queue. */
  readonly queued: number;
  /** Milliseconds from there to the first token. */
  readonly reading: number;
  /** Milliseconds from there to the last. */
  readonly writing: number;
}

/** How many requests there may be. */
export interface QueueLimits {
  /** How many are answered at a time. */
  readonly parallel: number;
  /** How many more may wait. */
  readonly queue: number;
}

/** An answer that is being written: pieces of its text, none empty, then its ending. */
export type Answer = AsyncGenerator<string, Ending, void>;

/** A job in the queue, or among those that are answered. */
class Running implements Continuation {
  readonly prompt: readonly number[];
  readonly sampling: SamplingOptions;
  readonly random: Random;
  readonly maxNewTokens: number;
  readonly contextLength: number;
  readonly ends: ReadonlySet<number>;
  readonly signal: AbortSignal;
  /** Text that nobody has taken yet. */
  #pieces: string[] = [];
  #ending: Ending | undefined;
  #error: unknown;
  #changed = Promise.withResolvers<void>();
  readonly #decoder: TokenDecoder;
  readonly #stop: StopStrings;
  readonly #times = { submitted: performance.now(), begun: 0, first: 0 };
  #tokens = 0;

  constructor(job: Job, tokenizer: Tokenizer) {
    this.prompt = job.prompt;
    this.sampling = job.sampling;
    this.random = new Random([job.seed, 0]); // that of a single question to `Model.answer()`
    this.maxNewTokens = job.maxNewTokens;
    this.contextLength = job.contextLength;
    this.ends = new Set(job.ends);
    this.signal = job.signal;
    this.#decoder = new TokenDecoder(tokenizer);
    this.#stop = new StopStrings(job.stop);
  }

  get ended(): boolean {
    return this.#ending !== undefined || this.#error !== undefined;
  }

  /** It leaves the queue. */
  begin(): void {
    this.#times.begun = performance.now();
  }

  /** Takes a token, or the end. */
  take({ token, finish }: { token?: number; finish?: Finish }): void {
    if (this.ended) return;
    if (this.#times.first === 0) this.#times.first = performance.now();
    if (token !== undefined) {
      this.#tokens++;
      this.#add(this.#stop.push(this.#decoder.push(token)));
    }
    if (finish && !this.#stop.stopped) this.#add(this.#stop.push(this.#decoder.end()));
    if (this.#stop.stopped) return this.#end("stop");
    if (!finish) return;
    this.#add(this.#stop.end());
    this.#end(finish === "eos" ? "stop" : "length");
  }

  /** Ends it by an error. */
  fail(error: unknown): void {
    if (this.ended) return;
    this.#error = error;
    this.#changed.resolve();
  }

  /** Yields pieces as they come. */
  async *answer(): Answer {
    while (true) {
      const pieces = this.#pieces;
      this.#pieces = [];
      yield* pieces;
      if (this.#pieces.length > 0) continue;
      if (this.#error !== undefined) throw this.#error;
      if (this.#ending !== undefined) return this.#ending;
      await this.#changed.promise;
      this.#changed = Promise.withResolvers();
    }
  }

  #add(piece: string): void {
    if (piece === "") return;
    this.#pieces.push(piece);
    this.#changed.resolve();
  }

  #end(reason: Ending["reason"]): void {
    const { submitted, begun, first } = this.#times;
    this.#ending = {
      reason,
      tokens: this.#tokens,
      queued: begun - submitted,
      reading: first - begun,
      writing: performance.now() - first,
    };
    this.#changed.resolve();
  }
}

/** Answers jobs, several at a time. */
export class Scheduler {
  readonly #network: Network;
  readonly #tokenizer: Tokenizer;
  readonly #limits: QueueLimits;
  #waiting: Running[] = [];
  #active: Running[] = [];
  #closing = false;
  /** Settles when nothing is left to do; undefined while there is nothing. */
  #work: Promise<void> | undefined;

  /**
   * @param network The model.
   * @param tokenizer Its tokenizer.
   * @param limits How many jobs there may be.
   */
  constructor(network: Network, tokenizer: Tokenizer, limits: QueueLimits) {
    this.#network = network;
    this.#tokenizer = tokenizer;
    this.#limits = limits;
  }

  /** How many jobs wait, and how many are being answered. */
  get load(): { readonly waiting: number; readonly active: number } {
    return { waiting: this.#waiting.length, active: this.#active.length };
  }

  /**
   * Takes a job. Its options have been checked.
   *
   * @param job The prompt, and how to continue it.
   * @returns The answer.
   * @throws {RequestError} If as many jobs wait as may, or if the server is ending.
   */
  submit(job: Job): Answer {
    const { parallel, queue } = this.#limits;
    if (this.#closing) throw new RequestError(503, "Cannot answer: the server is ending");
    if (this.#active.length + this.#waiting.length >= parallel + queue) {
      throw new RequestError(
        503,
        `Cannot answer: ${this.#waiting.length} requests are waiting, expected at most ${queue}; try again later`,
      );
    }
    const running = new Running(job, this.#tokenizer);
    this.#waiting.push(running);
    this.#work ??= this.#run();
    return running.answer();
  }

  /** Takes no more jobs, and waits for those that there are. */
  async drain(): Promise<void> {
    this.#closing = true;
    await this.#work;
  }

  /** Ends all jobs by an error. */
  abort(error: unknown): void {
    this.#closing = true;
    for (const job of [...this.#waiting, ...this.#active]) job.fail(error);
  }

  async #run(): Promise<void> {
    await nextTurn(); // requests that arrive together are answered together
    while (this.#waiting.length > 0) {
      using decoding = new Decoding<Running>(this.#network);
      try {
        await this.#decode(decoding);
      } catch (error) {
        // The model cannot be asked any further with what its cache holds; waiting jobs get a new cache.
        for (const job of this.#active) job.fail(error);
      }
      this.#active = [];
    }
    this.#work = undefined; // in the same turn as the look at the queue, so that no job is left in it
  }

  /** Answers jobs until none is left. */
  async #decode(decoding: Decoding<Running>): Promise<void> {
    while (true) {
      this.#letGo(decoding);
      const joining = this.#waiting.splice(0, this.#limits.parallel - this.#active.length);
      if (joining.length > 0) {
        for (const job of joining) job.begin();
        this.#active.push(...joining);
        for await (const { of, ...token } of decoding.add(joining)) of.take(token);
      } else if (decoding.size > 0) {
        for await (const { of, ...token } of decoding.step()) of.take(token);
      } else {
        return;
      }
      await nextTurn();
    }
  }

  /** Leaves the jobs that have ended, and those whose clients have left. */
  #letGo(decoding: Decoding<Running>): void {
    for (const job of [...this.#waiting, ...this.#active]) {
      if (job.signal.aborted) job.fail(job.signal.reason);
    }
    this.#waiting = this.#waiting.filter((job) => !job.ended);
    for (const job of this.#active) if (job.ended) decoding.remove(job);
    this.#active = this.#active.filter((job) => !job.ended);
  }
}

/** Lets the server read and write between two steps, however fast these are. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
