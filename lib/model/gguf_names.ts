/**
 * Names and forms of a model's parameters in a GGUF file, for reading and writing.
 *
 * Names here are those of {@linkcode Network.parameters}. The forms are llama.cpp's: Llama's query
 * and key rows are interleaved, Gemma's norms include their + 1, GPT-2's matrices are (out, in).
 *
 * https://github.com/ggml-org/llama.cpp/blob/master/convert_hf_to_gguf.py
 *
 * @module
 */

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
  | { readonly kind: "paired"; readonly heads: number };

/** A parameter's place in a GGUF file. */
export interface GgufPlace {
  /** The tensor's name there, such as `"blk.0.attn_q.weight"`. */
  readonly name: string;
  /** How it differs. */
  readonly form: GgufForm;
}

/** The properties that names depend on. */
export interface GgufNaming {
  /** The model's architecture, which is `general.architecture` of the file. */
  readonly architecture: string;
  /** Heads of the queries. */
  readonly heads: number;
  /** Heads of keys and values. */
  readonly kvHeads: number;
}

const GPT2: Readonly<Record<string, string>> = {
  "wte": "token_embd",
  "wpe": "position_embd",
  "ln_1": "attn_norm",
  "attn.c_attn": "attn_qkv",
  "attn.c_proj": "attn_output",
  "ln_2": "ffn_norm",
  "mlp.c_fc": "ffn_up",
  "mlp.c_proj": "ffn_down",
  "ln_f": "output_norm",
  "lm_head": "output",
};

const LLAMA: Readonly<Record<string, string>> = {
  "embed_tokens": "token_embd",
  "input_layernorm": "attn_norm",
  "self_attn.q_proj": "attn_q",
  "self_attn.k_proj": "attn_k",
  "self_attn.v_proj": "attn_v",
  "self_attn.o_proj": "attn_output",
  "post_attention_layernorm": "ffn_norm",
  "mlp.gate_proj": "ffn_gate",
  "mlp.up_proj": "ffn_up",
  "mlp.down_proj": "ffn_down",
  "norm": "output_norm",
  "lm_head": "output",
};

const GEMMA3: Readonly<Record<string, string>> = {
  ...LLAMA,
  "self_attn.q_norm": "attn_q_norm",
  "self_attn.k_norm": "attn_k_norm",
  "post_attention_layernorm": "post_attention_norm",
  "pre_feedforward_layernorm": "ffn_norm",
  "post_feedforward_layernorm": "post_ffw_norm",
};

const NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  gpt2: GPT2,
  llama: LLAMA,
  gemma: LLAMA,
  gemma3: GEMMA3,
};

/** Architectures whose names in a GGUF file are known. */
export const GGUF_ARCHITECTURES: readonly string[] = Object.keys(NAMES);

/**
 * The name and form of a parameter in a GGUF file.
 *
 * @param parameter Its name, such as `"layers.0.self_attn.q_proj.weight"`.
 * @param naming Architecture and heads.
 * @returns Name and form in the file.
 * @throws {TypeError} If the architecture or the parameter has no place in such a file.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ggufPlace } from "./gguf_names.ts";
 *
 * const naming = { architecture: "llama", heads: 9, kvHeads: 3 };
 * assertEquals(ggufPlace("layers.7.self_attn.k_proj.weight", naming), {
 *   name: "blk.7.attn_k.weight",
 *   form: { kind: "paired", heads: 3 },
 * });
 * ```
 */
export function ggufPlace(parameter: string, naming: GgufNaming): GgufPlace {
  const { architecture } = naming;
  const [, block, module = "", part] = /^(?:(?:h|layers)\.(\d+)\.)?(.+)\.(weight|bias)$/.exec(
    parameter,
  ) ?? [];
  const names = Object.hasOwn(NAMES, architecture) ? NAMES[architecture] : {};
  if (!Object.hasOwn(names, module)) {
    throw new TypeError(
      `Cannot place "${parameter}" of the architecture "${architecture}" in a GGUF file: ` +
        `known are ${GGUF_ARCHITECTURES.map((name) => `"${name}"`).join(", ")}`,
    );
  }
  return {
    name: `${block === undefined ? "" : `blk.${block}.`}${names[module]}.${part}`,
    form: formOf(module, part, naming),
  };
}

function formOf(module: string, part: string, naming: GgufNaming): GgufForm {
  const { architecture, heads, kvHeads } = naming;
  if (architecture === "gpt2" && part === "weight" && module.includes(".")) {
    return { kind: "transposed" };
  }
  if (architecture === "llama" && module === "self_attn.q_proj") return { kind: "paired", heads };
  if (architecture === "llama" && module === "self_attn.k_proj") {
    return { kind: "paired", heads: kvHeads };
  }
  if (architecture.startsWith("gemma") && module.endsWith("norm")) return { kind: "plusOne" };
  return { kind: "same" };
}

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
  if (form.kind === "paired") return reorder(values, shape, pairedRows(shape[0], form.heads));
  return values;
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
  if (form.kind === "paired") {
    const order = pairedRows(shape[0], form.heads);
    const inverse = new Int32Array(order.length);
    order.forEach((from, to) => inverse[from] = to);
    return reorder(values, shape, inverse);
  }
  return values;
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

function reorder(values: Float32Array, shape: readonly number[], from: Int32Array): Float32Array {
  const width = shape[1] ?? 1; // a bias has rows of one element
  const result = new Float32Array(values.length);
  from.forEach((row, i) => result.set(values.subarray(row * width, (row + 1) * width), i * width));
  return result;
}

/** (rows, columns) → (columns, rows). */
function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = values[row * columns + column];
    }
  }
  return result;
}
