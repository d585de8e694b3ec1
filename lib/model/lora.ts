/**
 * LoRA: two low-rank matrices are trained in addition to a frozen matrix W, `y = x W + (alpha /
 * rank) · drop(x) Aᵀ Bᵀ`.
 *
 * Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021. With {@linkcode quantize} it is QLoRA (Dettmers
 * et al., "QLoRA: Efficient Finetuning of Quantized LLMs", 2023): nothing else changes.
 *
 * @module
 */

import { Random } from "../random.ts";
import {
  add,
  dequantize,
  dropout,
  fill,
  isPacked,
  matmul,
  noGrad,
  scale,
  scope,
  Tensor,
} from "../tensor/mod.ts";
import { addProduct } from "../tensor/ops/matmul/add_product.ts";
import { planModel } from "./architectures.ts";
import type { Adapter, Linear } from "./linear.ts";
import { assertNetwork, type Network } from "./model.ts";
import { adoptWeights, configOf, restoreWeights } from "./replaced_weights.ts";
import {
  assertBlocks,
  describePattern,
  freeze,
  matchesName,
  type NamePattern,
  unfreeze,
  unmatchedParts,
} from "./trainable.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/** The settings of an adapter, in PEFT's terms. */
export interface LoraSettings {
  /** r: rows of A and columns of B. */
  readonly rank: number;
  /** The adapter's output is multiplied by `alpha / rank`. */
  readonly alpha: number;
  /** Probability of dropping elements of the input in training. */
  readonly dropout: number;
  /**
   * Whether the factor is `alpha / √rank` instead (Kalajdzievski, "A Rank Stabilization Scaling
   * Factor", 2023).
   */
  readonly rsLora: boolean;
}

/** Options of {@linkcode addLora}. */
export interface LoraOptions extends Partial<LoraSettings> {
  /** The layers to adapt; by default all linear layers. The output head is not one of them. */
  readonly targets?: NamePattern;
  /** Seed of the initial weights. 123 by default. */
  readonly seed?: number;
}

const LORA_OPTIONS: OptionNames<LoraOptions> = {
  rank: true,
  alpha: true,
  dropout: true,
  rsLora: true,
  targets: true,
  seed: true,
};

/** The adapter of one matrix. */
export class LoraAdapter implements Adapter {
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly #stream: number;

  /**
   * @param settings Rank, alpha, dropout.
   * @param a A, (r, in).
   * @param b B, (out, r).
   * @param stream Distinguishes its dropout from that of other layers.
   */
  constructor(
    readonly settings: LoraSettings,
    readonly a: Tensor,
    readonly b: Tensor,
    stream: number,
  ) {
    this.#stream = stream;
    this.parameters = new Map([["lora_A.weight", a], ["lora_B.weight", b]]);
    for (const tensor of this.parameters.values()) tensor.requiresGrad = true;
  }

  /** The factor of B A. */
  get factor(): number {
    const { alpha, rank, rsLora } = this.settings;
    return alpha / (rsLora ? Math.sqrt(rank) : rank);
  }

  get hasDropout(): boolean {
    return this.settings.dropout > 0;
  }

  addTo(y: Tensor, x: Tensor, dropoutSeed?: number): Tensor {
    const dropped = dropoutSeed === undefined || !this.hasDropout
      ? x
      : dropout(x, this.settings.dropout, new Random([dropoutSeed, this.#stream]).uint32());
    const narrow = scale(matmul(dropped, this.a, { transposeB: true }), this.factor); // (T, r)
    return addProduct(y, narrow, this.b);
  }
}

/**
 * Adds adapters to linear layers of a model: freezes the model and adds a trainable {@linkcode
 * LoraAdapter} to each layer. A is drawn from Kaiming's uniform distribution, as in PEFT, and B is
 * 0, so that the model is unchanged at first.
 *
 * @param model The model, changed in place.
 * @param options Rank (8 by default), alpha (twice the rank), dropout (0), which layers, seed.
 * @returns Names of the adapted layers.
 * @throws {RangeError} If a number is out of range, or no linear layer has such a name.
 * @throws {TypeError} If a layer already has an adapter.
 *
 * @example Adapting GPT-2's attention
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { addLora, Gpt2, pick, trainableParameters } from "tunebook";
 *
 * const device = await pick({ device: "cpu" });
 * const model = Gpt2.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2,
 * });
 * assertEquals(addLora(model, { rank: 2, targets: "c_attn" }), ["h.0.attn.c_attn"]);
 * assertEquals([...trainableParameters(model).keys()], [
 *   "h.0.attn.c_attn.lora_A.weight",
 *   "h.0.attn.c_attn.lora_B.weight",
 * ]);
 * device.close();
 * ```
 */
export function addLora(model: Network, options: LoraOptions = {}): string[] {
  assertKnownOptions("adapt a model", options, LORA_OPTIONS);
  assertNetwork("adapt", model);
  const { targets = /(?:)/, seed = 123 } = options;
  const settings = settle(options);
  const linears = chooseLinears(model, targets);
  freeze(model);
  const streams = [...model.linears.keys()];
  for (const linear of linears) {
    const stream = streams.indexOf(linear.name);
    const random = new Random([seed, stream]);
    const { inWidth, outWidth } = linear;
    const { device } = linear.weight;
    // kaiming_uniform_ with a = √5: the bound is √(6 / (1 + 5) / in).
    const bound = Math.sqrt(1 / inWidth);
    const values = Float32Array.from(
      { length: settings.rank * inWidth },
      () => bound * (2 * random.float() - 1),
    );
    const a = Tensor.from(device, values, [settings.rank, inWidth]).keep();
    const b = Tensor.empty(device, [outWidth, settings.rank]).keep();
    fill(b, 0);
    linear.adapter = new LoraAdapter(settings, a, b, stream);
  }
  return linears.map(({ name }) => name);
}

/**
 * Adds a loaded A and B to a layer. The model is not frozen.
 *
 * @param model The model.
 * @param linear One of its layers.
 * @param settings Rank, alpha, dropout.
 * @param a A, (r, in).
 * @param b B, (out, r).
 */
export function attachLora(
  model: Network,
  linear: Linear,
  settings: LoraSettings,
  a: Tensor,
  b: Tensor,
): void {
  linear.adapter = new LoraAdapter(settings, a, b, [...model.linears.keys()].indexOf(linear.name));
}

/**
 * Removes adapters. The model is then as before, but still frozen.
 *
 * @param model The model, changed in place.
 * @returns The number of layers that had one.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { addLora, Gpt2, pick } from "tunebook";
 * import { removeLora } from "tunebook/model";
 *
 * const device = await pick({ device: "cpu" });
 * const network = Gpt2.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2,
 * });
 * addLora(network, { rank: 2, targets: "c_attn" });
 * assertEquals(removeLora(network), 1);
 * device.close();
 * ```
 */
export function removeLora(model: Network): number {
  assertNetwork("remove adapters", model);
  let removed = 0;
  for (const linear of model.linears.values()) {
    if (!linear.adapter) continue;
    for (const tensor of linear.adapter.parameters.values()) {
      tensor.grad?.dispose();
      tensor.dispose();
    }
    linear.adapter = undefined;
    removed++;
  }
  restoreWeights(model);
  return removed;
}

/**
 * Merges adapters into the weights and removes them: the model answers as before, within rounding,
 * at the base's speed and in its layout. Merged weights that were packed become float32. All
 * float32 weights become trainable again.
 *
 * @param model The model, changed in place.
 * @returns The number of merged layers.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { addLora, Gpt2, mergeLora, pick } from "tunebook";
 *
 * const device = await pick({ device: "cpu" });
 * const network = Gpt2.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2,
 * });
 * addLora(network, { rank: 2, targets: "c_attn" });
 * assertEquals(mergeLora(network), 1);
 * device.close();
 * ```
 */
export function mergeLora(model: Network): number {
  assertNetwork("merge adapters", model);
  for (const linear of model.linears.values()) {
    const { name, adapter, weight } = linear;
    if (!(adapter instanceof LoraAdapter)) continue;
    model.parameters.set(`${name}.weight`, mergedWeight(linear, adapter));
    weight.dispose();
  }
  const adopted = adoptWeights(model);
  const merged = removeLora(model);
  if (merged + adopted > 0) unfreeze(model);
  return merged;
}

/** A network with adapters merged into its weights; the original network is unchanged. */
export interface MergedNetwork extends Disposable {
  /** The merged network; weights without an adapter are shared with the original. */
  readonly network: Network;
}

/**
 * Merges adapters into copies of the weights, as {@linkcode mergeLora} does in place.
 *
 * @param model The adapted model, which is not changed.
 * @returns The merged network; dispose it to free the copies.
 */
export function mergedCopy(model: Network): MergedNetwork {
  const copies: Tensor[] = [];
  const parameters = new Map(model.parameters);
  for (const linear of model.linears.values()) {
    if (!(linear.adapter instanceof LoraAdapter)) continue;
    const copy = mergedWeight(linear, linear.adapter);
    parameters.set(`${linear.name}.weight`, copy);
    copies.push(copy);
  }
  return {
    network: planModel(configOf(model), "the model's configuration").build(parameters),
    [Symbol.dispose]: () => copies.forEach((copy) => copy.dispose()),
  };
}

/** W + factor · B A, in the layout of W. */
function mergedWeight({ layout, weight }: Linear, { a, b, factor }: LoraAdapter): Tensor {
  return scope(() =>
    noGrad(() => {
      const delta = layout === "out-in"
        ? matmul(b, a) // (out, in)
        : matmul(a, b, { transposeA: true, transposeB: true }); // (in, out)
      const wide = isPacked(weight.dtype) ? dequantize(weight) : weight;
      return add(wide, scale(delta, factor));
    })
  ).keep();
}

/** Checks the settings and fills in defaults. */
function settle(options: LoraOptions): LoraSettings {
  const { rank = 8, dropout = 0, rsLora = false } = options;
  const { alpha = 2 * rank } = options;
  if (!Number.isInteger(rank) || rank < 1) {
    throw new RangeError(
      `Cannot adapt with rank ${JSON.stringify(rank)}: expected a positive integer`,
    );
  }
  if (typeof alpha !== "number" || !(alpha > 0 && alpha < Infinity)) {
    throw new RangeError(
      `Cannot adapt with alpha ${JSON.stringify(alpha)}: expected a number above 0`,
    );
  }
  if (!(dropout >= 0 && dropout < 1)) {
    throw new RangeError(
      `Cannot adapt with dropout ${dropout}: expected a number from 0 up to, but not including, 1`,
    );
  }
  return { rank, alpha, dropout, rsLora };
}

function chooseLinears(model: Network, targets: NamePattern): Linear[] {
  assertBlocks(targets, model.layers);
  const names = [...model.linears.keys()];
  const missing = unmatchedParts(targets, names);
  if (missing !== undefined) {
    const kinds = new Set(names.map((name) => name.split(".").at(-1)));
    throw new RangeError(
      `Cannot adapt layers named ${describePattern(missing)}: the model has ${
        [...kinds].join(", ")
      }`,
    );
  }
  const linears = [...model.linears.values()].filter(({ name }) => matchesName(name, targets));
  const adapted = linears.find(({ adapter }) => adapter);
  if (adapted) {
    throw new TypeError(`Cannot adapt "${adapted.name}": it has an adapter already`);
  }
  return linears;
}
