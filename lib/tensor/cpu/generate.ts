/**
 * What `deno task build` writes by itself: the list of AssemblyScript modules, what formulas are compiled to, the list of
 * CPU kernels, and the rows of operations that golden files are made from.
 *
 * @module
 */

import { fromFileUrl } from "@std/path/from-file-url";
import type { CompiledFormula } from "../elementwise/kernel.ts";
import {
  type ElementwiseSpecification,
  formulasOf,
  specificationOf,
} from "../elementwise/define.ts";
import * as elementwise from "../elementwise/mod.ts";
import { assemblyOf, Constants } from "../formula/assembly.ts";
import { multiplyPanelSource } from "../ops/matmul/multiply_panel.ts";
import { packedRowsSource } from "../ops/matmul/packed_rows.ts";
import {
  gradientFormulasOf,
  reductionOf,
  type ReductionSpecification,
} from "../reductions/define.ts";
import * as reductions from "../reductions/mod.ts";
import type { CpuImplementation } from "./kernel.ts";

/** `lib/tensor/`. */
const ROOT = new URL("..", import.meta.url);

/** Every elementwise operation that is declared. */
export const ELEMENTWISE: readonly ElementwiseSpecification[] = Object.values(elementwise)
  .map((operation) => specificationOf(operation)!);

/** Every reduction that is declared. */
export const REDUCTIONS: readonly ReductionSpecification[] = Object.values(reductions)
  .map((operation) => reductionOf(operation)!);

const formulas: readonly CompiledFormula[] = [
  ...ELEMENTWISE.flatMap(formulasOf),
  ...REDUCTIONS.flatMap(gradientFormulasOf).filter((formula) => formula !== undefined),
];

/**
 * The AssemblyScript that is written by programs.
 *
 * @returns Sources by path in `lib/tensor`.
 */
export function generatedSources(): Map<string, string> {
  const modules = [
    "cpu/add_to.as",
    "formula/compiled.as",
    "ops/matmul/multiply_panel.as",
    "ops/matmul/packed_rows.as",
    ...filesOfOps(".as.ts").map((path) => path.replace(/\.ts$/, "")),
  ].sort();
  return new Map([
    ["cpu/kernels.as.ts", modules.map((path) => `export * from "../${path}";\n`).join("")],
    ["formula/compiled.as.ts", compiledFormulas()],
    ["ops/matmul/multiply_panel.as.ts", multiplyPanelSource()],
    ["ops/matmul/packed_rows.as.ts", packedRowsSource()],
  ]);
}

/**
 * `cpu/kernels.ts`: every CPU kernel by name.
 *
 * @returns The module's text, before `deno fmt`.
 */
export async function kernelRegistry(): Promise<string> {
  const imports: string[] = [];
  const rows: string[] = [];
  for (const path of filesOfOps(".cpu.ts")) {
    const module = await import(new URL(path, ROOT).href) as Record<string, CpuImplementation>;
    const names = Object.keys(module).filter((name) => module[name]?.kernel).sort();
    if (names.length === 0) continue;
    imports.push(`import { ${names.join(", ")} } from "../${path}";\n`);
    for (const name of names) rows.push(`  ${JSON.stringify(module[name].kernel)}: ${name}.run,\n`);
  }
  for (const { kernel, compiled, numbers } of formulas) {
    const rest = numbers.length > 0 ? `, ${JSON.stringify(numbers)}` : "";
    rows.push(`  "${kernel}": elementwise("${compiled}"${rest}),\n`);
  }
  for (const { name, identity, finish } of REDUCTIONS) {
    const fields = [`compiled: "${name}"`];
    if (identity) fields.push(`identity: ${Number(identity)}`);
    fields.push(`finishes: ${finish !== undefined}`);
    rows.push(`  "${name}": reduction({ ${fields.join(", ")} }),\n`);
  }
  return `/**
 * Every CPU kernel by name. Written by \`deno task build\`: from each \`ops/…/….cpu.ts\`, and from the formulas of
 * \`elementwise/\` and \`reductions/\`.
 *
 * @module
 */

import { elementwise } from "../elementwise/elementwise.cpu.ts";
${imports.join("")}import { reduction } from "../reductions/reduction.cpu.ts";
import type { CpuKernel } from "./kernel.ts";

/** CPU kernels by the \`name\` of the device-independent kernel. */
export const kernels: Readonly<Record<string, CpuKernel>> = {
${rows.sort().join("")}};
`;
}

/**
 * `cpu/wasm_kernels.ts`: the signatures of what the AssemblyScript modules export, so that a wrong call is a compile error.
 * Those that formulas are compiled to are called by name, by the one kernel that runs them.
 *
 * @returns The module's text, before `deno fmt`.
 */
export function wasmSignatures(): string {
  const sources = [
    Deno.readTextFileSync(new URL("cpu/add_to.as.ts", ROOT)),
    multiplyPanelSource(),
    packedRowsSource(),
    ...filesOfOps(".as.ts").map((path) => Deno.readTextFileSync(new URL(path, ROOT))),
  ];
  const methods = sources.flatMap((source) =>
    [...source.matchAll(/^export function (\w+)\(([^)]*)\): (\w+)/gm)]
      .filter(([, , , result]) => result !== "v128")
      .map(([, name, parameters, result]) => {
        const typed = parameters.split(",").map((one) => one.trim()).filter(Boolean)
          .map((one) => one.replace(/: (\w+)$/, (_, type) => `: ${typeOf(type)}`));
        return `  ${name}(${typed.join(", ")}): ${result === "void" ? "void" : "number"};\n`;
      })
  );
  return `/**
 * What \`kernels.wasm\` exports. Written by \`deno task build\` from the signatures in \`*.as.ts\`.
 *
 * @module
 */

/** Exports of \`kernels.wasm\`. Addresses are bytes in the thread's WASM memory. */
export interface WasmKernels {
${methods.sort().join("")}}
`;
}

/**
 * `formula_methods.ts`: the operations of `elementwise/` and `reductions/` as methods of tensors, with the documentation of
 * the functions.
 *
 * @returns The module's text, before `deno fmt`.
 */
export function formulaMethods(): string {
  const methods = ["elementwise/", "reductions/"].flatMap((folder) => {
    const rows = Deno.readTextFileSync(new URL(`${folder}mod.ts`, ROOT));
    return [...rows.matchAll(/^export \{ (\w+) \} from "\.\/(\w+\.ts)";$/gm)]
      .map(([, name, file]) => methodOf(name, `${folder}${file}`));
  });
  return `/**
 * Operations that are declared by formulas, as methods of tensors. Written by \`deno task build\` from the functions of
 * \`elementwise/\` and \`reductions/\`.
 *
 * @module
 */

import type { ReductionOptions } from "./options.ts";

/** Operations as methods: each is the function of the same name, with the tensor as its first argument. */
export interface FormulaMethods<Tensor> {
${methods.join("")}}
`;
}

/** A function's documentation and signature, without its first argument. */
function methodOf(name: string, path: string): string {
  const declaration = new RegExp(
    String
      .raw`\n(/\*\*\n(?: \*.*\n)+)export const ${name}: \(\s*(\w+): \w+(?:, )?([^)]*)\) => Tensor\b`,
  );
  const found = declaration.exec(Deno.readTextFileSync(new URL(path, ROOT)));
  if (!found) {
    throw new SyntaxError(
      `Cannot make a method of "${name}": expected "export const ${name}: (…) => Tensor" ` +
        `with documentation in "lib/tensor/${path}"`,
    );
  }
  const [, text, first, rest] = found;
  const documentation = text.replace(/ \* @example\n(?: \*.*\n)*? \*\//, " */")
    .replace(new RegExp(` \\* @param ${first} .*\n`), "")
    .replace(/^ \*\n/m, rest ? ` * The tensor itself is \`${first}\`.\n *\n` : " *\n");
  return `${documentation}${name}(${rest.replaceAll("Operand", "Tensor | number")}): Tensor;\n`;
}

/** What AssemblyScript takes for a type. */
function typeOf(type: string): string {
  return type === "bool" ? "number | boolean" : "number";
}

/**
 * `tests/golden/operation_rows.json`: what `tests/golden/operations.py` asks PyTorch for.
 *
 * @returns The file's text.
 */
export function operationRows(): string {
  const rows = {
    elementwise: ELEMENTWISE.map(({ name, inputs, gradients, test }) => ({
      name,
      inputs,
      gradients: Object.keys(gradients),
      torch: test.torch,
      domain: test.domain ?? {},
      special: (test.special ?? [0, Infinity, -Infinity, NaN]).map(String),
    })),
    reductions: REDUCTIONS.map(({ name, test, identity }) => ({
      name,
      torch: test.torch,
      empty: identity !== undefined,
    })),
  };
  return JSON.stringify(rows, undefined, 2) + "\n";
}

function compiledFormulas(): string {
  const constants = new Constants();
  const functions = [
    ...formulas.map((formula) => elementwiseFunction(formula, constants)),
    ...REDUCTIONS.flatMap((reduction) => reductionFunctions(reduction, constants)),
  ];
  return `/** Formulas of operations, as \`deno task build\` translates them. Memory is padded to whole vectors. */
import { constant } from "../cpu/simd.as";
import * as exact from "./exact.as";

${constants.declaration}

${functions.join("\n")}`;
}

/** Inputs' addresses, the result's, the number of elements, numbers, whether to accumulate. */
function elementwiseFunction(formula: CompiledFormula, constants: Constants): string {
  const { compiled, inputs, numbers, accumulates } = formula;
  const parameters = [
    ...inputs.map((input) => `${input}: usize`),
    "result: usize",
    "size: usize",
    ...numbers.map((number) => `${number}: f32`),
    ...(accumulates ? ["accumulate: bool"] : []),
  ];
  const values: Record<string, string> = {};
  for (const name of inputs) values[name] = `${name}_`;
  for (const name of numbers) values[name] = `${name}_`;
  const splats = numbers.map((name) => `  const ${name}_ = f32x4.splat(${name});\n`).join("");
  const loads = inputs.map((name) => `    const ${name}_ = v128.load(${name} + at);\n`).join("");
  const add = accumulates
    ? "    if (accumulate) value = f32x4.add(value, v128.load(result + at));\n"
    : "";
  return `export function ${compiled}(${parameters.join(", ")}): void {
${splats}  for (let at: usize = 0; at < size << 2; at += 16) {
${loads}    let value: v128 = ${assemblyOf(formula.formula, values, constants)};
${add}    v128.store(result + at, value);
  }
}
`;
}

function reductionFunctions(
  { name, combine, finish }: ReductionSpecification,
  constants: Constants,
): string[] {
  const combined = (a: string, b: string) => `${name}_combine(${a}, ${b})`;
  const functions = [
    `// @ts-ignore: decorator
@inline
function ${name}_combine(a: v128, b: v128): v128 {
  return ${assemblyOf(combine, { a: "a", b: "b" }, constants)};
}
`,
    `/** Reduces rows whose width is a multiple of 16, in 16 chains, always in the same order. */
export function ${name}_rows(x: usize, y: usize, rows: i32, width: usize): void {
  const bytes = width << 2;
  for (let row = 0; row < rows; row++) {
    let p = v128.load(x), q = v128.load(x, 16), r = v128.load(x, 32), s = v128.load(x, 48);
    for (let at: usize = 64; at < bytes; at += 64) {
      p = ${combined("p", "v128.load(x + at)")};
      q = ${combined("q", "v128.load(x + at, 16)")};
      r = ${combined("r", "v128.load(x + at, 32)")};
      s = ${combined("s", "v128.load(x + at, 48)")};
    }
    let total = ${combined(combined("p", "q"), combined("r", "s"))};
    total = ${combined("total", "v128.shuffle<f32>(total, total, 2, 3, 0, 1)")};
    total = ${combined("total", "v128.shuffle<f32>(total, total, 1, 0, 3, 2)")};
    store<f32>(y, f32x4.extract_lane(total, 0));
    x += bytes;
    y += 4;
  }
}
`,
    `/** Combines rows with a row of results, one after another. */
export function ${name}_columns(x: usize, y: usize, rows: i32, width: usize): void {
  const bytes = width << 2;
  for (let row = 0; row < rows; row++) {
    for (let at: usize = 0; at < bytes; at += 16) {
      v128.store(y + at, ${combined("v128.load(y + at)", "v128.load(x + at)")});
    }
    x += bytes;
  }
}
`,
  ];
  if (finish !== undefined) {
    const values = { total: "v128.load(y + at)", count: "counts" };
    functions.push(`export function ${name}_finish(y: usize, size: usize, count: f32): void {
  const counts = f32x4.splat(count);
  for (let at: usize = 0; at < size << 2; at += 16) {
    v128.store(y + at, ${assemblyOf(finish, values, constants)});
  }
}
`);
  }
  return functions;
}

/** Paths in `lib/tensor` of the files of ops with an ending, sorted. */
function filesOfOps(ending: string): string[] {
  const paths: string[] = [];
  const ops = fromFileUrl(new URL("ops/", ROOT));
  for (const { name: op, isDirectory } of Deno.readDirSync(ops)) {
    if (!isDirectory) continue;
    for (const { name } of Deno.readDirSync(`${ops}/${op}`)) {
      if (name.endsWith(ending)) paths.push(`ops/${op}/${name}`);
    }
  }
  return paths.sort();
}
