// A GPT-2 whose embedding is larger than one binding may show (154 MB of 128 MiB) trains on WebGPU as on the CPU, is
// saved, read again, and generates the same text.

import { assert, assertEquals } from "@std/assert";
import { generate, Gpt2, loadNetwork, saveNetwork } from "../../lib/model/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import type { Device } from "../../lib/tensor/mod.ts";
import { sft } from "../../lib/train/mod.ts";
import { openWebGpu, webGpuNeed } from "../devices.ts";
import { assertClose } from "../support.ts";

const CONFIG = { vocabularySize: 50257, contextLength: 64, width: 768, layers: 1, heads: 12 };
const STEPS = 3;
const MIB = 1024 * 1024;

const examples = Array.from({ length: 2 * STEPS }, (_, i) => ({
  promptIds: [10, 11, 12, 13, 5000 + 7001 * i, 50_000 - i],
  responseIds: [49_999 - 3000 * i, 20 + i, 50256],
  instructionLength: 5,
}));

Deno.test({
  name: `a table larger than one binding trains on WebGPU as on the CPU${
    webGpuNeed ? ` (${webGpuNeed})` : ""
  }`,
  ignore: webGpuNeed !== undefined,
  async fn() {
    const cpu = new CpuDevice();
    const gpu = await openWebGpu({ maxBindingSize: 128 * MIB });
    const folder = await Deno.makeTempDir({ prefix: "tunebook-table-" });
    try {
      assert(CONFIG.vocabularySize * CONFIG.width * 4 > gpu.maxBindingSize);
      const train = async (device: Device) => {
        const model = Gpt2.create(device, CONFIG, { seed: 5 });
        const losses: number[] = [];
        const options = { examples, batchSize: 2, order: "given", evalEvery: 0 } as const;
        using training = sft(model, { ...options, learningRate: 1e-3 });
        for await (const { loss } of training) losses.push(loss);
        return { model, losses };
      };
      const onGpu = await train(gpu);
      const onCpu = await train(cpu);
      assertEquals(onGpu.losses.length, STEPS);
      assertClose(onGpu.losses, onCpu.losses, { relative: 1e-4 }, "losses");

      await saveNetwork(onGpu.model, folder);
      const prompts = examples.slice(0, 2).map(({ promptIds }) => promptIds);
      const answers = await generate(onGpu.model, prompts, { maxNewTokens: 4 });
      for (const device of [gpu, cpu]) {
        const { network: model } = await loadNetwork(folder, { device });
        assertEquals(await generate(model, prompts, { maxNewTokens: 4 }), answers);
      }
    } finally {
      cpu.close();
      gpu.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});
