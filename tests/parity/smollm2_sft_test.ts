// SmolLM2-135M-Instruct, fine-tuned on chapter 7's data: the losses of transformers' first steps, from tokens to AdamW.

import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { encodeExamples, loadEntries, splitEntries } from "../../lib/dataset/mod.ts";
import { loadNetwork } from "../../lib/model/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { openTokenizer } from "../../lib/text/mod.ts";
import { sft } from "../../lib/train/mod.ts";
import order from "../../examples/smollm2_sft/order.json" with { type: "json" };
import golden from "../golden/smollm2_sft.json" with { type: "json" };
import { smollm2 } from "../ollama.ts";
import { assertClose, findTestData } from "../support.ts";

const data = findTestData();
const TOLERANCE = { absolute: 1e-4, relative: 0 };

Deno.test({
  name: `SmolLM2's first steps of fine-tuning have transformers' losses${
    smollm2.needs || data.needs
  }`,
  ignore: !smollm2.found || !data.found,
  async fn() {
    const entries = await loadEntries(join(data.path, "instruction-data.json"));
    const { train } = splitEntries(entries, { order: "given" });
    const device = new CpuDevice();
    try {
      const { network: model, source } = await loadNetwork(smollm2.path, { device });
      using training = sft(model, {
        examples: encodeExamples(train, await openTokenizer(source)),
        order: golden.batches,
        learningRate: golden.settings.lr,
        weightDecay: golden.settings.weight_decay,
        mask: "prompt",
        evalEvery: 0,
      });
      const losses: number[] = [];
      const counted: number[] = [];
      for await (const { loss, tokensCounted } of training) {
        losses.push(loss);
        counted.push(tokensCounted);
      }
      assertEquals(counted, golden.counted);
      assertClose(losses, golden.losses, TOLERANCE, "losses");
    } finally {
      device.close();
    }
  },
});

Deno.test("the kept log of SmolLM2's fine-tuning has transformers' losses, in the same order", async () => {
  const log = new URL("../../examples/smollm2_sft/steps.jsonl", import.meta.url);
  const lines = (await Deno.readTextFile(log)).trimEnd().split("\n");
  const steps: { step: number; loss: number; tokensCounted: number }[] = lines.map((line) =>
    JSON.parse(line)
  );
  assertEquals(steps.map(({ step }) => step), order.map((_, i) => i + 1));
  assertEquals(order.slice(0, golden.batches.length), golden.batches);
  const first = steps.slice(0, golden.losses.length);
  assertEquals(first.map(({ tokensCounted }) => tokensCounted), golden.counted);
  assertClose(first.map(({ loss }) => loss), golden.losses, TOLERANCE, "losses");
});
