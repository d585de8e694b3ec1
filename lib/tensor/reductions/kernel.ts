/**
 * The kernels of reductions, made from their formulas: `reduction.cpu.ts` runs what `formula/assembly.ts` compiled, a GPU
 * the WGSL that is written here.
 *
 * A tensor is seen as (outer, length, inner), of which `length` is reduced. `count` is how many elements a result is of, or
 * −1 for totals of parts. The order in which elements are combined depends on these numbers alone.
 *
 * @module
 */

import { defineKernel, type Kernel } from "../device.ts";
import { FUNCTIONS, wgslFunction } from "../formula/wgsl.ts";
import { fold, overRows } from "../webgpu/plans.ts";

/** What a reduction computes. */
export interface ReductionFormulas {
  /** Its name. */
  readonly name: string;
  /** How two elements `a` and `b`, or what they were combined to, are combined. */
  readonly combine: string;
  /** What the formula begins with; where it has none, with the first element, which may count twice. */
  readonly identity?: string;
  /** What the result is, of `total` and of the `count` of elements; the total by default. */
  readonly finish?: string;
}

/** Results from which on each is one thread's on a GPU; fewer are a workgroup's each, where they are long. */
const MANY_RESULTS = 16_384;
/** Elements that are worth a workgroup. */
const LONG = 64;

const kernels = new Map<string, Kernel<"x" | "y", "outer" | "length" | "inner" | "count">>();

/**
 * Makes the kernel of a reduction, or finds the one made before.
 *
 * @param formulas What it computes.
 * @returns The kernel.
 */
export function reductionKernel(
  formulas: ReductionFormulas,
): Kernel<"x" | "y", "outer" | "length" | "inner" | "count"> {
  let kernel = kernels.get(formulas.name);
  if (!kernel) kernels.set(formulas.name, kernel = makeKernel(formulas));
  return kernel;
}

function makeKernel(
  formulas: ReductionFormulas,
): Kernel<"x" | "y", "outer" | "length" | "inner" | "count"> {
  return defineKernel({
    name: formulas.name,
    buffers: { x: "read", y: "write" },
    params: { outer: "u32", length: "u32", inner: "u32", count: "i32" },
    webgpu: overRows({
      source: wgslOf(formulas),
      rows: ({ outer }) => outer,
      widths: ({ length, inner }) => ({ x: length * inner, y: inner }),
      dispatch: ({ count }, { params: { outer, length, inner } }) => {
        const grouped = length >= LONG && outer * inner < MANY_RESULTS;
        return {
          entryPoint: grouped ? "by_group" : "by_thread",
          params: { outer: count },
          workgroups: fold(grouped ? count * inner : Math.ceil(count * inner / 256)),
        };
      },
    }),
  });
}

function wgslOf({ combine, identity, finish = "total" }: ReductionFormulas): string {
  return `${FUNCTIONS}struct Params {
  outer: u32,
  length: u32,
  inner: u32,
  count: i32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

${wgslFunction("combine", combine, ["a", "b"])}
${wgslFunction("finish", finish, ["total", "count"])}
// Where the elements of a result begin.
fn start_of(result: u32) -> u32 {
  return result / params.inner * params.length * params.inner + result % params.inner;
}

// Totals of parts, whose count is negative, are not finished.
fn finished(total: f32) -> f32 {
  if (params.count < 0) {
    return total;
  }
  return finish(total, f32(params.count));
}

fn initial(start: u32) -> f32 {
  return ${identity ?? "x[start]"};
}

@compute @workgroup_size(256)
fn by_thread(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let result = id.x + id.y * groups.x * 256u;
  if (result >= params.outer * params.inner) {
    return;
  }
  let start = start_of(result);
  var total = initial(start);
  // In blocks, so that rounding errors of long sums stay small.
  for (var block = 0u; block < params.length; block += 128u) {
    var part = initial(start);
    let end = min(block + 128u, params.length);
    for (var i = block; i < end; i++) {
      part = combine(part, x[start + i * params.inner]);
    }
    total = combine(total, part);
  }
  y[result] = finished(total);
}

var<workgroup> parts: array<f32, 256>;

@compute @workgroup_size(256)
fn by_group(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let result = group.x + group.y * groups.x;
  if (result >= params.outer * params.inner) {
    return;
  }
  let start = start_of(result);
  var part = initial(start);
  for (var block = thread; block < params.length; block += 128u * 256u) {
    var sub = initial(start);
    let end = min(block + 128u * 256u, params.length);
    for (var i = block; i < end; i += 256u) {
      sub = combine(sub, x[start + i * params.inner]);
    }
    part = combine(part, sub);
  }
  parts[thread] = part;
  for (var half = 128u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) {
      parts[thread] = combine(parts[thread], parts[thread + half]);
    }
  }
  if (thread == 0u) {
    y[result] = finished(parts[0]);
  }
}
`;
}
