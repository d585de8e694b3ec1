// Kernels do not depend on the order in which threads run. Every kernel is translated to JavaScript and run in several orders
// between barriers, which must give the same bits and the CPU's results; accesses to the same word without a barrier are errors.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { compareOperation } from "../../lib/tensor/operation_checks.ts";
import { runEveryKernel } from "./every_kernel.ts";
import { PlanningDevice } from "./wgsl/planning_device.ts";
import { runInOrders } from "./wgsl/run.ts";

Deno.test("no kernel has a race, and every operation gives the CPU's results in any order", async () => {
  const cpu = new CpuDevice({ threads: 1 });
  try {
    const device = new PlanningDevice(runInOrders);
    await runEveryKernel(device, async (check) => {
      const comparison = await compareOperation(check, cpu, device);
      assert(comparison.agrees, `${check.name}: ${JSON.stringify(comparison)}`);
    });
    assert(device.seen.size > 250, `${device.seen.size} kernels`);
  } finally {
    cpu.close();
  }
});

/** Runs a kernel on two workgroups of 64 threads, and on a buffer of 128 words that holds 0, 1, 2, … at first. */
function run(body: string, options?: { watch: boolean }): number[] {
  const code = `
    @group(0) @binding(0) var<storage, read_write> y: array<u32>;
    var<workgroup> shared_words: array<u32, 64>;
    @compute @workgroup_size(64)
    fn main(@builtin(local_invocation_index) thread: u32, @builtin(workgroup_id) group: vec3u) {
      let at = group.x * 64u + thread;
      ${body}
    }`;
  const words = Uint32Array.from({ length: 128 }, (_, i) => i);
  const bindings = new Map([[0, new Uint8Array(words.buffer)]]);
  const uniforms = new DataView(new ArrayBuffer(4));
  const dispatch = { code, entryPoint: "main", workgroups: [2, 1, 1], bindings, uniforms } as const;
  runInOrders(dispatch, [0], options);
  return [...words];
}

const REVERSED = (barrier: string) => `
  shared_words[thread] = y[at];
  ${barrier}
  y[at] = shared_words[63u - thread];`;

Deno.test("threads exchange words across a barrier in any order", () => {
  const expected = Array.from({ length: 128 }, (_, i) => i < 64 ? 63 - i : 191 - i);
  assertEquals(run(REVERSED("workgroupBarrier();")), expected);
});

Deno.test("a missing barrier is detected by different bits and by the accesses", () => {
  assertThrows(() => run(REVERSED(""), { watch: false }), Error, "give other bits");
  assertThrows(
    () => run(REVERSED("")),
    Error,
    'reads word 32 of "shared_words" and thread 32 writes',
  );
});

Deno.test("a race that gives the same bits in these orders is detected", () => {
  const count = "shared_words[0] += 1u; workgroupBarrier(); y[at] = shared_words[0];";
  assertEquals(run(count, { watch: false })[0], 64); // a GPU may give less
  assertThrows(() => run(count), Error, 'thread 0 writes word 0 of "shared_words"');
  assertThrows(() => run("y[thread] = 5u;"), Error, 'thread 0 writes word 0 of "y"');
  // The second write is not separated from the reads before it.
  const again = `for (var i = 0u; i < 2u; i++) {
    shared_words[thread] = y[at] + i; workgroupBarrier(); y[at] = shared_words[(thread + 1u) % 64u];
  }`;
  assertThrows(() => run(again), Error, "Race: ");
});

Deno.test("a barrier that some threads do not reach is detected", () => {
  assertThrows(
    () => run("if (thread == 3u) { return; } workgroupBarrier();"),
    Error,
    "wait at different barriers: line 7, the end",
  );
});

Deno.test("a write beyond the end is detected", () => {
  assertThrows(() => run("y[at + 1u] = 0u;"), RangeError, 'writes word 128 of "y"');
});
