/**
 * A step of decoding as the device has recorded it: the kernels of a token are the same for each, so that the host only
 * makes their few inputs again. What a token costs besides its kernels, hundreds of operations of a few microseconds, is
 * then paid once.
 *
 * @module
 */

import { noGrad, scope, type Tensor } from "../tensor/mod.ts";
import type { RecordedWork } from "../tensor/device.ts";
import type { KeyValueCache } from "./cache.ts";
import { type Attend, logitsOf, type Network } from "./model.ts";

/** The new tokens of a step. */
export interface StepInput {
  /** Each sequence's newest token. */
  readonly tokens: readonly number[];
  /** Their positions. */
  readonly positions: readonly number[];
  /** For each, the rows of the cache that it attends to; the last is its own. */
  readonly lists: readonly (readonly number[])[];
}

/** Sequences may become longer by this many tokens before a step is recorded again. */
const ROOM = 64;

/** A recorded step. */
export class RecordedStep implements Disposable {
  readonly #cache: KeyValueCache;
  readonly #moves: number;
  readonly #weights: readonly Tensor[];
  readonly #most: number;
  readonly #tokens: Int32Array;
  readonly #positions: Int32Array;
  #lists: StepInput["lists"];
  #isFixed = false;
  readonly #work: RecordedWork;
  readonly #logits: Tensor;

  /**
   * Records a step, whose rows have been taken from the cache. It must be run once, with the same input.
   *
   * @param model The model, on a device that can record.
   * @param cache The cache.
   * @param input The tokens.
   * @param first The first of the rows that were taken.
   */
  constructor(model: Network, cache: KeyValueCache, input: StepInput, first: number) {
    const { tokens, positions, lists } = input;
    this.#cache = cache;
    this.#moves = cache.moves;
    this.#weights = weightsOf(model);
    this.#most = Math.max(...lists.map(({ length }) => length)) + ROOM;
    this.#tokens = Int32Array.from(tokens);
    this.#positions = Int32Array.from(positions);
    this.#lists = lists;
    const cached = cache.attend(() => this.#lists, this.#most, first);
    const attend: Attend = (layer, q, k, v, heads) => {
      // Made of operations that are told the rows once.
      if (heads.softCap !== undefined) this.#isFixed = true;
      return cached(layer, q, k, v, heads);
    };
    let logits: Tensor | undefined;
    this.#work = model.device.record!(() => {
      logits = scope(() =>
        noGrad(() => {
          const input = { tokens: this.#tokens, positions: this.#positions, attend };
          return logitsOf(model, model.hidden(input));
        })
      ).keep();
    });
    this.#logits = logits!;
  }

  /** Whether later steps can be run as this one. */
  get repeatable(): boolean {
    return !this.#isFixed && this.#work.repeatable;
  }

  /**
   * Whether a step is this one but for its inputs.
   *
   * @param model The model, whose weights may have been replaced.
   * @param input The step's tokens.
   * @returns Whether {@linkcode run} computes it.
   */
  fits(model: Network, { lists }: StepInput): boolean {
    return this.repeatable && this.#moves === this.#cache.moves &&
      lists.length === this.#tokens.length &&
      lists.every(({ length }) => length <= this.#most) &&
      isSame(weightsOf(model), this.#weights);
  }

  /**
   * Computes a step that {@linkcode fits}.
   *
   * @param input Its tokens.
   * @returns Logits, a row for each.
   */
  async run({ tokens, positions, lists }: StepInput): Promise<Float32Array> {
    this.#tokens.set(tokens);
    this.#positions.set(positions);
    this.#lists = lists;
    this.#work.run();
    return await this.#logits.data();
  }

  /** Frees its memory. */
  [Symbol.dispose](): void {
    this.#work[Symbol.dispose]();
    this.#logits.dispose();
  }
}

/** Whether the tensors are the same objects, none of them disposed of. */
function isSame(now: readonly Tensor[], before: readonly Tensor[]): boolean {
  return now.length === before.length &&
    now.every((tensor, i) => tensor === before[i] && !tensor.disposed);
}

/** All tensors that a step reads besides its inputs. */
function weightsOf(model: Network): Tensor[] {
  const weights = [...model.parameters.values()];
  for (const { adapter } of model.linears.values()) {
    if (adapter) weights.push(...adapter.parameters.values());
  }
  return weights;
}
