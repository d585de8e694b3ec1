/**
 * Which tests reach code for a GPU. Where the sandbox sees no driver, such code has a way to run on the CPU, with equal
 * results; the verdict says which of the two it was.
 *
 * @module
 */

import type { Notebook } from "../../runtime/notebook.ts";
import { readGradeMetadata, roleOf } from "../metadata.ts";
import { dependenciesOf } from "../standins/names.ts";

/** WebGPU's door, or a kernel in WGSL. */
const GPU_CODE = /\bnavigator\s*\??\.\s*gpu\b|\brequestAdapter\b|@compute\b/;

/**
 * Finds the tests whose calls may reach a GPU.
 *
 * @param notebook The notebook that is graded, with hidden tests.
 * @returns The tests' `grade_id`s.
 */
export function gpuTests(notebook: Notebook): Set<string> {
  const cells = notebook.cells.filter(({ cell_type }) => cell_type === "code");
  const sources = cells.map(({ source }) => source);
  if (!sources.some((source) => GPU_CODE.test(source))) return new Set();
  return new Set(cells.flatMap((cell, at) => {
    const metadata = readGradeMetadata(cell);
    const isTest = roleOf(metadata) === "test";
    if (!isTest || !dependenciesOf(sources, at).some((one) => GPU_CODE.test(one))) return [];
    return [metadata!.grade_id!];
  }));
}
