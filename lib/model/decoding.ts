/**
 * Sequences that are continued together, one token of each at a time, with a key-value cache. Others may join between two
 * steps, and each may leave at any time: a server answers new requests before a batch ends.
 *
 * @module
 */

import { growForest } from "../forest.ts";
import type { Random } from "../random.ts";
import { noGrad, scope } from "../tensor/mod.ts";
import { KeyValueCache } from "./cache.ts";
import { logitsOf, type ModelInput, type Network } from "./model.ts";
import { RecordedStep, type StepInput } from "./recorded_step.ts";
import { sampleToken, type SamplingOptions } from "./sampling.ts";

/** A prompt that is continued, and how. Its options have been checked. */
export interface Continuation {
  /** The prompt's tokens; at least one, and at most as many as the context holds. */
  readonly prompt: readonly number[];
  /** How tokens are chosen. */
  readonly sampling: SamplingOptions;
  /** The source of its draws. */
  readonly random: Random;
  /** The most tokens to add, 1 or more. */
  readonly maxNewTokens: number;
  /** The most tokens of prompt and answer together; the model's context by default. */
  readonly contextLength?: number;
  /** The tokens that end it; they are not part of the result. */
  readonly ends: ReadonlySet<number>;
  /** Told each of its new tokens; ends it there by `true`. */
  readonly stops?: (token: number) => boolean;
}

/** Why a sequence ends: at an end token, where it was stopped, after enough tokens, or in a full context. */
export type Finish = "eos" | "stop" | "length" | "context";

/** A new token of one sequence. */
export interface DecodedToken<C extends Continuation> {
  /** Which sequence. */
  readonly of: C;
  /** The token; undefined if the sequence ends without one. */
  readonly token?: number;
  /** Why the sequence ends here, if it does. */
  readonly finish?: Finish;
}

interface Sequence<C> {
  readonly of: C;
  /** Rows of the cache that hold its tokens. */
  rows: number[];
  /** Its tokens but for the newest. */
  readonly tokens: number[];
  /** Its newest token. */
  token: number;
  added: number;
}

/** A cache is not compacted before it has this many rows. */
const LEAST_COMPACTED = 2048;

/** Sequences in the middle of being continued. */
export class Decoding<C extends Continuation> implements Disposable {
  readonly #model: Network;
  #cache: KeyValueCache | undefined;
  #sequences: Sequence<C>[] = [];
  /** Rows of the cache from which on the rows of sequences that have left are given back. */
  #compactAt = LEAST_COMPACTED;

  /** The last step, if the device has recorded it. */
  #step: RecordedStep | undefined;
  /** Whether steps are recorded. */
  #records: boolean;

  /** @param model The model. */
  constructor(model: Network) {
    this.#model = model;
    this.#records = model.device.record !== undefined && !model.dependsOnLength;
  }

  /** How many sequences are being continued. */
  get size(): number {
    return this.#sequences.length;
  }

  /**
   * Reads prompts, the beginnings that they share once, and chooses the first token of each. Those that do not end with it
   * take part in the next {@linkcode Decoding.step}.
   *
   * @param continuations The prompts.
   * @returns A token of each, in order, as they are chosen.
   * @throws {RangeError} If a logit is not a number: the model has diverged.
   */
  async *add(continuations: readonly C[]): AsyncGenerator<DecodedToken<C>, void, void> {
    if (this.#model.dependsOnLength && continuations.length > 1) {
      for (const each of continuations) yield* this.add([each]);
      return;
    }
    const forest = growForest(continuations.map(({ prompt }) => prompt));
    const room = forest.tokens.length +
      continuations.reduce((sum, { maxNewTokens }) => sum + Math.min(maxNewTokens, 32), 0);
    const { device, layers, keyWidth } = this.#model;
    this.#cache ??= new KeyValueCache(device, layers, keyWidth, room);
    const first = this.#cache.used;
    const added = continuations.map((of, i): Sequence<C> => ({
      of,
      rows: Array.from(forest.paths[i], (row) => first + row),
      tokens: [...of.prompt],
      token: -1,
      added: 0,
    }));
    const lastRows = Int32Array.from(forest.paths, (path) => path.at(-1)!);
    const input = { ...forest, attend: this.#cache.prefill(forest) };
    const logits = await readLogits(this.#model, input, lastRows);
    this.#sequences.push(...added);
    yield* this.#advance(logits, added);
  }

  /**
   * Adds a token to each sequence.
   *
   * @returns The tokens, in the order in which the sequences were added, as they are chosen.
   * @throws {RangeError} If a logit is not a number: the model has diverged.
   */
  async *step(): AsyncGenerator<DecodedToken<C>, void, void> {
    const cache = this.#cache;
    if (cache === undefined || this.size === 0) return;
    const all = [...this.#sequences];
    const groups = this.#model.dependsOnLength ? all.map((sequence) => [sequence]) : [all];
    for (const sequences of groups) {
      yield* this.#advance(await this.#stepLogits(cache, sequences), sequences);
    }
  }

  /** Logits after the newest tokens of sequences, which enter the cache. */
  async #stepLogits(
    cache: KeyValueCache,
    sequences: readonly Sequence<C>[],
  ): Promise<Float32Array> {
    for (const sequence of sequences) sequence.tokens.push(sequence.token);
    const [first] = sequences;
    if (first.rows.length === this.#model.switchLength) {
      // Its keys were turned by other angles: all are computed again. Such sequences come alone.
      const { path, forest } = whole(first.tokens);
      first.rows = path.map((row) => cache.used + row);
      const input = { ...forest, attend: cache.prefill(forest) };
      return await readLogits(this.#model, input, Int32Array.of(path.at(-1)!));
    }
    const tokens = sequences.map(({ token }) => token);
    const positions = sequences.map(({ rows }) => rows.length);
    sequences.forEach(({ rows }, i) => rows.push(cache.used + i));
    const lists = sequences.map(({ rows }) => rows);
    if (this.#records) return await this.#recordedLogits(cache, { tokens, positions, lists });
    return await readLogits(this.#model, {
      tokens: Int32Array.from(tokens),
      positions: Int32Array.from(positions),
      attend: cache.step(lists),
    });
  }

  /** Logits of a step that is recorded, or was. */
  async #recordedLogits(cache: KeyValueCache, input: StepInput): Promise<Float32Array> {
    const first = cache.take(input.tokens.length);
    if (!this.#step?.fits(this.#model, input)) {
      this.#step?.[Symbol.dispose]();
      this.#step = new RecordedStep(this.#model, cache, input, first);
      this.#records = this.#step.repeatable;
    }
    const logits = await this.#step.run(input);
    if (!this.#records) {
      this.#step[Symbol.dispose]();
      this.#step = undefined;
    }
    return logits;
  }

  /**
   * Leaves a sequence as it is, between two steps, because its caller has gone or has enough.
   *
   * @param of The sequence.
   */
  remove(of: C): void {
    this.#sequences = this.#sequences.filter((sequence) => sequence.of !== of);
    this.#compact();
  }

  /** Frees its memory. */
  [Symbol.dispose](): void {
    this.#step?.[Symbol.dispose]();
    this.#step = undefined;
    this.#cache?.[Symbol.dispose]();
    this.#cache = undefined;
    this.#sequences = [];
  }

  /** Chooses the next token of each sequence, and keeps those that continue. */
  *#advance(
    logits: Float32Array,
    sequences: readonly Sequence<C>[],
  ): Generator<DecodedToken<C>, void, void> {
    const { vocabularySize, contextLength: context } = this.#model;
    const finished = new Set<Sequence<C>>();
    for (const [i, sequence] of sequences.entries()) {
      const { of } = sequence;
      const row = logits.subarray(i * vocabularySize, (i + 1) * vocabularySize);
      const before = { tokens: sequence.tokens, promptLength: of.prompt.length };
      const token = sampleToken(row, of.sampling, of.random, before);
      if (of.ends.has(token)) {
        finished.add(sequence);
        yield { of, finish: "eos" };
        continue;
      }
      sequence.token = token;
      sequence.added++;
      const full = sequence.rows.length >= Math.min(context, of.contextLength ?? context);
      const finish = of.stops?.(token)
        ? "stop"
        : sequence.added >= of.maxNewTokens
        ? "length"
        : full
        ? "context"
        : undefined;
      if (finish) finished.add(sequence);
      yield { of, token, finish };
    }
    this.#sequences = this.#sequences.filter((sequence) => !finished.has(sequence));
    if (finished.size > 0) this.#compact();
  }

  /** Gives back the rows of sequences that have left, once there are many. */
  #compact(): void {
    const cache = this.#cache;
    if (cache === undefined) return;
    if (this.size === 0) return cache.keep([]);
    if (cache.used < this.#compactAt) return;
    const kept = [...new Set(this.#sequences.flatMap(({ rows }) => rows))].sort((a, b) => a - b);
    cache.keep(kept);
    const moved = new Map(kept.map((row, i) => [row, i]));
    for (const sequence of this.#sequences) {
      sequence.rows = sequence.rows.map((row) => moved.get(row)!);
    }
    this.#compactAt = Math.max(LEAST_COMPACTED, 2 * kept.length);
  }
}

/** One text as a forest. */
function whole(tokens: readonly number[]) {
  const forest = growForest([tokens]);
  return { forest, path: Array.from(forest.paths[0]) };
}

/** Logits of some rows of the output, all by default, copied to the host. */
async function readLogits(
  model: Network,
  input: ModelInput,
  rows?: Int32Array,
): Promise<Float32Array> {
  using logits = scope(() =>
    noGrad(() => {
      return logitsOf(model, model.hidden({ ...input, rows }));
    })
  );
  return await logits.data();
}
