/**
 * Writing ONNX files: one tensor in memory at a time, and weights in a file of their own where the whole would be larger
 * than a protocol buffer may be.
 *
 * @module
 */

import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { assertKnownOptions, type OptionNames } from "../../options.ts";
import { narrow } from "../dtype.ts";
import {
  type Encoding,
  WRITE_PROGRESS,
  type WriteProgress,
  writeTensors,
  type WrittenFile,
} from "../write_tensors.ts";
import {
  FIELDS,
  ONNX_TYPES,
  type OnnxConstant,
  type OnnxGraph,
  type OnnxNode,
  type OnnxValue,
  type OnnxWeight,
} from "./graph.ts";

/** Options of {@linkcode writeOnnx}. */
export interface WriteOnnxOptions extends WriteProgress {
  /** The longest file that holds its weights itself, in bytes: by default 2 GiB − 1, the limit of protocol buffers. */
  longest?: number;
}

const NAMES: OptionNames<WriteOnnxOptions> = { ...WRITE_PROGRESS, longest: true };
const LONGEST = 2 ** 31 - 1;

/** The version of the format that opset 14 came with: https://github.com/onnx/onnx/blob/main/docs/Versioning.md. */
const IR_VERSION = 7;
/** `AttributeProto.AttributeType`: an integer, and a list of them. */
const INT = 2, INTS = 7;
/** `TensorProto.DataLocation`. */
const EXTERNAL = 1;

const { LengthDelimited, Varint } = WireType;

/**
 * Writes a graph as an ONNX file. Where that would be longer than `longest`, its weights go to a file beside it, named
 * `<path>_data` as optimum names it.
 *
 * @param path The file; its directory must exist.
 * @param graph The graph.
 * @param options Signal, progress, and the longest file.
 * @returns The bytes of all that was written, and the hash of the file with the weights.
 * @throws {RangeError} If values and shape of a weight disagree, or a value is too large for its type.
 */
export async function writeOnnx(
  path: string,
  graph: OnnxGraph,
  options: WriteOnnxOptions = {},
): Promise<WrittenFile> {
  assertKnownOptions("write an ONNX file", options, NAMES);
  const { longest = LONGEST, ...progress } = options;
  const whole = encodeModel(graph);
  if (whole.length <= longest) {
    return await writeTensors(path, whole.length, progress, async ({ put, putValues }) => {
      await put(whole.before);
      for (const [i, weight] of graph.weights.entries()) {
        await put(whole.weights[i]);
        await putValues(weight, countOf(weight), encodingOf(weight));
      }
    });
  }
  const data = `${path}_data`;
  const length = graph.weights.reduce((sum, weight) => sum + bytesOf(weight), 0);
  const { sha256 } = await writeTensors(data, length, progress, async ({ putValues }) => {
    for (const weight of graph.weights) {
      await putValues(weight, countOf(weight), encodingOf(weight));
    }
  });
  try {
    const model = encodeModel(graph, basename(data));
    await writeTensors(path, model.length, {}, async ({ put }) => {
      for (const part of [model.before, ...model.weights]) await put(part);
    });
    return { path, bytes: length + model.length, sha256 };
  } catch (error) {
    await Deno.remove(join(dirname(path), basename(data))).catch(() => {});
    throw error;
  }
}

/** A model without weights' values. */
interface EncodedModel {
  /** What stands before the weights. */
  readonly before: Uint8Array;
  /** What describes each weight; its values follow, unless they are in another file. */
  readonly weights: readonly Uint8Array[];
  /** The bytes of the file, values that are in it included. */
  readonly length: number;
}

/**
 * Encodes a model. Its last field is the graph, whose last fields are the weights, so that values can be written as they
 * are read.
 *
 * @param graph The model's graph.
 * @param data The file with the weights' values; by default they are in the model's.
 */
function encodeModel(graph: OnnxGraph, data?: string): EncodedModel {
  const rest = encodeGraph(graph);
  let [length, offset] = [rest.length, 0];
  const weights = graph.weights.map((weight) => {
    const values = bytesOf(weight);
    const described = data === undefined
      ? describe(weight).tag(FIELDS.tensor.raw, LengthDelimited).uint32(values).finish()
      : locate(describe(weight), { location: data, offset, length: values }).finish();
    offset += values;
    const inside = data === undefined ? values : 0;
    const field = new BinaryWriter()
      .tag(FIELDS.graph.initializer, LengthDelimited)
      .uint32(described.length + inside)
      .raw(described)
      .finish();
    length += field.length + inside;
    return field;
  });
  // A file that is too long for its length to be written as one is not written: only its length is asked for.
  const before = new BinaryWriter()
    .tag(FIELDS.model.irVersion, Varint).int64(IR_VERSION)
    .tag(FIELDS.model.producer, LengthDelimited).string("tunebook")
    .tag(FIELDS.model.opset, LengthDelimited).fork()
    .tag(FIELDS.opset.domain, LengthDelimited).string("")
    .tag(FIELDS.opset.version, Varint).int64(graph.opset).join()
    .tag(FIELDS.model.graph, LengthDelimited).uint32(Math.min(length, 2 ** 32 - 1))
    .raw(rest)
    .finish();
  return { before, weights, length: before.length - rest.length + length };
}

function encodeGraph({ name, nodes, constants, inputs, outputs }: OnnxGraph): Uint8Array {
  const writer = new BinaryWriter();
  const part = (field: number, write: (writer: BinaryWriter) => void) => {
    writer.tag(field, LengthDelimited).fork();
    write(writer);
    writer.join();
  };
  for (const node of nodes) part(FIELDS.graph.node, (writer) => writeNode(writer, node));
  writer.tag(FIELDS.graph.name, LengthDelimited).string(name);
  for (const input of inputs) part(FIELDS.graph.input, (writer) => writeValue(writer, input));
  for (const output of outputs) part(FIELDS.graph.output, (writer) => writeValue(writer, output));
  for (const constant of constants) {
    part(FIELDS.graph.initializer, (writer) => writeConstant(writer, constant));
  }
  return writer.finish();
}

function writeNode(
  writer: BinaryWriter,
  { operator, inputs, outputs, attributes }: OnnxNode,
): void {
  for (const input of inputs) writer.tag(FIELDS.node.input, LengthDelimited).string(input);
  for (const output of outputs) writer.tag(FIELDS.node.output, LengthDelimited).string(output);
  writer.tag(FIELDS.node.name, LengthDelimited).string(outputs[0]);
  writer.tag(FIELDS.node.operator, LengthDelimited).string(operator);
  for (const [name, value] of Object.entries(attributes)) {
    writer.tag(FIELDS.node.attribute, LengthDelimited).fork();
    writer.tag(FIELDS.attribute.name, LengthDelimited).string(name);
    const isList = typeof value !== "number";
    for (const one of isList ? value : [value]) {
      writer.tag(isList ? FIELDS.attribute.ints : FIELDS.attribute.int, Varint).int64(one);
    }
    writer.tag(FIELDS.attribute.type, Varint).int32(isList ? INTS : INT);
    writer.join();
  }
}

function writeValue(writer: BinaryWriter, { name, type, shape }: OnnxValue): void {
  writer.tag(FIELDS.value.name, LengthDelimited).string(name);
  writer.tag(FIELDS.value.type, LengthDelimited).fork();
  writer.tag(FIELDS.type.tensor, LengthDelimited).fork();
  writer.tag(FIELDS.tensorType.element, Varint).int32(ONNX_TYPES[type]);
  writer.tag(FIELDS.tensorType.shape, LengthDelimited).fork();
  for (const dimension of shape) {
    writer.tag(FIELDS.shape.dimension, LengthDelimited).fork();
    if (typeof dimension === "number") {
      writer.tag(FIELDS.dimension.value, Varint).int64(dimension);
    } else writer.tag(FIELDS.dimension.parameter, LengthDelimited).string(dimension);
    writer.join();
  }
  writer.join().join().join();
}

function writeConstant(writer: BinaryWriter, { name, shape, data }: OnnxConstant): void {
  for (const size of shape) writer.tag(FIELDS.tensor.dims, Varint).int64(size);
  const type = data instanceof Float32Array ? ONNX_TYPES.float32 : ONNX_TYPES.int64;
  writer.tag(FIELDS.tensor.type, Varint).int32(type);
  writer.tag(FIELDS.tensor.name, LengthDelimited).string(name);
  const { buffer, byteOffset, byteLength } = data;
  writer.tag(FIELDS.tensor.raw, LengthDelimited)
    .bytes(new Uint8Array(buffer, byteOffset, byteLength));
}

/** What a weight is, without its values. */
function describe({ name, shape, type }: OnnxWeight): BinaryWriter {
  const writer = new BinaryWriter();
  for (const size of shape) writer.tag(FIELDS.tensor.dims, Varint).int64(size);
  return writer
    .tag(FIELDS.tensor.type, Varint).int32(ONNX_TYPES[type])
    .tag(FIELDS.tensor.name, LengthDelimited).string(name);
}

/** Where a weight's values are in another file. */
function locate(
  writer: BinaryWriter,
  place: { location: string; offset: number; length: number },
): BinaryWriter {
  for (const [key, value] of Object.entries(place)) {
    writer.tag(FIELDS.tensor.external, LengthDelimited).fork()
      .tag(FIELDS.entry.key, LengthDelimited).string(key)
      .tag(FIELDS.entry.value, LengthDelimited).string(`${value}`)
      .join();
  }
  return writer.tag(FIELDS.tensor.location, Varint).int32(EXTERNAL);
}

const countOf = ({ shape }: OnnxWeight) => shape.reduce((count, size) => count * size, 1);
const sizeOf = ({ type }: OnnxWeight) => type === "float32" ? 4 : 2;
const bytesOf = (weight: OnnxWeight) => countOf(weight) * sizeOf(weight);

function encodingOf(weight: OnnxWeight): Encoding {
  const dtype = weight.type === "float32" ? "F32" : "F16";
  return {
    type: dtype,
    bytesOf: (count) => count * sizeOf(weight),
    encode: (values, bytes) => narrow(values, dtype, bytes),
  };
}
