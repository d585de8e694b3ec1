/**
 * How a GPU attends: see `forward.wgsl` for the layout. Queries and keys larger than a binding come in parts.
 *
 * @module
 */

import { type RowPart, rowParts } from "../../webgpu/plans.ts";
import type { Dispatch, PlanInput, Program } from "../../webgpu/program.ts";
import backwardKeysWgsl from "./backward_keys.wgsl" with { type: "text" };
import backwardQueriesWgsl from "./backward_queries.wgsl" with { type: "text" };
import forwardWgsl from "./forward.wgsl" with { type: "text" };
import { headAccess, layoutHeads } from "./head_layout.ts";
import rowSumsWgsl from "./row_sums.wgsl" with { type: "text" };

type Shape = "tokens" | "heads" | "kvHeads" | "headDim" | "window" | "scale";
type ForwardBuffer = "q" | "k" | "v" | "tree" | "y" | "statistics";
type BackwardBuffer = ForwardBuffer | "dy" | "dq" | "dk" | "dv";
type Accumulate = "accumulateQ" | "accumulateK" | "accumulateV";

const partUniforms = {
  rowFirst: "u32",
  rowCount: "u32",
  keyFirst: "u32",
  keyCount: "u32",
} as const;

/** The program of `attention.forward`. */
export const forwardProgram: Program<ForwardBuffer, Shape> = {
  source: "",
  uniforms: { ...partUniforms, continued: "u32", unfinished: "u32" },
  plan(input) {
    const { heads, headDim } = input.params;
    const { rows, constants } = layoutHeads(headDim, 4);
    const source = sourceOf(
      "forward",
      headDim,
      () => constants + headAccess(headDim, ["q", "k", "v", "y"], ["y"]) + forwardWgsl,
    );
    return partPairs<ForwardBuffer>(input, ["q", "y"], ["k", "v"]).map((pair) => ({
      source,
      uniforms: {
        ...uniformsOf(pair),
        continued: Number(pair.keys.index > 0),
        unfinished: Number(!pair.lastKeys),
      },
      ranges: { ...pair.rows.ranges, ...pair.keys.ranges },
      workgroups: [Math.ceil(pair.rows.count / rows), heads],
    }));
  },
};

/** The program of `attention.backward`: no entry point has more than 8 buffers. */
export const backwardProgram: Program<BackwardBuffer, Shape | Accumulate> = {
  source: "",
  uniforms: partUniforms,
  plan(input) {
    const { tokens, heads, kvHeads, headDim } = input.params;
    const { rows, constants } = layoutHeads(headDim, 8);
    const write = (name: string, wgsl: string, reads: string[], writes: string[]) =>
      sourceOf(name, headDim, () => constants + headAccess(headDim, reads, writes) + wgsl);

    const rowSums = rowParts<BackwardBuffer>(
      tokens,
      { y: heads * headDim, dy: heads * headDim },
      input,
    ).map((part): Dispatch<BackwardBuffer, Shape | Accumulate> => ({
      source: write("rowSums", rowSumsWgsl, ["y", "dy"], []),
      buffers: ["y", "dy", "statistics"],
      uniforms: { rowFirst: part.first, rowCount: part.count },
      ranges: part.ranges,
      workgroups: [Math.ceil(part.count / 64), heads],
    }));

    const queries = partPairs<BackwardBuffer>(input, ["q", "dy", "dq"], ["k", "v"]).map(
      (pair): Dispatch<BackwardBuffer, Shape | Accumulate> => ({
        source: write("queries", backwardQueriesWgsl, ["q", "k", "v", "dy", "dq"], ["dq"]),
        buffers: ["q", "k", "v", "tree", "dy", "statistics", "dq"],
        params: { accumulateQ: Number(input.params.accumulateQ || pair.keys.index > 0) },
        uniforms: uniformsOf(pair),
        ranges: { ...pair.rows.ranges, ...pair.keys.ranges },
        workgroups: [Math.ceil(pair.rows.count / rows), heads],
      }),
    );

    const written = new Set<number>();
    const keys = partPairs<BackwardBuffer>(input, ["q", "dy"], ["k", "v", "dk", "dv"]).map(
      (pair): Dispatch<BackwardBuffer, Shape | Accumulate> => {
        const again = written.has(pair.keys.index);
        written.add(pair.keys.index);
        return {
          source: write("keys", backwardKeysWgsl, ["q", "k", "v", "dy", "dk", "dv"], ["dk", "dv"]),
          buffers: ["q", "k", "v", "tree", "dy", "statistics", "dk", "dv"],
          params: {
            accumulateK: Number(input.params.accumulateK || again),
            accumulateV: Number(input.params.accumulateV || again),
          },
          uniforms: uniformsOf(pair),
          ranges: { ...pair.rows.ranges, ...pair.keys.ranges },
          workgroups: [Math.ceil(pair.keys.count / rows), kvHeads],
        };
      },
    );
    return [...rowSums, ...queries, ...keys];
  },
};

/** Some rows and some keys that they may see. */
interface PartPair<B extends string> {
  readonly rows: RowPart<B>;
  readonly keys: RowPart<B>;
  /** Whether these rows see no later keys. */
  readonly lastKeys: boolean;
}

/** Every pair of parts where some query comes after some key. */
function partPairs<B extends string>(
  input: PlanInput<B, Shape>,
  rowBuffers: readonly B[],
  keyBuffers: readonly B[],
): PartPair<B>[] {
  const { tokens, heads, kvHeads, headDim } = input.params;
  const partsOf = (buffers: readonly B[], width: number) => {
    const widths: Partial<Record<B, number>> = {};
    for (const name of buffers) widths[name] = width;
    return rowParts(tokens, widths, input);
  };
  const keyParts = partsOf(keyBuffers, kvHeads * headDim);
  return partsOf(rowBuffers, heads * headDim).flatMap((rows) => {
    const seen = keyParts.filter((keys) => keys.first < rows.first + Math.max(rows.count, 1));
    return seen.map((keys, i) => ({ rows, keys, lastKeys: i === seen.length - 1 }));
  });
}

function uniformsOf<B extends string>({ rows, keys }: PartPair<B>): Record<string, number> {
  return {
    rowFirst: rows.first,
    rowCount: rows.count,
    keyFirst: keys.first,
    keyCount: keys.count,
  };
}

const sources = new Map<string, string>();

function sourceOf(name: string, headDim: number, write: () => string): string {
  const key = `${name}/${headDim}`;
  let source = sources.get(key);
  if (source === undefined) sources.set(key, source = write());
  return source;
}
