/**
 * How threads share out `adamw`: consecutive elements. Means and variances are updated where they are, if that is memory of
 * WebAssembly; all else is streamed.
 */
import type { Context, PackedContext } from "../../cpu/context.ts";
import { implement, type ParamsOf } from "../../cpu/kernel.ts";
import type { WasmKernels } from "../../cpu/wasm_kernels.ts";
import type { adamwKernel } from "./adamw.ts";

/** Elements of a vector. */
const LANES = 4;

/** Parameters, and as many gradients, that are copied at a time: with their means and variances a quarter of a usual L2 cache. */
const CHUNK = 16 * 1024;

type Params = ParamsOf<typeof adamwKernel>;
type Buffers = Record<"parameter" | "gradient" | "mean" | "variance", Float32Array>;

export const adamw = implement<typeof adamwKernel>("adamw", (context, buffers, params) => {
  const packed = context.packedContext(buffers.mean, buffers.variance);
  if (packed) return updateInPlace(context, packed, buffers, params);
  const { parameter, gradient, mean, variance } = buffers;
  context.stream(
    {
      parameter: { buffer: parameter, access: "update" },
      gradient: { buffer: gradient, access: "read" },
      mean: { buffer: mean, access: "update" },
      variance: { buffer: variance, access: "update" },
    },
    context.share(params.size),
    (at, count) => update(context.wasm, at, count, params),
  );
});

/** Memory is padded to whole vectors, so that the last vector may be one that no other thread has a part of. */
function updateInPlace(
  context: Context,
  { wasm, scratch }: PackedContext,
  { parameter, gradient, mean, variance }: Buffers,
  params: Params,
): void {
  const { first, last } = context.share(params.size, LANES);
  for (let at = first; at < last; at += CHUNK) {
    const count = Math.min(CHUNK, last - at);
    const target = parameter.subarray(at, at + count);
    context.copy(target, scratch.subarray(0, count));
    context.copy(gradient.subarray(at, at + count), scratch.subarray(CHUNK, CHUNK + count));
    const addresses = {
      parameter: scratch.byteOffset,
      gradient: scratch.byteOffset + 4 * CHUNK,
      mean: mean.byteOffset + 4 * at,
      variance: variance.byteOffset + 4 * at,
    };
    update(wasm, addresses, count, params);
    context.copy(scratch.subarray(0, count), target);
  }
}

function update(
  wasm: WasmKernels,
  at: Record<keyof Buffers, number>,
  count: number,
  params: Params,
): void {
  wasm.adamw(
    at.parameter,
    at.gradient,
    at.mean,
    at.variance,
    count,
    params.gradientScale,
    params.decay,
    params.rate1,
    params.beta2,
    params.rate2,
    params.stepSize,
    params.rootCorrection2,
    params.epsilon,
  );
}
