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
import type { Attend } from "./model.ts";

/** Keys and values of tokens seen so far. */
export class KeyValueCache implements Disposable {
  readonly #device: Device;
  readonly #width: number;
  readonly #layers: { keys: Tensor; values: Tensor }[];
  #capacity: number;
  #used = 0;

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

  /**
   * Attention within a forest of new tokens, which see none of those before; their keys and values take the next rows.
   *
   * @param forest The tokens.
   * @returns For {@linkcode ModelInput.attend}.
   */
  prefill(forest: Forest): Attend {
    const first = this.#take(forest.end.length);
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
    const first = this.#take(rows.length);
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

  #take(rows: number): number {
    const first = this.#used;
    this.#used += rows;
    if (this.#used > this.#capacity) {
      this.#capacity = Math.max(this.#used, Math.ceil(this.#capacity * 1.5));
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
