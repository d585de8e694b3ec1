/**
 * Linear layers: the one place through which every matrix of every model is applied, so that an adapter beside it, or
 * a weight in another storage type, concerns no model.
 *
 * @module
 */

import { matmul, type Tensor } from "../tensor/mod.ts";

/** How a weight lies in memory: (in, out) as in GPT-2's `Conv1D`, or (out, in) as in PyTorch's `Linear`. */
export type LinearLayout = "in-out" | "out-in";

/** What is learnt beside a weight that stays as it is; see `lora.ts`. */
export interface Adapter {
  /** Its tensors, by what follows the layer's name in a file. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** What decides it beside its tensors, for people and checkpoints: plain values. */
  readonly settings: object;
  /** Whether training drops elements of its input. */
  readonly hasDropout: boolean;
  /**
   * Adds what it has learnt.
   *
   * @param y The layer's own output, (T, out).
   * @param x The layer's input, (T, in).
   * @param dropoutSeed Chooses what is dropped; without it nothing is.
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
  /** What is learnt beside the weight, if anything is. */
  adapter?: Adapter;
  readonly #parameters: ReadonlyMap<string, Tensor>;

  /**
   * @param parameters The model's, where the weight and perhaps a bias are found at each use: they may be exchanged.
   * @param name The layer's name: that of its weight without `.weight`.
   * @param layout How the weight lies.
   */
  constructor(
    parameters: ReadonlyMap<string, Tensor>,
    readonly name: string,
    readonly layout: LinearLayout,
  ) {
    this.#parameters = parameters;
  }

  /** The weight, in the order of {@linkcode Linear.layout}. */
  get weight(): Tensor {
    return this.#parameters.get(`${this.name}.weight`)!;
  }

  /** (out), where there is one. */
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
   * @param dropoutSeed Chooses what the adapter drops, in training; see {@linkcode Adapter.addTo}.
   * @returns (T, out).
   */
  apply(x: Tensor, dropoutSeed?: number): Tensor {
    const y = matmul(x, this.weight, { transposeB: this.layout === "out-in", bias: this.bias });
    return this.adapter?.addTo(y, x, dropoutSeed) ?? y;
  }
}

/**
 * Makes a model's linear layers: all of its matrices but embeddings and the output head, which is part of the loss.
 *
 * @param parameters The model's weights.
 * @param layout How they lie.
 * @param others Names of the matrices that are no linear layers.
 * @returns Layers by name, in the order of the weights.
 */
export function makeLinears(
  parameters: ReadonlyMap<string, Tensor>,
  layout: LinearLayout,
  others: readonly string[],
): ReadonlyMap<string, Linear> {
  const linears = new Map<string, Linear>();
  for (const [parameter, { shape }] of parameters) {
    if (shape.length !== 2 || !parameter.endsWith(".weight") || others.includes(parameter)) {
      continue;
    }
    const name = parameter.slice(0, -".weight".length);
    linears.set(name, new Linear(parameters, name, layout));
  }
  return linears;
}

/**
 * Whether any adapter drops elements in training; for {@linkcode Network.hasDropout}.
 *
 * @param linears A model's.
 * @returns Whether one does.
 */
export function dropsInAdapters(linears: ReadonlyMap<string, Linear>): boolean {
  return [...linears.values()].some(({ adapter }) => adapter?.hasDropout);
}
