/**
 * Reads metadata of a model's shape from a GGUF file, and what families share of it.
 *
 * Keys: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 *
 * @module
 */

import type { Gguf } from "../weights/mod.ts";

/** Metadata of the file's architecture, checked when they are read. */
export class GgufReader {
  readonly architecture: unknown;

  constructor(readonly file: Gguf) {
    this.architecture = file.metadata.get("general.architecture");
  }

  /** The number under `ARCHITECTURE.key`; undefined if absent. */
  find(key: string): number | undefined {
    const name = `${this.architecture}.${key}`;
    const value = this.file.metadata.get(name);
    if (value === undefined) return undefined;
    // Some files have a list with an equal number for each layer.
    const single = ArrayBuffer.isView(value) && new Set(value as Int32Array).size === 1
      ? (value as Int32Array)[0]
      : value;
    if (typeof single !== "number") {
      throw new TypeError(
        `Cannot load "${this.file.path}": its "${name}" is ${describe(value)}, expected a number`,
      );
    }
    return single;
  }

  /** A required number. */
  number(key: string): number {
    const value = this.find(key);
    if (value === undefined) {
      throw new TypeError(
        `Cannot load "${this.file.path}": it lacks "${this.architecture}.${key}"`,
      );
    }
    return value;
  }

  /** A float32 as the intended decimal: 1e-5, not 9.99999974e-6. */
  decimal(key: string): number {
    return asDecimal(this.number(key));
  }

  /** A float32 as the intended decimal, if it is there. */
  factor(key: string): number | undefined {
    return this.find(key) === undefined ? undefined : this.decimal(key);
  }

  text(key: string): string | undefined {
    const value = this.file.metadata.get(`${this.architecture}.${key}`);
    return typeof value === "string" ? value : undefined;
  }

  flag(key: string): boolean | undefined {
    const value = this.file.metadata.get(`${this.architecture}.${key}`);
    return typeof value === "boolean" ? value : undefined;
  }

  /** Elements of a head. */
  get headDim(): number {
    return this.find("attention.key_length") ??
      this.number("embedding_length") / this.number("attention.head_count");
  }

  /** Elements of a head that are turned. */
  get turned(): number {
    return this.find("rope.dimension_count") ?? this.headDim;
  }

  get vocabularySize(): number {
    return this.file.info("token_embd.weight").shape[0];
  }

  specialTokens(): Record<string, unknown> {
    const { metadata } = this.file;
    const id = (name: string) => metadata.get(`tokenizer.ggml.${name}_token_id`) ?? null;
    const listed = metadata.get("tokenizer.ggml.eos_token_ids");
    const several = ArrayBuffer.isView(listed) ? Array.from(listed as Int32Array) : [];
    const named = [id("eos"), ...several, id("eot"), id("eom")].filter((end) => end !== null);
    const ends = [...new Set(named)];
    return {
      bos_token_id: id("bos"),
      eos_token_id: ends.length > 1 ? ends : ends[0] ?? null,
      pad_token_id: id("padding"),
    };
  }
}

/**
 * A float32 as the intended decimal.
 *
 * @param value The number: 0.100000001.
 * @returns Its nearest of 7 digits: 0.1.
 */
export function asDecimal(value: number): number {
  return Number(value.toPrecision(7));
}

function describe(value: unknown): string {
  return ArrayBuffer.isView(value) ? "a list of different numbers" : JSON.stringify(value);
}

/**
 * The configuration that Llama and its descendants share.
 *
 * @param reader The file's metadata.
 * @param options The key of the norms' epsilon, and whether a part of a head may be turned.
 * @returns Values of a `config.json`.
 * @throws {TypeError} If one is missing, or not supported.
 */
export function readCommonConfig(
  reader: GgufReader,
  options: { epsilon?: string; isPartial?: boolean } = {},
): Record<string, unknown> {
  const { epsilon = "attention.layer_norm_rms_epsilon", isPartial = false } = options;
  const { file, headDim, turned } = reader;
  const heads = reader.number("attention.head_count");
  if (turned !== headDim && !isPartial) {
    throw new TypeError(
      `Cannot load "${file.path}": it turns ${turned} of ${headDim} elements of a head, ` +
        "expected all of them",
    );
  }
  // Ollama's own files of Gemma 3 use "global" and "local".
  const base = reader.find("rope.freq_base") ?? reader.find("rope.global.freq_base");
  return {
    vocab_size: reader.vocabularySize,
    max_position_embeddings: reader.number("context_length"),
    hidden_size: reader.number("embedding_length"),
    num_hidden_layers: reader.number("block_count"),
    num_attention_heads: heads,
    num_key_value_heads: reader.find("attention.head_count_kv") ?? heads,
    head_dim: headDim,
    intermediate_size: reader.number("feed_forward_length"),
    rms_norm_eps: reader.decimal(epsilon),
    ...(base === undefined ? {} : { rope_theta: base }),
    ...readScaling(reader),
    attention_bias: file.tensors.has("blk.0.attn_q.bias"),
  };
}

/**
 * As in llama.cpp: a factor scales linearly where no type is named, and files of 2023 call it
 * "scale_linear".
 */
function readScaling(reader: GgufReader): Record<string, unknown> {
  const factor = reader.factor("rope.scaling.factor") || reader.factor("rope.scale_linear") || 0;
  const type = reader.text("rope.scaling.type") ?? "linear";
  if (type === "none" || (type === "linear" && factor === 0)) return {};
  if (type === "linear") {
    return factor === 1 ? {} : { rope_scaling: { rope_type: type, factor } };
  }
  if (type !== "yarn") return { rope_scaling: { rope_type: type, factor } };
  const context = reader.number("context_length");
  return {
    rope_scaling: {
      rope_type: "yarn",
      factor: factor || 1,
      original_max_position_embeddings: reader.find("rope.scaling.original_context_length") ??
        context,
      ...(reader.find("rope.scaling.yarn_beta_fast") !== undefined && {
        beta_fast: reader.factor("rope.scaling.yarn_beta_fast"),
      }),
      ...(reader.find("rope.scaling.yarn_beta_slow") !== undefined && {
        beta_slow: reader.factor("rope.scaling.yarn_beta_slow"),
      }),
    },
  };
}
