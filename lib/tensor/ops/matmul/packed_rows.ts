/**
 * Writes the products of one row with a packed matrix in AssemblyScript, unrolled, for `deno task build`. A weight is
 * read once, as it is stored, and only becomes a float in a register.
 *
 * Four rows of the matrix are multiplied at a time, which share what is loaded of x. They are not neighbours: the
 * processor foresees what four streams through memory need next, but not four streams that jump over one another's
 * rows (measured: 6 and 21 GB/s for bfloat16).
 *
 * Nibbles, bytes and halves become floats without being moved to the end of their lane: 16 bytes are four lanes of 32 bits,
 * and what is left of a lane by a mask is the nibble or byte times a power of 16, or all but the exponent of a float32. Powers
 * are made up for in x, which {@linkcode LANES} are permuted and scaled for once per product; both are exact. What is
 * subtracted from all numbers of a block, or added to them, is multiplied by the sum of x.
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
  /** Sums of parts of x that it takes. */
  readonly sums: number;
  /** Vectors of sums per row. */
  readonly chains: number;
  /** Whether a number per block stands apart, in place of sums of x: those of a row one after the other. */
  readonly magnitudes?: boolean;
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

/** Four bytes from byte `at` of each block: `name` has a lane for each row. */
function words(name: string, at: number): string {
  return `      let ${name} = v128.load32_zero(w0, ${at});
      ${name} = v128.load32_lane(w1, ${name}, 1, ${at});
      ${name} = v128.load32_lane(w2, ${name}, 2, ${at});
      ${name} = v128.load32_lane(w3, ${name}, 3, ${at});`;
}

/** The two halves at the beginning of each block: `d`, and `m` if wanted, have a lane for each row. */
function scales(minimum: boolean): string {
  return `${words("halves", 0)}
      const d = lowHalf(halves, fraction);${
    minimum ? "\n      const m = highHalf(halves, fraction);" : ""
  }`;
}

/** The sum of a block, times its scale: the row's lane of a vector. */
const scaledBy = (scale: string): string =>
  rows.map((row) =>
    `      total${row} = madd(v128.shuffle<f32>(${scale}, ${scale}, ${row}, ${row}, ${row}, ${row}), sum${row}, total${row});`
  ).join("\n");

const scaled = scaledBy("d");

const restOfBlock = (row: number) => ` + f32x4.extract_lane(rest, ${row})`;

function legacyNibbles(name: string, bytes: number, minimum: boolean): Walk {
  return {
    name,
    bytes,
    inputBytes: 128,
    sums: 1,
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

/**
 * Adds 16 unsigned bytes to the sums of rows.
 *
 * @param load Lines that make them, `v#`.
 * @param inputs Where in x their columns are.
 * @param first Whether the sums begin here.
 */
function unsignedBytes(load: string, inputs: number, first: boolean): string {
  const lines = [load];
  for (let i = 0; i < 4; i++) {
    lines.push(`      input = v128.load(x, ${inputs + 16 * i});`);
    if (i < 3) lines.push(`      mask = byteLane(${i});`);
    const byte = i < 3 ? "v128.and(v#, mask)" : "i32x4.shr_u(v#, 24)";
    const value = `f32x4.convert_i32x4_s(${byte})`;
    lines.push(each(
      first && i === 0
        ? `      sum# = f32x4.mul(${value}, input);`
        : `      sum# = madd(${value}, input, sum#);`,
    ));
  }
  return lines.join("\n");
}

/** The low or the high halves of bytes. */
const nibblesOf = (bytes: string, high: boolean): string =>
  high ? `highNibbles(${bytes}, nibble)` : `v128.and(${bytes}, nibble)`;

/** Nibbles and fifth bits of blocks of 32. */
function legacyFifthBits(name: string, bytes: number, minimum: boolean): Walk {
  const bits = minimum ? 4 : 2;
  const half = (high: boolean) =>
    each(
      `      const v# = v128.or(${nibblesOf(`v128.load(w#, ${bits + 4})`, high)}, fifthBits(w# + ${
        bits + (high ? 2 : 0)
      }, spread, bits, bit4));`,
    );
  return {
    name,
    bytes,
    inputBytes: 128,
    sums: 1,
    chains: 1,
    turn: `${each("      let sum#: v128;")}
      {
${unsignedBytes(half(false), 0, true)}
      }
      {
${unsignedBytes(half(true), 64, false)}
      }
${scales(minimum)}
${scaled}
      rest = madd(${minimum ? "m" : "d"}, v128.load32_splat(sums), rest);`,
    rest: restOfBlock,
  };
}

/** Byte `index` of each lane, as a float. */
const byteOf = (vector: string, index: number): string => {
  const moved = index === 0 ? vector : `i32x4.shr_u(${vector}, ${8 * index})`;
  return `f32x4.convert_i32x4_s(${index === 3 ? moved : `v128.and(${moved}, ends)`})`;
};

/** Scales and minima of six bits of the eight parts of a block of `q4_k` and `q5_k`, and what the minima subtract. */
function sixBitScales(): string {
  const minima = Array.from(
    { length: 8 },
    (_, part) =>
      `      least = madd(${
        byteOf(part < 4 ? "minimaLow" : "minimaHigh", part % 4)
      }, v128.load32_splat(sums, ${4 * part}), least);`,
  );
  return `      const low6 = v128.or(nibble, bits45);
${scales(true)}
${words("first", 4)}
${words("second", 8)}
${words("third", 12)}
      const scalesLow = v128.and(first, low6), minimaLow = v128.and(second, low6);
      const scalesHigh = v128.or(v128.and(third, nibble), v128.and(i32x4.shr_u(first, 2), bits45));
      const minimaHigh = v128.or(
        v128.and(i32x4.shr_u(third, 4), nibble),
        v128.and(i32x4.shr_u(second, 2), bits45),
      );
      let least = i32x4.splat(0);
${minima.join("\n")}
      rest = madd(m, least, rest);`;
}

/** Eight parts of 32 elements, each with its scale. */
function partsOfK(name: string, bytes: number, part: (index: number) => string): Walk {
  const parts = Array.from(
    { length: 8 },
    (_, index) =>
      `      {
${each("      let sum#: v128;")}
${part(index)}
      const scale = f32x4.mul(d, ${byteOf(index < 4 ? "scalesLow" : "scalesHigh", index % 4)});
${scaledBy("scale")}
      }`,
  );
  return {
    name,
    bytes,
    inputBytes: 1024,
    sums: 8,
    chains: 1,
    turn: `${sixBitScales()}
${parts.join("\n")}`,
    rest: restOfBlock,
  };
}

/** Parts 2i and 2i + 1 of `q4_k` are the low and the high nibbles of 32 bytes. */
function nibblesOfK(index: number): string {
  const [pair, odd] = [index >> 1, index & 1];
  const lines: string[] = [];
  for (let half = 0; half < 2; half++) {
    lines.push("      {", each(`      const v# = v128.load(w#, ${16 + 32 * pair + 16 * half});`));
    for (let nibble = odd; nibble < 8; nibble += 2) {
      lines.push(`      input = v128.load(x, ${256 * pair + 128 * half + 16 * nibble});`);
      if (nibble < 7) lines.push(`      mask = lane(${nibble});`);
      const bits = nibble < 7 ? "v128.and(v#, mask)" : "i32x4.shr_u(v#, 28)";
      const value = `f32x4.convert_i32x4_s(${bits})`;
      lines.push(each(
        half === 0 && nibble === odd
          ? `      sum# = f32x4.mul(${value}, input);`
          : `      sum# = madd(${value}, input, sum#);`,
      ));
    }
    lines.push("      }");
  }
  return lines.join("\n");
}

/** The same with fifth bits: bit `index` of 32 bytes. */
function fifthBitsOfK(index: number): string {
  const bits = (at: number) => {
    const moved = index < 4
      ? `i32x4.shl(v128.load(w#, ${at}), ${4 - index})`
      : index === 4
      ? `v128.load(w#, ${at})`
      : `i32x4.shr_u(v128.load(w#, ${at}), ${index - 4})`;
    return `v128.and(${moved}, bit4)`;
  };
  const lines = [0, 1].map((half) => {
    const quants = `v128.load(w#, ${48 + 32 * (index >> 1) + 16 * half})`;
    const nibble = nibblesOf(quants, index % 2 === 1);
    const load = each(`      const v# = v128.or(${nibble}, ${bits(16 + 16 * half)});`);
    return `      {\n${unsignedBytes(load, 128 * index + 64 * half, half === 0)}\n      }`;
  });
  return lines.join("\n");
}

/** 16 parts of 16 elements of six bits, each with a signed scale. The four highest of each 64 bytes' bits stand apart. */
function sixBits(): string {
  const lines = [words("halves", 206), "      const d = highHalf(halves, fraction);"];
  for (let part = 0; part < 16; part++) {
    const [half, quarter, column] = [part >> 3, (part >> 1) & 3, part & 1];
    const quants = `v128.load(w#, ${64 * half + 32 * (quarter & 1) + 16 * column})`;
    const high = `v128.load(w#, ${128 + 32 * half + 16 * column})`;
    const moved = quarter < 2
      ? `i32x4.shl(${high}, ${4 - 2 * quarter})`
      : quarter === 2
      ? high
      : `i32x4.shr_u(${high}, 2)`;
    const nibble = nibblesOf(quants, quarter > 1);
    const load = each(
      `      const v# = v128.or(${nibble}, v128.and(${moved}, bits45));`,
    );
    const byte = part % 4;
    if (byte === 0) lines.push("      {", words("signed", 192 + part));
    lines.push(
      `      {
${each("      let sum#: v128;")}
${unsignedBytes(load, 64 * part, true)}
      const number = i32x4.shr_s(${
        byte === 3 ? "signed" : `i32x4.shl(signed, ${24 - 8 * byte})`
      }, 24);
      const scale = f32x4.mul(d, f32x4.convert_i32x4_s(number));
${scaledBy("scale")}
      rest = madd(scale, v128.load32_splat(sums, ${4 * part}), rest);
      }`,
    );
    if (byte === 3) lines.push("      }");
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

/** 64 codes of NF4, each looked up in a table whose bytes stand apart. */
function lookUps(name: string, bytes: number, magnitude: string, magnitudes: boolean): Walk {
  const lines = [each("      let sum# = i32x4.splat(0);")];
  for (let half = 0; half < 2; half++) {
    for (const high of [true, false]) {
      const codes = nibblesOf(`v128.load(w#, ${16 * half})`, high);
      const inputs = 128 * half + (high ? 0 : 16);
      lines.push(
        each(
          `      sum# = addLookedUp(${codes}, x + ${inputs}, sum#, byte0, byte1, byte2, byte3);`,
        ),
      );
    }
  }
  return {
    name,
    bytes,
    inputBytes: 256,
    sums: 0,
    chains: 1,
    magnitudes,
    turn: `${lines.join("\n")}
${each(`      total# = madd(v128.load32_splat(${magnitude}), sum#, total#);`)}`,
  };
}

const WALKS: readonly Walk[] = [
  legacyNibbles("multiplyRowQ4_0", 18, false),
  legacyNibbles("multiplyRowQ4_1", 20, true),
  legacyFifthBits("multiplyRowQ5_0", 22, false),
  legacyFifthBits("multiplyRowQ5_1", 24, true),
  partsOfK("multiplyRowQ4_K", 144, nibblesOfK),
  partsOfK("multiplyRowQ5_K", 176, fifthBitsOfK),
  {
    name: "multiplyRowQ6_K",
    bytes: 210,
    inputBytes: 1024,
    sums: 16,
    chains: 1,
    turn: sixBits(),
    rest: restOfBlock,
  },
  {
    name: "multiplyRowQ8_0",
    bytes: 34,
    inputBytes: 128,
    sums: 0,
    chains: 1,
    turn: `${bytes()}
${scales(false)}
${scaled}`,
  },
  {
    name: "multiplyRowF16",
    bytes: 16,
    inputBytes: 32,
    sums: 0,
    chains: 2,
    turn: floats("lowHalf(v#, fraction)", "highHalf(v#, fraction)"),
  },
  {
    name: "multiplyRowBf16",
    bytes: 16,
    inputBytes: 32,
    sums: 0,
    chains: 2,
    turn: floats("i32x4.shl(v#, 16)", "v128.and(v#, upper)"),
  },
  lookUps("multiplyRowNf4", 36, "w#, 32", false),
  lookUps("multiplyRowNf4Double", 33, "m#", true),
];

function walk(
  { name, bytes, inputBytes, sums, chains, magnitudes, turn, rest }: Walk,
): string {
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
  const fraction = lane(7), ends = byteLane(0);
  const nibble = v128.load32_splat(MASKS), bit4 = v128.load32_splat(MASKS, 4);
  const bits45 = v128.load32_splat(MASKS, 8);
  const spread = v128.load(BITS), bits = v128.load(BITS, 16);
  const byte0 = v128.load(NF4), byte1 = v128.load(NF4, 16);
  const byte2 = v128.load(NF4, 32), byte3 = v128.load(NF4, 48);
  for (let row = 0; row < part + (rows & 3); row++) {
    // Rows that are left over are multiplied alone, four times over.
    const step = row < part ? part : 0;
    const first = row < part ? row : row + 3 * part;
    let w0 = matrix + stride * <usize> first;
    let w1 = w0 + stride * <usize> step;
    let w2 = w1 + stride * <usize> step;
    let w3 = w2 + stride * <usize> step;
    let x = inputs;
    let sums = inputSums;${
    magnitudes
      ? `
    let m0 = inputSums + (<usize> turns * <usize> first << 2);
    let m1 = m0 + (<usize> turns * <usize> step << 2);
    let m2 = m1 + (<usize> turns * <usize> step << 2);
    let m3 = m2 + (<usize> turns * <usize> step << 2);`
      : ""
  }
    let rest = f32x4.splat(0);
    let mask = rest, input = rest;
${each("    let total# = rest, other# = rest;")}
    for (let turn = 0; turn < turns; turn++) {
${turn}
${each(`      w# += ${bytes};`)}
      x += ${inputBytes};
${sums > 0 ? `      sums += ${4 * sums};` : magnitudes ? each("      m# += 4;") : ""}
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
import { NF4 } from "../dequantize/dequantize.as";

/** A lane's nibbles 0 to 6; sign, exponent and fraction of a float16 that was moved to where a float32 has them. */
const LANES: usize = memory.data<u32>([
  0x0000000f, 0x000000f0, 0x00000f00, 0x0000f000, 0x000f0000, 0x00f00000, 0x0f000000, 0x8fffe000,
]);

/** A lane's bytes 0 to 2. */
const BYTES: usize = memory.data<u32>([0x000000ff, 0x0000ff00, 0x00ff0000]);

// @ts-ignore: decorator
@inline
function lane(index: usize): v128 {
  return v128.load32_splat(LANES + (index << 2));
}

// @ts-ignore: decorator
@inline
function byteLane(index: usize): v128 {
  return v128.load32_splat(BYTES + (index << 2));
}

/**
 * The low and high halves of all bytes; bit 4, and bits 4 and 5, of all bytes. Such numbers are read from memory once per
 * product: V8 makes a constant again each time that it is used.
 */
const MASKS: usize = memory.data<u32>([0x0f0f0f0f, 0x10101010, 0x30303030]);

/** Which byte of two a bit is in, and which of its bits it is. */
const BITS: usize = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1,
  1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128,
]);

// @ts-ignore: decorator
@inline
function highNibbles(bytes: v128, nibble: v128): v128 {
  return v128.and(i32x4.shr_u(bytes, 4), nibble);
}

/** 16 where bit i of the 16 from \`at\` is set, as byte i. */
// @ts-ignore: decorator
@inline
function fifthBits(at: usize, spread: v128, bits: v128, bit4: v128): v128 {
  const bytes = i8x16.relaxed_swizzle(v128.load16_splat(at), spread);
  return v128.and(i8x16.eq(v128.and(bytes, bits), bits), bit4);
}

/** Adds what 16 codes stand for, times every other vector from x on. */
// @ts-ignore: decorator
@inline
function addLookedUp(
  codes: v128,
  x: usize,
  sum: v128,
  byte0: v128,
  byte1: v128,
  byte2: v128,
  byte3: v128,
): v128 {
  const a = i8x16.relaxed_swizzle(byte0, codes), b = i8x16.relaxed_swizzle(byte1, codes);
  const c = i8x16.relaxed_swizzle(byte2, codes), d = i8x16.relaxed_swizzle(byte3, codes);
  const abLow = i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const abHigh = i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  const cdLow = i8x16.shuffle(c, d, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const cdHigh = i8x16.shuffle(c, d, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  sum = madd(i16x8.shuffle(abLow, cdLow, 0, 8, 1, 9, 2, 10, 3, 11), v128.load(x), sum);
  sum = madd(i16x8.shuffle(abLow, cdLow, 4, 12, 5, 13, 6, 14, 7, 15), v128.load(x, 32), sum);
  sum = madd(i16x8.shuffle(abHigh, cdHigh, 0, 8, 1, 9, 2, 10, 3, 11), v128.load(x, 64), sum);
  return madd(i16x8.shuffle(abHigh, cdHigh, 4, 12, 5, 13, 6, 14, 7, 15), v128.load(x, 96), sum);
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
