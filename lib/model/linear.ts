/**
 * Linear layers. Every matrix of every model is applied here, so that models need not know about
 * adapters or storage types.
 *
 * @module
 */

import { matmul, type Tensor } from "../tensor/mod.ts";
import { type FamilyTraits, isLinearWeight } from "./families/traits.ts";

/**
 * The layout of a weight: (in, out) as in GPT-2's `Conv1D`, or (out, in) as in PyTorch's `Linear`.
 */
export type LinearLayout = "in-out" | "out-in";

/** An adapter, trained in addition to a frozen weight; see `lora.ts`. */
export interface Adapter {
  /** Its tensors, by the suffix after the layer's name in a file. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** Its settings, for messages and checkpoints: plain values. */
  readonly settings: object;
  /** Whether training drops elements of its input. */
  readonly hasDropout: boolean;
  /**
   * Adds the adapter's output.
   *
   * @param y The layer's own output, (T, out), a product; its memory is used for the result.
   * @param x The layer's input, (T, in).
   * @param dropoutSeed Seed of the dropout; without it nothing is dropped.
   * @returns (T, out).
   */
  addTo(y: Tensor, x: Tensor, dropoutSeed?: number): Tensor;
}

/**
 * A linear layer of a model: `y = x W (+ bias) (+ adapter)`.
 *
 * @internal
 */
export class Linear {
  /** The adapter, if there is one. */
  adapter?: Adapter;
  readonly #parameters: ReadonlyMap<string, Tensor>;

  /**
   * @param parameters The model's parameters, in which weight and bias are looked up at each use,
   * because they may be replaced.
   * @param name The layer's name: that of its weight without `.weight`.
   * @param layout The weight's layout.
   */
  constructor(
    parameters: ReadonlyMap<string, Tensor>,
    readonly name: string,
    readonly layout: LinearLayout,
  ) {
    this.#parameters = parameters;
  }

  /** The weight, in the layout {@linkcode Linear.layout}. */
  get weight(): Tensor {
    return this.#parameters.get(`${this.name}.weight`)!;
  }

  /** The bias, (out), if there is one. */
  get bias(): Tensor | undefined {
    return this.#parameters.get(`${this.name}.bias`);
  }

  /** Elements of an input's row. */
  get inWidth(): number {
    return this.weight.shape[this.layout === "in-out" ? 0 : 1];
  }

  /** Elements of an output's row. */
  get outWidth(): number {
    return this.weight.shape[this.layout === "in-out" ? 1 : 0];
  }

  /**
   * Applies the layer.
   *
   * @param x (T, in).
   * @param dropoutSeed Seed of the adapter's dropout in training; see {@linkcode Adapter.addTo}.
   * @returns (T, out).
   */
  apply(x: Tensor, dropoutSeed?: number): Tensor {
    const y = matmul(x, this.weight, { transposeB: this.layout === "out-in", bias: this.bias });
    return this.adapter?.addTo(y, x, dropoutSeed) ?? y;
  }
}

/**
 * Creates a model's linear layers: all matrices except embeddings and the output head, which is
 * part of the loss.
 *
 * @param parameters The model's weights.
 * @param layout Their layout.
 * @param family The model's family, which names the other matrices.
 * @returns Layers by name, in the order of the weights.
 */
export function makeLinears(
  parameters: ReadonlyMap<string, Tensor>,
  layout: LinearLayout,
  family: FamilyTraits,
): ReadonlyMap<string, Linear> {
  const linears = new Map<string, Linear>();
  for (const [parameter, { shape }] of parameters) {
    if (!isLinearWeight(family, parameter, shape)) continue;
    const name = parameter.slice(0, -".weight".length);
    linears.set(name, new Linear(parameters, name, layout));
  }
  return linears;
}

/**
 * Whether any adapter has dropout in training; for {@linkcode Network.hasDropout}.
 *
 * @param linears A model's linear layers.
 * @returns Whether one has.
 */
export function dropsInAdapters(linears: ReadonlyMap<string, Linear>): boolean {
  return [...linears.values()].some(({ adapter }) => adapter?.hasDropout);
}
