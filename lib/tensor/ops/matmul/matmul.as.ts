/**
 * CPU kernels of `matmul` where there is no BLAS: a packed matrix multiplication in the manner of Goto & van de Geijn,
 * "Anatomy of High-Performance Matrix Multiplication", 2008. A panel of 6 rows of `a` holds each element four times over,
 * so that it needs nothing after it is loaded; `b` is packed in panels of 8 columns. `multiply_panel.ts` multiplies them.
 */
/**
 * Fills a panel from up to 6 rows of `a`: for each of `k` terms, rounded up to whole fours with zeros, 6 vectors of one
 * element each. Rows begin `stride` bytes apart; missing ones are zeros.
 */
export function splatRows(source: usize, target: usize, rows: i32, k: i32, stride: usize): void {
  const end = target + <usize> ((k + 3) & ~3) * 96;
  if (rows < 6 || k & 3) memory.fill(target, 0, end - target);
  const whole = <usize> (k & ~3) << 2;
  for (let row = 0; row < rows; row++) {
    let to = target + (<usize> row << 4);
    let at: usize = 0;
    for (; at < whole; at += 16) {
      const x = v128.load(source + at);
      v128.store(to, i32x4.shuffle(x, x, 0, 0, 0, 0));
      v128.store(to, i32x4.shuffle(x, x, 1, 1, 1, 1), 96);
      v128.store(to, i32x4.shuffle(x, x, 2, 2, 2, 2), 192);
      v128.store(to, i32x4.shuffle(x, x, 3, 3, 3, 3), 288);
      to += 384;
    }
    for (; at < <usize> k << 2; at += 4) {
      v128.store(to, f32x4.splat(load<f32>(source + at)));
      to += 96;
    }
    source += stride;
  }
}

/** Fills a panel like {@link splatRows} from (k, rows), that is aᵀ, whose rows begin `stride` bytes apart. */
export function splatColumns(source: usize, target: usize, rows: i32, k: i32, stride: usize): void {
  const end = target + <usize> ((k + 3) & ~3) * 96;
  if (rows < 6 || k & 3) memory.fill(target, 0, end - target);
  for (let i = 0; i < k; i++) {
    for (let row = 0; row < rows; row++) {
      v128.store(
        target + (<usize> row << 4),
        f32x4.splat(load<f32>(source + (<usize> row << 2))),
      );
    }
    source += stride;
    target += 96;
  }
}

/**
 * Packs (k, columns) with rows `stride` floats apart into panels of 8 columns: panel, then k, rounded up to whole fours
 * with zeros, then column.
 */
export function packB(source: usize, target: usize, columns: i32, k: i32, stride: i32): void {
  const step = <usize> stride << 2;
  for (let column = 0; column < columns; column += 8) {
    let from = source + (<usize> column << 2);
    const left = min(8, columns - column);
    for (let i = 0; i < k; i++) {
      if (left == 8) {
        v128.store(target, v128.load(from));
        v128.store(target, v128.load(from, 16), 16);
      } else {
        for (let c = 0; c < 8; c++) {
          store<f32>(target + (c << 2), c < left ? load<f32>(from + (c << 2)) : 0);
        }
      }
      from += step;
      target += 32;
    }
    target = endPanel(target, k);
  }
}

/** Fills a panel's last terms with zeros. */
function endPanel(target: usize, k: i32): usize {
  const missing = <usize> (-k & 3) << 5;
  memory.fill(target, 0, missing);
  return target + missing;
}

/** Packs (columns, k), that is bᵀ, with rows `stride` floats apart, like {@link packB}. */
export function packBTransposed(
  source: usize,
  target: usize,
  columns: i32,
  k: i32,
  stride: i32,
): void {
  const step = <usize> stride << 2;
  for (let column = 0; column < columns; column += 8) {
    const from = source + <usize> column * step;
    const left = min(8, columns - column);
    for (let half = 0; half < 8; half += 4) {
      const r0 = from + <usize> half * step;
      let to = target + (<usize> half << 2);
      let i = 0;
      if (left >= half + 4) {
        const r1 = r0 + step;
        const r2 = r1 + step;
        const r3 = r2 + step;
        for (; i + 4 <= k; i += 4) {
          const at = <usize> i << 2;
          const a = v128.load(r0 + at), b = v128.load(r1 + at);
          const c = v128.load(r2 + at), d = v128.load(r3 + at);
          const ab = i32x4.shuffle(a, b, 0, 4, 1, 5), ab2 = i32x4.shuffle(a, b, 2, 6, 3, 7);
          const cd = i32x4.shuffle(c, d, 0, 4, 1, 5), cd2 = i32x4.shuffle(c, d, 2, 6, 3, 7);
          v128.store(to, i64x2.shuffle(ab, cd, 0, 2));
          v128.store(to, i64x2.shuffle(ab, cd, 1, 3), 32);
          v128.store(to, i64x2.shuffle(ab2, cd2, 0, 2), 64);
          v128.store(to, i64x2.shuffle(ab2, cd2, 1, 3), 96);
          to += 128;
        }
      }
      for (; i < k; i++) {
        for (let c = 0; c < 4; c++) {
          const inside = half + c < left;
          const value = inside ? load<f32>(r0 + <usize> c * step + (<usize> i << 2)) : 0;
          store<f32>(to + (c << 2), value);
        }
        to += 32;
      }
    }
    target = endPanel(target + (<usize> k << 5), k);
  }
}

/** y += the sums of columns of (rows, columns). Columns are padded to whole vectors. */
export function addRows(x: usize, y: usize, rows: i32, columns: usize): void {
  const bytes = columns << 2;
  for (let row = 0; row < rows; row++) {
    for (let at: usize = 0; at < bytes; at += 16) {
      v128.store(y + at, f32x4.add(v128.load(y + at), v128.load(x + at)));
    }
    x += bytes;
  }
}
