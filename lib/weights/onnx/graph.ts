/**
 * A graph of the Open Neural Network Exchange, as far as decoders need it: https://onnx.ai/onnx/repo-docs/IR.html.
 *
 * @module
 */

import type { NamedTensor } from "../write_tensors.ts";

/** Element types of values. */
export type OnnxType = "float32" | "float16" | "int64";

/** An input or output of a graph. */
export interface OnnxValue {
  /** Its name. */
  readonly name: string;
  /** The type of its elements. */
  readonly type: OnnxType;
  /** Its shape; a dimension that is known only at run time has a name. */
  readonly shape: readonly (number | string)[];
}

/** An operation of a graph. */
export interface OnnxNode {
  /** The operator: `"MatMul"`. */
  readonly operator: string;
  /** The names of what it computes from. */
  readonly inputs: readonly string[];
  /** The names of what it computes. */
  readonly outputs: readonly string[];
  /** Its attributes, which are all integers. */
  readonly attributes: Readonly<Record<string, number | readonly number[]>>;
}

/** A small constant of a graph; a scalar has the shape `[]`. */
export interface OnnxConstant {
  /** Its name. */
  readonly name: string;
  /** Its shape. */
  readonly shape: readonly number[];
  /** Its values: `float32`, or `int64`. */
  readonly data: Float32Array | BigInt64Array;
}

/** A weight of a graph, read when it is written. */
export interface OnnxWeight extends NamedTensor {
  /** How its values are stored. */
  readonly type: "float32" | "float16";
}

/** A graph: nodes in an order in which each comes after what it computes from. */
export interface OnnxGraph {
  /** Its name. */
  readonly name: string;
  /** What a caller gives. */
  readonly inputs: readonly OnnxValue[];
  /** What a caller gets. */
  readonly outputs: readonly OnnxValue[];
  /** What is computed. */
  readonly nodes: readonly OnnxNode[];
  /** Numbers of the computation. */
  readonly constants: readonly OnnxConstant[];
  /** The model's weights. */
  readonly weights: readonly OnnxWeight[];
  /** The version of the operators' definitions. */
  readonly opset: number;
}

/** `TensorProto.DataType` of onnx.proto. */
export const ONNX_TYPES = { float32: 1, int64: 7, float16: 10 } as const satisfies Record<
  OnnxType,
  number
>;

/** Fields of onnx.proto's messages, by message. */
export const FIELDS = {
  model: { irVersion: 1, producer: 2, producerVersion: 3, graph: 7, opset: 8 },
  opset: { domain: 1, version: 2 },
  graph: { node: 1, name: 2, initializer: 5, input: 11, output: 12 },
  node: { input: 1, output: 2, name: 3, operator: 4, attribute: 5 },
  attribute: { name: 1, int: 3, ints: 8, type: 20 },
  tensor: { dims: 1, type: 2, name: 8, raw: 9, external: 13, location: 14 },
  entry: { key: 1, value: 2 },
  value: { name: 1, type: 2 },
  type: { tensor: 1 },
  tensorType: { element: 1, shape: 2 },
  shape: { dimension: 1 },
  dimension: { value: 1, parameter: 2 },
} as const;
