/**
 * How fast a GPU multiplies and adds at most: fused multiply-adds in registers, which read no memory. Products of matrices are
 * measured against it.
 *
 * @module
 */

import { defineKernel, type Device } from "../device.ts";
import { Tensor } from "../tensor.ts";
import wgsl from "./peak.wgsl" with { type: "text" };
import { repeatLines } from "./repeat_lines.ts";

/** Chains of vectors that a thread computes side by side: enough to hide how long one takes. */
const CHAINS = 8;

/** Floating-point operations of a thread and round: four components, each multiplied and added. */
const FLOPS_PER_ROUND = CHAINS * 4 * 2;

const THREADS_PER_GROUP = 256;

const peakKernel = defineKernel({
  name: "peak",
  buffers: { y: "write" },
  params: { rounds: "u32", factor: "f32", groups: "u32" },
  flops: ({ rounds, groups }) => rounds * groups * THREADS_PER_GROUP * FLOPS_PER_ROUND,
  webgpu: {
    source: repeatLines(wgsl, "$c", CHAINS),
    plan: ({ params }: { params: Readonly<Record<"groups", number>> }) => [
      { workgroups: [params.groups] },
    ],
  },
});

/**
 * Measures the peak of 32-bit fused multiply-adds.
 *
 * @param device A GPU.
 * @param options Workgroups of 256 threads: enough to fill the GPU; and seconds that the measured run lasts at least.
 * @returns Floating-point operations per second, a multiply-add counted as two.
 */
export async function measurePeak(
  device: Device,
  { groups = 2048, seconds = 0.2 }: { groups?: number; seconds?: number } = {},
): Promise<number> {
  using y = Tensor.empty(device, [groups * THREADS_PER_GROUP]).keep();
  let best = 0;
  for (let rounds = 16;; rounds *= 4) {
    // Twice, since a clock that slept wakes up only now.
    for (let i = 0; i < 2; i++) {
      const before = performance.now();
      device.run(peakKernel, { y: y.buffer }, { rounds, factor: 0.999, groups });
      await device.sync();
      const taken = (performance.now() - before) / 1000;
      best = Math.max(best, rounds * groups * THREADS_PER_GROUP * FLOPS_PER_ROUND / taken);
      if (taken >= seconds && i === 1) return best;
    }
  }
}
