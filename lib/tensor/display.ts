/**
 * How tensors show themselves: in `console.log`, as strings, and as the last value of a notebook's cell.
 *
 * @module
 */

import { escape } from "@std/html/entities";
import { formatElements, shownRuns } from "./format.ts";
import { heatMap } from "./heat_map.ts";
import { isPacked } from "./packed.ts";
import { formatShape, type Tensor } from "./tensor.ts";

/** A matrix with more elements than this is not read for a picture. */
const MOST_DRAWN = 4 * 1024 * 1024;

/** The first line: shape, type, device. */
function heading({ shape, dtype, device, requiresGrad }: Tensor): string {
  const kind = device.kind === "cpu" ? "CPU" : "WebGPU";
  return `Tensor ${formatShape(shape)} ${dtype}, ${kind}${
    requiresGrad ? ", requires gradient" : ""
  }`;
}

/**
 * Describes a tensor, with its numbers if they can be read synchronously, as on the CPU; otherwise
 * with a hint how to show them.
 *
 * @param tensor The tensor.
 * @returns Text of one or more lines.
 */
export function describe(tensor: Tensor): string {
  const head = heading(tensor);
  if (tensor.disposed) return `${head}, disposed`;
  const { device } = tensor;
  if (device.readNow === undefined || isPacked(tensor.dtype)) {
    return `${head}\n(\`await tensor.show()\` shows its numbers)`;
  }
  const values: number[] = [];
  for (const { offset, length } of shownRuns(tensor.shape)) {
    const bytes = device.readNow(tensor.buffer, offset * 4, length * 4);
    values.push(...elementsOf(tensor, bytes));
  }
  const own = `${head}\n${formatElements(tensor.shape, values)}`;
  const { grad } = tensor;
  return grad && !grad.disposed ? `${own}\ngradient: ${describe(grad)}` : own;
}

/**
 * Writes a tensor with its numbers, waiting for its device.
 *
 * @param tensor The tensor.
 * @returns Text of one or more lines.
 */
export async function describeSoon(tensor: Tensor): Promise<string> {
  const head = heading(tensor);
  if (tensor.disposed) return `${head}, disposed`;
  const runs = shownRuns(tensor.shape);
  let values: number[];
  if (isPacked(tensor.dtype)) {
    const data = await tensor.data();
    values = runs.flatMap(({ offset, length }) => [...data.subarray(offset, offset + length)]);
  } else {
    const parts = await Promise.all(runs.map(async ({ offset, length }) => {
      if (length === 0) return [];
      return [
        ...elementsOf(tensor, await tensor.device.read(tensor.buffer, offset * 4, length * 4)),
      ];
    }));
    values = parts.flat();
  }
  const own = `${head}\n${formatElements(tensor.shape, values)}`;
  const { grad } = tensor;
  return grad && !grad.disposed ? `${own}\ngradient: ${await describeSoon(grad)}` : own;
}

function elementsOf({ dtype }: Tensor, bytes: ArrayBuffer): Float32Array | Int32Array {
  return dtype === "i32" ? new Int32Array(bytes) : new Float32Array(bytes);
}

/**
 * A tensor as a cell's output: its numbers, and a heat map of a matrix and of its gradient.
 *
 * @param tensor The tensor.
 * @returns Contents by MIME type.
 */
export async function displayBundle(tensor: Tensor): Promise<Record<string, string>> {
  const text = await describeSoon(tensor);
  const pictures: string[] = [];
  for (const [matrix, caption] of [[tensor, ""], [tensor.grad, "gradient"]] as const) {
    if (!matrix || matrix.disposed || matrix.shape.length !== 2) continue;
    const [rows, columns] = matrix.shape;
    if (rows < 2 || columns < 2 || matrix.size > MOST_DRAWN) continue;
    const picture = heatMap(await matrix.data(), rows, columns);
    pictures.push(
      `<figure style="display: inline-block; vertical-align: top; margin: 0.5em 1em 0 0">${picture}` +
        (caption ? `<figcaption>${caption}</figcaption>` : "") + "</figure>",
    );
  }
  const html = `<pre>${escape(text)}</pre>${pictures.join("")}`;
  return pictures.length === 0 ? { "text/plain": text } : { "text/plain": text, "text/html": html };
}
