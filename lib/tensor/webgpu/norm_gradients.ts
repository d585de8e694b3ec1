/**
 * The program of a norm's gradients, which all norms share.
 *
 * @module
 */

import { fold, overRows } from "./plans.ts";
import type { Program } from "./program.ts";
import normGradientsWgsl from "./wgsl/norm_gradients.wgsl" with { type: "text" };
import sumOverGroup from "./wgsl/sum_over_group.wgsl" with { type: "text" };

/** Buffers that every norm has. */
type CommonBuffer = "x" | "weight" | "dy" | "dx";

/** Parameters that every norm has. */
type CommonParam = "rows" | "width" | "wantsInput" | "wantsWeights";

/**
 * The gradients that are wanted, in one dispatch: that of x by rows; those of the weights by columns, whose sums over rows are in
 * their order. Others are not looked at.
 *
 * @param options The WGSL, to follow `norm_gradients.wgsl`; the buffer that the forward pass saved, with its elements per row;
 * and the gradients of the weights, each with the parameter that says whether it is added to what is there.
 * @returns The program.
 */
export function normGradients<S extends string, W extends string, A extends string>(
  options: { source: string; saved: Record<S, number>; weights: Record<W, A> },
): Program<CommonBuffer | S | W, CommonParam | A> {
  const { source, saved, weights } = options;
  const savedNames = Object.keys(saved) as S[];
  const gradients = Object.keys(weights) as W[];
  const accumulates = Object.values(weights) as A[];
  type Buffer = CommonBuffer | S | W;
  return overRows<Buffer, CommonParam | A>({
    source: sumOverGroup + normGradientsWgsl + source,
    rows: ({ rows }) => rows,
    widths: ({ width }) =>
      ({ x: width, dy: width, dx: width, ...saved }) as Partial<Record<Buffer, number>>,
    dispatch({ count, index }, { params }) {
      const { width, wantsInput, wantsWeights } = params;
      const groups = (wantsInput && count) + (wantsWeights && Math.ceil(width / 32));
      // The sums of a later part of the rows are added to those of the parts before.
      const added = accumulates.map((name) => [name, Number(params[name] || index > 0)]);
      return {
        entryPoint: !wantsWeights ? "input" : !wantsInput ? "weights" : "both",
        buffers: [
          ...["x", "dy"] as const,
          ...savedNames,
          ...wantsInput ? ["weight", "dx"] as const : [],
          ...wantsWeights ? gradients : [],
        ],
        params: { rows: count, ...Object.fromEntries(added) },
        workgroups: fold(groups),
      };
    },
  });
}
