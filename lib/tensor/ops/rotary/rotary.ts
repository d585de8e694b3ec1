/**
 * Rotary positions: each pair of a head's elements is turned by an angle that grows with the token's position, so that
 * products of queries and keys depend on their distance. Element i is paired with i + headDim / 2, as Hugging Face has it.
 *
 * Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding", 2021.
 *
 * @module
 */

import { defineKernel, type Device } from "../../device.ts";
import { inputTensor } from "../../input.ts";
import { record } from "../../recording.ts";
import { assertTensors } from "../../shapes.ts";
import { formatShape, Tensor } from "../../tensor.ts";
import { fold, overRows } from "../../webgpu/plans.ts";
import {
  rotaryFrequencies,
  rotaryMagnitude,
  type RotaryOptions,
  rotaryTable,
} from "./frequencies.ts";
import wgsl from "./rotary.wgsl" with { type: "text" };

/** y = x turned by the angles, or by their opposites where `direction` is −1; added to y where `accumulate` is 1. */
export const rotaryKernel = defineKernel({
  name: "rotary",
  buffers: { x: "read", angles: "read", y: "update" },
  params: { rows: "u32", heads: "u32", headDim: "u32", direction: "f32", accumulate: "u32" },
  webgpu: overRows({
    source: wgsl,
    rows: ({ rows }) => rows,
    widths: ({ heads, headDim }) => ({ x: heads * headDim, y: heads * headDim, angles: headDim }),
    dispatch: ({ count }, { params }) => ({
      params: { rows: count },
      workgroups: fold(Math.ceil(count * params.heads * params.headDim / 2 / 256)),
    }),
  }),
});

/**
 * Computes the angles of tokens' positions, once for all layers that turn by the same ones.
 *
 * @param device The device that stores them.
 * @param positions Each token's position, (T).
 * @param options Head dimension, θ and scaling; the length is that of the longest text here by default.
 * @returns Cosines and sines, (T, headDim).
 * @throws {RangeError} If the head dimension is not even.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { pick, rotaryAngles } from "tunebook/tensor";
 *
 * const device = await pick({ device: "cpu" });
 * const angles = rotaryAngles(device, Int32Array.of(0), { headDim: 2 });
 * assertEquals([...await angles.data()], [1, 0]); // position 0 does not turn
 * device.close();
 * ```
 */
export function rotaryAngles(
  device: Device,
  positions: Int32Array,
  options: RotaryOptions,
): Tensor {
  const table = () => {
    const length = positions.reduce((most, position) => Math.max(most, position + 1), 0);
    const frequencies = rotaryFrequencies({ length, ...options });
    return rotaryTable(positions, frequencies, rotaryMagnitude(options.scaling));
  };
  return inputTensor(device, table, [positions.length, options.headDim]);
}

/**
 * Turns every head of queries or keys by its token's angles.
 *
 * @param x (T, heads · headDim).
 * @param angles Of {@linkcode rotaryAngles}, (T, headDim).
 * @returns (T, heads · headDim).
 * @throws {TypeError} If there is not one row of angles a token, or its width does not divide the rows'.
 *
 * @example At position 0 nothing turns
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { pick, Tensor } from "tunebook";
 * import { rotary, rotaryAngles } from "tunebook/tensor";
 *
 * const device = await pick({ device: "cpu" });
 * const x = Tensor.from(device, [1, 2, 3, 4], [2, 2]);
 * const angles = rotaryAngles(device, Int32Array.of(0, 1), { headDim: 2 });
 * const [a, b, c, d] = await rotary(x, angles).data();
 * assertEquals([a, b], [1, 2]);
 * assertEquals(c, Math.fround(3 * Math.cos(1) - 4 * Math.sin(1)));
 * assertEquals(Math.abs(d - (4 * Math.cos(1) + 3 * Math.sin(1))) < 1e-6, true);
 * ```
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { defaultDevice, rotary, rotaryAngles, tensor } from "tunebook/tensor";
 *
 * const angles = rotaryAngles(defaultDevice(), Int32Array.of(0), { headDim: 2 });
 * assertEquals([...await rotary(tensor([[3, 4]]), angles).data()], [3, 4]); // position 0 turns nothing
 * ```
 */
export function rotary(x: Tensor, angles: Tensor): Tensor {
  assertTensors("turn", x, angles);
  const headDim = angles.width;
  const heads = x.width / headDim;
  if (angles.rows !== x.rows || !Number.isInteger(heads)) {
    throw new TypeError(
      `Cannot turn a tensor of shape ${formatShape(x.shape)} by angles of shape ` +
        `${formatShape(angles.shape)}: expected as many rows, and a width that divides its own`,
    );
  }
  const y = Tensor.empty(x.device, x.shape);
  const turn = (from: Tensor, to: Tensor, direction: 1 | -1, accumulate: 0 | 1) =>
    x.device.run(
      rotaryKernel,
      { x: from.buffer, angles: angles.buffer, y: to.buffer },
      { rows: x.rows, heads, headDim, direction, accumulate },
    );
  turn(x, y, 1, 0);
  return record(y, [x], (dy, gradients) => {
    const { gradient, accumulate } = gradients.into(x);
    turn(dy, gradient, -1, accumulate);
  });
}
