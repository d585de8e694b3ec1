/**
 * Every CPU kernel by name. An op is known to the CPU by being listed here, and in `kernels.as.ts` if it has WASM.
 *
 * @module
 */

import { adamw } from "../ops/adamw/adamw.cpu.ts";
import { add } from "../ops/add/add.cpu.ts";
import { attentionBackward, attentionForward } from "../ops/attention/attention.cpu.ts";
import { cachedAttention } from "../ops/cached_attention/cached_attention.cpu.ts";
import { copyRows } from "../ops/copy_rows/copy_rows.cpu.ts";
import { dequantize } from "../ops/dequantize/dequantize.cpu.ts";
import { dropout } from "../ops/dropout/dropout.cpu.ts";
import { embeddingBackward, embeddingForward } from "../ops/embedding/embedding.cpu.ts";
import { fill } from "../ops/fill/fill.cpu.ts";
import { gatedBackward, gatedForward } from "../ops/gated/gated.cpu.ts";
import { geluBackward, geluForward } from "../ops/gelu/gelu.cpu.ts";
import { globalNormPartials } from "../ops/global_norm/global_norm.cpu.ts";
import {
  layerNormBackwardInput,
  layerNormBackwardWeights,
  layerNormForward,
} from "../ops/layer_norm/layer_norm.cpu.ts";
import {
  crossEntropyBackward,
  crossEntropyForward,
  crossEntropyLoss,
} from "../ops/linear_cross_entropy/linear_cross_entropy.cpu.ts";
import { columnSums, matmul } from "../ops/matmul/matmul.cpu.ts";
import {
  rmsNormBackwardInput,
  rmsNormBackwardWeight,
  rmsNormForward,
} from "../ops/rms_norm/rms_norm.cpu.ts";
import { rotary } from "../ops/rotary/rotary.cpu.ts";
import { scale } from "../ops/scale/scale.cpu.ts";
import { splitBackward, splitForward } from "../ops/split/split.cpu.ts";
import type { CpuKernel } from "./kernel.ts";

/** CPU kernels by the `name` of the device-independent kernel. */
export const kernels: Readonly<Record<string, CpuKernel>> = {
  "adamw": adamw,
  "add": add,
  "attention.backward": attentionBackward,
  "attention.forward": attentionForward,
  "cachedAttention": cachedAttention,
  "copyRows": copyRows,
  "crossEntropy.backward": crossEntropyBackward,
  "crossEntropy.forward": crossEntropyForward,
  "crossEntropy.loss": crossEntropyLoss,
  "dequantize": dequantize,
  "dropout": dropout,
  "embedding.backward": embeddingBackward,
  "embedding.forward": embeddingForward,
  "fill": fill,
  "gated.backward": gatedBackward,
  "gated.forward": gatedForward,
  "gelu.backward": geluBackward,
  "gelu.forward": geluForward,
  "globalNorm.partials": globalNormPartials,
  "layerNorm.backwardInput": layerNormBackwardInput,
  "layerNorm.backwardWeights": layerNormBackwardWeights,
  "layerNorm.forward": layerNormForward,
  "matmul": matmul,
  "matmul.columnSums": columnSums,
  "rmsNorm.backwardInput": rmsNormBackwardInput,
  "rmsNorm.backwardWeight": rmsNormBackwardWeight,
  "rmsNorm.forward": rmsNormForward,
  "rotary": rotary,
  "scale": scale,
  "split.backward": splitBackward,
  "split.forward": splitForward,
};
