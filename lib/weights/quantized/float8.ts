/**
 * Matrices of 8-bit floats with scales: one for the whole, for each row, or for each block, as transformers, vLLM's
 * llm-compressor and NVIDIA's Model Optimizer write them. Scales of activations are for kernels that round these too; here
 * activations keep their values.
 *
 * @module
 */

import { quote } from "../json.ts";
import type { TensorFile } from "../tensor_file.ts";
import type { QuantizedTensor } from "./tensor.ts";

/** Both are factors: the inverse is of what the values were multiplied by. */
const SCALES = ["weight_scale_inv", "weight_scale"];
/** Of activations, keys and values. */
const UNUSED = /^(input_scale|activation_scale|output_scale|k_scale|v_scale|q_scale)$/;

/**
 * Finds matrices of 8-bit floats.
 *
 * @param file The open files.
 * @param settings What the configuration says of how weights were quantised; each needs a scale if it does.
 * @returns The weights by name.
 * @throws {TypeError} If one lacks its scale, or has one of another shape.
 */
export function readFloat8(
  file: TensorFile,
  settings: Readonly<Record<string, unknown>> | undefined | null,
): Map<string, QuantizedTensor> {
  const blockSize = settings?.weight_block_size as readonly number[] | undefined | null;
  const found = new Map<string, QuantizedTensor>();
  const scaled = new Map<string, string[]>();
  for (const name of file.tensors.keys()) {
    const [, module, own] = /^(.+)\.([^.]*scale[^.]*)$/.exec(name) ?? [];
    if (module !== undefined) scaled.set(module, [...scaled.get(module) ?? [], own]);
  }
  for (const [name, info] of file.tensors) {
    if (!info.dtype.startsWith("F8_") || !name.endsWith(".weight")) continue;
    const module = name.slice(0, -".weight".length);
    const names = scaled.get(module) ?? [];
    const fail = (reason: string): never => {
      throw new TypeError(`Cannot load ${quote(name)} of "${file.path}": ${reason}`);
    };
    const own = SCALES.find((scale) => names.includes(scale));
    const unknown = names.find((scale) => scale !== own && !UNUSED.test(scale));
    if (unknown !== undefined) {
      fail(
        `it is of 8-bit floats with ${quote(unknown)}, expected "${SCALES.join('" or "')}"`,
      );
    }
    if (own === undefined) {
      if (settings != null) fail(`it is of 8-bit floats and has no "${SCALES.join('" or "')}"`);
      continue;
    }
    const { shape } = info;
    const scale = file.info(`${module}.${own}`);
    if (shape.length !== 2) fail("it is of 8-bit floats with a scale, expected a matrix");
    const [rows, columns] = gridOf(scale.shape, shape[0]);
    const blockRows = blockOf(shape[0], rows, blockSize?.[0]);
    const blockColumns = blockOf(shape[1], columns, blockSize?.[1]);
    if (blockRows === undefined || blockColumns === undefined) {
      return fail(
        `its scales have the shape (${scale.shape.join(", ")}), the matrix (${shape.join(", ")})`,
      );
    }
    found.set(name, {
      ...{ dtype: info.dtype, shape, file: info.file },
      async values(signal) {
        const values = await file.read(name, { signal });
        const scales = await readScales(file, `${module}.${own}`);
        for (let i = 0; i < values.length; i++) {
          const [row, column] = [Math.floor(i / shape[1]), i % shape[1]];
          values[i] *= scales[
            Math.floor(row / blockRows) * columns + Math.floor(column / blockColumns)
          ];
        }
        return values;
      },
    });
  }
  return found;
}

/** Rows and columns of a grid of scales: one in all, one for each row, or one for each block. */
function gridOf(shape: readonly number[], rows: number): readonly number[] {
  if (shape.length === 2) return shape;
  const count = shape.reduce((a, b) => a * b, 1);
  return [count === rows && shape.length === 1 ? rows : count, 1];
}

/** How many rows or columns share a scale; undefined if that is not known. */
function blockOf(extent: number, count: number, configured?: number): number | undefined {
  if (count === 1 || count === extent) return extent / count;
  if (configured !== undefined && Math.ceil(extent / configured) === count) return configured;
  return configured === undefined && extent % count === 0 ? extent / count : undefined;
}

/** Scales, which may be exponents of 2 only (OCP Microscaling Formats, 2023). */
async function readScales(file: TensorFile, name: string): Promise<Float32Array> {
  const { dtype } = file.info(name);
  if (dtype !== "F8_E8M0" && dtype !== "U8") return await file.read(name);
  const exponents = await file.readBytes(name);
  return Float32Array.from(exponents, (bits) => bits === 255 ? NaN : 2 ** (bits - 127));
}
