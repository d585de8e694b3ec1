// GPT-2 Medium with random weights, trained on the real instruction data beside PyTorch: the same losses, and what is
// saved is read by both.

import { assertEquals } from "@std/assert";
import type { EncodedExample } from "../../lib/dataset/encode.ts";
import { generate, loadNetwork, lossOf, saveNetwork } from "../../lib/model/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { noGrad, scope } from "../../lib/tensor/mod.ts";
import { sft } from "../../lib/train/mod.ts";
import { forest } from "../../lib/dataset/mod.ts";
import { CASES } from "../bench/cases.ts";
import { measure } from "../bench/harness.ts";
import { randomWeights, type Size } from "../bench/weights.ts";
import { assertClose, findPython, findTestData } from "../support.ts";

const STEPS = 3;
const SIZE: Size = "medium";
const python = findPython("torch", "transformers");
const data = findTestData();

Deno.test({
  name: `GPT-2 Medium trains to PyTorch's losses, is saved and read again${
    python.needs || data.needs
  }`,
  ignore: !python.found || !data.found,
  async fn() {
    const folder = await randomWeights(SIZE, python.path);
    const saved = await Deno.makeTempDir({ prefix: "tunebook-parity-" });
    const device = new CpuDevice();
    try {
      const options = { size: SIZE, python: python.path, device: "cpu" } as const;
      const { contestants: [ours, peer], prepare } = (await CASES.step(options))!;
      const pyTorchLosses = async (rounds: number, changed: Record<string, unknown> = {}) => {
        const peers = [{ ...peer, prepare: { ...peer.prepare, ...changed } }];
        const [{ runs }] = await measure(peers, prepare, { rounds, warmUps: 0 });
        return runs.map(({ loss }) => loss as number);
      };
      const batches = ours.prepare!.examples as EncodedExample[][];
      const examples = batches.flat();

      const { network: model } = await loadNetwork(folder, { device });
      const losses: number[] = [];
      using training = sft(model, { examples, order: "given", maxSteps: STEPS, evalEvery: 0 });
      for await (const step of training) losses.push(step.loss);
      assertEquals(losses.length, STEPS);
      assertClose(losses, await pyTorchLosses(STEPS), { relative: 1e-4 }, "losses while training");

      await saveNetwork(model, saved);
      const read = (await loadNetwork(saved, { device })).network;
      for (const [name, tensor] of model.parameters) {
        assertEquals(await read.parameters.get(name)!.data(), await tensor.data(), name);
      }
      const prompts = examples.slice(0, 2).map(({ promptIds }) => promptIds);
      const answers = await generate(model, prompts, { maxNewTokens: 8 });
      assertEquals(answers.map(({ tokens }) => tokens.length), [8, 8]);
      assertEquals(await generate(read, prompts, { maxNewTokens: 8 }), answers);

      using loss = noGrad(() => scope(() => lossOf(read, forest(batches[0]))));
      const still = await pyTorchLosses(1, { model: saved, lr: 0, weightDecay: 0 });
      assertClose([await loss.item()], still, { relative: 1e-4 }, "the loss of the saved");
    } finally {
      device.close();
      await Deno.remove(saved, { recursive: true });
    }
  },
});
