// Real weights from GGUF files beside Hugging Face's transformers on the same dequantised weights, which it reads as we
// save them: logits, beyond the window of those that have one, and greedy text.

import { assert, assertEquals } from "@std/assert";
import {
  attendWithin,
  generate,
  type LanguageModel,
  loadModel,
  logitsOf,
  saveModel,
} from "../../lib/model/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { embedding, noGrad, scope } from "../../lib/tensor/mod.ts";
import { openTokenizer } from "../../lib/text/mod.ts";
import { gemma3, smollm2 } from "../ollama.ts";
import { assertClose } from "../support.ts";
import { askTransformers, type PeerAnswer, transformers } from "./hugging_face.ts";

const NEW_TOKENS = 32;
/** How many of a long sequence's last rows are compared. */
const ROWS = 4;
/** Two logits that are nearer than this may change places where another program adds in another order. */
const CLEAR = 0.01;

const models = [
  {
    name: "SmolLM2-135M-Instruct",
    file: smollm2,
    kind: "LlamaForCausalLM",
    prompt: "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n",
    longLength: 200,
  },
  {
    name: "Gemma 3 270M",
    file: gemma3,
    kind: "Gemma3ForCausalLM",
    prompt: "The capital of France is",
    longLength: 530, // its window is 512
  },
];

for (const { name, file, kind, prompt, longLength } of models) {
  Deno.test({
    name: `${name} gives Hugging Face's logits and greedy text${transformers.needs || file.needs}`,
    ignore: !transformers.found || !file.found,
    async fn() {
      const device = new CpuDevice({ threads: 1 }); // beside other tests it takes no longer
      const folder = await Deno.makeTempDir({ prefix: "tunebook-parity-" });
      try {
        const { model, source } = await loadModel(file.path, { device });
        await saveModel(model, folder);
        const tokenizer = await openTokenizer(source);
        const begin = tokenizer.beginIds;
        const ids = [...begin, ...tokenizer.encode(prompt, { allowedSpecial: "all" })];
        // Tokens that are not rare, and in no order that the model expects.
        const long = Array.from(
          { length: longLength },
          (_, i) => begin[i] ?? 300 + i * 7919 % 10_000,
        );
        const logits = await lastLogits(model, long);
        const [{ tokens }] = await generate(model, [ids], { maxNewTokens: NEW_TOKENS });

        const request = { model: folder, long, rows: ROWS, prompt: ids, newTokens: NEW_TOKENS };
        const [theirs] = await askTransformers([request]);
        assertEquals(theirs.kind, kind);
        assertClose(logits, theirs.logits, { relative: 2e-5 }, "logits");
        compareTexts(tokens, theirs);
      } finally {
        device.close();
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

async function lastLogits(model: LanguageModel, ids: readonly number[]): Promise<Float32Array> {
  const tokens = Int32Array.from(ids);
  const positions = Int32Array.from(tokens.keys());
  const attend = attendWithin({ positions, end: new Int32Array(ids.length).fill(ids.length) });
  using logits = scope(() =>
    noGrad(() => {
      const hidden = model.hidden({ tokens, positions, attend });
      return logitsOf(model, embedding(hidden, positions.slice(-ROWS)));
    })
  );
  return await logits.data();
}

function compareTexts(actual: readonly number[], { tokens, margins }: PeerAnswer): void {
  const differs = actual.findIndex((token, i) => token !== tokens[i]);
  if (differs < 0 || margins[differs] >= CLEAR) return assertEquals(actual, tokens);
  console.log(`token ${differs} is a choice between logits ${margins[differs]} apart`);
  assert(differs >= NEW_TOKENS / 2, "more of the text should be a clear choice");
}
