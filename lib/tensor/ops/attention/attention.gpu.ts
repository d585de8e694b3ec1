/**
 * How a GPU attends: with tiles in workgroup memory, or plainly with one thread a token and head. Queries and keys larger
 * than a binding come in parts.
 *
 * @module
 */

import { type RowPart, rowParts } from "../../webgpu/plans.ts";
import type { Dispatch, PlanInput, Program } from "../../webgpu/program.ts";
import { repeatLines } from "../../webgpu/repeat_lines.ts";
import backwardHead from "./backward_head.wgsl" with { type: "text" };
import backwardKeysPlain from "./backward_keys_plain.wgsl" with { type: "text" };
import backwardKeysTiled from "./backward_keys_tiled.wgsl" with { type: "text" };
import backwardQueriesPlain from "./backward_queries_plain.wgsl" with { type: "text" };
import backwardQueriesTiled from "./backward_queries_tiled.wgsl" with { type: "text" };
import forwardHead from "./forward_head.wgsl" with { type: "text" };
import forwardPlain from "./forward_plain.wgsl" with { type: "text" };
import forwardTiled from "./forward_tiled.wgsl" with { type: "text" };
import { headAccess, type HeadLayout, layoutHeads, plainHeads } from "./head_layout.ts";
import keptWgsl from "./kept.wgsl" with { type: "text" };
import rowSumsWgsl from "./row_sums.wgsl" with { type: "text" };

type Shape =
  | "tokens"
  | "heads"
  | "kvHeads"
  | "headDim"
  | "window"
  | "scale"
  | "seed"
  | "threshold"
  | "factor"
  | "rowsBefore"
  | "rowsInAll";
type ForwardBuffer = "q" | "k" | "v" | "tree" | "y" | "statistics";
type BackwardBuffer = ForwardBuffer | "dy" | "dq" | "dk" | "dv";
type BackwardParam = Shape | "accumulateQ" | "accumulateK" | "accumulateV";

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
    const { layout, wgsl } = isPlain(input)
      ? { layout: plainHeads(headDim), wgsl: forwardPlain }
      : { layout: layoutHeads(headDim, 4), wgsl: forwardTiled };
    const source = sourceOf(forwardHead, wgsl, layout, headDim, ["q", "k", "v"], ["y"]);
    return partPairs<ForwardBuffer>(input, ["q", "y"], ["k", "v"]).map((pair) => ({
      source,
      uniforms: {
        ...uniformsOf(pair),
        continued: Number(pair.keys.index > 0),
        unfinished: Number(!pair.lastKeys),
      },
      ranges: { ...pair.rows.ranges, ...pair.keys.ranges },
      workgroups: [Math.ceil(pair.rows.count / layout.rows), heads],
    }));
  },
};

/** The program of `attention.backward`: no entry point has more than 8 buffers. */
export const backwardProgram: Program<BackwardBuffer, BackwardParam> = {
  source: "",
  uniforms: partUniforms,
  plan(input) {
    return [...planRowSums(input), ...planQueries(input), ...planKeys(input)];
  },
};

type BackwardDispatch = Dispatch<BackwardBuffer, BackwardParam>;
type BackwardInput = PlanInput<BackwardBuffer, BackwardParam>;

function planRowSums(input: BackwardInput): BackwardDispatch[] {
  const { tokens, heads, headDim } = input.params;
  const layout = plainHeads(headDim);
  const widths = { y: heads * headDim, dy: heads * headDim };
  return rowParts<BackwardBuffer>(tokens, widths, input).map((part) => ({
    source: sourceOf(backwardHead, rowSumsWgsl, layout, headDim, ["y", "dy"], []),
    buffers: ["y", "dy", "statistics"],
    uniforms: { rowFirst: part.first, rowCount: part.count },
    ranges: part.ranges,
    workgroups: [Math.ceil(part.count / layout.rows), heads],
  }));
}

function planQueries(input: BackwardInput): BackwardDispatch[] {
  const { heads, headDim, accumulateQ } = input.params;
  const { layout, wgsl } = isPlain(input)
    ? { layout: plainHeads(headDim), wgsl: backwardQueriesPlain }
    : { layout: layoutHeads(headDim, 8), wgsl: backwardQueriesTiled };
  const source = sourceOf(backwardHead, wgsl, layout, headDim, ["q", "k", "v", "dy"], ["dq"]);
  return partPairs<BackwardBuffer>(input, ["q", "dy", "dq"], ["k", "v"]).map((pair) => ({
    source,
    buffers: ["q", "k", "v", "tree", "dy", "statistics", "dq"],
    params: { accumulateQ: Number(accumulateQ || pair.keys.index > 0) },
    uniforms: uniformsOf(pair),
    ranges: { ...pair.rows.ranges, ...pair.keys.ranges },
    workgroups: [Math.ceil(pair.rows.count / layout.rows), heads],
  }));
}

function planKeys(input: BackwardInput): BackwardDispatch[] {
  const { kvHeads, headDim, accumulateK, accumulateV } = input.params;
  const { layout, wgsl } = isPlain(input)
    ? { layout: plainHeads(headDim), wgsl: backwardKeysPlain }
    : { layout: layoutHeads(headDim, 8), wgsl: backwardKeysTiled };
  const source = sourceOf(backwardHead, wgsl, layout, headDim, ["q", "k", "v", "dy"], ["dk", "dv"]);
  const written = new Set<number>();
  return partPairs<BackwardBuffer>(input, ["q", "dy"], ["k", "v", "dk", "dv"]).map((pair) => {
    const again = written.has(pair.keys.index);
    written.add(pair.keys.index);
    return {
      source,
      buffers: ["q", "k", "v", "tree", "dy", "statistics", "dk", "dv"],
      params: {
        accumulateK: Number(accumulateK || again),
        accumulateV: Number(accumulateV || again),
      },
      uniforms: uniformsOf(pair),
      ranges: { ...pair.rows.ranges, ...pair.keys.ranges },
      workgroups: [Math.ceil(pair.keys.count / layout.rows), kvHeads],
    };
  });
}

/** `tuning.attention` is `"plain"` or `"tiled"`; by default tiled on hardware. */
function isPlain({ software, tuning }: Pick<BackwardInput, "software" | "tuning">): boolean {
  return (tuning.attention ?? (software ? "plain" : "tiled")) === "plain";
}

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

/** Texts by the WGSL they are made of and the width of heads. */
const sources = new Map<string, Map<number, string>>();

function sourceOf(
  head: string,
  wgsl: string,
  { constants, vectors }: HeadLayout,
  headDim: number,
  read: readonly string[],
  updated: readonly string[],
): string {
  const ofWgsl = sources.get(wgsl) ?? new Map<number, string>();
  sources.set(wgsl, ofWgsl);
  let source = ofWgsl.get(headDim);
  if (source === undefined) {
    source = head + keptWgsl + constants + headAccess(headDim, [...read, ...updated], updated) +
      repeatLines(wgsl, "$d", vectors);
    ofWgsl.set(headDim, source);
  }
  return source;
}
