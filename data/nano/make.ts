/**
 * `deno task nano`: pre-trains the embedded nano GPT-2 on the generated corpus, with this very library, and writes
 * it to `data/nano` in F16. About fifteen minutes on two cores with a BLAS.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { fromFileUrl } from "@std/path";
import { progress } from "../../lib/cli/progress.ts";
import { Gpt2, lossOf, saveModel } from "../../lib/model/mod.ts";
import { backward, globalNorm, scope, type Tensor } from "../../lib/tensor/mod.ts";
import { pick } from "../../lib/tensor/pick.ts";
import { gpt2Tokenizer } from "../../lib/text/mod.ts";
import { AdamW } from "../../lib/train/mod.ts";
import { CORPUS_SEED, documents } from "./corpus.ts";

/** The model's shape: 7.3 million weights, most of them the embedding of GPT-2's vocabulary. */
const CONFIG = { vocabularySize: 50257, contextLength: 256, width: 128, layers: 4, heads: 4 };

const SEED = 123;
/** Sequences a batch, and tokens a sequence. */
const BATCH_SIZE = 4;
const LENGTH = 160;
const PEAK_LEARNING_RATE = 2e-3;
const WARM_UP_STEPS = 60;

/** Linear warm-up, then a cosine down to a tenth of the peak. */
function learningRateAt(step: number, steps: number): number {
  if (step <= WARM_UP_STEPS) return PEAK_LEARNING_RATE * step / WARM_UP_STEPS;
  const done = (step - WARM_UP_STEPS) / (steps - WARM_UP_STEPS);
  return PEAK_LEARNING_RATE * (0.1 + 0.45 * (1 + Math.cos(Math.PI * done)));
}

/** The corpus as one stream of tokens, its documents closed by the end-of-text token. */
function* tokenStream(): Generator<number, never> {
  const tokenizer = gpt2Tokenizer();
  for (const document of documents(CORPUS_SEED)) {
    yield* tokenizer.encode(document);
    yield tokenizer.eosId;
  }
  throw new Error("The corpus has no end");
}

/** Sequences side by side, each token predicting the next. */
function nextBatch(stream: Generator<number, never>) {
  const count = BATCH_SIZE * LENGTH;
  const tokens = new Int32Array(count);
  const targets = new Int32Array(count);
  for (let row = 0; row < count; row += LENGTH) {
    const sequence = Array.from({ length: LENGTH + 1 }, () => stream.next().value);
    tokens.set(sequence.slice(0, -1), row);
    targets.set(sequence.slice(1), row);
  }
  return {
    tokens,
    positions: tokens.map((_, i) => i % LENGTH),
    end: tokens.map((_, i) => i - i % LENGTH + LENGTH),
    edges: { rows: tokens.map((_, i) => i), targets, counts: new Float32Array(count).fill(1) },
  };
}

if (import.meta.main) {
  const args = parseArgs(Deno.args, { string: ["steps", "out"] });
  const steps = Number(args.steps ?? 1500);
  const directory = args.out ?? fromFileUrl(new URL(".", import.meta.url));
  const device = await pick();
  const model = Gpt2.create(device, CONFIG, SEED);
  using optimizer = new AdamW(model.parameters, { beta2: 0.98, weightDecay: 0.1 });
  const stream = tokenStream();
  const bar = progress(`nano on ${device.name}`, steps);
  let smooth = 0;
  for (let step = 1; step <= steps; step++) {
    const batch = nextBatch(stream);
    using lossTensor = scope(() => {
      const loss = lossOf(model, batch);
      backward(loss);
      return loss;
    });
    const gradients = [...model.parameters.values()].map(({ grad }) => grad as Tensor);
    const [loss, norm] = await Promise.all([lossTensor.item(), globalNorm(gradients)]);
    optimizer.step(learningRateAt(step, steps), Math.min(1, 1 / norm));
    smooth = step === 1 ? loss : 0.95 * smooth + 0.05 * loss;
    bar.update(step, `loss ${smooth.toFixed(3)}`);
  }
  const { bytes, sha256 } = await saveModel(model, directory, { dtype: "F16" });
  bar.finish(`loss ${smooth.toFixed(3)}; wrote ${bytes} bytes, SHA-256 ${sha256}`);
  device.close();
}
