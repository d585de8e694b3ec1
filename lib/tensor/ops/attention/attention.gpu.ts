/**
 * How a GPU attends: with tiles in workgroup memory, or plainly with one thread a token and head. Queries and keys larger
 * than a binding come in parts.
 *
 * @module
 */

import { MAX_DISPATCH_FLOPS, type RowPart, rowParts } from "../../webgpu/plans.ts";
import type { Dispatch, PlanInput, Program } from "../../webgpu/program.ts";
import { repeatLines } from "../../webgpu/repeat_lines.ts";
import addresses from "./addresses.wgsl" with { type: "text" };
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

/** The parameters of both kernels; their WGSL begins with them where it says `$shape`. */
export const shapeParams = {
  tokens: "u32",
  heads: "u32",
  kvHeads: "u32",
  headDim: "u32",
  window: "u32",
  scale: "f32",
  seed: "u32",
  threshold: "u32",
  factor: "f32",
  rowsBefore: "u32",
  rowsInAll: "u32",
  qWidth: "u32",
  qFirst: "u32",
  kWidth: "u32",
  kFirst: "u32",
  vWidth: "u32",
  vFirst: "u32",
} as const;

type Shape = keyof typeof shapeParams;
type ForwardBuffer = "q" | "k" | "v" | "tree" | "y" | "statistics";
type BackwardBuffer = ForwardBuffer | "dy" | "dq" | "dk" | "dv";
type BackwardParam = Shape | "accumulateQ" | "accumulateK" | "accumulateV" | "together";

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
    const access = accessOf(input, ["q", "k", "v", "y"], ["y"]);
    const source = sourceOf(forwardHead, wgsl, layout, access);
    const most = { mostRows: mostRows(input, 4) };
    return partPairs<ForwardBuffer>(input, ["q", "y"], ["k", "v"], most).map((pair) => ({
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
    return [...planQueries(input), ...planKeys(input)];
  },
};

type BackwardDispatch = Dispatch<BackwardBuffer, BackwardParam>;
type BackwardInput = PlanInput<BackwardBuffer, BackwardParam>;

function planQueries(input: BackwardInput): BackwardDispatch[] {
  const { heads, headDim, accumulateQ } = input.params;
  const { layout, wgsl } = isPlain(input)
    ? { layout: plainHeads(headDim), wgsl: backwardQueriesPlain }
    : { layout: layoutHeads(headDim, 8), wgsl: backwardQueriesTiled };
  const access = accessOf(input, ["q", "k", "v", "y", "dy", "dq"], ["dq"]);
  const source = sourceOf(backwardHead, wgsl, layout, access);
  const most = { mostRows: mostRows(input, 6) };
  return partPairs<BackwardBuffer>(input, ["q", "y", "dy", "dq"], ["k", "v"], most).map((pair) => ({
    source,
    buffers: ["q", "k", "v", "tree", "y", "dy", "statistics", "dq"],
    params: { accumulateQ: Number(accumulateQ || pair.keys.index > 0) },
    uniforms: uniformsOf(pair),
    ranges: { ...pair.rows.ranges, ...pair.keys.ranges },
    workgroups: [Math.ceil(pair.rows.count / layout.rows), heads],
  }));
}

function planKeys(input: BackwardInput): BackwardDispatch[] {
  const { kvHeads, headDim, accumulateK, accumulateV, together } = input.params;
  const { layout, wgsl } = isPlain(input)
    ? { layout: plainHeads(headDim), wgsl: backwardKeysPlain }
    : { layout: layoutHeads(headDim, 8), wgsl: backwardKeysTiled };
  // A buffer that is written cannot be bound twice.
  const access = accessOf(
    input,
    ["q", "k", "v", "dy", "dk", "dv"],
    ["dk", "dv"],
    together ? { dv: "dk" } : {},
  );
  const source = sourceOf(backwardHead, wgsl, layout, access);
  const written: BackwardBuffer[] = together ? ["dk"] : ["dk", "dv"];
  const seen = new Set<number>();
  const most = { mostKeys: mostRows(input, 8) };
  return partPairs<BackwardBuffer>(input, ["q", "dy"], ["k", "v", "dk", "dv"], most).map((pair) => {
    const again = seen.has(pair.keys.index);
    seen.add(pair.keys.index);
    return {
      source,
      buffers: ["q", "k", "v", "tree", "dy", "statistics", ...written],
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

/** Elements from a row of a buffer to the next. */
function widthOf(name: string, params: Readonly<Record<Shape, number>>): number {
  switch (name.at(-1)) {
    case "q":
      return params.qWidth;
    case "k":
      return params.kWidth;
    case "v":
      return params.vWidth;
    default:
      return params.heads * params.headDim;
  }
}

/** How many rows a dispatch may take; each does `flops` operations for each token and element of all heads. */
function mostRows({ params }: PlanInput<never, Shape>, flops: number): number {
  const { tokens, heads, headDim } = params;
  return Math.floor(MAX_DISPATCH_FLOPS / (flops * tokens * heads * headDim));
}

/** Every pair of parts where some query comes after some key. */
function partPairs<B extends string>(
  input: PlanInput<B, Shape>,
  rowBuffers: readonly B[],
  keyBuffers: readonly B[],
  { mostRows, mostKeys }: { mostRows?: number; mostKeys?: number },
): PartPair<B>[] {
  const partsOf = (buffers: readonly B[], most?: number) => {
    const widths: Partial<Record<B, number>> = {};
    for (const name of buffers) widths[name] = widthOf(name, input.params);
    return rowParts(input.params.tokens, widths, { ...input, mostRows: most });
  };
  const keyParts = partsOf(keyBuffers, mostKeys);
  return partsOf(rowBuffers, mostRows).flatMap((rows) => {
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

/** WGSL that reads and writes heads. */
function accessOf(
  { params }: PlanInput<never, Shape>,
  read: readonly string[],
  updated: readonly string[],
  boundAs: Readonly<Record<string, string>> = {},
): string {
  const { headDim, qWidth, qFirst, kWidth, kFirst, vWidth, vFirst } = params;
  const aligned = (qWidth | qFirst | kWidth | kFirst | vWidth | vFirst) % 4 === 0;
  return headAccess(headDim, read, updated, { aligned, boundAs });
}

const SHAPE_FIELDS = Object.entries(shapeParams).map(([name, type]) => `${name}: ${type},`);

/** Texts by the WGSL they are made of, and how it reads and writes heads. */
const sources = new Map<string, Map<string, string>>();

function sourceOf(
  head: string,
  wgsl: string,
  { constants, vectors }: HeadLayout,
  access: string,
): string {
  const ofWgsl = sources.get(wgsl) ?? new Map<string, string>();
  sources.set(wgsl, ofWgsl);
  const key = constants + access;
  let source = ofWgsl.get(key);
  if (source === undefined) {
    const fields = SHAPE_FIELDS.join("\n  ");
    source = head.replace("$shape", fields) + keptWgsl + addresses + constants + access +
      repeatLines(wgsl, "$d", vectors);
    ofWgsl.set(key, source);
  }
  return source;
}
