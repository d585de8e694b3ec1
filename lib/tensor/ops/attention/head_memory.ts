/** Heads of a tensor in a thread's scratch memory, where the WASM kernels of `attention` want them. */
import type { WasmKernels } from "../../cpu/wasm_kernels.ts";
import type { Context, Range } from "../../cpu/context.ts";

/** Rows that are copied at a time. */
const CHUNK_ROWS = 32;

/** Some rows of a query head. */
export interface Part {
  readonly head: number;
  readonly rows: Range;
}

/** Where the heads of a tensor are. */
export interface HeadShape {
  /** Floats of a head. */
  readonly headDim: number;
  /** Floats from a row of the tensor to the next. */
  readonly width: number;
  /** Where its first head begins in a row. */
  readonly first: number;
}

/** Floats from row to row in memory: headDim, filled up to whole vectors. */
export const strideOf = (headDim: number) => Math.ceil(headDim / 4) * 4;

/**
 * Some rows of consecutive heads: one head after another, the rows of each below one another and padded to whole
 * vectors. In tensors the heads of a row stand side by side, in large models so far from the next row's that each is
 * on a page of its own: copying a head at a time would take as long as computing.
 */
export class HeadMemory {
  /** Of the first head's first row, in bytes. */
  readonly address: number;
  /** Of all heads together. */
  readonly floats: number;

  /**
   * @param context The thread.
   * @param shape Where heads are in the tensor.
   * @param heads Which heads.
   * @param rows Which rows.
   */
  constructor(
    readonly context: Context,
    readonly shape: HeadShape,
    readonly heads: Range,
    readonly rows: Range,
  ) {
    this.floats = (heads.last - heads.first) * this.#headBytes / 4;
    this.address = context.reserve(this.floats);
  }

  get #headBytes(): number {
    return (this.rows.last - this.rows.first) * strideOf(this.shape.headDim) * 4;
  }

  /** Where a head's row is, in bytes. */
  at(head: number, row: number): number {
    return this.address + (head - this.heads.first) * this.#headBytes +
      (row - this.rows.first) * strideOf(this.shape.headDim) * 4;
  }

  /** Begins sums: with what is there already (1, true), or with zeros. */
  loadSums(source: Float32Array, accumulate: number | boolean): this {
    if (accumulate) return this.load(source);
    const at = this.address / 4;
    this.context.floats.fill(0, at, at + this.floats);
    return this;
  }

  /** Copies the rows of a tensor. */
  load(source: Float32Array): this {
    const { context, heads } = this;
    const { headDim, width, first: begin } = this.shape;
    const columns = {
      first: begin + heads.first * headDim,
      last: begin + heads.last * headDim,
    };
    this.#inChunks(({ first, last }, chunkAt) => {
      context.copyBlock(
        chunkAt,
        source,
        width,
        { first, last },
        columns,
        columns.last - columns.first,
      );
      context.wasm.splitHeads(...this.#copied(chunkAt, this.at(heads.first, first), last - first));
    });
    return this;
  }

  /**
   * Copies rows back to a tensor.
   *
   * @param target The tensor's memory.
   * @param parts Which rows of which heads, if not all: of the first head those from some row on, of the last those up to
   * some row, and those between whole.
   */
  store(target: Float32Array, parts?: readonly Part[]): void {
    const { context, heads } = this;
    const { headDim, width, first: firstColumn } = this.shape;
    const begin = parts?.at(0), end = parts?.at(-1);
    const columns = (heads.last - heads.first) * headDim;
    this.#inChunks(({ first, last }, chunkAt) => {
      context.wasm.joinHeads(...this.#copied(this.at(heads.first, first), chunkAt, last - first));
      for (let row = first; row < last; row++) {
        const skipped = begin && row < begin.rows.first ? headDim : 0;
        const left = end && row >= end.rows.last ? headDim : 0;
        const from = chunkAt / 4 + (row - first) * columns;
        target.set(
          context.floats.subarray(from + skipped, from + columns - left),
          row * width + firstColumn + heads.first * headDim + skipped,
        );
      }
    });
  }

  /** Calls `copy` for some rows at a time, with memory for their columns side by side. */
  #inChunks(copy: (rows: Range, chunkAt: number) => void): void {
    const { context, rows, heads } = this;
    const top = context.mark();
    const most = Math.min(CHUNK_ROWS, rows.last - rows.first);
    const chunkAt = context.reserve(most * (heads.last - heads.first) * this.shape.headDim);
    for (let first = rows.first; first < rows.last; first += CHUNK_ROWS) {
      copy({ first, last: Math.min(rows.last, first + CHUNK_ROWS) }, chunkAt);
    }
    context.release(top);
  }

  /** Arguments of the WASM functions that copy rows. */
  #copied(from: number, to: number, rows: number): Parameters<WasmKernels["splitHeads"]> {
    const { first, last } = this.heads;
    return [from, to, rows, last - first, this.shape.headDim, this.#headBytes];
  }
}
