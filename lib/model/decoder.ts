/**
 * What the models here have in common, so that their own files hold only what reads like their papers: weights and
 * linear layers by name, and the numbers that training and generation ask for.
 *
 * @module
 */

import type { Device, Tensor } from "../tensor/mod.ts";
import { dropsInAdapters, type Linear, type LinearLayout, makeLinears } from "./linear.ts";
import type { ModelInput, Network } from "./model.ts";
import { requireParameter } from "./parameters.ts";

/** What every architecture's configuration says. */
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

/** How an architecture's weights are named and lie. */
export interface DecoderWeights {
  /** The model, for people: `"a Llama"`. */
  readonly of: string;
  /** Names of the embeddings, the tokens' first. */
  readonly embeddings: readonly string[];
  /** How the weights of linear layers lie. */
  readonly layout: LinearLayout;
  /** Whether the output head is the token embedding. */
  readonly tied: boolean;
}

const HEAD = "lm_head.weight";

/** A model whose weights have names. */
export abstract class Decoder<C extends DecoderConfig = DecoderConfig> implements Network {
  abstract readonly architecture: string;
  abstract readonly prefix: string;
  readonly device: Device;
  readonly parameters: Map<string, Tensor>;
  readonly linears: ReadonlyMap<string, Linear>;
  readonly #weights: DecoderWeights;

  /**
   * Makes a network of given weights.
   *
   * @param config Shape and options.
   * @param parameters A tensor for each weight; those that are learnt take part in gradients.
   * @param weights How they are named and lie.
   */
  constructor(
    readonly config: C,
    parameters: ReadonlyMap<string, Tensor>,
    weights: DecoderWeights,
  ) {
    this.#weights = weights;
    this.parameters = new Map(parameters);
    this.linears = makeLinears(this.parameters, weights.layout, [...weights.embeddings, HEAD]);
    this.device = this.weight(weights.embeddings[0]).device;
    for (const parameter of parameters.values()) parameter.requiresGrad = parameter.dtype === "f32";
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

  get hasDropout(): boolean {
    return dropsInAdapters(this.linears);
  }

  get head(): Tensor {
    return this.weight(this.#weights.tied ? this.#weights.embeddings[0] : HEAD);
  }

  abstract hidden(input: ModelInput): Tensor;

  abstract toConfig(): Record<string, unknown>;

  /**
   * Takes a weight, as it is now.
   *
   * @param name Its name.
   * @returns The weight.
   * @throws {TypeError} If there is none.
   */
  protected weight(name: string): Tensor {
    return requireParameter(this.parameters, name, this.#weights.of);
  }
}
