/**
 * Gemma, from top to bottom as in "Gemma: Open Models Based on Gemini Research and Technology", 2024, and the text part
 * of Gemma 3 ("Gemma 3 Technical Report", 2025): norms before and after each layer and of queries
 * and keys, and local layers.
 *
 * Weights keep the names and layout of Hugging Face's `GemmaForCausalLM` and `Gemma3ForCausalLM`: projections are
 * (out, in), and norms' weights are stored minus 1.
 *
 * @module
 */

import {
  add,
  type Device,
  embedding,
  geglu,
  recompute,
  rmsNorm,
  rotary,
  rotaryAngles,
  scale,
  type Tensor,
} from "../tensor/mod.ts";
import { Decoder } from "./decoder.ts";
import { alternate, type GemmaConfig, gemmaToConfig } from "./gemma_config.ts";
import type { ModelInput } from "./model.ts";
import { assertHeads, type CreateOptions, createParameters } from "./parameters.ts";

/**
 * Names and shapes of all weights.
 *
 * @param config The model's shape.
 * @returns Shapes by name, in the order of the computation.
 */
export function gemmaShapes(config: GemmaConfig): Map<string, number[]> {
  const { generation, vocabularySize, width, layers, heads, headDim, feedForwardWidth } = config;
  const { attentionBias = false, tied = true, kvHeads = heads } = config;
  const third = generation === 3;
  const shapes = new Map<string, number[]>();
  const linear = (name: string, rows: number, columns: number, bias = false) => {
    shapes.set(`${name}.weight`, [rows, columns]);
    if (bias) shapes.set(`${name}.bias`, [rows]);
  };
  shapes.set("embed_tokens.weight", [vocabularySize, width]);
  for (let layer = 0; layer < layers; layer++) {
    const l = `layers.${layer}.`;
    shapes.set(`${l}input_layernorm.weight`, [width]);
    linear(`${l}self_attn.q_proj`, heads * headDim, width, attentionBias);
    linear(`${l}self_attn.k_proj`, kvHeads * headDim, width, attentionBias);
    linear(`${l}self_attn.v_proj`, kvHeads * headDim, width, attentionBias);
    if (third) {
      shapes.set(`${l}self_attn.q_norm.weight`, [headDim]);
      shapes.set(`${l}self_attn.k_norm.weight`, [headDim]);
    }
    linear(`${l}self_attn.o_proj`, width, heads * headDim, attentionBias);
    shapes.set(`${l}post_attention_layernorm.weight`, [width]);
    if (third) shapes.set(`${l}pre_feedforward_layernorm.weight`, [width]);
    linear(`${l}mlp.gate_proj`, feedForwardWidth, width);
    linear(`${l}mlp.up_proj`, feedForwardWidth, width);
    linear(`${l}mlp.down_proj`, width, feedForwardWidth);
    if (third) shapes.set(`${l}post_feedforward_layernorm.weight`, [width]);
  }
  shapes.set("norm.weight", [width]);
  if (!tied) shapes.set("lm_head.weight", [vocabularySize, width]);
  return shapes;
}

/**
 * A Gemma on a device.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { pick } from "tunebook";
 * import { Gemma } from "tunebook/model";
 *
 * const device = await pick({ device: "cpu" });
 * const network = Gemma.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2, kvHeads: 1, feedForwardWidth: 8,
 *   headDim: 2, generation: 1,
 * });
 * assertEquals(network.kvHeads, 1);
 * device.close();
 * ```
 */
export class Gemma extends Decoder<GemmaConfig> {
  /** The architecture, as GGUF files name it. */
  readonly architecture: "gemma" | "gemma3";
  /** What precedes the weights' names in Hugging Face files. */
  readonly prefix = "model.";

  /**
   * Makes a network of given weights.
   *
   * @param config Shape and options.
   * @param parameters A tensor for each of {@linkcode gemmaShapes}.
   */
  constructor(config: GemmaConfig, parameters: ReadonlyMap<string, Tensor>) {
    const { heads, kvHeads = heads, headDim, tied = true } = config;
    assertHeads(heads, kvHeads, headDim);
    const embeddings = ["embed_tokens.weight"];
    super(config, parameters, { of: "a Gemma", embeddings, layout: "out-in", tied });
    this.architecture = config.generation === 3 ? "gemma3" : "gemma";
  }

  /**
   * Creates an untrained model: weights normal with deviation 0.02, biases and norms (stored minus
   * 1) 0.
   *
   * @param device The device that stores it.
   * @param config Shape and options.
   * @param options The seed of the first weights.
   * @returns The model.
   */
  static create(
    device: Device,
    config: GemmaConfig,
    options: CreateOptions = {},
  ): Gemma {
    const parameters = createParameters(
      device,
      gemmaShapes(config),
      options,
      (name) => /norm\.weight$|bias$/.test(name) ? { constant: 0 } : { deviation: 0.02 },
    );
    return new Gemma(config, parameters);
  }

  /** Gives the last layer's output after the final norm, (T, C). */
  hidden({ tokens, positions, attend, dropoutSeed, recompute: again }: ModelInput): Tensor {
    const { generation, width, layers, heads, headDim, scaling } = this.config;
    const { normEpsilon: epsilon = 1e-6, queryScalar = headDim } = this.config;
    const third = generation === 3;
    const norm = (x: Tensor, name: string) =>
      rmsNorm(x, this.weight(`${name}.weight`), { epsilon, offset: 1 });
    // Gemma 3 also normalizes each head of queries and keys, and the outputs added to the residual
    // stream.
    const norm3 = (x: Tensor, name: string) => third ? norm(x, name) : x;
    const linear = (x: Tensor, name: string) => this.linears.get(name)!.apply(x, dropoutSeed);
    const everywhere = { heads, kvHeads: this.kvHeads, scale: 1 / Math.sqrt(queryScalar) };

    const { theta = third ? 1_000_000 : 10_000, localTheta = 10_000, window = 4096 } = this.config;
    const global = {
      attention: everywhere,
      angles: rotaryAngles(this.device, positions, { headDim, theta, scaling }),
    };
    const isLocal = this.config.localLayers ?? (third ? alternate(layers, 6) : []);
    const local = isLocal.includes(true)
      ? {
        attention: { ...everywhere, window },
        angles: rotaryAngles(this.device, positions, { headDim, theta: localTheta }),
      }
      : global;

    const block = (x: Tensor, layer: number) => {
      const l = `layers.${layer}`;
      const { attention, angles } = isLocal[layer] ? local : global;
      const normed = norm(x, `${l}.input_layernorm`);
      const q = norm3(linear(normed, `${l}.self_attn.q_proj`), `${l}.self_attn.q_norm`);
      const k = norm3(linear(normed, `${l}.self_attn.k_proj`), `${l}.self_attn.k_norm`);
      const v = linear(normed, `${l}.self_attn.v_proj`); // (T, Hkv D)
      const attended = attend(layer, rotary(q, angles), rotary(k, angles), v, attention);
      const mixed = linear(attended, `${l}.self_attn.o_proj`); // (T, C)
      x = add(x, norm3(mixed, `${l}.post_attention_layernorm`));
      const inner = norm(
        x,
        `${l}.${third ? "pre_feedforward_layernorm" : "post_attention_layernorm"}`,
      );
      const gate = linear(inner, `${l}.mlp.gate_proj`); // (T, F)
      const up = linear(inner, `${l}.mlp.up_proj`); // (T, F)
      const added = linear(geglu(gate, up), `${l}.mlp.down_proj`); // (T, C)
      return add(x, norm3(added, `${l}.post_feedforward_layernorm`));
    };

    let x = scale(embedding(this.weight("embed_tokens.weight"), tokens), Math.sqrt(width));
    for (let layer = 0; layer < layers; layer++) {
      x = again ? recompute((x) => block(x, layer), x) : block(x, layer);
    }
    return norm(x, "norm");
  }

  /** Gives what its `config.json` says. */
  toConfig(): Record<string, unknown> {
    return gemmaToConfig(this.config);
  }
}
