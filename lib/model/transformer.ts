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
  concat,
  type Device,
  embedding,
  geglu,
  gelu,
  geluErf,
  layerNorm,
  recompute,
  reshape,
  rmsNorm,
  rotary,
  rotaryAngles,
  type RotaryScaling,
  scale,
  split,
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
  /** The projection to queries, where there is one for each. */
  readonly query?: string;
  /** The projection to keys. */
  readonly key?: string;
  /** The projection to values. */
  readonly value?: string;
  /** The projection to queries, keys and values together. */
  readonly queryKeyValue?: string;
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
  readonly gate?: string;
  /** The projection into the feed-forward layer. */
  readonly up?: string;
  /** Both together. */
  readonly gateUp?: string;
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
  /** What bends the feed-forward layers: of a gate, or of its only input. */
  readonly activation: "swiglu" | "geglu" | "gelu_tanh" | "gelu";
  /** Whether norms are by the root mean square, or also by the mean and with biases. The first by default. */
  readonly norm?: "rms" | "layer";
  /** Added to norms' weights: 1 where these are stored minus 1. 0 by default. */
  readonly normOffset?: 0 | 1;
  /** Added to mean squares. */
  readonly normEpsilon: number;
  /** Whether queries and keys are normalised head by head, or all of a token's together. The first by default. */
  readonly queryKeyNorm?: "head" | "width";
  /**
   * How queries, keys and values of one projection stand: all queries first, or those of a head beside
   * its keys and values. The first by default.
   */
  readonly queryKeyValueOrder?: "parts" | "heads";
  /** Whether attention and feed-forward layer have the same input, beside each other. False by default. */
  readonly parallel?: boolean;
  /** θ, the base of rotary positions' wavelengths. */
  readonly theta: number;
  /** How rotary positions are scaled; not at all by default. */
  readonly scaling?: RotaryScaling;
  /** How many elements of a head are turned; all by default. */
  readonly rotaryWidth?: number;
  /** Which layers have no positions; none by default. */
  readonly withoutPositions?: readonly boolean[];
  /** Which layers attend to a window only; none by default. */
  readonly localLayers?: readonly boolean[];
  /** Local layers attend only to tokens less than this many positions away. */
  readonly window?: number;
  /** θ of local layers, whose positions are then not scaled; as in other layers by default. */
  readonly localTheta?: number;
  /** The factor of scores; 1/√D by default. */
  readonly scoreFactor?: number;
  /** The limit towards which scores are bent; not at all by default. */
  readonly scoreCap?: number;
  /** The limit towards which logits are bent; not at all by default. */
  readonly logitCap?: number;
  /** The factor of embeddings; 1 by default. */
  readonly embeddingFactor?: number;
  /** The factor of what layers add to the residual stream; 1 by default. */
  readonly residualFactor?: number;
  /** What logits are divided by; 1 by default. */
  readonly logitDivisor?: number;
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
  const linear = (
    block: string,
    name: string | undefined,
    rows: number,
    columns: number,
    bias = false,
  ) => {
    if (name === undefined) return;
    shapes.set(`${block}${name}.weight`, [rows, columns]);
    if (bias) shapes.set(`${block}${name}.bias`, [rows]);
  };
  const norm = (block: string, name: string | undefined, size = width) => {
    if (name === undefined) return;
    shapes.set(`${block}${name}.weight`, [size]);
    if (config.norm === "layer") shapes.set(`${block}${name}.bias`, [size]);
  };
  shapes.set(`${modules.tokens}.weight`, [vocabularySize, width]);
  for (let layer = 0; layer < layers; layer++) {
    const l = `layers.${layer}.`;
    norm(l, modules.attentionNorm);
    const [queryWidth, keyWidth] = [heads * headDim, kvHeads * headDim];
    linear(l, modules.query, queryWidth, width, biases.queryKeyValue);
    linear(l, modules.key, keyWidth, width, biases.queryKeyValue);
    linear(l, modules.value, keyWidth, width, biases.queryKeyValue);
    linear(l, modules.queryKeyValue, queryWidth + 2 * keyWidth, width, biases.queryKeyValue);
    const together = config.queryKeyNorm === "width";
    norm(l, modules.queryNorm, together ? queryWidth : headDim);
    norm(l, modules.keyNorm, together ? keyWidth : headDim);
    linear(l, modules.output, width, queryWidth, biases.output);
    norm(l, modules.attentionOutNorm);
    norm(l, modules.feedForwardNorm);
    linear(l, modules.gate, feedForwardWidth, width, biases.feedForward);
    linear(l, modules.up, feedForwardWidth, width, biases.feedForward);
    linear(l, modules.gateUp, 2 * feedForwardWidth, width, biases.feedForward);
    linear(l, modules.down, width, feedForwardWidth, biases.feedForward);
    norm(l, modules.feedForwardOutNorm);
  }
  norm("", modules.norm);
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

/** A layer's way to attend. */
interface AttentionKind {
  readonly heads: AttentionHeads;
  /** Turns queries or keys by their positions. */
  readonly turn: (x: Tensor) => Tensor;
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
  /**
   * Its configuration as a transformer's, with the modules of its blocks.
   *
   * @internal
   */
  readonly recipe: TransformerConfig;
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
    this.recipe = recipe;
    this.#toConfig = toConfig;
  }

  /** Whether angles of positions depend on how long a text is. */
  override get dependsOnLength(): boolean {
    const { scaling } = this.recipe;
    return scaling?.type === "dynamic" || scaling?.type === "longrope";
  }

  /** The length at which angles of all positions change, if there is one. */
  get switchLength(): number | undefined {
    const { scaling } = this.recipe;
    return scaling?.type === "longrope" ? scaling.originalContext : undefined;
  }

  /** The limit towards which logits are bent, if there is one. */
  get logitCap(): number | undefined {
    return this.recipe.logitCap;
  }

  /** Gives the last layer's output after the final norm, (T, C), or only the rows that are wanted. */
  hidden(input: ModelInput): Tensor {
    const { tokens, positions, attend, dropoutSeed, recompute: again } = input;
    const { modules, layers, embeddingFactor, logitDivisor, parallel } = this.recipe;
    const { everywhere, local } = this.#attentionKinds(positions);
    const { localLayers = [] } = this.recipe;
    const inBlock = (layer: number) => {
      const l = `layers.${layer}.`;
      return {
        kind: localLayers[layer] ? local : everywhere,
        norm: (x: Tensor, name?: string) => this.#norm(x, l, name),
        linear: (x: Tensor, name: string) => this.linears.get(`${l}${name}`)!.apply(x, dropoutSeed),
      };
    };

    const wanted = (x: Tensor, layer: number) =>
      layer === layers - 1 ? this.wanted(input, x)[0] : x;

    const attention = (x: Tensor, layer: number) => {
      const { kind: { heads, turn }, norm, linear } = inBlock(layer);
      const [q, k, v] = this.#queryKeyValue(x, linear); // (T, H D), (T, Hkv D) twice
      const turned = this.recipe.withoutPositions?.[layer] ? (x: Tensor) => x : turn;
      const query = turned(norm(q, modules.queryNorm));
      const key = turned(norm(k, modules.keyNorm));
      const attended = attend(layer, query, key, v, heads); // (T, H D)
      const mixed = linear(wanted(attended, layer), modules.output); // (T, C)
      return this.#scaled(norm(mixed, modules.attentionOutNorm));
    };
    const feedForward = (x: Tensor, layer: number) => {
      const { norm, linear } = inBlock(layer);
      const added = linear(this.#bent(x, linear), modules.down); // (T, C)
      return this.#scaled(norm(added, modules.feedForwardOutNorm));
    };
    const block = (x: Tensor, layer: number) => {
      const { norm } = inBlock(layer);
      const own = wanted(x, layer);
      const mixed = add(own, attention(norm(x, modules.attentionNorm), layer));
      const bent = norm(parallel ? own : mixed, modules.feedForwardNorm);
      return add(mixed, feedForward(bent, layer));
    };

    let x = embedding(this.weight(`${modules.tokens}.weight`), tokens); // (T, C)
    if (embeddingFactor !== undefined) x = scale(x, embeddingFactor);
    for (let layer = 0; layer < layers; layer++) {
      x = again ? recompute((x) => block(x, layer), x) : block(x, layer);
    }
    x = this.#norm(x, "", modules.norm);
    return logitDivisor === undefined ? x : scale(x, 1 / logitDivisor);
  }

  /** Gives what its `config.json` says. */
  toConfig(): Record<string, unknown> {
    return this.#toConfig();
  }

  /** What a layer adds, with its factor. */
  #scaled(x: Tensor): Tensor {
    const { residualFactor } = this.recipe;
    return residualFactor === undefined ? x : scale(x, residualFactor);
  }

  /** Queries, keys and values, from one projection or three. */
  #queryKeyValue(x: Tensor, linear: (x: Tensor, name: string) => Tensor): Tensor[] {
    const { modules, queryKeyValueOrder } = this.recipe;
    const { headDim, heads, keyWidth } = this;
    if (modules.queryKeyValue === undefined) {
      return [modules.query!, modules.key!, modules.value!].map((name) => linear(x, name));
    }
    const all = linear(x, modules.queryKeyValue);
    if (queryKeyValueOrder !== "heads") {
      return split(all, [heads * headDim, keyWidth, keyWidth]);
    }
    const byHead = reshape(all, [x.rows * heads, 3 * headDim]);
    return split(byHead, [headDim, headDim, headDim])
      .map((part) => reshape(part, [x.rows, heads * headDim]));
  }

  /** What enters the last projection of a feed-forward layer, (T, F). */
  #bent(x: Tensor, linear: (x: Tensor, name: string) => Tensor): Tensor {
    const { modules, activation, feedForwardWidth } = this.recipe;
    if (activation === "gelu" || activation === "gelu_tanh") {
      const inner = linear(x, modules.up!);
      return activation === "gelu" ? geluErf(inner) : gelu(inner);
    }
    const [gate, up] = modules.gateUp === undefined
      ? [linear(x, modules.gate!), linear(x, modules.up!)]
      : split(linear(x, modules.gateUp), [feedForwardWidth, feedForwardWidth]);
    return activation === "swiglu" ? swiglu(gate, up) : geglu(gate, up);
  }

  /** A norm; x itself where the family has none there. */
  #norm(x: Tensor, block: string, name: string | undefined): Tensor {
    if (name === undefined) return x;
    const { norm = "rms", normEpsilon: epsilon, normOffset: offset = 0 } = this.recipe;
    const weight = this.weight(`${block}${name}.weight`);
    return norm === "rms"
      ? rmsNorm(x, weight, { epsilon, offset })
      : layerNorm(x, weight, this.weight(`${block}${name}.bias`), epsilon);
  }

  /** How layers attend that see everything, and those that see a window. */
  #attentionKinds(positions: Int32Array): { everywhere: AttentionKind; local: AttentionKind } {
    const { theta, localTheta, scaling, window, scoreFactor, localLayers = [] } = this.recipe;
    const { heads: count, kvHeads } = this;
    const heads = { heads: count, kvHeads, scale: scoreFactor, softCap: this.recipe.scoreCap };
    const everywhere = { heads, turn: this.#turn(positions, { theta, scaling }) };
    if (!localLayers.includes(true)) return { everywhere, local: everywhere };
    const turn = localTheta === undefined
      ? everywhere.turn
      : this.#turn(positions, { theta: localTheta });
    return { everywhere, local: { heads: { ...heads, window }, turn } };
  }

  /** Turns heads, or the first elements of each. */
  #turn(
    positions: Int32Array,
    how: { theta: number; scaling?: RotaryScaling },
  ): (x: Tensor) => Tensor {
    const { headDim, device } = this;
    const { rotaryWidth = headDim } = this.recipe;
    const angles = rotaryAngles(device, positions, { headDim: rotaryWidth, ...how });
    if (rotaryWidth === headDim) return (x) => rotary(x, angles);
    return (x) => {
      const { rows, width } = x;
      const heads = width / headDim;
      const byHead = reshape(x, [rows * heads, headDim]);
      const [first, rest] = split(byHead, [rotaryWidth, headDim - rotaryWidth]);
      const turned = rotary(reshape(first, [rows, heads * rotaryWidth]), angles);
      const both = concat([reshape(turned, [rows * heads, rotaryWidth]), rest], 1);
      return reshape(both, [rows, width]);
    };
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
