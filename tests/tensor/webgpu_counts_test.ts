// What a training step asks of a GPU's driver: on a fast GPU each of these costs more time than the arithmetic. Countable
// on a software adapter, with GPT-2 Medium's depth and a small width.

import { assertEquals, assertLessOrEqual } from "@std/assert";
import { generateTokens, Gpt2, Llama } from "../../lib/model/mod.ts";
import { findAdapter } from "../../lib/tensor/webgpu/adapter.ts";
import { scale, Tensor } from "../../lib/tensor/mod.ts";
import { sft } from "../../lib/train/mod.ts";
import { openWebGpu, webGpuNeed } from "../devices.ts";
import { countingAdapter } from "./counting_gpu.ts";

const ignore = webGpuNeed !== undefined;
const needs = ignore ? ` (${webGpuNeed})` : "";

async function openCounting(limits?: Record<string, number>) {
  const { adapter, take } = countingAdapter((await findAdapter({ software: true }))!, limits);
  return { device: await openWebGpu({ adapter }), take };
}

/** What each step of a training costs. All batches have as many tokens and answers, as batches of one length have. */
async function countSteps<Counts>(
  network: Parameters<typeof sft>[0],
  take: () => Counts,
  batches: number,
): Promise<Counts[]> {
  const batchSize = 4;
  const examples = Array.from({ length: batches * batchSize }, (_, i) => ({
    promptIds: [1, 2, 3, 10 + i, 40 + i],
    responseIds: [80 + i, 120 + i, 299],
    instructionLength: 1,
  }));
  using training = sft(network, { examples, epochs: 1, batchSize, evalEvery: 0 });
  const steps: Counts[] = [];
  for await (const _ of training) steps.push(take());
  return steps;
}

Deno.test({
  name: `a training step needs few dispatches, submissions and new objects${needs}`,
  ignore,
  async fn() {
    const { device, take } = await openCounting();
    try {
      const shape = { vocabularySize: 300, contextLength: 64, width: 16, heads: 2 };
      const network = Gpt2.create(device, { ...shape, layers: 24 });
      const steps = await countSteps(network, take, 5);
      // The first steps compile kernels and make buffers, until these lie in their final order.
      for (const counts of steps.slice(2)) {
        assertLessOrEqual(counts.dispatches, 700);
        assertLessOrEqual(counts.submits, 4);
        assertLessOrEqual(counts.errorScopes, 110);
        assertLessOrEqual(counts.bindGroups, 60);
        // The loss and the norm are read together; the update is not waited for.
        assertEquals([counts.buffers, counts.reads, counts.waits], [0, 1, 0]);
      }
      assertEquals(steps.length, 5);
    } finally {
      device.close();
    }
  },
});

Deno.test({
  name: `a training step of SmolLM2's depth needs few dispatches${needs}`,
  ignore,
  async fn() {
    const { device, take } = await openCounting();
    try {
      const heads = { heads: 9, kvHeads: 3, headDim: 4 };
      const shape = { vocabularySize: 300, contextLength: 64, width: 36, feedForwardWidth: 40 };
      const network = Llama.create(device, { ...shape, ...heads, layers: 30, tied: true });
      const steps = await countSteps(network, take, 3);
      // A norm is two dispatches: its values; all its gradients.
      assertLessOrEqual(steps.at(-1)!.dispatches, 1150);
      assertLessOrEqual(steps.at(-1)!.submits, 4);
    } finally {
      device.close();
    }
  },
});

// AdamW takes four buffers of a parameter: with 8 per kernel two parameters per dispatch instead of sixteen, and the bar of 700
// is not reached.
for (const [buffers, most] of [[16, 700], [8, 760]]) {
  Deno.test({
    name: `a training step needs at most ${most} dispatches if kernels have at most ${buffers} ` +
      `buffers${needs}`,
    ignore,
    async fn() {
      const { device, take } = await openCounting({ maxStorageBuffersPerShaderStage: buffers });
      try {
        assertEquals(device.maxKernelBuffers, buffers);
        const shape = { vocabularySize: 300, contextLength: 64, width: 16, heads: 2 };
        const network = Gpt2.create(device, { ...shape, layers: 24 });
        const steps = await countSteps(network, take, 3);
        assertLessOrEqual(steps.at(-1)!.dispatches, most);
      } finally {
        device.close();
      }
    },
  });
}

Deno.test({
  name:
    `a step makes no buffer once a batch of its size was computed, and none above 32 MiB${needs}`,
  ignore,
  async fn() {
    const { device, take } = await openCounting();
    try {
      const shape = { vocabularySize: 300, contextLength: 64, width: 16, heads: 2 };
      const network = Gpt2.create(device, { ...shape, layers: 3 });
      const examples = Array.from({ length: 40 }, (_, i) => ({
        promptIds: [1, 2, ...Array.from({ length: i * 7 % 23 }, (_, j) => 10 + (i * j) % 50)],
        responseIds: [...Array.from({ length: i * 5 % 13 }, (_, j) => 80 + (i + j) % 90), 299],
        instructionLength: 1,
      }));
      using training = sft(network, { examples, epochs: 3, batchSize: 4, evalEvery: 0 });
      let largest = [0, 0];
      let comparable = 0;
      let largestBuffer = 0;
      for await (const { step, tokensComputed, tokensCounted } of training) {
        const counts = take();
        largestBuffer = Math.max(largestBuffer, counts.largestBuffer);
        const fits = tokensComputed <= largest[0] && tokensCounted <= largest[1];
        // The first steps make the buffers of a step that is under way while the next begins.
        if (step > 3 && fits) {
          comparable++;
          assertEquals(counts.buffers, 0, `step ${step} of ${tokensComputed} tokens`);
        }
        largest = [Math.max(largest[0], tokensComputed), Math.max(largest[1], tokensCounted)];
      }
      assertLessOrEqual(5, comparable);
      // The largest is the uniforms' or a pool's, not a batch's.
      assertLessOrEqual(largestBuffer, 32 * 1024 * 1024);
    } finally {
      device.close();
    }
  },
});

Deno.test({
  name: `a generated token needs few dispatches, one submission and one read${needs}`,
  ignore,
  async fn() {
    const { device, take } = await openCounting();
    try {
      const layers = 24;
      const shape = { vocabularySize: 300, contextLength: 64, width: 16, heads: 2 };
      const network = Gpt2.create(device, { ...shape, layers });
      const tokens = [];
      for await (const _ of generateTokens(network, [[1, 2, 3]], { maxNewTokens: 12 })) {
        tokens.push(take());
      }
      assertEquals(tokens.length, 12);
      // The first tokens compile kernels and make buffers.
      for (const counts of tokens.slice(6)) {
        // Besides the layers: two embeddings and their sum, the last norm, the head.
        assertLessOrEqual(counts.dispatches, 12 * layers + 5);
        assertEquals([counts.submits, counts.reads, counts.waits, counts.buffers], [1, 1, 0, 0]);
        assertLessOrEqual(counts.bufferWrites, 5);
        assertEquals(counts.bindGroups, 0);
        assertLessOrEqual(counts.errorScopes, 20);
      }
    } finally {
      device.close();
    }
  },
});

Deno.test({
  name: `what is read together comes back together, as it was when it was asked for${needs}`,
  ignore,
  async fn() {
    const { device, take } = await openCounting();
    try {
      const x = Tensor.from(device, new Float32Array(1000).fill(1));
      take();
      const small = scale(x, 2).data();
      const odd = Tensor.from(device, [5, 6, 7]).data();
      x.assign(Float32Array.of(9));
      const large = scale(Tensor.from(device, new Float32Array(3000).fill(3)), 1).data();
      const first = Tensor.from(device, [8]).item();
      assertEquals(await small, new Float32Array(1000).fill(2));
      assertEquals(await odd, Float32Array.of(5, 6, 7));
      assertEquals(await large, new Float32Array(3000).fill(3));
      assertEquals(await first, 8);
      assertEquals((await x.data()).subarray(0, 2), Float32Array.of(9, 1));
      assertLessOrEqual(take().reads, 3);
    } finally {
      device.close();
    }
  },
});

Deno.test({
  name: `data that is written between kernels goes along with them, in order${needs}`,
  ignore,
  async fn() {
    const { device, take } = await openCounting();
    try {
      const x = Tensor.from(device, [1]);
      take();
      const results = Array.from({ length: 100 }, (_, i) => {
        x.assign(Float32Array.of(i));
        return scale(x, 2);
      });
      assertEquals(take().submits, 0);
      const read = await Promise.all(results.map((result) => result.item()));
      assertEquals(read, results.map((_, i) => 2 * i));
      const large = Tensor.from(device, new Float32Array(100_000)); // more than goes along
      const before = scale(large, 1);
      large.assign(new Float32Array(100_000).fill(3));
      assertEquals([(await before.data())[99_999], (await scale(large, 1).data())[99_999]], [0, 3]);
    } finally {
      device.close();
    }
  },
});
