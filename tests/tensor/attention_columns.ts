// Attention over columns of one tensor, held to PyTorch's values.

import { attention, columns, type Device } from "../../lib/tensor/mod.ts";
import type { GoldenCase } from "../golden/golden.ts";
import { assertClose } from "../support.ts";
import { type ArrayLike, differentiate } from "./gradients.ts";

/** Writes arrays side by side. */
function sideBySide(parts: readonly ArrayLike[]): ArrayLike & { data: Float32Array } {
  const rows = parts[0].shape[0];
  const width = parts.reduce((sum, { shape }) => sum + shape[1], 0);
  const data = new Float32Array(rows * width);
  let first = 0;
  for (const { shape, data: from } of parts) {
    for (let row = 0; row < rows; row++) {
      data.set(from.subarray(row * shape[1], (row + 1) * shape[1]), row * width + first);
    }
    first += shape[1];
  }
  return { shape: [rows, width], data };
}

/** Holds attention over columns to a case; between keys and queries there are columns that nobody reads. */
export async function assertColumnsAttend(
  device: Device,
  { name, attributes: { heads, kvHeads, window }, tensors }: GoldenCase,
  gap: number,
): Promise<void> {
  const { q, k, v } = tensors;
  const rows = q.shape[0];
  const unread = { shape: [rows, gap], data: new Float32Array(rows * gap).fill(7) };
  const joint = sideBySide([v, k, unread, q]);
  const widths = [v, k, unread, q].map(({ shape }) => shape[1]);
  const forest = {
    end: tensors.end.data as Int32Array,
    positions: tensors.positions.data as Int32Array,
  };
  const { output, jointGrad } = await differentiate(
    device,
    { joint },
    tensors.outputGrad.data,
    ({ joint }) => {
      const [v, k, , q] = columns(joint, widths);
      return attention(q, k, v, { heads, kvHeads, window: window ?? undefined, forest });
    },
  );
  assertClose(output, tensors.output.data, { relative: 1e-5 }, `${name} output`);
  const expected = sideBySide([
    tensors.vGrad,
    tensors.kGrad,
    { ...unread, data: new Float32Array(rows * gap) },
    tensors.qGrad,
  ]);
  assertClose(jointGrad, expected.data, { relative: 1e-5 }, `${name} gradient`);
}
