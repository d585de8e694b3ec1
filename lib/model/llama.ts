/**
 * Llama, from top to bottom as in Touvron et al., "LLaMA: Open and Efficient Foundation Language
 * Models", 2023, also TinyLlama, SmolLM2 and, with a sliding window, Mistral (Jiang et al.,
 * "Mistral 7B", 2023).
 *
 * Weights keep the names and layout of Hugging Face's `LlamaForCausalLM`: projections are (out, in).
 *
 * @module
 */

import {
  add,
  type Device,
  embedding,
  recompute,
  rmsNorm,
  rotary,
  rotaryAngles,
  swiglu,
  type Tensor,
} from "../tensor/mod.ts";
import { Decoder } from "./decoder.ts";
import { type LlamaConfig, llamaToConfig } from "./llama_config.ts";
import type { ModelInput } from "./model.ts";
import { assertHeads, type CreateOptions, createParameters } from "./parameters.ts";

/**
 * Names and shapes of all weights.
 *
 * @param config The model's shape.
 * @returns Shapes by name, in the order of the computation.
 */
export function llamaShapes(config: LlamaConfig): Map<string, number[]> {
  const { vocabularySize, width, layers, heads, feedForwardWidth, tied = false } = config;
  const { attentionBias = false, mlpBias = false, kvHeads = heads, headDim = width / heads } =
    config;
  const shapes = new Map<string, number[]>();
  const linear = (name: string, rows: number, columns: number, bias: boolean) => {
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
    linear(`${l}self_attn.o_proj`, width, heads * headDim, attentionBias);
    shapes.set(`${l}post_attention_layernorm.weight`, [width]);
    linear(`${l}mlp.gate_proj`, feedForwardWidth, width, mlpBias);
    linear(`${l}mlp.up_proj`, feedForwardWidth, width, mlpBias);
    linear(`${l}mlp.down_proj`, width, feedForwardWidth, mlpBias);
  }
  shapes.set("norm.weight", [width]);
  if (!tied) shapes.set("lm_head.weight", [vocabularySize, width]);
  return shapes;
}

/**
 * A Llama or Mistral on a device.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { pick } from "tunebook";
 * import { Llama } from "tunebook/model";
 *
 * const device = await pick({ device: "cpu" });
 * const network = Llama.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2, kvHeads: 1, feedForwardWidth: 8,
 * });
 * assertEquals(network.kvHeads, 1);
 * device.close();
 * ```
 */
export class Llama extends Decoder<LlamaConfig> {
  /** The architecture, as GGUF files name it. */
  readonly architecture = "llama";
  /** What precedes the weights' names in Hugging Face files. */
  readonly prefix = "model.";

  /**
   * Makes a network of given weights.
   *
   * @param config Shape and options.
   * @param parameters A tensor for each of {@linkcode llamaShapes}.
   */
  constructor(config: LlamaConfig, parameters: ReadonlyMap<string, Tensor>) {
    const { heads, kvHeads = heads, headDim = config.width / heads, tied = false } = config;
    assertHeads(heads, kvHeads, headDim);
    const embeddings = ["embed_tokens.weight"];
    super(config, parameters, { of: "a Llama", embeddings, layout: "out-in", tied });
  }

  /**
   * Creates an untrained model: weights normal with deviation 0.02, biases 0, norms 1.
   *
   * @param device The device that stores it.
   * @param config Shape and options.
   * @param options The seed of the first weights.
   * @returns The model.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { generate, pick } from "tunebook";
   * import { Llama } from "tunebook/model";
   *
   * const device = await pick({ device: "cpu" });
   * const model = Llama.create(device, {
   *   vocabularySize: 50, contextLength: 32, width: 16, layers: 2, heads: 4, kvHeads: 2, feedForwardWidth: 24,
   * });
   * const [{ tokens }] = await generate(model, [[1, 2, 3]], { maxNewTokens: 5 });
   * assertEquals(tokens.length, 5);
   * device.close();
   * ```
   */
  static create(
    device: Device,
    config: LlamaConfig,
    options: CreateOptions = {},
  ): Llama {
    const parameters = createParameters(device, llamaShapes(config), options, (name) => {
      if (name.endsWith("norm.weight")) return { constant: 1 };
      return name.endsWith("bias") ? { constant: 0 } : { deviation: 0.02 };
    });
    return new Llama(config, parameters);
  }

  /** Gives the last layer's output after the final norm, (T, C). */
  hidden({ tokens, positions, attend, dropoutSeed, recompute: again }: ModelInput): Tensor {
    const { layers, heads, normEpsilon: epsilon = 1e-6, theta, scaling, window } = this.config;
    const attention = { heads, kvHeads: this.kvHeads, window };
    const norm = (x: Tensor, name: string) =>
      rmsNorm(x, this.weight(`${name}.weight`), { epsilon });
    const linear = (x: Tensor, name: string) => this.linears.get(name)!.apply(x, dropoutSeed);
    const angles = rotaryAngles(this.device, positions, { headDim: this.headDim, theta, scaling });

    const block = (x: Tensor, layer: number) => {
      const l = `layers.${layer}`;
      const normed = norm(x, `${l}.input_layernorm`);
      const q = rotary(linear(normed, `${l}.self_attn.q_proj`), angles); // (T, H D)
      const k = rotary(linear(normed, `${l}.self_attn.k_proj`), angles); // (T, Hkv D)
      const v = linear(normed, `${l}.self_attn.v_proj`); // (T, Hkv D)
      const attended = attend(layer, q, k, v, attention); // (T, H D)
      x = add(x, linear(attended, `${l}.self_attn.o_proj`));
      const inner = norm(x, `${l}.post_attention_layernorm`);
      const gate = linear(inner, `${l}.mlp.gate_proj`); // (T, F)
      const up = linear(inner, `${l}.mlp.up_proj`); // (T, F)
      return add(x, linear(swiglu(gate, up), `${l}.mlp.down_proj`));
    };

    let x = embedding(this.weight("embed_tokens.weight"), tokens); // (T, C)
    for (let layer = 0; layer < layers; layer++) {
      x = again ? recompute((x) => block(x, layer), x) : block(x, layer);
    }
    return norm(x, "norm");
  }

  /** Gives what its `config.json` says. */
  toConfig(): Record<string, unknown> {
    return llamaToConfig(this.config);
  }
}
