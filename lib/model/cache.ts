/**
 * The key-value cache of generation: one pool of rows per layer, shared by all sequences of a
 * batch, so that rows of a common prefix exist once.
 *
 * @module
 */

import {
  attention,
  cachedAttention,
  type Columns,
  copyRows,
  type Device,
  embedding,
  type Forest,
  noGrad,
  Tensor,
} from "../tensor/mod.ts";
import { inputTensor } from "../tensor/input.ts";
import { withLengths } from "../tensor/ops/cached_attention/cached_attention.ts";
import { storeAndAttend } from "../tensor/ops/cached_attention/store_and_attend.ts";
import type { Attend } from "./model.ts";

/** Keys and values of tokens seen so far. */
export class KeyValueCache implements Disposable {
  readonly #device: Device;
  readonly #width: number;
  readonly #layers: { keys: Tensor; values: Tensor }[];
  #capacity: number;
  #used = 0;
  #moves = 0;

  /**
   * @param device The device that stores it.
   * @param layers How many layers keep keys and values.
   * @param width Floats in a row.
   * @param capacity The initial number of rows; the cache grows as needed.
   */
  constructor(device: Device, layers: number, width: number, capacity: number) {
    this.#device = device;
    this.#width = width;
    this.#capacity = capacity;
    this.#layers = Array.from({ length: layers }, () => ({
      keys: this.#empty(),
      values: this.#empty(),
    }));
  }

  /** The number of used rows. */
  get used(): number {
    return this.#used;
  }

  /** How often its memory has changed: work that was recorded before has the old one. */
  get moves(): number {
    return this.#moves;
  }

  /**
   * Attention within a forest of new tokens, which see none of those before; their keys and values take the next rows.
   *
   * @param forest The tokens.
   * @returns For {@linkcode ModelInput.attend}.
   */
  prefill(forest: Forest): Attend {
    const first = this.take(forest.end.length);
    return (layer, q, k, v, heads) => {
      this.#store(layer, k, v, first);
      return attention(q, k, v, { ...heads, forest });
    };
  }

  /**
   * Attention of one new token per sequence; their keys and values take the next rows.
   *
   * @param rows For each new token, the rows it attends to; the last is its own: `used` + its
   * index.
   * @returns For {@linkcode ModelInput.attend}.
   */
  step(rows: readonly (readonly number[])[]): Attend {
    const first = this.take(rows.length);
    if (this.#device.kind === "cpu") return this.attend(() => rows, longest(rows), first);
    // Rows are in the order of tokens, so a window is a suffix. Few different windows occur.
    const seen = new Map<number | undefined, readonly (readonly number[])[]>([[undefined, rows]]);
    return (layer, q, k, v, { window, dropout: _, ...heads }) => {
      this.#store(layer, k, v, first);
      if (!seen.has(window)) seen.set(window, rows.map((list) => list.slice(-window!)));
      const { keys, values } = this.#layers[layer];
      // Generation drops nothing, so that the heads' dropout does not matter here.
      return cachedAttention(q, keys, values, { ...heads, rows: seen.get(window)! });
    };
  }

  /**
   * Attention on the CPU of one new token per sequence, whose rows are taken, as {@linkcode step} has it; for work that is
   * recorded.
   *
   * @param lists Gives, for each new token, the rows it attends to; the last is its own. It is asked again for each run.
   * @param most The most rows that a token attends to in any run.
   * @param first The first of the new tokens' rows.
   * @returns For {@linkcode ModelInput.attend}.
   */
  attend(lists: () => readonly (readonly number[])[], most: number, first: number): Attend {
    const seenIn = (window: number | undefined) =>
      window === undefined ? lists() : lists().map((list) => list.slice(-window));
    const rowsOf = new Map<number | undefined, Tensor>();
    return (layer, q, k, v, { window, dropout: _, softCap, ...heads }) => {
      const cache = this.#layers[layer];
      if (softCap !== undefined) {
        this.#store(layer, k, v, first);
        const rows = seenIn(window);
        return cachedAttention(q, cache.keys, cache.values, { ...heads, softCap, rows });
      }
      let rows = rowsOf.get(window);
      if (!rows) {
        const seen = Math.min(most, window ?? most);
        const make = () => withLengths(seenIn(window), seen);
        rows = inputTensor(this.#device, make, [lists().length, 1 + seen]);
        rowsOf.set(window, rows);
      }
      return storeAndAttend(q, k, v, cache, { ...heads, rows });
    };
  }

  /**
   * Keeps some rows, which become the first ones; the others are free for new tokens.
   *
   * @param rows The rows to keep, ascending.
   */
  keep(rows: readonly number[]): void {
    if (rows.length > 0) {
      const kept = Int32Array.from(rows);
      for (const { keys, values } of this.#layers) {
        for (const pool of [keys, values]) {
          using gathered = noGrad(() => embedding(pool, kept));
          copyRows(pool, gathered, 0);
        }
      }
    }
    this.#used = rows.length;
  }

  /** Frees its memory. */
  [Symbol.dispose](): void {
    for (const { keys, values } of this.#layers) {
      keys.dispose();
      values.dispose();
    }
  }

  #empty(): Tensor {
    return Tensor.empty(this.#device, [this.#capacity, this.#width]).keep();
  }

  #store(layer: number, k: Tensor | Columns, v: Tensor | Columns, first: number): void {
    const { keys, values } = this.#layers[layer];
    copyRows(keys, k, first);
    copyRows(values, v, first);
  }

  /**
   * Takes the next rows for new tokens.
   *
   * @param rows How many.
   * @returns The first of them.
   */
  take(rows: number): number {
    const first = this.#used;
    this.#used += rows;
    if (this.#used > this.#capacity) {
      this.#capacity = Math.max(this.#used, Math.ceil(this.#capacity * 1.5));
      this.#moves++;
      for (const layer of this.#layers) {
        for (const part of ["keys", "values"] as const) {
          const larger = this.#empty();
          copyRows(larger, layer[part], 0);
          layer[part].dispose();
          layer[part] = larger;
        }
      }
    }
    return first;
  }
}

/** The length of the longest list. */
function longest(lists: readonly (readonly number[])[]): number {
  return Math.max(...lists.map(({ length }) => length));
}
