/**
 * Building the graph of a decoder for ONNX: operators by name, constants once each, and the parts that all decoders have.
 *
 * @module
 */

import type {
  OnnxConstant,
  OnnxGraph,
  OnnxNode,
  OnnxType,
  OnnxWeight,
} from "../../weights/onnx/graph.ts";

/** The operators' definitions: those with which optimum exports decoders. */
export const OPSET = 14;

/** A weight to be written. */
export interface WeightValues {
  /** Its shape. */
  readonly shape: readonly number[];
  /** Its values, read when they are written. */
  readonly data: () => Promise<Float32Array>;
}

/** Values of `TensorProto.DataType` that nodes name. */
const FLOAT = 1;

/** A graph that grows. Values are names of what nodes compute. */
export class GraphBuilder {
  readonly #nodes: OnnxNode[] = [];
  readonly #constants = new Map<string, OnnxConstant>();
  readonly #weights = new Map<string, OnnxWeight>();
  readonly #widened = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  /** What precedes the names of nodes. */
  scope = "";

  /** @param type How weights are stored; computed is in float32. */
  constructor(readonly type: Exclude<OnnxType, "int64">) {}

  /**
   * Adds a node with one output.
   *
   * @param operator The operator.
   * @param inputs What it computes from.
   * @param attributes Its attributes.
   * @param name The output's name; made up by default.
   * @returns The output.
   */
  node(
    operator: string,
    inputs: readonly string[],
    attributes: OnnxNode["attributes"] = {},
    name = this.#name(operator),
  ): string {
    this.#nodes.push({ operator, inputs, outputs: [name], attributes });
    return name;
  }

  /**
   * Divides a value along an axis.
   *
   * @param x The value.
   * @param sizes The parts' sizes.
   * @param axis The axis.
   * @returns The parts.
   */
  split(x: string, sizes: readonly number[], axis = -1): string[] {
    const outputs = sizes.map(() => this.#name("Split"));
    const inputs = [x, this.integers(...sizes)];
    this.#nodes.push({ operator: "Split", inputs, outputs, attributes: { axis } });
    return outputs;
  }

  /** A list of integers. */
  integers(...values: number[]): string {
    return this.#constant(`integers:${values}`, {
      shape: [values.length],
      data: BigInt64Array.from(values, BigInt),
    });
  }

  /** An integer. */
  integer(value: number): string {
    return this.#constant(`integer:${value}`, { shape: [], data: BigInt64Array.of(BigInt(value)) });
  }

  /** A float. */
  number(value: number): string {
    return this.#constant(`number:${value}`, { shape: [], data: Float32Array.of(value) });
  }

  /**
   * A list of floats.
   *
   * @param name Its name.
   * @param values Its values.
   */
  numbers(name: string, values: Float32Array): string {
    return this.#constant(name, { shape: [values.length], data: values });
  }

  /**
   * A weight, widened where it is stored as float16; once, however often it is used.
   *
   * @param name Its name in the file.
   * @param values Its shape and values.
   * @returns The weight as float32.
   */
  weight(name: string, { shape, data }: WeightValues): string {
    if (!this.#weights.has(name)) this.#weights.set(name, { name, shape, data, type: this.type });
    if (this.type === "float32") return name;
    const known = this.#widened.get(name);
    if (known !== undefined) return known;
    const wide = this.node("Cast", [name], { to: FLOAT });
    this.#widened.set(name, wide);
    return wide;
  }

  /** x, with another shape: 0 keeps a dimension, −1 is what is left. */
  reshape(x: string, ...shape: number[]): string {
    return this.node("Reshape", [x, this.integers(...shape)]);
  }

  /** The size of a dimension, as a list of one. */
  sizeOf(x: string, axis: number): string {
    return this.node("Gather", [this.node("Shape", [x]), this.integers(axis)]);
  }

  /** x · factor. */
  scale(x: string, factor: number | undefined): string {
    return factor === undefined || factor === 1 ? x : this.node("Mul", [x, this.number(factor)]);
  }

  /** cap · tanh(x / cap). */
  softCap(x: string, cap: number | undefined): string {
    return cap === undefined ? x : this.scale(this.node("Tanh", [this.scale(x, 1 / cap)]), cap);
  }

  /** An integer or boolean value as floats. */
  toFloat(x: string): string {
    return this.node("Cast", [x], { to: FLOAT });
  }

  /**
   * Ends the graph.
   *
   * @param name Its name.
   * @param values Its inputs and outputs.
   */
  finish(name: string, values: Pick<OnnxGraph, "inputs" | "outputs">): OnnxGraph {
    return {
      name,
      ...values,
      nodes: this.#nodes,
      constants: [...this.#constants.values()],
      weights: [...this.#weights.values()],
      opset: OPSET,
    };
  }

  #constant(name: string, values: Omit<OnnxConstant, "name">): string {
    if (!this.#constants.has(name)) this.#constants.set(name, { name, ...values });
    return name;
  }

  #name(operator: string): string {
    const base = `${this.scope}${operator}`;
    const count = this.#counts.get(base) ?? 0;
    this.#counts.set(base, count + 1);
    return count === 0 ? base : `${base}_${count}`;
  }
}
