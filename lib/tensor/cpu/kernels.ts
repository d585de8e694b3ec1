/**
 * Every CPU kernel by name. Written by `deno task build`: from each `ops/…/….cpu.ts`, and from the formulas of
 * `elementwise/` and `reductions/`.
 *
 * @module
 */

import { elementwise } from "../elementwise/elementwise.cpu.ts";
import { adamw } from "../ops/adamw/adamw.cpu.ts";
import { argmax } from "../ops/argmax/argmax.cpu.ts";
import { attentionBackward, attentionForward } from "../ops/attention/attention.cpu.ts";
import { cachedAttention, storeAndAttend } from "../ops/cached_attention/cached_attention.cpu.ts";
import { cast } from "../ops/cast/cast.cpu.ts";
import { copyRows } from "../ops/copy_rows/copy_rows.cpu.ts";
import { cumulativeSum } from "../ops/cumulative_sum/cumulative_sum.cpu.ts";
import { dequantize } from "../ops/dequantize/dequantize.cpu.ts";
import { dropout } from "../ops/dropout/dropout.cpu.ts";
import { embeddingBackward, embeddingForward } from "../ops/embedding/embedding.cpu.ts";
import { fill } from "../ops/fill/fill.cpu.ts";
import { gatedBackward, gatedForward } from "../ops/gated/gated.cpu.ts";
import { gather, scatter } from "../ops/gather/gather.cpu.ts";
import { geluBackward, geluForward } from "../ops/gelu/gelu.cpu.ts";
import { globalNormPartials } from "../ops/global_norm/global_norm.cpu.ts";
import { layerNormBackward, layerNormForward } from "../ops/layer_norm/layer_norm.cpu.ts";
import {
  crossEntropyBackward,
  crossEntropyForward,
  crossEntropyLoss,
} from "../ops/linear_cross_entropy/linear_cross_entropy.cpu.ts";
import { columnSums, matmul, matmulWithSums } from "../ops/matmul/matmul.cpu.ts";
import { packedProduct, tiledProduct } from "../ops/matmul/packed_product.cpu.ts";
import { rmsNormBackward, rmsNormForward } from "../ops/rms_norm/rms_norm.cpu.ts";
import { rotary } from "../ops/rotary/rotary.cpu.ts";
import { scale } from "../ops/scale/scale.cpu.ts";
import { splitBackward, splitForward } from "../ops/split/split.cpu.ts";
import { stridedCopy } from "../ops/strided_copy/strided_copy.cpu.ts";
import { reduction } from "../reductions/reduction.cpu.ts";
import type { CpuKernel } from "./kernel.ts";

/** CPU kernels by the `name` of the device-independent kernel. */
export const kernels: Readonly<Record<string, CpuKernel>> = {
  "abs.forward": elementwise("abs_forward"),
  "abs.gradient.x": elementwise("abs_gradient_x"),
  "adamw": adamw.run,
  "add.forward": elementwise("add_forward"),
  "add.gradient.a": elementwise("add_gradient_a"),
  "add.gradient.b": elementwise("add_gradient_b"),
  "argmax": argmax.run,
  "attention.backward": attentionBackward.run,
  "attention.forward": attentionForward.run,
  "cachedAttention": cachedAttention.run,
  "cachedAttention.store": storeAndAttend.run,
  "cast": cast.run,
  "copyRows": copyRows.run,
  "crossEntropy.backward": crossEntropyBackward.run,
  "crossEntropy.forward": crossEntropyForward.run,
  "crossEntropy.loss": crossEntropyLoss.run,
  "cumulativeSum": cumulativeSum.run,
  "dequantize": dequantize.run,
  "div.forward": elementwise("div_forward"),
  "div.gradient.a": elementwise("div_gradient_a"),
  "div.gradient.b": elementwise("div_gradient_b"),
  "dropout": dropout.run,
  "embedding.backward": embeddingBackward.run,
  "embedding.forward": embeddingForward.run,
  "equal.forward": elementwise("equal_forward"),
  "exp.forward": elementwise("exp_forward"),
  "exp.gradient.x": elementwise("exp_gradient_x"),
  "fill": fill.run,
  "gated.backward": gatedBackward.run,
  "gated.forward": gatedForward.run,
  "gather.backward": scatter.run,
  "gather.forward": gather.run,
  "gelu.backward": geluBackward.run,
  "gelu.forward": geluForward.run,
  "geluErf.forward": elementwise("geluErf_forward"),
  "geluErf.gradient.x": elementwise("geluErf_gradient_x"),
  "globalNorm.partials": globalNormPartials.run,
  "greater.forward": elementwise("greater_forward"),
  "greaterEqual.forward": elementwise("greaterEqual_forward"),
  "layerNorm.backward": layerNormBackward.run,
  "layerNorm.forward": layerNormForward.run,
  "less.forward": elementwise("less_forward"),
  "lessEqual.forward": elementwise("lessEqual_forward"),
  "log.forward": elementwise("log_forward"),
  "log.gradient.x": elementwise("log_gradient_x"),
  "logSigmoid.forward": elementwise("logSigmoid_forward"),
  "logSigmoid.gradient.x": elementwise("logSigmoid_gradient_x"),
  "matmul": matmul.run,
  "matmul.columnSums": columnSums.run,
  "matmul.packed": packedProduct.run,
  "matmul.packedTiles": tiledProduct.run,
  "matmul.withSums": matmulWithSums.run,
  "max": reduction({ compiled: "max", finishes: false }),
  "max.gradient.x": elementwise("max_gradient_x"),
  "max.ties": elementwise("max_ties"),
  "maximum.forward": elementwise("maximum_forward"),
  "maximum.gradient.a": elementwise("maximum_gradient_a"),
  "maximum.gradient.b": elementwise("maximum_gradient_b"),
  "mean": reduction({ compiled: "mean", identity: 0, finishes: true }),
  "mean.gradient.x": elementwise("mean_gradient_x", ["count"]),
  "min": reduction({ compiled: "min", finishes: false }),
  "min.gradient.x": elementwise("min_gradient_x"),
  "min.ties": elementwise("min_ties"),
  "minimum.forward": elementwise("minimum_forward"),
  "minimum.gradient.a": elementwise("minimum_gradient_a"),
  "minimum.gradient.b": elementwise("minimum_gradient_b"),
  "mul.forward": elementwise("mul_forward"),
  "mul.gradient.a": elementwise("mul_gradient_a"),
  "mul.gradient.b": elementwise("mul_gradient_b"),
  "neg.forward": elementwise("neg_forward"),
  "neg.gradient.x": elementwise("neg_gradient_x"),
  "notEqual.forward": elementwise("notEqual_forward"),
  "pow.forward": elementwise("pow_forward"),
  "pow.gradient.a": elementwise("pow_gradient_a"),
  "pow.gradient.b": elementwise("pow_gradient_b"),
  "relu.forward": elementwise("relu_forward"),
  "relu.gradient.x": elementwise("relu_gradient_x"),
  "rmsNorm.backward": rmsNormBackward.run,
  "rmsNorm.forward": rmsNormForward.run,
  "rotary": rotary.run,
  "scale": scale.run,
  "sigmoid.forward": elementwise("sigmoid_forward"),
  "sigmoid.gradient.x": elementwise("sigmoid_gradient_x"),
  "silu.forward": elementwise("silu_forward"),
  "silu.gradient.x": elementwise("silu_gradient_x"),
  "split.backward": splitBackward.run,
  "split.forward": splitForward.run,
  "sqrt.forward": elementwise("sqrt_forward"),
  "sqrt.gradient.x": elementwise("sqrt_gradient_x"),
  "stridedCopy": stridedCopy.run,
  "sub.forward": elementwise("sub_forward"),
  "sub.gradient.a": elementwise("sub_gradient_a"),
  "sub.gradient.b": elementwise("sub_gradient_b"),
  "sum": reduction({ compiled: "sum", identity: 0, finishes: false }),
  "sum.gradient.x": elementwise("sum_gradient_x"),
  "tanh.forward": elementwise("tanh_forward"),
  "tanh.gradient.x": elementwise("tanh_gradient_x"),
  "where.forward": elementwise("where_forward"),
  "where.gradient.a": elementwise("where_gradient_a"),
  "where.gradient.b": elementwise("where_gradient_b"),
};
