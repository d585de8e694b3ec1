// A GPU that is lost during a training: the error names what it computed, the last checkpoint stays, and another device
// continues from it to the same bits.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Gpt2 } from "../../lib/model/mod.ts";
import { findAdapter } from "../../lib/tensor/webgpu/adapter.ts";
import { sft } from "../../lib/train/mod.ts";
import { openWebGpu, webGpuNeed } from "../devices.ts";

const examples = Array.from({ length: 12 }, (_, i) => ({
  promptIds: [1, 2, 3 + i],
  responseIds: [20 + i, 39],
  instructionLength: 1,
}));

const shape = { vocabularySize: 40, contextLength: 16, width: 16, layers: 1, heads: 2 };

Deno.test({
  name:
    "a training whose GPU is lost names the last kernels, and resumes from its last checkpoint" +
    (webGpuNeed ? ` (${webGpuNeed})` : ""),
  ignore: webGpuNeed !== undefined,
  async fn() {
    const directory = await Deno.makeTempDir();
    const options = { examples, epochs: 1, batchSize: 2, evalEvery: 0, learningRate: 1e-2 };
    try {
      const adapter = (await findAdapter({ software: true }))!;
      const request = adapter.requestDevice.bind(adapter);
      let gpu: GPUDevice | undefined;
      Object.defineProperty(adapter, "requestDevice", {
        value: async (descriptor: GPUDeviceDescriptor) => gpu = await request(descriptor),
      });
      const lost = await openWebGpu({ adapter });
      const checkpoint = { directory, every: 1 };
      using training = sft(Gpt2.create(lost, shape), { ...options, checkpoint });
      const error = await assertRejects(async () => {
        for await (const { step } of training) if (step === 3) gpu!.destroy();
      }, Error);
      assertMatch(error.message, /^Cannot continue with the GPU "[^"]+": it was lost \(.*\)/);
      assertMatch(error.message, /the last kernels that it was sent are (".+", )*"adamw"/);
      assert(lost.hasFailed);

      const device = await openWebGpu();
      const straight = Gpt2.create(device, shape);
      await sft(straight, options).finish();
      const resumed = Gpt2.create(device, shape);
      const continued = sft(resumed, { ...options, checkpoint, resume: true });
      await continued.start();
      assertEquals(continued.step, 2);
      await continued.finish();
      for (const [name, weight] of resumed.parameters) {
        assertEquals(await weight.data(), await straight.parameters.get(name)!.data(), name);
      }
      device.close();
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
