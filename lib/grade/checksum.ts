/**
 * nbgrader's checksum of a cell, which shows whether a student changed it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { pythonFloat } from "../python_float.ts";
import type { Cell } from "../runtime/notebook.ts";
import { type GradeMetadata, isEffectivelyLocked } from "./metadata.ts";

/**
 * Computes nbgrader's checksum: MD5 over the source, the type, whether the cell is graded, answered and locked, its id,
 * and the points of a graded one, each as Python writes it.
 *
 * Source: nbgrader 0.9, `utils.compute_checksum`.
 *
 * @param cell The cell.
 * @param metadata Its metadata.
 * @returns 32 hexadecimal digits.
 */
export function cellChecksum(cell: Cell, metadata: GradeMetadata): string {
  const hash = createHash("md5");
  const add = (text: string) => hash.update(text, "utf8");
  add(cell.source);
  add(cell.cell_type);
  add(pythonBoolean(metadata.grade));
  add(pythonBoolean(metadata.solution));
  add(pythonBoolean(isEffectivelyLocked(metadata)));
  add(metadata.grade_id ?? "");
  if (metadata.grade) add(pythonFloat(metadata.points ?? 0));
  return hash.digest("hex");
}

function pythonBoolean(value: boolean): string {
  return value ? "True" : "False";
}
