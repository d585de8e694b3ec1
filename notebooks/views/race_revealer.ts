// The race revealer of chapter 3: threads of a workgroup multiply two matrices by tiles, step by step, in several
// orders. With both barriers every order gives the same; with one deleted some do not.

import { Random } from "tunebook";
import { frames, View } from "tunebook/show";

/** Which barriers the program has. */
export interface Barriers {
  /** Between loading a tile and using it. */
  readonly afterLoad: boolean;
  /** Between using a tile and loading the next over it. */
  readonly afterUse: boolean;
}

/** In which order threads take their steps between barriers. */
export const ORDERS = ["all in step", "one after another", "last first", "at random"] as const;

/** One of {@linkcode ORDERS}. */
export type Order = typeof ORDERS[number];

/** What a run came to. */
export interface TiledRun {
  /** The product, (n, n) row by row. */
  readonly product: Float64Array;
  /** Reads of the large, slow memory, by each thread. */
  readonly readsPerThread: number;
}

/**
 * Multiplies two square matrices with a simulated workgroup of n × n threads, one an element.
 *
 * @param a The left one, (n, n) row by row.
 * @param b The right one.
 * @param n Rows; a multiple of `tile`.
 * @param tile Side of a tile; threads load one of a and one of b together.
 * @param barriers Which barriers there are.
 * @param order How threads take turns.
 * @returns The product, right only where no thread overtakes another.
 */
export function multiplyTiled(
  a: Float64Array,
  b: Float64Array,
  n: number,
  tile: number,
  barriers: Barriers,
  order: Order,
): TiledRun {
  const product = new Float64Array(n * n);
  let reads = 0;
  // Workgroups do not touch one another: each is one tile of the product.
  for (let top = 0; top < n; top += tile) {
    for (let left = 0; left < n; left += tile) {
      const shared = { a: new Float64Array(tile * tile), b: new Float64Array(tile * tile) };
      const thread = function* (
        row: number,
        column: number,
      ): Generator<"step" | "barrier", void, void> {
        let sum = 0;
        for (let at = 0; at < n; at += tile) {
          shared.a[row * tile + column] = a[(top + row) * n + at + column];
          shared.b[row * tile + column] = b[(at + row) * n + left + column];
          reads += 2;
          yield barriers.afterLoad ? "barrier" : "step";
          for (let k = 0; k < tile; k++) {
            sum += shared.a[row * tile + k] * shared.b[k * tile + column];
            yield "step";
          }
          yield barriers.afterUse ? "barrier" : "step";
        }
        product[(top + row) * n + left + column] = sum;
      };
      const threads = Array.from(
        { length: tile * tile },
        (_, i) => thread(Math.floor(i / tile), i % tile),
      );
      run(threads, order);
    }
  }
  return { product, readsPerThread: reads / (n * n) };
}

/** Runs threads to their ends; at a barrier a thread waits for all others. */
function run(threads: Generator<"step" | "barrier", void, void>[], order: Order): void {
  const random = new Random(9);
  let running = threads.map((thread, i) => ({ thread, i }));
  while (running.length > 0) {
    const waiting: typeof running = [];
    while (running.length > 0) {
      const at = order === "last first"
        ? running.length - 1
        : order === "at random"
        ? random.integer(running.length)
        : 0;
      const [one] = running.splice(at, 1);
      const { value, done } = one.thread.next();
      if (done) continue;
      if (value === "barrier") waiting.push(one);
      // Which thread is next: the same one, unless all are in step.
      else if (order === "all in step") running.push(one);
      else if (order === "last first") running.push(one);
      else running.unshift(one);
    }
    running = waiting.sort((x, y) => x.i - y.i);
  }
}

/**
 * Shows what each order makes of a product, with and without a barrier.
 *
 * @param n Rows of the matrices.
 * @param tile Side of a tile.
 * @returns Switches for the barriers and buttons for the order; wrong elements are marked.
 */
export function raceRevealer(n = 8, tile = 4): View {
  const random = new Random(3);
  const [a, b] = [0, 1].map(() => Float64Array.from({ length: n * n }, () => random.integer(5)));
  const right = multiplyTiled(a, b, n, tile, { afterLoad: true, afterUse: true }, ORDERS[0]);
  return frames(
    { order: ORDERS, afterLoad: [false, true], afterUse: [false, true] },
    ({ order, afterLoad, afterUse }) => {
      const { product, readsPerThread } = multiplyTiled(
        a,
        b,
        n,
        tile,
        { afterLoad, afterUse },
        order,
      );
      return drawProduct(product, right.product, n, order, readsPerThread);
    },
    {
      title: "A tiled product, replayed",
      start: { order: "all in step", afterLoad: true, afterUse: true },
      labels: {
        order: "threads run",
        afterLoad: "barrier after loading",
        afterUse: "barrier after using",
      },
    },
  );
}

const [CELL_WIDTH, CELL_HEIGHT] = [44, 26];

/** The product's elements; one that is wrong, by however little, is red and has a cross. */
function drawProduct(
  product: Float64Array,
  right: Float64Array,
  n: number,
  order: string,
  reads: number,
): View {
  const wrong = product.filter((value, i) => value !== right[i]).length;
  const said = `${wrong} of ${n * n} elements are wrong; ${reads} slow reads per thread`;
  const cells = Array.from(product, (value, i) => {
    const [x, y] = [(i % n) * CELL_WIDTH, Math.floor(i / n) * CELL_HEIGHT];
    const isWrong = value !== right[i];
    return `<rect x="${x + 1}" y="${y + 1}" width="${CELL_WIDTH - 2}" height="${
      CELL_HEIGHT - 2
    }" rx="3" fill="${isWrong ? "rgba(217,83,79,.35)" : "rgba(42,148,97,.18)"}" stroke="${
      isWrong ? "#d9534f" : "none"
    }"/><text x="${x + CELL_WIDTH / 2}" y="${
      y + 17
    }" text-anchor="middle" fill="currentColor" font-weight="${isWrong ? 700 : 400}">${
      isWrong ? "✗ " : ""
    }${value}</text>`;
  });
  const [width, height] = [n * CELL_WIDTH, n * CELL_HEIGHT];
  const alt = `Threads ${order}: ${said}.`;
  return new View(() => ({
    "text/html": `<p style="margin:4px 0"><b>${said}</b></p>` +
      `<svg viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="${alt}" ` +
      `style="width:100%;max-width:${width}px;height:auto" font-family="system-ui,sans-serif" ` +
      `font-size="12">${cells.join("")}</svg>` +
      '<p style="margin:4px 0">The elements of the product: green is right, red with ✗ is wrong.</p>',
    "text/plain": alt,
  }));
}
