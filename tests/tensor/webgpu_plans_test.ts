// Plans and what is remembered of GPUs: no GPU is needed.

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Device } from "../../lib/tensor/mod.ts";
import { matmulProgram } from "../../lib/tensor/ops/matmul/matmul.gpu.ts";
import { chooseTiling, TILINGS } from "../../lib/tensor/ops/matmul/tilings.ts";
import { measurementsPath, recall, remember } from "../../lib/tensor/webgpu/measurements.ts";
import { elementwise, fold, MAX_WORKGROUPS, rowParts } from "../../lib/tensor/webgpu/plans.ts";
import { repeatLines } from "../../lib/tensor/webgpu/repeat_lines.ts";
import { loadTuning, tune } from "../../lib/tensor/webgpu/tuning.ts";

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

Deno.test("chooseTiling() takes what was measured, else what is usual", () => {
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

/** Runs a body with a cache folder of its own. */
async function withCache(body: (path: string) => Promise<void>): Promise<void> {
  const variable = Deno.build.os === "windows" ? "LOCALAPPDATA" : "XDG_CACHE_HOME";
  const before = Deno.env.get(variable);
  const folder = await Deno.makeTempDir({ prefix: "tunebook-cache-" });
  Deno.env.set(variable, folder);
  try {
    await body(measurementsPath()!);
  } finally {
    if (before === undefined) Deno.env.delete(variable);
    else Deno.env.set(variable, before);
    await Deno.remove(folder, { recursive: true });
  }
}

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

Deno.test("tune() chooses the fastest tiling of each kind of product and remembers it", () =>
  withCache(async () => {
    const fast = { matmul: "shared 128x64x16 8x4", matmulSmall: "register 4x4" };
    let trial: Record<string, string> = {};
    let products = 0;
    // A device that does nothing but take its time, by the tiling.
    const device = {
      allocate: (byteLength: number) => ({ byteLength }),
      release() {},
      write() {},
      run: () => products++,
      sync: async () => {
        const [[name, tiling]] = Object.entries(trial);
        const cost = fast[name as keyof typeof fast] === tiling ? 0.2 : 60;
        await new Promise((resolve) => setTimeout(resolve, products * cost));
        products = 0;
      },
    } as unknown as Device;
    assertEquals(await loadTuning("an adapter"), undefined);
    const best = await tune("an adapter", device, (tuning) => trial = tuning);
    assertEquals(best, fast);
    assertEquals(await loadTuning("an adapter"), fast);
    assert(TILINGS.has(best.matmul));
    assertEquals(await loadTuning("another"), undefined);
  }));
