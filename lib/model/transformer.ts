/**
 * The transformer that Llama and its descendants share, from top to bottom: rotary positions, grouped
 * heads, norms where a family has them, a feed-forward layer with or without a gate. A family says in
 * `families/<family>.ts` which modules its blocks have and how they are named; nothing here knows
 * families by name.
 *
 * Weights keep the names and layout of Hugging Face's files: projections are (out, in).
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
  type RotaryScaling,
  scale,
  swiglu,
  type Tensor,
} from "../tensor/mod.ts";
import type { SpecialTokens } from "./config_reader.ts";
import { Decoder, type DecoderConfig } from "./decoder.ts";
import { defineFamily, type Family, type FamilyDefinition } from "./families/family.ts";
import type { FamilyTraits } from "./families/traits.ts";
import type { AttentionHeads, ModelInput } from "./model.ts";
import { assertHeads, type CreateOptions, createParameters } from "./parameters.ts";

/**
 * The modules of a transformer by their names, a block's without its number. What is absent, a
 * family does not have.
 */
export interface TransformerModules {
  /** The token embedding. */
  readonly tokens: string;
  /** The norm of attention's input. */
  readonly attentionNorm?: string;
  /** The projection to queries. */
  readonly query: string;
  /** The projection to keys. */
  readonly key: string;
  /** The projection to values. */
  readonly value: string;
  /** The norm of queries. */
  readonly queryNorm?: string;
  /** The norm of keys. */
  readonly keyNorm?: string;
  /** The projection of what was attended to. */
  readonly output: string;
  /** The norm of attention's output. */
  readonly attentionOutNorm?: string;
  /** The norm of the feed-forward layer's input. */
  readonly feedForwardNorm?: string;
  /** The gate of the feed-forward layer. */
  readonly gate: string;
  /** The projection into the feed-forward layer. */
  readonly up: string;
  /** The projection out of it. */
  readonly down: string;
  /** The norm of the feed-forward layer's output. */
  readonly feedForwardOutNorm?: string;
  /** The norm of the last block's output. */
  readonly norm: string;
}

/** Llama's modules, and their names in most families. */
export const LLAMA_MODULES = {
  tokens: "embed_tokens",
  attentionNorm: "input_layernorm",
  query: "self_attn.q_proj",
  key: "self_attn.k_proj",
  value: "self_attn.v_proj",
  output: "self_attn.o_proj",
  feedForwardNorm: "post_attention_layernorm",
  gate: "mlp.gate_proj",
  up: "mlp.up_proj",
  down: "mlp.down_proj",
  norm: "norm",
} as const satisfies TransformerModules;

/** Shape and options of a transformer. */
export interface TransformerConfig extends DecoderConfig {
  /** Its modules. */
  readonly modules: TransformerModules;
  /** F: width inside the feed-forward layers. */
  readonly feedForwardWidth: number;
  /** What opens the gate of the feed-forward layers. */
  readonly activation: "swiglu" | "geglu";
  /** Added to norms' weights: 1 where these are stored minus 1. 0 by default. */
  readonly normOffset?: 0 | 1;
  /** Added to mean squares. */
  readonly normEpsilon: number;
  /** θ, the base of rotary positions' wavelengths. */
  readonly theta: number;
  /** How rotary positions are scaled; not at all by default. */
  readonly scaling?: RotaryScaling;
  /** Which layers attend to a window only; none by default. */
  readonly localLayers?: readonly boolean[];
  /** Local layers attend only to tokens less than this many positions away. */
  readonly window?: number;
  /** θ of local layers, whose positions are then not scaled; as in other layers by default. */
  readonly localTheta?: number;
  /** The factor of scores; 1/√D by default. */
  readonly scoreFactor?: number;
  /** The factor of embeddings; 1 by default. */
  readonly embeddingFactor?: number;
  /** Which projections have biases; none by default. */
  readonly biases?: {
    readonly queryKeyValue?: boolean;
    readonly output?: boolean;
    readonly feedForward?: boolean;
  };
  /** Whether the output head is the token embedding. */
  readonly tied: boolean;
  /** Special tokens. */
  readonly special?: SpecialTokens;
}

/**
 * Names and shapes of all weights.
 *
 * @param config The model's shape.
 * @param head The name of the output head's weight.
 * @returns Shapes by name, in the order of the computation.
 */
export function transformerShapes(
  config: TransformerConfig,
  head = "lm_head.weight",
): Map<string, number[]> {
  const { vocabularySize, width, layers, heads, feedForwardWidth, modules, biases = {} } = config;
  const { kvHeads = heads, headDim = width / heads, tied } = config;
  const shapes = new Map<string, number[]>();
  const linear = (name: string, rows: number, columns: number, bias = false) => {
    shapes.set(`${name}.weight`, [rows, columns]);
    if (bias) shapes.set(`${name}.bias`, [rows]);
  };
  shapes.set(`${modules.tokens}.weight`, [vocabularySize, width]);
  for (let layer = 0; layer < layers; layer++) {
    const l = `layers.${layer}.`;
    const norm = (name: string | undefined, size = width) => {
      if (name !== undefined) shapes.set(`${l}${name}.weight`, [size]);
    };
    norm(modules.attentionNorm);
    linear(`${l}${modules.query}`, heads * headDim, width, biases.queryKeyValue);
    linear(`${l}${modules.key}`, kvHeads * headDim, width, biases.queryKeyValue);
    linear(`${l}${modules.value}`, kvHeads * headDim, width, biases.queryKeyValue);
    norm(modules.queryNorm, headDim);
    norm(modules.keyNorm, headDim);
    linear(`${l}${modules.output}`, width, heads * headDim, biases.output);
    norm(modules.attentionOutNorm);
    norm(modules.feedForwardNorm);
    linear(`${l}${modules.gate}`, feedForwardWidth, width, biases.feedForward);
    linear(`${l}${modules.up}`, feedForwardWidth, width, biases.feedForward);
    linear(`${l}${modules.down}`, width, feedForwardWidth, biases.feedForward);
    norm(modules.feedForwardOutNorm);
  }
  shapes.set(`${modules.norm}.weight`, [width]);
  if (!tied) shapes.set(head, [vocabularySize, width]);
  return shapes;
}

/**
 * Creates untrained weights: normal with deviation 0.02, biases 0, norms 1.
 *
 * @param device The device that stores them.
 * @param config Shape and options.
 * @param options The seed of the first weights.
 * @returns A tensor for each of {@linkcode transformerShapes}.
 */
export function createTransformerParameters(
  device: Device,
  config: TransformerConfig,
  options: CreateOptions,
): Map<string, Tensor> {
  return createParameters(device, transformerShapes(config), options, (name) => {
    if (name.endsWith("norm.weight")) return { constant: 1 - (config.normOffset ?? 0) };
    return name.endsWith("bias") ? { constant: 0 } : { deviation: 0.02 };
  });
}

/** A layer's way to attend: its heads, and the angles of its positions. */
interface AttentionKind {
  readonly heads: AttentionHeads;
  readonly angles: Tensor;
}

/**
 * A transformer on a device.
 *
 * @example What a plan builds
 * ```ts
 * import { assert } from "@std/assert";
 * import { pick } from "tunebook";
 * import { Llama, Transformer } from "tunebook/model";
 *
 * const device = await pick({ device: "cpu" });
 * const network = Llama.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2, feedForwardWidth: 8,
 * });
 * assert(network instanceof Transformer);
 * device.close();
 * ```
 */
export class Transformer<C extends DecoderConfig = TransformerConfig> extends Decoder<C> {
  /** Its family. */
  readonly family: FamilyTraits;
  readonly #recipe: TransformerConfig;
  readonly #toConfig: () => Record<string, unknown>;

  /**
   * Makes a network of given weights.
   *
   * @param config Shape and options, in the family's terms.
   * @param parameters A tensor for each of {@linkcode transformerShapes}.
   * @param of The family, the configuration as a transformer's, and what writes it.
   */
  constructor(
    config: C,
    parameters: ReadonlyMap<string, Tensor>,
    of: {
      family: FamilyTraits;
      recipe: TransformerConfig;
      toConfig: () => Record<string, unknown>;
    },
  ) {
    const { family, recipe, toConfig } = of;
    const { heads, kvHeads = heads, headDim = recipe.width / heads, tied } = recipe;
    assertHeads(heads, kvHeads, headDim);
    super(config, parameters, { family, layout: "out-in", tied });
    this.family = family;
    this.#recipe = recipe;
    this.#toConfig = toConfig;
  }

  /** Gives the last layer's output after the final norm, (T, C). */
  hidden({ tokens, positions, attend, dropoutSeed, recompute: again }: ModelInput): Tensor {
    const { modules, layers, activation, embeddingFactor, localLayers = [] } = this.#recipe;
    const linear = (x: Tensor, name: string) => this.linears.get(name)!.apply(x, dropoutSeed);
    const gated = activation === "swiglu" ? swiglu : geglu;
    const { everywhere, local } = this.#attentionKinds(positions);

    const attention = (x: Tensor, layer: number) => {
      const l = `layers.${layer}.`;
      const { heads, angles } = localLayers[layer] ? local : everywhere;
      const q = this.#norm(linear(x, `${l}${modules.query}`), l, modules.queryNorm); // (T, H D)
      const k = this.#norm(linear(x, `${l}${modules.key}`), l, modules.keyNorm); // (T, Hkv D)
      const v = linear(x, `${l}${modules.value}`); // (T, Hkv D)
      const attended = attend(layer, rotary(q, angles), rotary(k, angles), v, heads); // (T, H D)
      return linear(attended, `${l}${modules.output}`); // (T, C)
    };
    const feedForward = (x: Tensor, layer: number) => {
      const l = `layers.${layer}.`;
      const gate = linear(x, `${l}${modules.gate}`); // (T, F)
      const up = linear(x, `${l}${modules.up}`); // (T, F)
      return linear(gated(gate, up), `${l}${modules.down}`); // (T, C)
    };
    const block = (x: Tensor, layer: number) => {
      const l = `layers.${layer}.`;
      const mixed = attention(this.#norm(x, l, modules.attentionNorm), layer);
      x = add(x, this.#norm(mixed, l, modules.attentionOutNorm));
      const added = feedForward(this.#norm(x, l, modules.feedForwardNorm), layer);
      return add(x, this.#norm(added, l, modules.feedForwardOutNorm));
    };

    let x = embedding(this.weight(`${modules.tokens}.weight`), tokens); // (T, C)
    if (embeddingFactor !== undefined) x = scale(x, embeddingFactor);
    for (let layer = 0; layer < layers; layer++) {
      x = again ? recompute((x) => block(x, layer), x) : block(x, layer);
    }
    return this.#norm(x, "", modules.norm);
  }

  /** Gives what its `config.json` says. */
  toConfig(): Record<string, unknown> {
    return this.#toConfig();
  }

  /** The norm of a block; x itself where the block has none. */
  #norm(x: Tensor, block: string, name: string | undefined): Tensor {
    if (name === undefined) return x;
    const { normEpsilon: epsilon, normOffset: offset = 0 } = this.#recipe;
    return rmsNorm(x, this.weight(`${block}${name}.weight`), { epsilon, offset });
  }

  /** How layers attend that see everything, and those that see a window. */
  #attentionKinds(positions: Int32Array): { everywhere: AttentionKind; local: AttentionKind } {
    const { theta, localTheta, scaling, window, scoreFactor, localLayers = [] } = this.#recipe;
    const { headDim, device } = this;
    const heads = { heads: this.heads, kvHeads: this.kvHeads, scale: scoreFactor };
    const everywhere = {
      heads,
      angles: rotaryAngles(device, positions, { headDim, theta, scaling }),
    };
    if (!localLayers.includes(true)) return { everywhere, local: everywhere };
    const angles = localTheta === undefined
      ? everywhere.angles
      : rotaryAngles(device, positions, { headDim, theta: localTheta });
    return { everywhere, local: { heads: { ...heads, window }, angles } };
  }
}

/**
 * Makes a family whose networks are transformers.
 *
 * @param definition The family's own parts.
 * @returns The family.
 */
export function defineTransformerFamily(
  definition: Omit<FamilyDefinition<TransformerConfig>, "build" | "shapesOf">,
): Family {
  const { head, writeConfig } = definition;
  const family: Family = defineFamily<TransformerConfig>({
    ...definition,
    shapesOf: (config) => transformerShapes(config, head),
    build: (config, parameters) =>
      new Transformer(config, parameters, {
        family,
        recipe: config,
        toConfig: () => writeConfig(config),
      }),
  });
  return family;
}
