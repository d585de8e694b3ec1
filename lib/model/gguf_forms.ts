/**
 * Forms of a model's parameters in a GGUF file, for reading and writing: llama.cpp's. Llama's query
 * and key rows are interleaved, Gemma's norms include their + 1, GPT-2's matrices are (out, in).
 *
 * https://github.com/ggml-org/llama.cpp/blob/master/convert_hf_to_gguf.py
 *
 * @module
 */

import { transpose } from "./transpose.ts";

/** How a tensor in a GGUF file differs from the parameter. */
export type GgufForm =
  /** Not at all. */
  | { readonly kind: "same" }
  /** It is transposed: (in, out) here, (out, in) there. */
  | { readonly kind: "transposed" }
  /** It is a norm's weight to which 1 was added there. */
  | { readonly kind: "plusOne" }
  /**
   * Each head's rows are interleaved there: rows i and headDim / 2 + i here are rows 2i and 2i + 1
   * there.
   */
  | { readonly kind: "paired"; readonly heads: number }
  /**
   * Its rows are of heads, each with a part for queries, one for keys and one for values here; there
   * all rows for queries come first.
   */
  | { readonly kind: "byPart"; readonly heads: number; readonly parts: number };

/**
 * Converts values from a GGUF file's form to the parameter's.
 *
 * @param values The tensor in the file's form, in row-major order.
 * @param shape The parameter's shape.
 * @param form How they differ.
 * @returns The parameter's values; the same array if the forms are equal.
 */
export function fromGgufForm(
  values: Float32Array,
  shape: readonly number[],
  form: GgufForm,
): Float32Array {
  if (form.kind === "transposed") return transpose(values, shape[1], shape[0]);
  if (form.kind === "plusOne") return values.map((value) => value - 1);
  const order = rowOrder(shape[0], form);
  return order ? reorder(values, shape, order) : values;
}

/**
 * Converts values from the parameter's form to a GGUF file's: the inverse of {@linkcode
 * fromGgufForm}.
 *
 * @param values The parameter's values in row-major order.
 * @param shape The parameter's shape.
 * @param form How they differ.
 * @returns The tensor in the file's form; the same array if the forms are equal.
 */
export function toGgufForm(
  values: Float32Array,
  shape: readonly number[],
  form: GgufForm,
): Float32Array {
  if (form.kind === "transposed") return transpose(values, shape[0], shape[1]);
  if (form.kind === "plusOne") return values.map((value) => value + 1);
  const order = rowOrder(shape[0], form);
  if (!order) return values;
  const inverse = new Int32Array(order.length);
  order.forEach((from, to) => inverse[from] = to);
  return reorder(values, shape, inverse);
}

/**
 * The shape of a parameter in a GGUF file, fastest axis last.
 *
 * @param shape The parameter's shape.
 * @param form How they differ.
 * @returns The tensor's shape.
 */
export function ggufShape(shape: readonly number[], form: GgufForm): number[] {
  return form.kind === "transposed" ? shape.toReversed() : [...shape];
}

/**
 * The permutation of rows between a parameter and an interleaved tensor in a GGUF file. Rows of
 * blocks can be permuted without widening them.
 *
 * @param rows The number of rows.
 * @param heads The number of heads they belong to.
 * @returns For each row of the parameter, the row in the file.
 */
export function pairedRows(rows: number, heads: number): Int32Array {
  const headDim = rows / heads;
  const half = headDim / 2;
  return Int32Array.from({ length: rows }, (_, row) => {
    const within = row % headDim;
    return row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
  });
}

/**
 * The order of a parameter's rows in a GGUF file. Rows of blocks can be reordered without widening
 * them.
 *
 * @param rows The number of rows.
 * @param form How the tensor differs.
 * @returns For each row of the parameter, the row in the file; undefined where the order is the same.
 */
export function rowOrder(rows: number, form: GgufForm): Int32Array | undefined {
  if (form.kind === "paired") return pairedRows(rows, form.heads);
  if (form.kind !== "byPart") return undefined;
  const { heads, parts } = form;
  const headDim = rows / heads / parts;
  return Int32Array.from({ length: rows }, (_, row) => {
    const within = row % headDim;
    const part = Math.floor(row / headDim) % parts;
    const head = Math.floor(row / (headDim * parts));
    return (part * heads + head) * headDim + within;
  });
}

function reorder(values: Float32Array, shape: readonly number[], from: Int32Array): Float32Array {
  const width = shape[1] ?? 1; // a bias has rows of one element
  const result = new Float32Array(values.length);
  from.forEach((row, i) => result.set(values.subarray(row * width, (row + 1) * width), i * width));
  return result;
}
