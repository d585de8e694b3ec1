/**
 * Checkpoints whose weights were quantised: their packed tensors are read as the weights that they stand for.
 *
 * @module
 */

import { quote } from "../json.ts";
import { rowRange } from "../rows.ts";
import { findTensor, type StoredTensor, type TensorFile } from "../tensor_file.ts";
import { readBitsAndBytes } from "./bitsandbytes.ts";
import { readFloat8 } from "./float8.ts";
import type { QuantizedTensor } from "./tensor.ts";

/** Methods, as `quant_method` names them, whose weights are read. */
const READ = ["bitsandbytes", "fp8", "fbgemm_fp8", "compressed-tensors", "modelopt"];

/**
 * Widens what is quantised in a model's files.
 *
 * @param file The open files.
 * @param config The model's `config.json`.
 * @returns The same files, with the weights that quantised ones stand for in their places.
 * @throws {TypeError} If they were quantised in a way that is not read.
 */
export async function widenQuantized(
  file: TensorFile,
  config: Readonly<Record<string, unknown>>,
): Promise<TensorFile> {
  const text = config.text_config as Record<string, unknown> | undefined;
  const settings = (config.quantization_config ?? config.compression_config ??
    text?.quantization_config) as Record<string, unknown> | undefined | null;
  const method = settings?.quant_method ??
    (settings?.load_in_4bit || settings?.load_in_8bit ? "bitsandbytes" : undefined);
  const isPacked = (name: string) => /\.(weight_packed|qweight|qzeros)$/.test(name);
  const packed = [...file.tensors.keys()].find(isPacked);
  if ((settings != null && !READ.includes(String(method))) || packed !== undefined) {
    throw new TypeError(
      `Cannot load "${file.path}": it is quantised ` +
        (settings == null
          ? `(${quote(packed!)})`
          : method == null
          ? 'in a way that its "quantization_config" does not name'
          : `with ${quote(String(method))}`) +
        `, which is not read; expected weights that are not quantised, bitsandbytes' ("bitsandbytes") or ` +
        'FP8 ("fp8", "fbgemm_fp8", "compressed-tensors", "modelopt"): take the unquantised model, ' +
        'with "nf4" (--quantize nf4) where memory is short',
    );
  }
  const quantized = new Map<string, QuantizedTensor>([
    ...await readBitsAndBytes(file),
    ...readFloat8(file, settings),
  ]);
  return quantized.size === 0 ? file : new Widened(file, quantized);
}

class Widened implements TensorFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;

  constructor(
    readonly file: TensorFile,
    readonly quantized: ReadonlyMap<string, QuantizedTensor>,
  ) {
    this.tensors = new Map<string, StoredTensor>([...file.tensors, ...quantized]);
  }

  get path(): string {
    return this.file.path;
  }

  info(name: string): StoredTensor {
    return this.quantized.get(name) ??
      (this.file.tensors.has(name) ? this.file.info(name) : findTensor(this, name));
  }

  async read(name: string, options: Parameters<TensorFile["read"]>[1] = {}): Promise<Float32Array> {
    const tensor = this.quantized.get(name);
    if (tensor === undefined) return await this.file.read(name, options);
    const { first, values } = rowRange({ ...tensor, name }, options);
    const all = await tensor.values(options.signal);
    values.set(all.subarray(first, first + values.length));
    return values;
  }

  async readBytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
    return await (this.quantized.get(name)?.blocks?.() ?? this.file.readBytes(name));
  }

  close(): void {
    this.file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
