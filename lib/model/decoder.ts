/**
 * The common part of all models, so that their own files read like their papers: weights and linear
 * layers by name, and the sizes that training and generation need.
 *
 * @module
 */

import { type Device, embedding, type Tensor } from "../tensor/mod.ts";
import { dropsInAdapters, type Linear, type LinearLayout, makeLinears } from "./linear.ts";
import type { FamilyTraits } from "./families/traits.ts";
import type { ModelInput, Network } from "./model.ts";
import { requireParameter } from "./parameters.ts";

/** The configuration that all architectures share. */
export interface DecoderConfig {
  /** V: tokens. */
  readonly vocabularySize: number;
  /** The longest sequence. */
  readonly contextLength: number;
  /** C: width of the residual stream. */
  readonly width: number;
  /** Number of blocks. */
  readonly layers: number;
  /** H: heads of the queries. */
  readonly heads: number;
  /** Heads of keys and values, each shared by `heads / kvHeads` query heads; as many as `heads` by default. */
  readonly kvHeads?: number;
  /** D: elements of a head; C / H by default. */
  readonly headDim?: number;
}

/** Names and layout of a model's weights. */
export interface DecoderWeights {
  /** The model's family. */
  readonly family: FamilyTraits;
  /** The layout of linear layers' weights. */
  readonly layout: LinearLayout;
  /** Whether the output head is the token embedding. */
  readonly tied: boolean;
}

/** A model with named weights. */
export abstract class Decoder<C extends DecoderConfig = DecoderConfig> implements Network {
  abstract readonly family: FamilyTraits;
  readonly device: Device;
  readonly parameters: Map<string, Tensor>;
  readonly linears: ReadonlyMap<string, Linear>;
  readonly #weights: DecoderWeights;

  /**
   * Makes a network of given weights.
   *
   * @param config Shape and options.
   * @param parameters A tensor for each weight; trainable ones require gradients.
   * @param weights Their names and layout.
   */
  constructor(
    readonly config: C,
    parameters: ReadonlyMap<string, Tensor>,
    weights: DecoderWeights,
  ) {
    this.#weights = weights;
    this.parameters = new Map(parameters);
    const { family, layout } = weights;
    this.linears = makeLinears(this.parameters, layout, family);
    this.device = this.weight(family.embeddings[0]).device;
    for (const parameter of parameters.values()) parameter.requiresGrad = parameter.dtype === "f32";
  }

  /** The architecture, as GGUF files name it. */
  get architecture(): string {
    return this.family.gguf.architecture;
  }

  /** What precedes the weights' names in Hugging Face files. */
  get prefix(): string {
    return this.family.prefixes[0];
  }

  get vocabularySize(): number {
    return this.config.vocabularySize;
  }

  get contextLength(): number {
    return this.config.contextLength;
  }

  get layers(): number {
    return this.config.layers;
  }

  get heads(): number {
    return this.config.heads;
  }

  get kvHeads(): number {
    return this.config.kvHeads ?? this.config.heads;
  }

  /** Elements of a head. */
  get headDim(): number {
    return this.config.headDim ?? this.config.width / this.config.heads;
  }

  get keyWidth(): number {
    return this.kvHeads * this.headDim;
  }

  get dependsOnLength(): boolean {
    return false;
  }

  get hasDropout(): boolean {
    return dropsInAdapters(this.linears);
  }

  get head(): Tensor {
    const { family, tied } = this.#weights;
    // An adapter may give a network with tied weights a head of its own.
    const isOwn = !tied || this.parameters.has(family.head);
    return this.weight(isOwn ? family.head : family.embeddings[0]);
  }

  abstract hidden(input: ModelInput): Tensor;

  /**
   * Selects the rows that are wanted of the last layer, once its keys and values are computed.
   *
   * @param input Which rows.
   * @param tensors Tensors of all rows.
   * @returns The same with these rows.
   */
  protected wanted({ rows }: ModelInput, ...tensors: Tensor[]): Tensor[] {
    return rows ? tensors.map((x) => embedding(x, rows)) : tensors;
  }

  abstract toConfig(): Record<string, unknown>;

  /**
   * Returns the current tensor of a weight.
   *
   * @param name Its name.
   * @returns The weight.
   * @throws {TypeError} If there is no such weight.
   */
  protected weight(name: string): Tensor {
    return requireParameter(this.parameters, name, this.#weights.family.title);
  }
}
