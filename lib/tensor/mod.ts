/**
 * The tensor library: arrays with gradients on two devices.
 *
 * @module
 */

// How devices and tensors are stored between runs of a notebook.
import "./restorable.ts";
// Operations as methods, and how tensors show themselves.
import "./methods.ts";

export {
  type Device,
  type DeviceBuffer,
  type DeviceKind,
  type KernelTime,
  type MemoryUse,
} from "./device.ts";
export {
  defaultDevice,
  type MatmulPrecision,
  parseDevice,
  pick,
  type PickOptions,
  reasonFor,
  setDefaultDevice,
} from "./pick.ts";
export type { FormulaMethods } from "./formula_methods.ts";
export { type Profile, profile, type RunningProfile, startProfile } from "./profile.ts";
export { backward, grad, recompute } from "./tape.ts";
export type { ArgmaxOptions, ReductionOptions, SliceRange, VarianceOptions } from "./options.ts";
export { noGrad } from "./recording.ts";
export { scope } from "./scope.ts";
export { type Dtype, type MatmulOptions, type Operand, sizeOf, Tensor } from "./tensor.ts";
export {
  arange,
  type CreateOptions,
  eye,
  full,
  type NestedNumbers,
  ones,
  random,
  randomNormal,
  type RandomOptions,
  tensor,
  type TensorOptions,
  zeros,
} from "./create.ts";
export * from "./elementwise/mod.ts";
export * from "./reductions/mod.ts";
export {
  adamwEachInto,
  adamwInto,
  type AdamWParameter,
  type AdamWStepOptions,
} from "./ops/adamw/adamw.ts";
export { argmax } from "./ops/argmax/argmax.ts";
export {
  attention,
  type AttentionDropout,
  type AttentionOptions,
  type Forest,
} from "./ops/attention/attention.ts";
export { type Columns, columns } from "./columns.ts";
export { broadcastTo } from "./ops/broadcast_to/broadcast_to.ts";
export {
  cachedAttention,
  type CachedAttentionOptions,
} from "./ops/cached_attention/cached_attention.ts";
export { concat, stack } from "./ops/concat/concat.ts";
export { copyRows } from "./ops/copy_rows/copy_rows.ts";
export { cumulativeSum } from "./ops/cumulative_sum/cumulative_sum.ts";
export { dequantize } from "./ops/dequantize/dequantize.ts";
export { packNf4 } from "./nf4.ts";
export { isPacked, PACKED_FORMATS, type PackedType } from "./packed.ts";
export { dropout } from "./ops/dropout/dropout.ts";
export { embedding } from "./ops/embedding/embedding.ts";
export { fill } from "./ops/fill/fill.ts";
export { gather } from "./ops/gather/gather.ts";
export { geglu, swiglu } from "./ops/gated/gated.ts";
export { gelu } from "./ops/gelu/gelu.ts";
export { globalNorm } from "./ops/global_norm/global_norm.ts";
export { layerNorm } from "./ops/layer_norm/layer_norm.ts";
export {
  linearCrossEntropy,
  type LinearCrossEntropyOptions,
  linearLogProbs,
  type LinearLogProbsOptions,
} from "./ops/linear_cross_entropy/linear_cross_entropy.ts";
export type { LossEdges } from "../forest.ts";
export { matmul } from "./ops/matmul/matmul.ts";
export { oneHot } from "./ops/one_hot/one_hot.ts";
export { permute, transpose } from "./ops/permute/permute.ts";
export { reshape } from "./ops/reshape/reshape.ts";
export { rmsNorm, type RmsNormOptions } from "./ops/rms_norm/rms_norm.ts";
export {
  rotaryFrequencies,
  type RotaryOptions,
  type RotaryScaling,
} from "./ops/rotary/frequencies.ts";
export { rotary, rotaryAngles } from "./ops/rotary/rotary.ts";
export { scale } from "./ops/scale/scale.ts";
export { slice } from "./ops/slice/slice.ts";
export { softCap } from "./ops/soft_cap/soft_cap.ts";
export { logSoftmax, softmax } from "./ops/softmax/softmax.ts";
export { split } from "./ops/split/split.ts";
export { variance } from "./ops/variance/variance.ts";
