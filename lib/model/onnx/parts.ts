/**
 * The parts of decoders as ONNX operators. Values are (B, S, C): batch, tokens, width.
 *
 * @module
 */

import type { Linear } from "../linear.ts";
import type { Network } from "../model.ts";
import { transpose } from "../transpose.ts";
import type { OnnxGraph, OnnxValue } from "../../weights/onnx/graph.ts";
import { GraphBuilder, type WeightValues } from "./builder.ts";

/** Attention's bias for what is not seen: the lowest float32, with which a row that sees nothing is still no NaN. */
const UNSEEN = -3.4028234663852886e38;

/** How a layer's heads attend. */
export interface HeadsOf {
  /** The factor of scores; 1/√D by default. */
  readonly scale?: number;
  /** Only tokens less than this many places away are seen; all by default. */
  readonly window?: number;
  /** The limit towards which scores are bent; not at all by default. */
  readonly softCap?: number;
}

/** The graph of a decoder that is being built. */
export class DecoderBuilder {
  readonly graph: GraphBuilder;
  readonly #network: Network;
  readonly #headDim: number;
  readonly #biases = new Map<number, string>();
  readonly #present: string[] = [];

  /** The tokens, (B, S). */
  readonly tokens = "input_ids";
  /** Their positions, (B, S). */
  readonly positions = "position_ids";

  /**
   * @param network The model, into which adapters have been merged.
   * @param type How weights are stored.
   */
  constructor(network: Network, type: "float32" | "float16") {
    this.#network = network;
    this.#headDim = network.keyWidth / network.kvHeads;
    this.graph = new GraphBuilder(type);
  }

  /**
   * A weight by its name, without the prefix.
   *
   * @param name Its name.
   * @param change Changes its values as they are written.
   */
  weight(name: string, change = (values: Float32Array) => values): string {
    return this.graph.weight(this.#nameOf(name), this.#read(name, change));
  }

  /** Rows of a table. */
  embed(name: string, ids: string): string {
    return this.graph.node("Gather", [this.weight(name), ids]);
  }

  /**
   * A linear layer, in which rows are multiplied by (in, out).
   *
   * @param x (B, S, in).
   * @param name Its name.
   * @returns (B, S, out).
   */
  linear(x: string, name: string): string {
    const { graph } = this;
    const layer: Linear = this.#network.linears.get(name)!;
    const stored = this.#read(`${name}.weight`);
    const values = layer.layout === "out-in" ? transposed(stored) : stored;
    const y = graph.node("MatMul", [x, graph.weight(this.#nameOf(`${name}.weight`), values)]);
    return layer.bias === undefined ? y : graph.node("Add", [y, this.weight(`${name}.bias`)]);
  }

  /**
   * The mean and variance of the last axis are made 0 and 1.
   *
   * @param x Any value.
   * @param name The norm's name.
   * @param epsilon Added to variances.
   */
  layerNorm(x: string, name: string, epsilon: number): string {
    const { graph } = this;
    const mean = (x: string) => graph.node("ReduceMean", [x], { axes: [-1], keepdims: 1 });
    const centred = graph.node("Sub", [x, mean(x)]);
    const variance = mean(graph.node("Pow", [centred, graph.number(2)]));
    const deviation = graph.node("Sqrt", [graph.node("Add", [variance, graph.number(epsilon)])]);
    const normal = graph.node("Div", [centred, deviation]);
    const scaled = graph.node("Mul", [normal, this.weight(`${name}.weight`)]);
    return graph.node("Add", [scaled, this.weight(`${name}.bias`)]);
  }

  /**
   * The mean square of the last axis is made 1.
   *
   * @param x Any value.
   * @param name The norm's name.
   * @param how What is added to mean squares, and to weights.
   */
  rmsNorm(
    x: string,
    name: string,
    { epsilon, offset }: { epsilon: number; offset: number },
  ): string {
    const { graph } = this;
    const squares = graph.node("Pow", [x, graph.number(2)]);
    const mean = graph.node("ReduceMean", [squares], { axes: [-1], keepdims: 1 });
    const root = graph.node("Sqrt", [graph.node("Add", [mean, graph.number(epsilon)])]);
    const normal = graph.node("Div", [x, root]);
    const add = (values: Float32Array) => offset === 0 ? values : values.map((w) => w + offset);
    return graph.node("Mul", [normal, this.weight(`${name}.weight`, add)]);
  }

  /** GELU by its tanh approximation. */
  geluTanh(x: string): string {
    const { graph } = this;
    const cube = graph.node("Mul", [x, graph.node("Mul", [x, x])]);
    const inner = graph.node("Add", [x, graph.scale(cube, 0.044715)]);
    return this.#gate(x, graph.node("Tanh", [graph.scale(inner, Math.sqrt(2 / Math.PI))]));
  }

  /** GELU by the error function. */
  geluErf(x: string): string {
    const { graph } = this;
    return this.#gate(x, graph.node("Erf", [graph.scale(x, Math.SQRT1_2)]));
  }

  /** SiLU, x · σ(x). */
  silu(x: string): string {
    return this.graph.node("Mul", [x, this.graph.node("Sigmoid", [x])]);
  }

  /** Heads of a value: (B, S, H D) as (B, S, H, D). */
  heads(x: string): string {
    return this.graph.reshape(x, 0, 0, -1, this.#headDim);
  }

  /**
   * Attention to the past and to earlier tokens.
   *
   * @param layer The layer.
   * @param q Queries, (B, S, H, D).
   * @param k Keys, (B, S, Hkv, D).
   * @param v Values, (B, S, Hkv, D).
   * @param how How heads attend.
   * @returns (B, S, H D).
   */
  attend(layer: number, q: string, k: string, v: string, how: HeadsOf = {}): string {
    const { graph } = this;
    const { heads } = this.#network;
    const { scale = 1 / Math.sqrt(this.#headDim), window = 0, softCap } = how;
    const byHead = (x: string) => graph.node("Transpose", [x], { perm: [0, 2, 1, 3] });
    const withPast = (x: string, part: "key" | "value") => {
      const name = `present.${layer}.${part}`;
      this.#present.push(name);
      const inputs = [`past_key_values.${layer}.${part}`, byHead(x)];
      return this.#repeat(graph.node("Concat", inputs, { axis: 2 }, name));
    };
    const keys = withPast(k, "key"); // (B, H, T, D)
    const values = withPast(v, "value");
    const across = graph.node("Transpose", [keys], { perm: [0, 1, 3, 2] });
    const scores = graph.node("MatMul", [graph.scale(byHead(q), scale), across]); // (B, H, S, T)
    const masked = graph.node("Add", [graph.softCap(scores, softCap), this.#bias(window)]);
    const weights = graph.node("Softmax", [masked], { axis: -1 });
    const mixed = byHead(graph.node("MatMul", [weights, values])); // (B, S, H, D)
    return graph.reshape(mixed, 0, 0, heads * this.#headDim);
  }

  /**
   * Ends the graph with the output head.
   *
   * @param x The last layer's output after the norm.
   */
  finish(x: string): OnnxGraph {
    const { graph } = this;
    const { parameters, head, logitCap, vocabularySize, kvHeads, family } = this.#network;
    const [name] = [...parameters].find(([, tensor]) => tensor === head)!;
    const width = head.shape[1];
    // (V, C) is used as it is: a matrix that is also the token embedding is in the file once.
    const flat = graph.node("Gemm", [graph.reshape(x, -1, width), this.weight(name)], {
      transB: 1,
    });
    const sizes = [graph.sizeOf(this.tokens, 0), graph.sizeOf(this.tokens, 1)];
    const shape = graph.node("Concat", [...sizes, graph.integers(vocabularySize)], { axis: 0 });
    graph.node("Reshape", [graph.softCap(flat, logitCap), shape], {}, "logits");
    const [batch, some, past] = ["batch_size", "sequence_length", "past_sequence_length"];
    const all = `${past} + ${some}`;
    const cache = (prefix: string, length: string): OnnxValue[] =>
      this.#present.map((name) => ({
        name: name.replace("present", prefix),
        type: "float32",
        shape: [batch, kvHeads, length, this.#headDim],
      }));
    return graph.finish(family.gguf.architecture, {
      inputs: [
        { name: this.tokens, type: "int64", shape: [batch, some] },
        { name: "attention_mask", type: "int64", shape: [batch, all] },
        { name: this.positions, type: "int64", shape: [batch, some] },
        ...cache("past_key_values", past),
      ],
      outputs: [
        { name: "logits", type: "float32", shape: [batch, some, vocabularySize] },
        ...cache("present", all),
      ],
    });
  }

  /** x (1 + y) / 2. */
  #gate(x: string, y: string): string {
    const { graph } = this;
    const half = graph.scale(x, 0.5);
    return graph.node("Mul", [half, graph.node("Add", [y, graph.number(1)])]);
  }

  /** Keys or values of each query head, (B, Hkv, T, D) as (B, H, T, D). */
  #repeat(x: string): string {
    const { graph } = this;
    const { heads, kvHeads } = this.#network;
    if (heads === kvHeads) return x;
    const apart = graph.node("Unsqueeze", [x, graph.integers(2)]);
    const times = graph.integers(1, 1, heads / kvHeads, 1, 1);
    return graph.reshape(graph.node("Expand", [apart, times]), 0, heads, -1, this.#headDim);
  }

  /** What is added to scores, (B, 1, S, T): nothing for what a token sees, and much below it for the rest. */
  #bias(window: number): string {
    const known = this.#biases.get(window);
    if (known !== undefined) return known;
    const { graph } = this;
    const { scope } = graph;
    graph.scope = "attention_bias/";
    const mask = "attention_mask";
    const total = graph.sizeOf(mask, 1);
    const all = graph.node("Squeeze", [total, graph.integers(0)]);
    const some = graph.node("Squeeze", [graph.sizeOf(this.tokens, 1), graph.integers(0)]);
    const one = graph.integer(1);
    const columns = graph.node("Range", [graph.integer(0), all, one]); // (T)
    const places = graph.node("Range", [graph.node("Sub", [all, some]), all, one]);
    const rows = graph.node("Unsqueeze", [places, graph.integers(1)]); // (S, 1)
    let seen = graph.node("LessOrEqual", [columns, rows]); // (S, T)
    if (window > 0) {
      const first = graph.node("Sub", [rows, graph.integer(window)]);
      seen = graph.node("And", [seen, graph.node("Greater", [columns, first])]);
    }
    const real = graph.node("Greater", [mask, graph.integer(0)]);
    const ofBatch = graph.node("Unsqueeze", [real, graph.integers(1, 2)]); // (B, 1, 1, T)
    const both = graph.node("And", [seen, ofBatch]);
    const bias = graph.node("Where", [both, graph.number(0), graph.number(UNSEEN)]);
    this.#biases.set(window, bias);
    graph.scope = scope;
    return bias;
  }

  #nameOf(parameter: string): string {
    const { prefix, family } = this.#network;
    return parameter === family.head ? parameter : `${prefix}${parameter}`;
  }

  #read(parameter: string, change = (values: Float32Array) => values): WeightValues {
    const tensor = this.#network.parameters.get(parameter)!;
    return { shape: tensor.shape, data: async () => change(await tensor.data()) };
  }
}

function transposed({ shape: [rows, columns], data }: WeightValues): WeightValues {
  return {
    shape: [columns, rows],
    data: async () => transpose(await data(), rows, columns),
  };
}
