/** How threads share out `split`: rows. */
import { implement } from "../../cpu/kernel.ts";
import type { backwardKernel, forwardKernel } from "./split.ts";

export const splitForward = implement<typeof forwardKernel>(
  "split.forward",
  (context, { x, y }, { rows, width, offset, columns }) => {
    const { first, last } = context.share(rows);
    for (let row = first; row < last; row++) {
      const at = row * width + offset;
      y.set(x.subarray(at, at + columns), row * columns);
    }
  },
);

export const splitBackward = implement<typeof backwardKernel>(
  "split.backward",
  (context, { dy, dx }, { rows, width, offset, columns }) => {
    const { first, last } = context.share(rows);
    const from = context.reserve(columns);
    const to = context.reserve(columns);
    for (let row = first; row < last; row++) {
      const target = dx.subarray(row * width + offset, row * width + offset + columns);
      context.floats.set(dy.subarray(row * columns, (row + 1) * columns), from / 4);
      context.floats.set(target, to / 4);
      context.wasm.addTo(from, to, columns);
      target.set(context.floats.subarray(to / 4, to / 4 + columns));
    }
  },
);
