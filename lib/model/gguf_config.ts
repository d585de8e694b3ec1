/**
 * Converts a GGUF file's metadata to the Hugging Face `config.json` of the same model.
 *
 * Keys: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 *
 * @module
 */

import { rotaryFrequencies } from "../tensor/mod.ts";
import type { Gguf } from "../weights/mod.ts";
import { GGUF_ARCHITECTURES } from "./gguf_names.ts";

/**
 * Reads a configuration.
 *
 * @param file The open file.
 * @returns The object of a `config.json`.
 * @throws {TypeError} If the architecture is not supported, metadata are missing, or something in
 * them is not supported.
 */
export async function ggufToConfig(file: Gguf): Promise<Record<string, unknown>> {
  const reader = new Metadata(file);
  const { architecture } = reader;
  if (!GGUF_ARCHITECTURES.includes(architecture as string)) {
    const known = GGUF_ARCHITECTURES.map((name) => `"${name}"`).join(", ");
    throw new TypeError(
      `Cannot load "${file.path}": its architecture is ${JSON.stringify(architecture)}, ` +
        `known are ${known}`,
    );
  }
  const common = { tie_word_embeddings: await isTied(file), ...reader.specialTokens() };
  if (architecture === "gpt2") return { ...common, ...gpt2Config(reader) };
  const shape = { ...common, ...commonConfig(reader) };
  if (architecture === "llama") return { ...shape, ...await llamaConfig(reader, file) };
  if (architecture === "gemma3") return { ...shape, ...gemma3Config(reader) };
  return { ...shape, model_type: "gemma" };
}

/** Metadata of the file's architecture, checked when they are read. */
class Metadata {
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

function gpt2Config(reader: Metadata): Record<string, unknown> {
  return {
    model_type: "gpt2",
    vocab_size: reader.vocabularySize,
    n_positions: reader.number("context_length"),
    n_embd: reader.number("embedding_length"),
    n_layer: reader.number("block_count"),
    n_head: reader.number("attention.head_count"),
    n_inner: reader.number("feed_forward_length"),
    layer_norm_epsilon: reader.decimal("attention.layer_norm_epsilon"),
    qkv_bias: reader.file.tensors.has("blk.0.attn_qkv.bias"),
  };
}

function commonConfig(reader: Metadata): Record<string, unknown> {
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

function linearScaling(reader: Metadata): Record<string, unknown> {
  const type = reader.text("rope.scaling.type") ?? "none";
  if (type === "none") return {};
  return { rope_scaling: { rope_type: type, factor: reader.find("rope.scaling.factor") } };
}

async function llamaConfig(reader: Metadata, file: Gguf): Promise<Record<string, unknown>> {
  if (reader.find("expert_count")) {
    throw new TypeError(`Cannot load "${file.path}": it is a mixture of experts, expected a Llama`);
  }
  const window = reader.find("attention.sliding_window");
  return {
    model_type: window ? "mistral" : "llama",
    ...(window ? { sliding_window: window } : {}),
    mlp_bias: file.tensors.has("blk.0.ffn_up.bias"),
    ...await llama3Scaling(reader, file),
  };
}

/**
 * The file holds the divisors of Llama 3's frequencies, but not the parameters that they were
 * computed from.
 */
async function llama3Scaling(reader: Metadata, file: Gguf): Promise<Record<string, unknown>> {
  const name = "rope_freqs.weight";
  if (!file.tensors.has(name)) return {};
  const divisors = await file.read(name);
  const headDim = 2 * divisors.length;
  const theta = reader.number("rope.freq_base");
  const published = {
    type: "llama3",
    factor: Math.round(Math.max(...divisors)),
    lowFrequencyFactor: 1,
    highFrequencyFactor: 4,
    originalContext: 8192,
  } as const;
  const plain = rotaryFrequencies({ headDim, theta });
  const scaled = rotaryFrequencies({ headDim, theta, scaling: published });
  if (!divisors.every((divisor, i) => Math.abs(plain[i] / scaled[i] / divisor - 1) < 1e-4)) {
    throw new TypeError(
      `Cannot load "${file.path}": its "${name}" are not those of a published Llama 3`,
    );
  }
  return {
    rope_scaling: {
      rope_type: "llama3",
      factor: published.factor,
      low_freq_factor: published.lowFrequencyFactor,
      high_freq_factor: published.highFrequencyFactor,
      original_max_position_embeddings: published.originalContext,
    },
  };
}

/**
 * Constants of Gemma 3 in llama.cpp that are not in the file: the pattern of layers, local θ, and
 * the largest model's scale.
 */
function gemma3Config(reader: Metadata): Record<string, unknown> {
  const [width, heads] = [reader.number("embedding_length"), reader.number("attention.head_count")];
  const largest = reader.number("block_count") === 62;
  const pattern = reader.file.metadata.get("gemma3.attention.sliding_window_pattern") ?? 6;
  return {
    model_type: "gemma3_text",
    sliding_window: reader.number("attention.sliding_window"),
    ...(Array.isArray(pattern)
      ? { layer_types: pattern.map((local) => local ? "sliding_attention" : "full_attention") }
      : { sliding_window_pattern: pattern }),
    rope_local_base_freq: reader.find("rope.freq_base_swa") ??
      reader.find("rope.local.freq_base") ?? 10_000,
    query_pre_attn_scalar: largest
      ? width / heads
      : reader.find("attention.key_length") ?? width / heads,
    attn_logit_softcapping: reader.find("attn_logit_softcapping") ?? null,
    final_logit_softcapping: reader.find("final_logit_softcapping") ?? null,
  };
}

/**
 * Whether the head is the token embedding: it is absent or, for GPT-2, where it is required, has
 * the same blocks.
 */
async function isTied(file: Gguf): Promise<boolean> {
  const [embedding, head] = ["token_embd.weight", "output.weight"];
  const info = file.tensors.get(head);
  if (!info) return true;
  const { type, shape } = file.info(embedding);
  if (type !== info.type || shape.join() !== info.shape.join()) return false;
  const firstRow = { rows: [0, 1] as [number, number] };
  const [a, b] = [await file.read(embedding, firstRow), await file.read(head, firstRow)];
  if (a.some((value, i) => value !== b[i])) return false;
  const [blocks, others] = [await file.readBytes(embedding), await file.readBytes(head)];
  return blocks.every((byte, i) => byte === others[i]);
}
