// What the main notebook's fine-tuning teaches the embedded model: to answer held-out pairs of the families made by
// rule, exactly. A minute and a half with a BLAS on two cores.

import { assertGreater, assertLess } from "@std/assert";
import { heldOutPairs } from "../../data/nano/held_out.ts";
import {
  cleanResponse,
  encodeExamples,
  encodePrompt,
  generate,
  loadEntries,
  loadNetwork,
  openTokenizer,
  pick,
  resolveModel,
  scoreResponses,
  sft,
  splitEntries,
} from "../../lib/mod.ts";
import { blasNeed } from "../devices.ts";

const file = new URL("../../data/instructions/instruction-data.json", import.meta.url).pathname;

Deno.test({
  name: `one fine-tuning teaches nano what it was never asked${blasNeed ? ` (${blasNeed})` : ""}`,
  ignore: blasNeed !== undefined,
  sanitizeResources: false, // the device's threads
  async fn() {
    const device = await pick({ device: "cpu" });
    const { network: model } = await loadNetwork("nano", { device });
    const tokenizer = await openTokenizer(await resolveModel("nano"));
    const { train } = splitEntries(await loadEntries(file), { order: "given" });
    const heldOut = heldOutPairs().filter(({ item }) => item !== undefined);

    const exactMatch = async () => {
      const answers = await generate(
        model,
        heldOut.map((pair) => encodePrompt(pair, tokenizer)),
        { maxNewTokens: 40, eosId: tokenizer.eosId },
      );
      return scoreResponses(heldOut.map((pair, i) => ({
        ...pair,
        model_response: cleanResponse(tokenizer.decode(answers[i].tokens)),
      }))).exactMatch;
    };

    assertLess(await exactMatch(), 0.05);
    const training = sft(model, {
      examples: encodeExamples(train, tokenizer),
      epochs: 3,
      batchSize: 8,
      learningRate: 1e-3,
      schedule: "cosine",
      warmup: 0.05,
      weightDecay: 0.1,
      seed: 123,
      evalEvery: 0,
    });
    for await (const _ of training);
    assertGreater(await exactMatch(), 0.4);
  },
});
