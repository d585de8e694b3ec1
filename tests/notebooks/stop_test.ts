// Stopping a training cell keeps the model, and training continues from there.

import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { Session } from "../../lib/runtime/mod.ts";

/** How often the training is stopped. */
const STOPS = Number(Deno.env.get("TUNEBOOK_RUNS") ?? 10);

const setUp = `
import { Gpt2, pick, sft } from "tunebook";
const device = await pick({ device: "cpu" });
const config = { vocabularySize: 4000, contextLength: 64, width: 64, layers: 2, heads: 4 };
const ids = (seed: number, length: number) =>
  Array.from({ length }, (_, i) => (seed * 131 + i * i * 17) % 4000);
const examples = Array.from({ length: 400 }, (_, i) => ({
  promptIds: ids(i, 20),
  responseIds: ids(i + 1000, 8),
  instructionLength: 18,
}));
const epochs = ${Math.ceil(STOPS / 6)};
const options = { examples, epochs, seed: 7, evalEvery: 0, learningRate: 1e-3 };
const checksum = async (model: Gpt2) => {
  const sums = [];
  for (const tensor of model.parameters.values()) {
    sums.push((await tensor.data()).reduce((sum, value) => sum + value, 0));
  }
  return JSON.stringify(sums);
};
const model = Gpt2.create(device, config, { seed: 1 });
const training = sft(model, options);
`;

Deno.test(`stopping a training cell ${STOPS} times keeps the model, and the bits of what it becomes`, async () => {
  const cwd = fromFileUrl(new URL("../../notebooks", import.meta.url));
  const session = await Session.start({ cwd });
  const run = async (code: string, options = {}) => {
    const result = await session.execute(code, options);
    return { ...result, text: JSON.stringify(result.outputs) };
  };
  try {
    const begun = await run(setUp);
    assertEquals(begun.status, "ok", begun.text);
    for (let attempt = 0; attempt < STOPS; attempt++) {
      const controller = new AbortController();
      // At one point of a step or another.
      const stop = () => setTimeout(() => controller.abort(), 3 * (attempt % 5));
      const result = await run("for await (const step of training) console.log(step.loss);", {
        signal: controller.signal,
        onOutput: stop,
      });
      assertEquals(result.status, "stopped", result.text);
      const state = await run(
        "console.log(training.step, (await model.head.data()).every(isFinite))",
      );
      assert(/\d+ true/.test(state.text), state.text);
    }
    const done = await run("for await (const _ of training); console.log(await checksum(model))");
    assertEquals(done.status, "ok", done.text);
    const undisturbed = await run(`
const other = Gpt2.create(device, config, { seed: 1 });
for await (const _ of sft(other, options));
console.log(await checksum(other))`);
    assertEquals(undisturbed.status, "ok", undisturbed.text);
    assertEquals(done.text, undisturbed.text);
  } finally {
    await session.close();
  }
});
