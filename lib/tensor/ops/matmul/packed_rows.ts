/**
 * Writes the products of one row with a packed matrix in AssemblyScript, unrolled, for `deno task build`. A weight is
 * read once, as it is stored, and only becomes a float in a register.
 *
 * Four rows of the matrix are multiplied at a time, which share what is loaded of x. They are not neighbours: the
 * processor foresees what four streams through memory need next, but not four streams that jump over one another's
 * rows (measured: 6 and 21 GB/s for bfloat16).
 *
 * Nibbles and halves become floats without being moved to the end of their lane: 16 bytes are four lanes of 32 bits, and
 * what is left of a lane by a mask is the nibble times a power of 16, or all but the exponent of a float32. Powers are made up
 * for in x, which {@linkcode LANES} are permuted and scaled for once per product; both are exact.
 *
 * @module
 */

/** Rows that are multiplied at a time. */
export const STREAMS = 4;

/**
 * x is multiplied by 2^60 and sums by 2^52: together they make up for the exponents of float16, whose bias is 112 less than
 * that of float32, and neither overflows.
 */
export const X_EXPONENT = 60;

/** The other part of 2^112. */
export const SUM_EXPONENT = 52;

const rows = Array.from({ length: STREAMS }, (_, row) => row);

/** A line for each row, with its number for `#`. */
const each = (line: string): string => rows.map((row) => line.replaceAll("#", `${row}`)).join("\n");

/** How a row is walked through. */
interface Walk {
  /** The function's name. */
  readonly name: string;
  /** Bytes of the matrix that one turn of the loop takes. */
  readonly bytes: number;
  /** Bytes of x that it takes. */
  readonly inputBytes: number;
  /** Whether x has a sum per turn. */
  readonly sums: boolean;
  /** Vectors of sums per row. */
  readonly chains: number;
  /** One turn, for all rows. */
  readonly turn: string;
  /** What is added to a row's sum, if anything. */
  readonly rest?: (row: number) => string;
}

/** Eight nibbles of each lane, from byte `quants` of the block on. */
function nibbles(quants: number): string {
  const lines = [each(`      const v# = v128.load(w#, ${quants});`)];
  for (let i = 0; i < 8; i++) {
    lines.push(`      input = v128.load(x, ${16 * i});`);
    if (i < 7) lines.push(`      mask = lane(${i});`);
    const nibble = i < 7 ? "v128.and(v#, mask)" : "i32x4.shr_u(v#, 28)";
    const value = `f32x4.convert_i32x4_s(${nibble})`;
    const sum = i === 0
      ? `      let sum# = f32x4.mul(${value}, input);`
      : `      sum# = madd(${value}, input, sum#);`;
    lines.push(each(sum));
  }
  return lines.join("\n");
}

/** The two halves at the beginning of each block: `d`, and `m` if wanted, have a lane for each row. */
function scales(minimum: boolean): string {
  return `      let halves = v128.load32_zero(w0);
      halves = v128.load32_lane(w1, halves, 1);
      halves = v128.load32_lane(w2, halves, 2);
      halves = v128.load32_lane(w3, halves, 3);
      const d = lowHalf(halves, fraction);${
    minimum ? "\n      const m = highHalf(halves, fraction);" : ""
  }`;
}

/** The sum of a block, times its scale. */
const scaled = rows.map((row) =>
  `      total${row} = madd(v128.shuffle<f32>(d, d, ${row}, ${row}, ${row}, ${row}), sum${row}, total${row});`
).join("\n");

const restOfBlock = (row: number) => ` + f32x4.extract_lane(rest, ${row})`;

function legacyNibbles(name: string, bytes: number, minimum: boolean): Walk {
  return {
    name,
    bytes,
    inputBytes: 128,
    sums: true,
    chains: 1,
    turn: `${nibbles(minimum ? 4 : 2)}
${scales(minimum)}
${scaled}
      rest = madd(${minimum ? "m" : "d"}, v128.load32_splat(sums), rest);`,
    rest: restOfBlock,
  };
}

/** 32 signed bytes. */
function bytes(): string {
  const lines: string[] = [];
  for (let half = 0; half < 2; half++) {
    lines.push(each(`      const v${half}_# = v128.load(w#, ${2 + 16 * half});`));
    for (let quarter = 0; quarter < 4; quarter++) {
      const wide = quarter < 2 ? "low" : "high";
      const words = quarter % 2 ? "high" : "low";
      const value =
        `f32x4.convert_i32x4_s(i32x4.extend_${words}_i16x8_s(i16x8.extend_${wide}_i8x16_s(v${half}_#)))`;
      lines.push(`      input = v128.load(x, ${64 * half + 16 * quarter});`);
      lines.push(
        each(
          half === 0 && quarter === 0
            ? `      let sum# = f32x4.mul(${value}, input);`
            : `      sum# = madd(${value}, input, sum#);`,
        ),
      );
    }
  }
  return lines.join("\n");
}

/** 8 floats of 16 bits: the even ones in the low halves of lanes, then the odd ones. */
function floats(low: string, high: string): string {
  return `      input = v128.load(x);
      const next = v128.load(x, 16);
${each("      const v# = v128.load(w#);")}
${each(`      total# = madd(${low}, input, total#);`)}
${each(`      other# = madd(${high}, next, other#);`)}`;
}

const WALKS: readonly Walk[] = [
  legacyNibbles("multiplyRowQ4_0", 18, false),
  legacyNibbles("multiplyRowQ4_1", 20, true),
  {
    name: "multiplyRowQ8_0",
    bytes: 34,
    inputBytes: 128,
    sums: false,
    chains: 1,
    turn: `${bytes()}
${scales(false)}
${scaled}`,
  },
  {
    name: "multiplyRowF16",
    bytes: 16,
    inputBytes: 32,
    sums: false,
    chains: 2,
    turn: floats("lowHalf(v#, fraction)", "highHalf(v#, fraction)"),
  },
  {
    name: "multiplyRowBf16",
    bytes: 16,
    inputBytes: 32,
    sums: false,
    chains: 2,
    turn: floats("i32x4.shl(v#, 16)", "v128.and(v#, upper)"),
  },
];

function walk({ name, bytes, inputBytes, sums, chains, turn, rest }: Walk): string {
  const total = (row: number) =>
    chains === 2 ? `f32x4.add(total${row}, other${row})` : `total${row}`;
  return `
/** One row of x times each of \`rows\` rows of \`turns\` · ${bytes} bytes. */
export function ${name}(
  matrix: usize,
  inputs: usize,
  inputSums: usize,
  y: usize,
  rows: i32,
  turns: i32,
  scale: f32,
): void {
  const stride = <usize> turns * ${bytes};
  const part = rows >> 2;
  const upper = i32x4.splat(0xffff0000);
  const fraction = lane(7);
  for (let row = 0; row < part + (rows & 3); row++) {
    // Rows that are left over are multiplied alone, four times over.
    const step = row < part ? part : 0;
    const first = row < part ? row : row + 3 * part;
    let w0 = matrix + stride * <usize> first;
    let w1 = w0 + stride * <usize> step;
    let w2 = w1 + stride * <usize> step;
    let w3 = w2 + stride * <usize> step;
    let x = inputs;
    let sums = inputSums;
    let rest = f32x4.splat(0);
    let mask = rest, input = rest;
${each("    let total# = rest, other# = rest;")}
    for (let turn = 0; turn < turns; turn++) {
${turn}
${each(`      w# += ${bytes};`)}
      x += ${inputBytes};
${sums ? "      sums += 4;" : ""}
    }
    const to = y + (<usize> first << 2);
    const between = <usize> step << 2;
${
    rows.map((row) =>
      `    store<f32>(to + ${row} * between, (sumLanes(${total(row)})${
        rest?.(row) ?? ""
      }) * scale);`
    ).join("\n")
  }
  }
}
`;
}

/**
 * The AssemblyScript of all products of one row.
 *
 * @returns The text of `packed_rows.as.ts`.
 */
export function packedRowsSource(): string {
  return `/** Products of one row with packed matrices, as \`deno task build\` unrolls them. */
import { madd, sumLanes } from "../../cpu/simd.as";

/** A lane's nibbles 0 to 6; sign, exponent and fraction of a float16 that was moved to where a float32 has them. */
const LANES: usize = memory.data<u32>([
  0x0000000f, 0x000000f0, 0x00000f00, 0x0000f000, 0x000f0000, 0x00f00000, 0x0f000000, 0x8fffe000,
]);

// @ts-ignore: decorator
@inline
function lane(index: usize): v128 {
  return v128.load32_splat(LANES + (index << 2));
}

/** The float16 in the low half of each lane, times 2^-112. */
// @ts-ignore: decorator
@inline
function lowHalf(v: v128, fraction: v128): v128 {
  return v128.and(i32x4.shr_s(i32x4.shl(v, 16), 3), fraction);
}

/** The float16 in the high half of each lane, times 2^-112. */
// @ts-ignore: decorator
@inline
function highHalf(v: v128, fraction: v128): v128 {
  return v128.and(i32x4.shr_s(v, 3), fraction);
}
${WALKS.map(walk).join("")}`;
}
