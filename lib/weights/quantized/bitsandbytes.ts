/**
 * Weights as bitsandbytes packs them: four bits in blocks (NF4 and FP4; Dettmers et al., "QLoRA: Efficient Finetuning of
 * Quantized LLMs", 2023), or eight bits with a scale for each row (Dettmers et al., "LLM.int8()", 2022).
 *
 * @module
 */

import { narrow, widen, type WritableDtype } from "../dtype.ts";
import { isObject, parseStrictJson, quote } from "../json.ts";
import type { TensorFile } from "../tensor_file.ts";
import type { QuantizedTensor } from "./tensor.ts";

const STATE = /^(.+)\.quant_state\.bitsandbytes__(nf4|fp4)$/;
const TYPES: Readonly<Record<string, WritableDtype>> = {
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
};
/** Of `nf4` in `tensor/packed.ts`. */
const BLOCK = 64, BLOCK_BYTES = 36;

/**
 * Finds the weights that bitsandbytes packed.
 *
 * @param file The open files.
 * @returns The weights by name.
 * @throws {TypeError} If one lacks something, or is packed in another way than bitsandbytes reads.
 */
export async function readBitsAndBytes(file: TensorFile): Promise<Map<string, QuantizedTensor>> {
  const found = new Map<string, QuantizedTensor>();
  for (const name of file.tensors.keys()) {
    const [, weight] = STATE.exec(name) ?? [];
    if (weight !== undefined) found.set(weight, await fourBits(file, weight, name));
    else if (name.endsWith(".SCB")) {
      const module = name.slice(0, -".SCB".length);
      found.set(`${module}.weight`, await eightBits(file, `${module}.weight`, name));
    }
  }
  return found;
}

function failure(file: TensorFile, weight: string, reason: string): TypeError {
  return new TypeError(
    `Cannot load ${
      quote(weight)
    } of "${file.path}", which is quantised with bitsandbytes: ${reason}; ` +
      'the unquantised model can be taken instead, with "nf4" (--quantize nf4) where memory is short',
  );
}

async function fourBits(file: TensorFile, weight: string, name: string): Promise<QuantizedTensor> {
  const fail = (reason: string): never => {
    throw failure(file, weight, reason);
  };
  const state = parseStrictJson(await file.readBytes(name), quote(name));
  if (!isObject(state)) return fail("its state is not an object");
  const isCount = (n: unknown) => Number.isSafeInteger(n) && n as number > 0;
  const count = (key: string): number =>
    isCount(state[key])
      ? state[key] as number
      : fail(`its state has ${quote(key)} ${JSON.stringify(state[key]) ?? "not at all"}`);
  const has = (part: string) => file.tensors.has(`${weight}.${part}`);
  const block = count("blocksize");
  const { shape, nested_offset: offset } = state;
  const dtype = TYPES[String(state.dtype)] ??
    fail(`its state has the "dtype" ${JSON.stringify(state.dtype) ?? "not at all"}`);
  if (!Array.isArray(shape) || !shape.every(isCount)) return fail('its state has no "shape"');
  const isNested = has("nested_absmax");
  if (isNested && typeof offset !== "number") fail('its state has no "nested_offset"');
  const nestedBlock = isNested ? count("nested_blocksize") : 0;
  const elements = (shape as number[]).reduce((a, b) => a * b, 1);
  const blocks = Math.ceil(elements / block);
  const parts: (readonly [part: string, size: number])[] = [
    ["absmax", blocks],
    ["quant_map", 16],
    ...isNested
      ? [["nested_absmax", Math.ceil(blocks / nestedBlock)], ["nested_quant_map", 256]] as const
      : [],
  ];
  for (const [part, size] of parts) {
    const found = has(part)
      ? file.info(`${weight}.${part}`).shape
      : fail(`it lacks ${quote(part)}`);
    if (found.reduce((a, b) => a * b, 1) !== size) {
      fail(`its ${quote(part)} has the shape (${found.join(", ")}), expected ${size} elements`);
    }
  }
  const info = file.info(weight);
  const { byteOffsets } = info;
  const bytes = byteOffsets ? byteOffsets[1] - byteOffsets[0] : NaN;
  if (bytes !== Math.ceil(elements / 2)) {
    fail(`it has ${bytes} bytes, expected ${Math.ceil(elements / 2)}`);
  }
  const read = (part: string) => file.read(`${weight}.${part}`);
  const magnitudes = async (): Promise<Float32Array> => {
    if (!isNested) return await read("absmax");
    const [codes, map, scales] = [
      await file.readBytes(`${weight}.absmax`),
      await read("nested_quant_map"),
      await read("nested_absmax"),
    ];
    const mean = Math.fround(offset as number);
    return Float32Array.from(
      codes,
      (code, i) => Math.fround(map[code] * scales[Math.floor(i / nestedBlock)]) + mean,
    );
  };
  const values = async (): Promise<Float32Array> => {
    const [codes, map, scales] = [
      await file.readBytes(weight),
      await read("quant_map"),
      await magnitudes(),
    ];
    const wide = new Float32Array(elements);
    for (let i = 0; i < elements; i++) {
      const code = i % 2 === 0 ? codes[i >> 1] >> 4 : codes[i >> 1] & 15;
      wide[i] = map[code] * scales[Math.floor(i / block)];
    }
    return rounded(wide, dtype);
  };
  const isNf4 = state.quant_type === "nf4" && block === BLOCK && shape.length === 2 &&
    shape[1] % BLOCK === 0;
  return {
    dtype: isNf4 ? "NF4" : dtype,
    shape: shape as number[],
    file: info.file,
    isBlocked: true,
    values,
    ...(isNf4 && {
      blocks: async () => withMagnitudes(await file.readBytes(weight), await magnitudes()),
    }),
  };
}

/** Each block's codes, then its magnitude. */
function withMagnitudes(codes: Uint8Array, magnitudes: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(magnitudes.length * BLOCK_BYTES);
  const view = new DataView(bytes.buffer);
  magnitudes.forEach((magnitude, i) => {
    bytes.set(codes.subarray(i * BLOCK / 2, (i + 1) * BLOCK / 2), i * BLOCK_BYTES);
    view.setFloat32(i * BLOCK_BYTES + BLOCK / 2, magnitude, true);
  });
  return bytes;
}

/** Values as they are in another type. */
function rounded(values: Float32Array, dtype: WritableDtype): Float32Array {
  if (dtype === "F32") return values;
  const bytes = new Uint8Array(2 * values.length);
  narrow(values, dtype, bytes);
  widen(bytes, dtype, values);
  return values;
}

async function eightBits(
  file: TensorFile,
  weight: string,
  scale: string,
): Promise<QuantizedTensor> {
  const info = file.tensors.get(weight);
  const shape = info?.shape ?? [];
  const rows = file.info(scale).shape.reduce((a, b) => a * b, 1);
  if (info?.dtype !== "I8" || shape.length !== 2 || rows !== shape[0]) {
    throw failure(file, weight, "it is not a matrix of 8-bit integers with a scale for each row");
  }
  const format = weight.replace(/weight$/, "weight_format");
  if (file.tensors.has(format) && (await file.readBytes(format)).some((byte) => byte !== 0)) {
    throw failure(file, weight, "its rows are in an order of a GPU, expected that of rows");
  }
  return {
    ...{ dtype: "I8", shape, file: info.file, isBlocked: true },
    async values() {
      const [bytes, scales] = [await file.readBytes(weight), await file.read(scale)];
      const codes = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
      const [factor, width] = [Math.fround(1 / 127), shape[1]];
      return Float32Array.from(
        codes,
        (code, i) => Math.fround(code * scales[Math.floor(i / width)]) * factor,
      );
    },
  };
}
