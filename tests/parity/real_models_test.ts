// Real weights from GGUF files beside Hugging Face's transformers, which reads the same files by itself, and as we save
// them: logits, beyond the window of those that have one, and greedy text.

import { assert, assertEquals } from "@std/assert";
import {
  attendWithin,
  generate,
  loadNetwork,
  logitsOf,
  type Network,
  saveNetwork,
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
/** Of the largest logit. */
const TOLERANCE = { relative: 2e-5 };

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
        const { network: model, source } = await loadNetwork(file.path, { device });
        await saveNetwork(model, folder);
        const tokenizer = await openTokenizer(source);
        const begin = tokenizer.beginIds;
        const ids = [...begin, ...tokenizer.encode(prompt, { allowedSpecial: "all" })];
        // Tokens that are not rare, and in no order that the model expects.
        const long = Array.from(
          { length: longLength },
          (_, i) => begin[i] ?? 300 + i * 7919 % 10_000,
        );
        const logits = await lastLogits(model, long, ROWS);
        const [{ tokens }] = await generate(model, [ids], { maxNewTokens: NEW_TOKENS });

        const request = { long, rows: ROWS, prompt: ids };
        const [theirs, saved] = await askTransformers([
          { model: file.path, newTokens: NEW_TOKENS, ...request },
          { model: folder, newTokens: 1, ...request },
        ]);
        for (const [peer, what] of [[theirs, "GGUF"], [saved, "saved"]] as const) {
          assertEquals(peer.kind, kind);
          assertClose(logits, peer.logits, TOLERANCE, `logits, ${what}`);
        }
        const { best } = theirs;
        const steps = await lastLogits(model, [...ids, ...theirs.tokens.slice(0, -1)], NEW_TOKENS);
        const ours = best.tokens.flatMap((pair, i) =>
          pair.map((id) => steps[i * model.vocabularySize + id])
        );
        assertClose(ours, best.logits.flat(), TOLERANCE, "the two best logits of each step");
        compareTexts(tokens, theirs);
      } finally {
        device.close();
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

/** Logits of the last rows, (rows, V). */
async function lastLogits(
  model: Network,
  ids: readonly number[],
  rows: number,
): Promise<Float32Array> {
  const tokens = Int32Array.from(ids);
  const positions = Int32Array.from(tokens.keys());
  const attend = attendWithin({ positions, end: new Int32Array(ids.length).fill(ids.length) });
  using logits = scope(() =>
    noGrad(() => {
      const hidden = model.hidden({ tokens, positions, attend });
      return logitsOf(model, embedding(hidden, positions.slice(-rows)));
    })
  );
  return await logits.data();
}

function compareTexts(actual: readonly number[], { tokens, best }: PeerAnswer): void {
  const differs = actual.findIndex((token, i) => token !== tokens[i]);
  const margins = best.logits.map(([first, second]) => first - second);
  if (differs < 0 || margins[differs] >= CLEAR) return assertEquals(actual, tokens);
  console.log(`token ${differs} is a choice between logits ${margins[differs]} apart`);
  assert(differs >= NEW_TOKENS / 2, "more of the text should be a clear choice");
}
