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
    return Number(this.number(key).toPrecision(7));
  }

  text(key: string): string | undefined {
    const value = this.file.metadata.get(`${this.architecture}.${key}`);
    return typeof value === "string" ? value : undefined;
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

function describe(value: unknown): string {
  return ArrayBuffer.isView(value) ? "a list of different numbers" : JSON.stringify(value);
}

/**
 * The configuration that Llama and its descendants share.
 *
 * @param reader The file's metadata.
 * @returns Values of a `config.json`.
 * @throws {TypeError} If one is missing, or not supported.
 */
export function readCommonConfig(reader: GgufReader): Record<string, unknown> {
  const { file } = reader;
  const [width, heads] = [reader.number("embedding_length"), reader.number("attention.head_count")];
  const headDim = reader.find("attention.key_length") ?? width / heads;
  const turned = reader.find("rope.dimension_count") ?? headDim;
  if (turned !== headDim) {
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
    hidden_size: width,
    num_hidden_layers: reader.number("block_count"),
    num_attention_heads: heads,
    num_key_value_heads: reader.find("attention.head_count_kv") ?? heads,
    head_dim: headDim,
    intermediate_size: reader.number("feed_forward_length"),
    rms_norm_eps: reader.decimal("attention.layer_norm_rms_epsilon"),
    ...(base === undefined ? {} : { rope_theta: base }),
    ...linearScaling(reader),
    attention_bias: file.tensors.has("blk.0.attn_q.bias"),
  };
}

function linearScaling(reader: GgufReader): Record<string, unknown> {
  const type = reader.text("rope.scaling.type") ?? "none";
  if (type === "none") return {};
  return { rope_scaling: { rope_type: type, factor: reader.find("rope.scaling.factor") } };
}
