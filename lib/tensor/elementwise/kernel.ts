/**
 * The kernels of elementwise operations, made from their formulas: `elementwise.cpu.ts` runs what `formula/assembly.ts`
 * compiled, a GPU the WGSL that is written here.
 *
 * @module
 */

import type { Walk } from "../broadcast.ts";
import type { Access, Kernel, ParamType } from "../device.ts";
import { FUNCTIONS, wgslFunction } from "../formula/wgsl.ts";
import { fold, overRows } from "../webgpu/plans.ts";

/** What a formula is compiled for. */
export interface CompiledFormula {
  /** The kernel's name. */
  readonly kernel: string;
  /** Name of the compiled function. */
  readonly compiled: string;
  /** The formula of an element of the result. */
  readonly formula: string;
  /** Tensors that the formula uses. */
  readonly inputs: readonly string[];
  /** Numbers that the formula uses. */
  readonly numbers: readonly string[];
  /** Whether results may be added to what is there, as gradients are. */
  readonly accumulates: boolean;
}

/** Name of the result's buffer. */
export const RESULT = "result";

/** Kernels by formula, and by the number of dimensions that are walked over. */
const kernels = new WeakMap<CompiledFormula, Kernel[]>();

/**
 * Makes an elementwise kernel, or finds the one made before.
 *
 * Its parameters are `size`, the number of elements; `accumulate` where it accumulates; its numbers; `length1`, … of the
 * dimensions (the first follows from the size); and `xStride0`, … of each input.
 *
 * @param formula What it computes.
 * @param rank How many dimensions are walked over.
 * @returns The kernel.
 */
export function elementwiseKernel(formula: CompiledFormula, rank: number): Kernel {
  let ofRanks = kernels.get(formula);
  if (!ofRanks) kernels.set(formula, ofRanks = []);
  return ofRanks[rank] ??= makeKernel(formula, rank);
}

/**
 * The parameters of a walk.
 *
 * @param inputs The inputs' names.
 * @param walk Dimensions, and strides of the inputs.
 * @returns Values by parameter.
 */
export function walkParams(inputs: readonly string[], walk: Walk): Record<string, number> {
  const params: Record<string, number> = {};
  walk.lengths.forEach((length, d) => {
    if (d > 0) params[`length${d}`] = length;
  });
  inputs.forEach((input, i) => {
    walk.strides[i].forEach((stride, d) => params[`${input}Stride${d}`] = stride);
  });
  return params;
}

function makeKernel(formula: CompiledFormula, rank: number): Kernel {
  const { kernel: name, inputs, numbers, accumulates } = formula;
  const buffers: Record<string, Access> = {};
  for (const input of inputs) buffers[input] = "read";
  buffers[RESULT] = accumulates ? "update" : "write";
  const params: Record<string, ParamType> = { size: "u32" };
  if (accumulates) params.accumulate = "u32";
  for (const number of numbers) params[number] = "f32";
  for (let d = 1; d < rank; d++) params[`length${d}`] = "u32";
  for (const input of inputs) {
    for (let d = 0; d < rank; d++) params[`${input}Stride${d}`] = "u32";
  }
  const inner = (given: Readonly<Record<string, number>>) => {
    let product = 1;
    for (let d = 1; d < rank; d++) product *= given[`length${d}`];
    return product;
  };
  return {
    name,
    buffers,
    params,
    webgpu: overRows<string, string>({
      source: wgslOf(formula, rank, params),
      rows: (given) => given.size / inner(given),
      widths: (given) => {
        const widths: Record<string, number> = { [RESULT]: inner(given) };
        for (const input of inputs) {
          if (given[`${input}Stride0`] > 0) widths[input] = given[`${input}Stride0`];
        }
        return widths;
      },
      dispatch: ({ count }, input) => {
        const size = count * inner(input.params);
        return { params: { size }, workgroups: fold(Math.ceil(size / 256)) };
      },
    }),
  };
}

function wgslOf(
  { formula, inputs, numbers, accumulates }: CompiledFormula,
  rank: number,
  params: Readonly<Record<string, ParamType>>,
): string {
  const fields = Object.entries(params).map(([name, type]) => `  ${name}: ${type},\n`).join("");
  const bindings = inputs.map((input, i) =>
    `@group(0) @binding(${i}) var<storage, read> ${input}: array<f32>;\n`
  ).join("");
  const indices = Array.from({ length: rank - 1 }, (_, i) => {
    const d = rank - 1 - i;
    return `  let i${d} = rest % params.length${d};\n  rest /= params.length${d};\n`;
  }).join("");
  const values = inputs.map((input) => {
    const terms = Array.from(
      { length: rank },
      (_, d) => `${d === 0 ? "rest" : `i${d}`} * params.${input}Stride${d}`,
    );
    return `${input}[${terms.join(" + ")}]`;
  });
  const call = [...values, ...numbers.map((number) => `params.${number}`)].join(", ");
  return `${FUNCTIONS}struct Params {
${fields}}

${bindings}@group(0) @binding(${inputs.length}) var<storage, read_write> ${RESULT}: array<f32>;
@group(0) @binding(${inputs.length + 1}) var<uniform> params: Params;

${wgslFunction("formula", formula, [...inputs, ...numbers])}
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 256u;
  if (i >= params.size) {
    return;
  }
  var rest = i;
${indices}  let value = formula(${call});
  ${RESULT}[i] = ${
    accumulates ? `value + select(0.0, ${RESULT}[i], params.accumulate == 1u)` : "value"
  };
}
`;
}
