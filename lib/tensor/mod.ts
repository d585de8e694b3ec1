/**
 * The tensor library: arrays with gradients on two devices.
 *
 * @module
 */

// How devices and tensors are stored between runs of a notebook.
import "./restorable.ts";

export { type Device, type DeviceBuffer, type DeviceKind, type KernelTime } from "./device.ts";
export { parseDevice, pick, type PickOptions, reasonFor } from "./pick.ts";
export { type Profile, profile, type RunningProfile, startProfile } from "./profile.ts";
export { backward, recompute } from "./tape.ts";
export { type DType, noGrad, scope, sizeOf, Tensor } from "./tensor.ts";
export { adamwInto, type AdamWStepOptions } from "./ops/adamw/adamw.ts";
export { add } from "./ops/add/add.ts";
export {
  attention,
  type AttentionDropout,
  type AttentionOptions,
  type Forest,
} from "./ops/attention/attention.ts";
export {
  cachedAttention,
  type CachedAttentionOptions,
} from "./ops/cached_attention/cached_attention.ts";
export { copyRows } from "./ops/copy_rows/copy_rows.ts";
export { dequantize } from "./ops/dequantize/dequantize.ts";
export { packNf4 } from "./nf4.ts";
export { isPacked, PACKED_FORMATS, type PackedType } from "./packed.ts";
export { dropout } from "./ops/dropout/dropout.ts";
export { embedding } from "./ops/embedding/embedding.ts";
export { fill } from "./ops/fill/fill.ts";
export { geglu, swiglu } from "./ops/gated/gated.ts";
export { gelu } from "./ops/gelu/gelu.ts";
export { globalNorm } from "./ops/global_norm/global_norm.ts";
export { layerNorm } from "./ops/layer_norm/layer_norm.ts";
export {
  linearCrossEntropy,
  type LinearCrossEntropyOptions,
} from "./ops/linear_cross_entropy/linear_cross_entropy.ts";
export type { LossEdges } from "../forest.ts";
export { matmul, type MatmulOptions } from "./ops/matmul/matmul.ts";
export { rmsNorm, type RmsNormOptions } from "./ops/rms_norm/rms_norm.ts";
export {
  rotaryFrequencies,
  type RotaryOptions,
  type RotaryScaling,
} from "./ops/rotary/frequencies.ts";
export { rotary, rotaryAngles } from "./ops/rotary/rotary.ts";
export { scale } from "./ops/scale/scale.ts";
export { split } from "./ops/split/split.ts";
