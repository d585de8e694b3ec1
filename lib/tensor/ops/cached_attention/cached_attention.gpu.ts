/**
 * How a GPU attends to a cache: see `cached_attention.wgsl` for the layout.
 *
 * @module
 */

import { rowParts } from "../../webgpu/plans.ts";
import type { Program } from "../../webgpu/program.ts";
import { repeatLines } from "../../webgpu/repeat_lines.ts";
import { headAccess } from "../attention/head_layout.ts";
import wgsl from "./cached_attention.wgsl" with { type: "text" };

type B = "q" | "keys" | "values" | "rows" | "y";
type P =
  | "queries"
  | "heads"
  | "kvHeads"
  | "headDim"
  | "maxLength"
  | "scale"
  | "qWidth"
  | "qFirst";

/** The program of `cachedAttention`. */
export const cachedAttentionProgram: Program<B, P> = {
  source: "",
  uniforms: { keyFirst: "u32", keyCount: "u32", continued: "u32", unfinished: "u32" },
  plan(input) {
    const { queries, heads, kvHeads, headDim, qWidth, qFirst } = input.params;
    const aligned = (qWidth | qFirst) % 4 === 0;
    const width = kvHeads * headDim;
    const cacheRows = Math.floor(
      Math.min(input.byteLengths.keys, input.byteLengths.values) / (width * 4),
    ); // or a few more: the pool rounds up
    const parts = rowParts<B>(cacheRows, { keys: width, values: width }, input);
    const source = sourceOf(headDim, parts.length > 1, aligned);
    return parts.map((part) => ({
      source,
      uniforms: {
        keyFirst: part.first,
        keyCount: part.count,
        continued: Number(part.index > 0),
        unfinished: Number(part.index < parts.length - 1),
      },
      ranges: part.ranges,
      scratchBytes: parts.length > 1 ? queries * heads * 8 : undefined,
      workgroups: [queries, heads],
    }));
  },
};

const sources = new Map<string, string>();

function sourceOf(headDim: number, inParts: boolean, aligned: boolean): string {
  const key = `${headDim}/${inParts}/${aligned}`;
  let source = sources.get(key);
  if (source === undefined) {
    const width4 = Math.ceil(headDim / 4);
    const lanes = Math.min(width4, 64);
    const constants = {
      HEAD_DIM: headDim,
      WIDTH4: width4,
      LANES: lanes,
      SLICES: Math.floor(64 / lanes),
      VECTORS: Math.ceil(width4 / lanes),
    };
    // Without parts nothing is carried over, and no scratch memory is bound.
    const running = inParts
      ? `@group(0) @binding(6) var<storage, read_write> running: array<vec2f>;
fn read_running(at: u32) -> vec2f { return running[at]; }
fn write_running(at: u32, value: vec2f) { running[at] = value; }
`
      : `fn read_running(at: u32) -> vec2f { return vec2f(); }
fn write_running(at: u32, value: vec2f) {}
`;
    source = Object.entries(constants).map(([name, value]) => `const ${name} = ${value}u;\n`).join(
      "",
    ) + headAccess(headDim, ["q", "keys", "values", "y"], ["y"], { aligned }) + running +
      repeatLines(wgsl, "$v", constants.VECTORS);
    sources.set(key, source);
  }
  return source;
}
