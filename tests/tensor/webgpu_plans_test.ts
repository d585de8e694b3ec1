// Plans and what is remembered of GPUs: no GPU is needed.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Device } from "../../lib/tensor/mod.ts";
import { backwardProgram, forwardProgram } from "../../lib/tensor/ops/attention/attention.gpu.ts";
import { matmulProgram } from "../../lib/tensor/ops/matmul/matmul.gpu.ts";
import { chooseTiling, GPU_TILINGS, TILINGS } from "../../lib/tensor/ops/matmul/tilings.ts";
import { recall, remember } from "../../lib/tensor/webgpu/measurements.ts";
import {
  elementwise,
  fold,
  MAX_DISPATCH_FLOPS,
  MAX_WORKGROUPS,
  rowParts,
} from "../../lib/tensor/webgpu/plans.ts";
import { repeatLines } from "../../lib/tensor/webgpu/repeat_lines.ts";
import { loadTuning, tune } from "../../lib/tensor/webgpu/tuning.ts";
import { withCache } from "./own_cache.ts";

const limits = {
  maxBindingSize: 4096,
  offsetAlignment: 256,
  software: false,
  tuning: {},
};

Deno.test("fold() gives enough workgroups and no dimension more than WebGPU guarantees", () => {
  for (const count of [0, 1, 65_535, 65_536, 65_537, 1_000_003, 2 ** 31]) {
    const [x, y] = fold(count);
    assert(x <= MAX_WORKGROUPS && y <= MAX_WORKGROUPS && x * y >= count && x >= 1, `${count}`);
    assert(x * y < count * 1.01 + 2, `${count}: ${x} × ${y} is far too many`);
  }
});

Deno.test("rowParts() covers all rows, aligned, each within a binding", () => {
  for (const width of [1, 3, 4, 7, 12, 16]) {
    for (const rows of [0, 1, 63, 64, 65, 1000]) {
      const parts = rowParts(rows, { x: width, y: 2 * width }, limits);
      assertEquals(parts.reduce((sum, { count }) => sum + count, 0), rows);
      let next = 0;
      for (const { first, count, ranges: { x, y } } of parts) {
        assertEquals(first, next);
        next += count;
        for (const [range, elements] of [[x!, width], [y!, 2 * width]] as const) {
          assertEquals(range.offset, first * elements * 4);
          assertEquals(range.offset % limits.offsetAlignment, 0);
          assert(range.size <= limits.maxBindingSize && range.size >= count * elements * 4);
        }
      }
    }
  }
});

Deno.test("rowParts() refuses rows that cannot be divided off", () => {
  assertThrows(() => rowParts(2, { x: 1025 }, limits), RangeError, 'of the buffer "x" to a kernel');
});

Deno.test("elementwise() covers every element once", () => {
  const program = elementwise<"x", "size">({ source: "", size: "size", buffers: ["x"] });
  const dispatches = program.plan({
    ...limits,
    params: { size: 2500 },
    byteLengths: { x: 10_000 },
  });
  assertEquals(dispatches.map(({ params }) => params!.size), [1024, 1024, 452]);
  assertEquals(dispatches.map(({ ranges }) => ranges!.x!.offset), [0, 4096, 8192]);
});

Deno.test("matmul's plan: one dispatch where all fits, few rows by another kernel", () => {
  const params = {
    m: 12,
    n: 8,
    k: 8,
    transposeA: 0,
    transposeB: 0,
    hasBias: 0,
    accumulate: 0,
    bOffset: 0,
    cOffset: 0,
    cStride: 8,
    biasOffset: 0,
    aOffset: 0,
  };
  const byteLengths = { a: 1024, b: 1024, bias: 1024, c: 1024 };
  const plan = (changes: Partial<typeof params>) =>
    matmulProgram.plan({ ...limits, params: { ...params, ...changes }, byteLengths });
  assertEquals(plan({}).length, 1);
  assertEquals(plan({}).map(({ entryPoint }) => entryPoint), [undefined]);
  assertEquals(plan({ m: 8 }).map(({ entryPoint }) => entryPoint), ["columns"]);
  assertEquals(plan({ m: 8, transposeB: 1 }).map(({ entryPoint }) => entryPoint), ["dots"]);
  // b has 150 rows of 32 bytes, 120 of which fit beside an alignment: its sums come in two parts, the bias with the last.
  const parts = plan({ k: 150, hasBias: 1 });
  assertEquals(parts.map(({ params }) => params), [
    { m: 6, n: 8, k: 120, hasBias: 0, accumulate: 0 },
    { m: 6, n: 8, k: 30, hasBias: 1, accumulate: 1 },
    { m: 6, n: 8, k: 120, hasBias: 0, accumulate: 0 },
    { m: 6, n: 8, k: 30, hasBias: 1, accumulate: 1 },
  ]);
});

Deno.test("the inner sum of a product with few rows and many terms is divided on hardware, by its shape", () => {
  const flags = { transposeA: 0, transposeB: 0, hasBias: 0, accumulate: 0 };
  const offsets = { aOffset: 0, bOffset: 0, cOffset: 0, biasOffset: 0 };
  const partsOf = (m: number, n: number, k: number, changes = {}) => {
    const plan = matmulProgram.plan({
      ...{ ...limits, maxBindingSize: 2 ** 27, ...changes },
      params: { m, n, k, ...flags, ...offsets, cStride: n },
      byteLengths: { a: 4 * m * k, b: 4 * k * n, bias: 16, c: 4 * m * n },
    });
    return plan.length === 1 ? 1 : plan[0].workgroups[2];
  };
  // GPT-2 Medium: the gradient of the hidden rows that count, a layer with few tokens and with many, and its attention.
  assertEquals(partsOf(105, 1024, 8192), 4);
  assertEquals(partsOf(64, 1024, 4096), 8);
  assertEquals(partsOf(280, 1024, 4096), 1);
  assertEquals(partsOf(64, 1024, 1024), 1);
  assertEquals(partsOf(8, 1024, 4096), 1); // few_rows.wgsl
  assertEquals(partsOf(105, 1024, 8192, { software: true }), 1);
  assertEquals(partsOf(105, 1024, 8192, { tuning: { matmulSmall: "register 4x4" } }), 4);
});

Deno.test("chooseTiling() takes what was measured, otherwise the usual", () => {
  const choose = (size: number, software: boolean, tuning: Record<string, string>) =>
    chooseTiling(size, size, size, { software, tuning }).name;
  assertEquals(choose(2048, false, {}), "shared 64x64x16 4x4");
  assertEquals(choose(64, false, {}), "shared 32x32x32 4x4");
  assertEquals(choose(2048, true, {}), "register 12x16");
  assertEquals(choose(512, true, {}), "register 8x8");
  assertEquals(choose(64, true, {}), "register 4x4");
  const tuning = { matmul: "shared 128x128x8 8x8", matmulSmall: "register 8x8" };
  assertEquals(choose(2048, false, tuning), "shared 128x128x8 8x8");
  assertEquals(choose(64, false, tuning), "register 8x8");
  assertEquals(choose(64, false, { matmulSmall: "no such tiling" }), "shared 32x32x32 4x4");
});

Deno.test("repeatLines() repeats marked lines only", () => {
  assertEquals(repeatLines("a\nx$d = $du;\nb", "$d", 2), "a\nx0 = 0u;\nx1 = 1u;\nb");
});

Deno.test("remember() keeps measurements, recall() ignores a damaged file", () =>
  withCache(async (path) => {
    assertEquals(await recall("a"), undefined);
    await remember("a", { speed: "1" });
    await remember("b", { speed: "2" });
    assertEquals(await recall("a"), { speed: "1" });
    assertEquals(await recall("b"), { speed: "2" });
    for (const damaged of ["", "{", "[]", "null", '{"a": 3}', '{"a": {"speed": 3}}']) {
      await Deno.writeTextFile(path, damaged);
      assertEquals(await recall("a"), undefined, damaged);
    }
    await remember("a", { speed: "3" });
    assertEquals(await recall("a"), { speed: "3" });
  }));

/** In place of a check of products, for devices that compute none. */
const check = () => Promise.resolve();

/** What `tune()` needs of a device that computes nothing: each trial is timed by a function of its names. */
function trials(seconds: (name: string, tiling: string) => number) {
  let trial: [string, string];
  const used: Record<string, string>[] = [];
  return {
    device: {} as Device,
    used,
    use: (tuning: Record<string, string>) => {
      used.push(tuning);
      [trial] = Object.entries(tuning);
      return Promise.resolve();
    },
    time: () => Promise.try(() => seconds(...trial)),
  };
}

Deno.test("tune() chooses the fastest tiling of each kind of product and remembers it", () =>
  withCache(async () => {
    const fast = { matmul: "shared 128x64x16 8x4", matmulSmall: "register 4x4" };
    const { device, use, time } = trials((name, tiling) =>
      fast[name as keyof typeof fast] === tiling ? 0.001 : 0.002
    );
    assertEquals(await loadTuning("an adapter"), undefined);
    const best = await tune("an adapter", device, use, { check, time });
    assertEquals(best, fast);
    assertEquals(await loadTuning("an adapter"), fast);
    assert(TILINGS.has(best.matmul));
    assertEquals(await loadTuning("another"), undefined);
  }));

Deno.test("tune() leaves out tilings that fail, and fails where all do", () =>
  withCache(async () => {
    const refused = new Set<string>();
    const tried: string[] = [];
    const { device, use, used, time } = trials((_, tiling) => {
      tried.push(tiling);
      if (refused.has(tiling)) throw new Error(`cannot compile "${tiling}"`);
      return 1;
    });
    const names = GPU_TILINGS.map(({ name }) => name);
    for (const name of names) if (name !== "shared 128x128x8 8x8") refused.add(name);
    const only = { matmul: "shared 128x128x8 8x8", matmulSmall: "shared 128x128x8 8x8" };
    assertEquals(await tune("an adapter", device, use, { check, time }), only);
    assertEquals([...new Set(tried)], names);
    assertEquals(used.at(-1), only, "what the last trial broke is fixed");
    refused.add("shared 128x128x8 8x8");
    await assertRejects(
      () => tune("another", device, use, { check, time }),
      Error,
      'cannot compile "register 8x8"',
    );
    assertEquals(await loadTuning("another"), undefined);
  }));

Deno.test("tune() leaves out tilings whose products are wrong, and those in which a process ended", () =>
  withCache(async () => {
    const names = GPU_TILINGS.map(({ name }) => name);
    const checked: string[] = [];
    const { device, use, time } = trials(() => 1);
    let tiling = "";
    const trial = async (tuning: Record<string, string>) => {
      tiling = tuning.matmul ?? tiling;
      await use(tuning);
    };
    // A process that ends in the third, for this one, is a check that never comes back.
    const reached = Promise.withResolvers<void>();
    const endsInCheck = async () => {
      if (tiling !== names[2]) return;
      reached.resolve();
      await new Promise(() => {});
    };
    tune("an adapter", device, trial, { check: endsInCheck, time });
    await reached.promise;
    const failsInFirst = () => {
      checked.push(tiling);
      return tiling === names[0] ? Promise.reject(new Error("wrong")) : Promise.resolve();
    };
    const best = await tune("an adapter", device, trial, { check: failsInFirst, time });
    assertEquals(checked, names.toSpliced(2, 1));
    for (const chosen of Object.values(best)) assert(![names[0], names[2]].includes(chosen));
  }));

Deno.test("no dispatch of a product or an attention takes longer than a watchdog allows", () => {
  const whole = { ...limits, maxBindingSize: 2 ** 30 };
  const product = { m: 300_001, n: 4096, k: 4096, transposeA: 0, transposeB: 0, accumulate: 0 };
  const offsets = { aOffset: 0, bOffset: 0, cOffset: 0, cStride: 4096, biasOffset: 0, hasBias: 0 };
  const products = matmulProgram.plan({
    ...whole,
    params: { ...product, ...offsets },
    byteLengths: { a: 2 ** 33, b: 2 ** 26, bias: 0, c: 2 ** 33 },
  });
  assertEquals(products.reduce((rows, { params }) => rows + params!.m!, 0), product.m);
  for (const { params } of products) {
    assert(2 * params!.m! * product.n * product.k <= MAX_DISPATCH_FLOPS);
  }
  const [tokens, heads, headDim] = [20_000, 32, 128];
  const width = heads * headDim;
  const shape = { tokens, heads, kvHeads: heads, headDim, window: 0, scale: 1 };
  const columns = { qWidth: width, kWidth: width, vWidth: width, qFirst: 0, kFirst: 0, vFirst: 0 };
  const dropout = { seed: 0, threshold: 0, factor: 1, rowsBefore: 0, rowsInAll: tokens };
  const params = { ...shape, ...columns, ...dropout };
  const size = 4 * tokens * width;
  const buffers = { q: size, k: size, v: size, tree: 8 * tokens, y: size, statistics: size };
  const forward = forwardProgram.plan({ ...whole, params, byteLengths: buffers });
  const backward = backwardProgram.plan({
    ...whole,
    params: { ...params, accumulateQ: 0, accumulateK: 0, accumulateV: 0, together: 0 },
    byteLengths: { ...buffers, dy: size, dq: size, dk: size, dv: size },
  });
  const rowsOf = (name: string) => ({ uniforms }: { uniforms?: Record<string, number> }) =>
    uniforms![name];
  const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
  assertEquals(sum(forward.map(rowsOf("rowCount"))), tokens);
  for (const rows of forward.map(rowsOf("rowCount"))) {
    assert(4 * rows * tokens * width <= MAX_DISPATCH_FLOPS);
  }
  const keys = backward.filter(({ buffers }) => buffers!.includes("dk"));
  const queries = backward.filter(({ buffers }) => buffers!.includes("dq"));
  assertEquals(sum(queries.map(rowsOf("rowCount"))), tokens);
  assertEquals(sum(keys.map(rowsOf("keyCount"))), tokens);
  for (const count of [...queries.map(rowsOf("rowCount")), ...keys.map(rowsOf("keyCount"))]) {
    assert(6 * count * tokens * width <= MAX_DISPATCH_FLOPS);
  }
});
