/**
 * The interface of all language models for training and generation.
 *
 * @module
 */

import { kindOf } from "../kind_of.ts";
import type { ForestBatch, LossEdges } from "../forest.ts";
import {
  attention,
  type AttentionDropout,
  type Columns,
  type Device,
  type Forest,
  type Tensor,
} from "../tensor/mod.ts";
import { linearCrossEntropy, matmul, softCap } from "../tensor/mod.ts";
import type { FamilyTraits } from "./families/traits.ts";
import type { Linear } from "./linear.ts";
import { assertKnownOptions } from "../options.ts";

/** Heads of an attention layer. */
export interface AttentionHeads {
  /** Heads of the queries. */
  readonly heads: number;
  /** Heads of keys and values; as many as `heads` by default. */
  readonly kvHeads?: number;
  /** Attention is limited to tokens less than this many positions away; unlimited by default. */
  readonly window?: number;
  /** The factor of scores; 1/√headDim by default. */
  readonly scale?: number;
  /** The limit towards which scores are bent; not at all by default. */
  readonly softCap?: number;
  /** Dropout of attention weights in training. */
  readonly dropout?: AttentionDropout;
}

/** How a layer's queries attend to keys and values: within the input, or in a cache. */
export type Attend = (
  layer: number,
  q: Tensor | Columns,
  k: Tensor | Columns,
  v: Tensor | Columns,
  heads: AttentionHeads,
) => Tensor;

/** The input of a model. */
export interface ModelInput {
  /** Token ids, (T). */
  readonly tokens: Int32Array;
  /** Each token's position in its sequence, (T). */
  readonly positions: Int32Array;
  /** Which token attends to which. */
  readonly attend: Attend;
  /** Seed of the dropout; without it nothing is dropped, as in evaluation. */
  readonly dropoutSeed?: number;
  /**
   * Whether blocks keep only their inputs and are recomputed for the gradients; see `recompute`.
   */
  readonly recompute?: boolean;
  /**
   * The rows of the last layer's output that are wanted, in this order; all by default. Of other tokens the last layer
   * computes only keys and values. Not with dropout, where the elements that are dropped depend on the number of rows.
   */
  readonly rows?: Int32Array;
}

/** A decoder-only language model on a device. */
export interface Network {
  /** Its family. */
  readonly family: FamilyTraits;
  /** Its architecture, as GGUF files name it: `"gpt2"`, `"llama"` (also Mistral's), `"gemma3"`. */
  readonly architecture: string;
  /**
   * The prefix of its weights' names in Hugging Face files, except the output head's:
   * `"transformer."`, `"model."`.
   */
  readonly prefix: string;
  /** The device that stores its parameters. */
  readonly device: Device;
  /** The number of tokens in its vocabulary. */
  readonly vocabularySize: number;
  /** The longest sequence it can read. */
  readonly contextLength: number;
  /** The number of layers with keys and values. */
  readonly layers: number;
  /** Heads of an attention layer's queries. */
  readonly heads: number;
  /** Heads of its keys and values. */
  readonly kvHeads: number;
  /** Floats in a row of a layer's keys: key heads times head dimension. */
  readonly keyWidth: number;
  /**
   * Whether angles of positions depend on how long a text is, so that prompts are answered one at a
   * time.
   */
  readonly dependsOnLength: boolean;
  /**
   * The length at which angles of all positions change: keys of a text that grows beyond are computed
   * again. Undefined for most models.
   */
  readonly switchLength?: number;
  /** Whether it has dropout in training, so that sequences must not share tokens. */
  readonly hasDropout: boolean;
  /**
   * All weights by their names in Hugging Face files, without the {@linkcode Network.prefix}; each
   * may be replaced by one of the same shape.
   */
  readonly parameters: Map<string, Tensor>;
  /** Its linear layers by name: the weight's name without `.weight`. */
  readonly linears: ReadonlyMap<string, Linear>;
  /** The output head, (V, C); the token embedding if the two are tied. */
  readonly head: Tensor;
  /** The limit towards which logits are bent; undefined for most models. */
  readonly logitCap?: number;
  /** The last layer's output after the final norm, (T, C), or only its {@linkcode ModelInput.rows}. */
  hidden(input: ModelInput): Tensor;
  /** Its `config.json`, with Hugging Face's names. */
  toConfig(): Record<string, unknown>;
}

/**
 * Attention within the input.
 *
 * @param forest Which token attends to which.
 * @returns The `attend` function for a model.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { forest, Gpt2, pick } from "tunebook";
 * import { attendWithin, logitsOf } from "tunebook/model";
 * import { noGrad } from "tunebook/tensor";
 *
 * const device = await pick({ device: "cpu" });
 * const network = Gpt2.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2,
 * });
 * const batch = forest([{ promptIds: [1, 2], responseIds: [3, 8], instructionLength: 1 }]);
 * const logits = noGrad(() => {
 *   const { tokens, positions } = batch;
 *   return logitsOf(network, network.hidden({ tokens, positions, attend: attendWithin(batch) }));
 * });
 * assertEquals(logits.shape, [batch.tokens.length, 9]);
 * device.close();
 * ```
 */
export function attendWithin(forest: Forest): Attend {
  return (_layer, q, k, v, heads) => attention(q, k, v, { ...heads, forest });
}

/**
 * The loss of a batch.
 *
 * @param model The model.
 * @param batch Tokens and the edges that count.
 * @param options The divisor of the sum (the sum of counts by default), the seed of the dropout,
 * and whether blocks are recomputed for the gradients.
 * @returns A scalar: mean negative log-likelihood of a counted token, in nats.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { forest, Gpt2, pick } from "tunebook";
 * import { lossOf } from "tunebook/model";
 * import { noGrad } from "tunebook/tensor";
 *
 * const device = await pick({ device: "cpu" });
 * const network = Gpt2.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2,
 * });
 * const batch = forest([{ promptIds: [1, 2], responseIds: [3, 8], instructionLength: 1 }]);
 * using loss = noGrad(() => lossOf(network, batch));
 * assertEquals((await loss.item()).toFixed(1), Math.log(9).toFixed(1)); // as good as guessing
 * device.close();
 * ```
 */
export function lossOf(
  model: Network,
  batch: ForestBatch,
  options: { normalizer?: number; dropoutSeed?: number; recompute?: boolean } = {},
): Tensor {
  assertKnownOptions("compute the loss", options, {
    normalizer: true,
    dropoutSeed: true,
    recompute: true,
  });
  const { tokens, positions, edges } = batch;
  const { normalizer, dropoutSeed, recompute } = options;
  const attend = attendWithin(batch);
  const all = { tokens, positions, attend, recompute };
  const wanted = dropoutSeed === undefined ? wantedRows(edges, tokens.length) : { edges };
  const hidden = model.hidden({ ...all, dropoutSeed, rows: wanted.rows });
  const lossOptions = { normalizer, softCap: model.logitCap };
  return linearCrossEntropy(hidden, model.head, wanted.edges, lossOptions);
}

/**
 * Finds the rows that predict something, so that nothing else is computed in the last layer.
 *
 * @param edges Which rows predict which tokens; rows ascend.
 * @param count How many rows there are.
 * @returns The rows, none where all predict something, and the edges as numbered among these rows.
 */
export function wantedRows(
  edges: LossEdges,
  count: number,
): { readonly rows?: Int32Array; readonly edges: LossEdges } {
  const rows: number[] = [];
  const among = edges.rows.map((row) => {
    if (row !== rows.at(-1)) rows.push(row);
    return rows.length - 1;
  });
  // Rows that do not ascend, or that there are not, are refused where the loss is computed.
  const isAscending = rows.every((row, i) => row < (rows[i + 1] ?? count) && row >= 0);
  if (rows.length === 0 || rows.length >= count || !isAscending) return { edges };
  return { rows: Int32Array.from(rows), edges: { ...edges, rows: among } };
}

/**
 * Logits over the vocabulary.
 *
 * @param model The model.
 * @param hidden Rows of {@linkcode Network.hidden}, (N, C).
 * @returns (N, V).
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { forest, Gpt2, pick } from "tunebook";
 * import { attendWithin, logitsOf } from "tunebook/model";
 * import { noGrad } from "tunebook/tensor";
 *
 * const device = await pick({ device: "cpu" });
 * const network = Gpt2.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2,
 * });
 * const batch = forest([{ promptIds: [1, 2], responseIds: [3, 8], instructionLength: 1 }]);
 * const logits = noGrad(() => {
 *   const { tokens, positions } = batch;
 *   return logitsOf(network, network.hidden({ tokens, positions, attend: attendWithin(batch) }));
 * });
 * assertEquals(logits.shape, [batch.tokens.length, 9]);
 * device.close();
 * ```
 */
export function logitsOf(model: Network, hidden: Tensor): Tensor {
  const logits = matmul(hidden, model.head, { transposeB: true });
  return model.logitCap === undefined ? logits : softCap(logits, model.logitCap);
}

/**
 * Refuses what is not a network, above all a whole model of `loadModel`.
 *
 * @param action What is done with it, after "Cannot": `train`.
 * @param network What was given.
 * @throws {TypeError} If it is not a network.
 */
export function assertNetwork(action: string, network: Network): void {
  if (typeof network?.hidden === "function") return;
  const whole = (network as { network?: Network } | undefined | null)?.network;
  throw new TypeError(
    `Cannot ${action} without a network: ` +
      (whole ? "found a whole model; its network is `model.network`" : `found ${kindOf(network)}`),
  );
}
