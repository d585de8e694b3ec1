/**
 * Writes the innermost loop of `matmul` without BLAS in AssemblyScript, unrolled, for `deno task build`.
 *
 * V8 checks the bounds of every load but those from a constant address, and what it does for the checks costs as much as
 * the products. All terms of a panel of `a` are therefore written out, each with its constant address; `b` is read through
 * a pointer that moves with it, so that all checks are the same comparison.
 *
 * @module
 */

/** Rows of a panel of `a`; with 8 columns they make 12 vectors of sums, which stay in V8's 15 registers. */
export const PANEL_ROWS = 6;

/**
 * Terms of a panel of `a`. More of them are added up in registers before the sums go to memory, but the code must stay in
 * the processor's cache of decoded instructions: 128 terms are slower than 32 in a loop.
 */
export const PANEL_TERMS = 32;

/** Terms that are computed together: panels are filled with zeros up to a multiple. */
const STEP = 4;

const VECTOR_BYTES = 16;
const COLUMN_BYTES = 2 * VECTOR_BYTES;
const rows = Array.from({ length: PANEL_ROWS }, (_, row) => row);

/** One term: two vectors of `b`, each times six elements of `a`, which are in all lanes of a vector. */
function term(index: number): string {
  const at = (row: number) => (index * PANEL_ROWS + row) * VECTOR_BYTES;
  return `
      b0 = v128.load(b);
      b1 = v128.load(b, ${VECTOR_BYTES});
      b += ${COLUMN_BYTES};${
    rows.map((row) => `
      x = v128.load(PANEL, ${at(row)});
      left${row} = madd(x, b0, left${row});
      right${row} = madd(x, b1, right${row});`).join("")
  }`;
}

/** @returns The module's source. */
export function multiplyPanelSource(): string {
  const terms = Array.from(
    { length: PANEL_TERMS },
    (_, index) =>
      (index > 0 && index % STEP === 0 ? `\n      if (k <= ${index}) break;` : "") + term(index),
  );
  return `
import { madd } from "../../cpu/simd.as";

const PANEL: usize = memory.data(${PANEL_TERMS * PANEL_ROWS * VECTOR_BYTES}, 64);

/** Where the panel of \`a\` is. */
export function panelAddress(): usize {
  return PANEL;
}

/**
 * c (${PANEL_ROWS}, columns; rows \`stride\` bytes apart, columns in whole eights) += the panel of \`a\` · packed \`b\` over
 * k, which must be a multiple of ${STEP} and at most ${PANEL_TERMS}.
 */
export function multiplyPanel(b: usize, c: usize, columns: i32, k: i32, stride: usize): void {
  for (let column = 0; column < columns; column += 8) {
    let b0: v128, b1: v128, x: v128;${
    rows.map((row) => `
    let left${row} = f32x4.splat(0), right${row} = f32x4.splat(0);`).join("")
  }
    do {${terms.join("")}
    } while (false);
    let to = c;${
    rows.map((row) => `
    v128.store(to, f32x4.add(v128.load(to), left${row}));
    v128.store(to, f32x4.add(v128.load(to, ${VECTOR_BYTES}), right${row}), ${VECTOR_BYTES});
    to += stride;`).join("")
  }
    c += ${COLUMN_BYTES};
  }
}
`;
}
