/**
 * Copies elements from one layout to another: what permuting, slicing, joining and repeating come to.
 *
 * @module
 */

import { joinDimensions, type Walk } from "../../broadcast.ts";
import type { Kernel, ParamType } from "../../device.ts";
import type { Tensor } from "../../tensor.ts";
import { fold } from "../../webgpu/plans.ts";
import type { Dispatch, PlanInput } from "../../webgpu/program.ts";

/** Where elements lie in a tensor. */
export interface Layout {
  /** The first element. */
  readonly offset?: number;
  /** Elements from one index to the next, in each dimension. */
  readonly strides: readonly number[];
}

/**
 * The strides of a tensor's own layout.
 *
 * @param shape Its shape.
 * @returns Elements from one index to the next, in each dimension.
 */
export function denseStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis];
  }
  return strides;
}

/**
 * Copies elements: `y[destination] = x[from]`, or `+=`, for every index. Not recorded.
 *
 * @param lengths The dimensions that both layouts are walked in.
 * @param x Where elements come from; several indices may mean the same.
 * @param from Its layout.
 * @param y Where they go; no two indices may mean the same.
 * @param to Its layout.
 * @param accumulate 1 to add to what is there.
 */
export function stridedCopy(
  lengths: readonly number[],
  x: Tensor,
  from: Layout,
  y: Tensor,
  to: Layout,
  accumulate: 0 | 1 = 0,
): void {
  const size = lengths.reduce((product, length) => product * length, 1);
  if (size === 0) return;
  const walk = joinDimensions({ lengths, strides: [from.strides, to.strides] });
  y.device.run(stridedCopyKernel(walk.lengths.length), { x: x.buffer, y: y.buffer }, {
    size,
    accumulate,
    xOffset: from.offset ?? 0,
    yOffset: to.offset ?? 0,
    ...paramsOf(walk),
  });
}

function paramsOf({ lengths, strides: [x, y] }: Walk): Record<string, number> {
  const params: Record<string, number> = {};
  lengths.forEach((length, d) => {
    params[`length${d}`] = length;
    params[`xStride${d}`] = x[d];
    params[`yStride${d}`] = y[d];
  });
  return params;
}

const kernels = new Map<number, Kernel<"x" | "y", string, "stridedCopy">>();

/** The kernel for a number of dimensions. */
export function stridedCopyKernel(rank: number): Kernel<"x" | "y", string, "stridedCopy"> {
  const present = kernels.get(rank);
  if (present) return present;
  const dimensions = Array.from({ length: rank }, (_, d) => d);
  const params: Record<string, ParamType> = {
    size: "u32",
    accumulate: "u32",
    xOffset: "u32",
    yOffset: "u32",
  };
  for (const d of dimensions) {
    params[`length${d}`] = params[`xStride${d}`] = params[`yStride${d}`] = "u32";
  }
  const made: Kernel<"x" | "y", string, "stridedCopy"> = {
    name: "stridedCopy",
    buffers: { x: "read", y: "update" },
    params,
    webgpu: {
      source: wgslOf(dimensions, params),
      plan: (input) => planCopy(input, rank),
    },
  };
  kernels.set(rank, made);
  return made;
}

/** One dispatch, or several of some outermost indices each, where a buffer is larger than a binding. */
function planCopy(
  input: PlanInput<"x" | "y", string>,
  rank: number,
): Dispatch<"x" | "y", string>[] {
  const { params, byteLengths, maxBindingSize, offsetAlignment } = input;
  const { size, length0 } = params;
  const names = ["x", "y"] as const;
  if (names.every((name) => byteLengths[name] <= maxBindingSize)) {
    return [{ workgroups: fold(Math.ceil(size / 256)) }];
  }
  /** Bytes from the first to the last element of an outermost index. */
  const span = (name: "x" | "y") => {
    let elements = 1;
    for (let d = 1; d < rank; d++) {
      elements += (params[`length${d}`] - 1) * params[`${name}Stride${d}`];
    }
    return elements * 4;
  };
  let step = length0;
  for (const name of names) {
    const stride = params[`${name}Stride0`] * 4;
    const room = maxBindingSize - offsetAlignment - span(name);
    if (room < 0) {
      throw new RangeError(
        `Cannot copy ${span(name)} bytes at once: a kernel sees at most ${maxBindingSize}`,
      );
    }
    if (stride > 0) step = Math.min(step, Math.floor(room / stride) + 1);
  }
  const dispatches: Dispatch<"x" | "y", string>[] = [];
  for (let first = 0; first < length0; first += step) {
    const count = Math.min(step, length0 - first);
    const part = (name: "x" | "y") => {
      const stride = params[`${name}Stride0`] * 4;
      const start = params[`${name}Offset`] * 4 + first * stride;
      const offset = start - start % offsetAlignment;
      const used = start - offset + (count - 1) * stride + span(name);
      const range = { offset, size: Math.min(Math.max(used, 16), byteLengths[name] - offset) };
      return { range, skipped: (start - offset) / 4 };
    };
    const [x, y] = [part("x"), part("y")];
    const elements = size / length0 * count;
    dispatches.push({
      params: { size: elements, xOffset: x.skipped, yOffset: y.skipped },
      ranges: { x: x.range, y: y.range },
      workgroups: fold(Math.ceil(elements / 256)),
    });
  }
  return dispatches;
}

function wgslOf(
  dimensions: readonly number[],
  params: Readonly<Record<string, ParamType>>,
): string {
  const steps = dimensions.toReversed().map((d) =>
    `  let i${d} = rest % params.length${d};
  rest /= params.length${d};
  source += i${d} * params.xStride${d};
  destination += i${d} * params.yStride${d};
`
  );
  return `// y[destination] = x[source] (+ y[destination]). One thread an element, which may be an integer: its bits are copied.
struct Params {
${Object.entries(params).map(([name, type]) => `  ${name}: ${type},\n`).join("")}}

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  var rest = id.x + id.y * groups.x * 256u;
  if (rest >= params.size) {
    return;
  }
  var source = params.xOffset;
  var destination = params.yOffset;
${steps.join("")}  var value = x[source];
  if (params.accumulate == 1u) {
    value = bitcast<u32>(bitcast<f32>(value) + bitcast<f32>(y[destination]));
  }
  y[destination] = value;
}
`;
}
