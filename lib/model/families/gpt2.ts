/**
 * GPT-2, from top to bottom as in Radford et al., "Language Models are Unsupervised Multitask Learners", 2019.
 *
 * Weights keep the names and layout of Hugging Face's `GPT2LMHeadModel`: projections are (in, out).
 *
 * @module
 */

import { Random } from "../../random.ts";
import {
  add,
  columns,
  type Device,
  dropout,
  embedding,
  gelu,
  geluErf,
  layerNorm,
  recompute,
  type Tensor,
} from "../../tensor/mod.ts";
import { ConfigReader, type SpecialTokens, specialTokensToConfig } from "../config_reader.ts";
import { Decoder } from "../decoder.ts";
import { float32, type GgufKeys, uint32 } from "../gguf_keys.ts";
import type { GgufReader } from "../gguf_reader.ts";
import type { ModelInput } from "../model.ts";
import { type CreateOptions, createParameters } from "../parameters.ts";
import { GELU_NOTICE } from "./common.ts";
import { defineFamily, type Family } from "./family.ts";
import type { FamilyTraits } from "./traits.ts";

/** Shape and options of a GPT-2. */
export interface Gpt2Config {
  /** V: tokens. */
  readonly vocabularySize: number;
  /** The longest sequence. */
  readonly contextLength: number;
  /** C: width of the residual stream. */
  readonly width: number;
  /** Number of blocks. */
  readonly layers: number;
  /** H: heads of attention; C is a multiple of it. */
  readonly heads: number;
  /** Width inside the feed-forward layers; 4 C by default. */
  readonly feedForwardWidth?: number;
  /** What is between the feed-forward layers: GELU by its approximation with tanh, or exact. By default `"gelu_new"`. */
  readonly activation?: "gelu_new" | "gelu";
  /** Added to variances. By default 1e-5. */
  readonly layerNormEpsilon?: number;
  /** Whether the projection to queries, keys and values has a bias. By default true, as in all published weights. */
  readonly qkvBias?: boolean;
  /**
   * Probability of dropping elements of the embedding and of blocks' outputs in training. By
   * default 0.
   */
  readonly dropout?: number;
  /**
   * Probability of dropping attention weights in training. By default that of {@linkcode
   * Gpt2Config.dropout}.
   */
  readonly attentionDropout?: number;
  /** Whether the output head is the token embedding. By default true. */
  readonly tied?: boolean;
  /** Standard deviation of an untrained model's weights. By default 0.02, right for widths of about 1,000. */
  readonly initializerRange?: number;
  /**
   * Ids of special tokens. By default the last token begins and ends a text, as in the published
   * models.
   */
  readonly special?: SpecialTokens;
}

const published = { vocabularySize: 50257, contextLength: 1024 };

/** The published sizes. */
export const GPT2_SIZES = {
  "gpt2": { ...published, width: 768, layers: 12, heads: 12 }, // 124M
  "gpt2-medium": { ...published, width: 1024, layers: 24, heads: 16 }, // 355M
  "gpt2-large": { ...published, width: 1280, layers: 36, heads: 20 }, // 774M
  "gpt2-xl": { ...published, width: 1600, layers: 48, heads: 25 }, // 1558M
} as const satisfies Record<string, Gpt2Config>;

/**
 * Names and shapes of all weights.
 *
 * @param config The model's shape.
 * @returns Shapes by name, in the order of the computation.
 */
export function gpt2Shapes(config: Gpt2Config): Map<string, number[]> {
  const { vocabularySize, contextLength, width, layers, qkvBias = true, tied = true } = config;
  const feedForward = config.feedForwardWidth ?? 4 * width;
  const shapes = new Map<string, number[]>();
  shapes.set("wte.weight", [vocabularySize, width]);
  shapes.set("wpe.weight", [contextLength, width]);
  for (let layer = 0; layer < layers; layer++) {
    const h = `h.${layer}.`;
    shapes.set(`${h}ln_1.weight`, [width]);
    shapes.set(`${h}ln_1.bias`, [width]);
    shapes.set(`${h}attn.c_attn.weight`, [width, 3 * width]);
    if (qkvBias) shapes.set(`${h}attn.c_attn.bias`, [3 * width]);
    shapes.set(`${h}attn.c_proj.weight`, [width, width]);
    shapes.set(`${h}attn.c_proj.bias`, [width]);
    shapes.set(`${h}ln_2.weight`, [width]);
    shapes.set(`${h}ln_2.bias`, [width]);
    shapes.set(`${h}mlp.c_fc.weight`, [width, feedForward]);
    shapes.set(`${h}mlp.c_fc.bias`, [feedForward]);
    shapes.set(`${h}mlp.c_proj.weight`, [feedForward, width]);
    shapes.set(`${h}mlp.c_proj.bias`, [width]);
  }
  shapes.set("ln_f.weight", [width]);
  shapes.set("ln_f.bias", [width]);
  if (!tied) shapes.set("lm_head.weight", [vocabularySize, width]);
  return shapes;
}

/**
 * A GPT-2 on a device.
 *
 * @example An untrained GPT-2
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Gpt2, pick } from "tunebook";
 *
 * const device = await pick({ device: "cpu" });
 * const network = Gpt2.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2,
 * });
 * assertEquals(network.parameters.get("wte.weight")!.shape, [9, 4]);
 * device.close();
 * ```
 */
export class Gpt2 extends Decoder<Gpt2Config> {
  /** Its family. */
  get family(): FamilyTraits {
    return gpt2;
  }

  /**
   * Makes a network of given weights.
   *
   * @param config Shape and options.
   * @param parameters A tensor for each of {@linkcode gpt2Shapes}.
   */
  constructor(config: Gpt2Config, parameters: ReadonlyMap<string, Tensor>) {
    if (config.width % config.heads !== 0) {
      throw new RangeError(
        `Cannot divide a width of ${config.width} among ${config.heads} heads: it must be a multiple`,
      );
    }
    super(config, parameters, { family: gpt2, layout: "in-out", tied: config.tied ?? true });
  }

  /**
   * Creates an untrained model: weights normal with the configured deviation, divided by √(2 ·
   * layers) for projections into the residual stream, biases 0, norms 1.
   *
   * @param device The device that stores it.
   * @param config Shape and options.
   * @param options The seed of the first weights.
   * @returns The model.
   */
  static create(
    device: Device,
    config: Gpt2Config,
    options: CreateOptions = {},
  ): Gpt2 {
    const { initializerRange: deviation = 0.02, layers } = config;
    const parameters = createParameters(device, gpt2Shapes(config), options, (name) => {
      if (/ln_\w\.weight$/.test(name)) return { constant: 1 };
      if (name.endsWith("bias")) return { constant: 0 };
      const residual = name.endsWith("c_proj.weight");
      return { deviation: residual ? deviation / Math.sqrt(2 * layers) : deviation };
    });
    return new Gpt2(config, parameters);
  }

  /** Whether training drops anything. */
  override get hasDropout(): boolean {
    const { dropout: probability = 0, attentionDropout = probability } = this.config;
    return probability > 0 || attentionDropout > 0 || super.hasDropout;
  }

  /** Gives the last layer's output after the final norm, (T, C), or only the rows that are wanted. */
  hidden(input: ModelInput): Tensor {
    const { tokens, positions, attend, dropoutSeed, recompute: again } = input;
    const { width, layers, heads, layerNormEpsilon = 1e-5, dropout: probability = 0 } = this.config;
    const { attentionDropout = probability, activation } = this.config;
    const activate = activation === "gelu" ? geluErf : gelu;
    const w = (name: string) => this.weight(name);
    const norm = (x: Tensor, name: string) =>
      layerNorm(x, w(`${name}.weight`), w(`${name}.bias`), layerNormEpsilon);
    const linear = (x: Tensor, name: string) => this.linears.get(name)!.apply(x, dropoutSeed);
    // Each block has its own stream of seeds, so that it drops the same elements when it is
    // recomputed.
    const dropper = (...part: number[]) => {
      const stream = new Random([dropoutSeed ?? 0, ...part]);
      const drop = (x: Tensor) =>
        dropoutSeed === undefined ? x : dropout(x, probability, stream.uint32());
      return { drop, stream };
    };
    const block = (x: Tensor, layer: number) => {
      const h = `h.${layer}`;
      const { drop, stream } = dropper(layer);
      const qkv = linear(norm(x, `${h}.ln_1`), `${h}.attn.c_attn`); // (T, 3 C)
      const [q, k, v] = columns(qkv, [width, width, width]); // each (T, C)
      const dropped = dropoutSeed === undefined
        ? undefined
        : { probability: attentionDropout, seed: stream.uint32() };
      let attended = attend(layer, q, k, v, { heads, dropout: dropped }); // (T, C)
      if (layer === layers - 1) [x, attended] = this.wanted(input, x, attended);
      x = add(x, drop(linear(attended, `${h}.attn.c_proj`)));
      const inner = activate(linear(norm(x, `${h}.ln_2`), `${h}.mlp.c_fc`)); // (T, 4 C)
      return add(x, drop(linear(inner, `${h}.mlp.c_proj`)));
    };

    const embedded = add(embedding(w("wte.weight"), tokens), embedding(w("wpe.weight"), positions));
    let x = dropper().drop(embedded); // (T, C)
    for (let layer = 0; layer < layers; layer++) {
      x = again ? recompute((x) => block(x, layer), x) : block(x, layer);
    }
    return norm(x, "ln_f");
  }

  /** Gives what its `config.json` says. */
  toConfig(): Record<string, unknown> {
    return gpt2ToConfig(this.config);
  }
}

/**
 * Reads a GPT-2's shape from a Hugging Face `config.json`.
 *
 * @param json The file's object.
 * @param path The file, for messages.
 * @param dropout The dropout to train with.
 * @returns Shape and options.
 * @throws {TypeError} If it is another architecture or a number is missing.
 */
export function parseGpt2Config(
  json: Record<string, unknown>,
  path: string,
  dropout = 0,
): Gpt2Config {
  const reader = new ConfigReader(json, path);
  if (json.model_type !== "gpt2") return reader.fail("model_type", '"gpt2"');
  reader.expect("activation_function", "gelu_new", "gelu", "gelu_pytorch_tanh", "gelu_fast");
  reader.expect("scale_attn_weights", true);
  reader.expect("scale_attn_by_inverse_layer_idx", false);
  return {
    vocabularySize: reader.count("vocab_size"),
    contextLength: reader.count("n_positions"),
    width: reader.count("n_embd"),
    layers: reader.count("n_layer"),
    heads: reader.count("n_head"),
    feedForwardWidth: reader.optionalCount("n_inner"),
    activation: json.activation_function === "gelu" ? "gelu" : "gelu_new",
    layerNormEpsilon: reader.number("layer_norm_epsilon", 1e-5),
    qkvBias: reader.flag("qkv_bias", true),
    tied: reader.flag("tie_word_embeddings", true),
    initializerRange: reader.number("initializer_range", 0.02),
    special: reader.specialTokens(),
    dropout,
  };
}

/**
 * Converts a GPT-2's shape to a `config.json`: the inverse of {@linkcode parseGpt2Config}.
 *
 * @param config Shape and options.
 * @returns The file's object.
 */
export function gpt2ToConfig(config: Gpt2Config): Record<string, unknown> {
  const probability = config.dropout ?? 0;
  const last = config.vocabularySize - 1;
  const { bos = last, eos = last, pad } = config.special ?? {};
  return {
    architectures: ["GPT2LMHeadModel"],
    model_type: "gpt2",
    activation_function: config.activation ?? "gelu_new",
    vocab_size: config.vocabularySize,
    n_positions: config.contextLength,
    n_ctx: config.contextLength,
    n_embd: config.width,
    n_layer: config.layers,
    n_head: config.heads,
    n_inner: config.feedForwardWidth ?? null,
    layer_norm_epsilon: config.layerNormEpsilon ?? 1e-5,
    embd_pdrop: probability,
    resid_pdrop: probability,
    attn_pdrop: config.attentionDropout ?? probability,
    initializer_range: config.initializerRange ?? 0.02,
    tie_word_embeddings: config.tied ?? true,
    ...specialTokensToConfig({ bos, eos, pad }),
    ...(config.qkvBias === false ? { qkv_bias: false } : {}),
  };
}

function readConfig(reader: GgufReader): Record<string, unknown> {
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

function writeKeys(reader: ConfigReader): GgufKeys {
  const width = reader.count("n_embd");
  return {
    context_length: uint32(reader.count("n_positions")),
    embedding_length: uint32(width),
    block_count: uint32(reader.count("n_layer")),
    feed_forward_length: uint32(reader.optionalCount("n_inner") ?? 4 * width),
    "attention.head_count": uint32(reader.count("n_head")),
    "attention.layer_norm_epsilon": float32(reader.number("layer_norm_epsilon", 1e-5)),
  };
}

/** GPT-2. */
export const gpt2: Family = defineFamily<Gpt2Config>({
  title: "GPT-2",
  modelTypes: ["gpt2"],
  prefixes: ["transformer.", ""],
  embeddings: ["wte.weight", "wpe.weight"],
  head: "lm_head.weight",
  readConfig: parseGpt2Config,
  writeConfig: gpt2ToConfig,
  shapesOf: gpt2Shapes,
  build: (config, parameters) => new Gpt2(config, parameters),
  hasDropout: true,
  gguf: {
    architecture: "gpt2",
    names: {
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
    },
    formOf: (module, part) => ({
      kind: part === "weight" && module.includes(".") ? "transposed" : "same",
    }),
    readConfig,
    writeKeys,
    needsHead: true,
    needsBiases: ["attn_qkv"],
    notices: ({ activation_function: activation }) => activation === "gelu" ? [GELU_NOTICE] : [],
  },
});
