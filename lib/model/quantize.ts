/**
 * Weights in less memory: packed as NF4, narrowed to 16 bits, or kept in a file's blocks. They stay
 * packed; operations widen a part at a time. Such weights are not trainable: they are for
 * inference, and for training adapters (QLoRA).
 *
 * @module
 */

import {
  type Device,
  isPacked,
  PACKED_FORMATS,
  type PackedType,
  packNf4,
  sizeOf,
  Tensor,
} from "../tensor/mod.ts";
import { narrow } from "../weights/dtype.ts";
import type { Linear } from "./linear.ts";
import { assertNetwork, type Network } from "./model.ts";
import type { StoredWeight } from "./stored_weights.ts";
import { describePattern, matchesName, type NamePattern, unmatchedParts } from "./trainable.ts";
import { assertKnownOptions } from "../options.ts";

/**
 * NF4 with blocks of 64, with a 32-bit scale per block (4.5 bits per weight) or a quantised one
 * (4.1); or 16-bit floats, rounded to nearest.
 */
export type QuantizedType = "nf4" | "nf4_double" | "f16" | "bf16";

/**
 * How a model's matrices are loaded: linear layers as NF4 or 16-bit floats, or all matrices in
 * their stored type (`stored`): a GGUF file's blocks, float16 or bfloat16. The GGUF file of a GPT-2
 * stores them transposed, for which `stored` is refused.
 */
export type Quantization = QuantizedType | "stored";

/** The values of {@linkcode Quantization}. */
export const QUANTIZATIONS: readonly Quantization[] = [
  "nf4",
  "nf4_double",
  "f16",
  "bf16",
  "stored",
];

/**
 * Packs linear layers of a model, one after another.
 *
 * @param model The model, changed in place.
 * @param type The storage type, `nf4` by default.
 * @param options Which layers; by default all linear layers. Embeddings and the output head are not among them.
 * @returns Names of the packed layers; layers that were packed before are not changed.
 * @throws {RangeError} If no linear layer has such a name.
 * @throws {TypeError} If the type is NF4 and the length of a weight's rows is not a multiple of 64.
 * @throws {RangeError} If a weight is too large for 16 bits.
 *
 * @example A packed GPT-2 with adapters: QLoRA
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { addLora, Gpt2, pick, quantize } from "tunebook";
 *
 * const device = await pick({ device: "cpu" });
 * const model = Gpt2.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 64, layers: 1, heads: 2,
 * });
 * await quantize(model, "nf4", { targets: "mlp" });
 * assertEquals(model.linears.get("h.0.mlp.c_fc")!.weight.dtype, "nf4");
 * addLora(model, { rank: 4 });
 * device.close();
 * ```
 */
export async function quantize(
  model: Network,
  type: QuantizedType = "nf4",
  options: { targets?: NamePattern } = {},
): Promise<string[]> {
  assertKnownOptions("pack layers", options, { targets: true });
  assertNetwork("pack layers", model);
  assertQuantization(type, QUANTIZATIONS.filter((type) => type !== "stored"));
  const { targets = /(?:)/ } = options;
  const names = [...model.linears.keys()];
  const missing = unmatchedParts(targets, names);
  if (missing !== undefined) {
    throw new RangeError(
      `Cannot pack layers named ${describePattern(missing)}: the model has none; it has layers ` +
        `such as "${names[0]}"`,
    );
  }
  const chosen = [...model.linears.values()].filter(({ name }) => matchesName(name, targets));
  const packed: string[] = [];
  for (const linear of chosen) {
    if (isPacked(linear.weight.dtype)) continue;
    await packLinear(model, linear, type);
    packed.push(linear.name);
  }
  return packed;
}

function assertQuantization(type: string, known: readonly string[]): void {
  if (known.includes(type)) return;
  throw new TypeError(
    `Cannot pack weights as ${JSON.stringify(type)}: expected one of "${known.join('", "')}"`,
  );
}

async function packLinear(
  { device, parameters }: Network,
  { name, weight }: Linear,
  type: QuantizedType,
): Promise<void> {
  const parameter = `${name}.weight`;
  const tensor = packTensor(device, parameter, await weight.data(), weight.shape, type);
  parameters.set(parameter, tensor.keep());
  weight.grad?.dispose();
  weight.dispose();
}

/**
 * Loads a model without ever holding all of it as float32.
 *
 * @param quantization How to store its matrices.
 * @returns Creates a weight's tensor, or returns undefined for float32: norms, biases and, unless `stored`, embeddings and head. It rejects with a TypeError if rows are not a multiple of NF4's blocks, or if `stored` is given for a matrix that is stored transposed.
 */
export function loadPacked(
  quantization: Quantization,
): (weight: StoredWeight, device: Device) => Promise<Tensor | undefined> {
  assertQuantization(quantization, QUANTIZATIONS);
  return async (weight, device) => {
    const type = packedTypeOf(weight, quantization);
    if (type === undefined) return undefined;
    const { shape, parameter } = weight;
    return quantization === "stored"
      ? Tensor.pack(device, await weight.bytes(), shape, type)
      : packTensor(device, parameter, await weight.values(), shape, quantization);
  };
}

/**
 * The type that a weight is packed in.
 *
 * @param weight The weight, which need not be read.
 * @param quantization How matrices are stored.
 * @returns The type; undefined for float32.
 * @throws {TypeError} If its rows are not a multiple of NF4's blocks, or if `stored` is given for a matrix that is stored
 * transposed.
 */
export function packedTypeOf(
  { shape, parameter, transposed, isLinear, type: stored }: Omit<StoredWeight, "values" | "bytes">,
  quantization: Quantization,
): PackedType | undefined {
  if (shape.length !== 2) return undefined;
  if (quantization !== "stored") {
    if (!isLinear) return undefined;
    assertRows(parameter, shape, quantization);
    return quantization;
  }
  const type = stored.toLowerCase();
  if (!isPacked(type)) return undefined;
  if (transposed) {
    throw new TypeError(
      `Cannot load "${parameter}" as "${type}": its file stores it transposed, ` +
        'expected "nf4", "nf4_double", "f16" or "bf16"',
    );
  }
  return type;
}

/** Checks that rows are whole blocks. */
function assertRows(name: string, shape: readonly number[], type: QuantizedType): void {
  if (type === "f16" || type === "bf16") return;
  const { blockElements } = PACKED_FORMATS[type];
  if (shape[1] % blockElements === 0) return;
  throw new TypeError(
    `Cannot store "${name}" as "${type}": its rows have ${shape[1]} elements, ` +
      `expected a multiple of ${blockElements}; "f16" and "bf16" take any`,
  );
}

function packTensor(
  device: Device,
  name: string,
  values: Float32Array,
  shape: readonly number[],
  type: QuantizedType,
): Tensor {
  assertRows(name, shape, type);
  if (type === "nf4" || type === "nf4_double") {
    return Tensor.pack(device, packNf4(values, shape[0], shape[1], type), shape, type);
  }
  const bytes = new Uint8Array(2 * sizeOf(shape));
  const misfit = narrow(values, type === "f16" ? "F16" : "BF16", bytes);
  if (misfit >= 0) {
    throw new RangeError(
      `Cannot store "${name}" as "${type}": element ${misfit} is ${
        values[misfit]
      }, too large for it`,
    );
  }
  return Tensor.pack(device, bytes, shape, type);
}
