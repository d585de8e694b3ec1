/**
 * `deno task nano`: pre-trains the embedded nano GPT-2 on the generated corpus, with this very library, and writes
 * it to `data/nano` in F16. About half an hour on two cores with a BLAS.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { fromFileUrl } from "@std/path/from-file-url";
import { type Progress, progress } from "../../lib/cli/progress.ts";
import { Gpt2, lossOf, saveNetwork } from "../../lib/model/mod.ts";
import type { ForestBatch } from "../../lib/dataset/mod.ts";
import { Random } from "../../lib/random.ts";
import { backward, globalNorm, scope, Tensor } from "../../lib/tensor/mod.ts";
import { pick } from "../../lib/tensor/pick.ts";
import { gpt2Tokenizer } from "../../lib/text/mod.ts";
import { AdamW } from "../../lib/train/mod.ts";
import { CORPUS_SEED, documents } from "./corpus.ts";

/** The model's shape: 7.3 million weights, most of them the embedding of GPT-2's vocabulary. */
const CONFIG = {
  vocabularySize: 50257,
  contextLength: 256,
  width: 128,
  layers: 4,
  heads: 4,
  initializerRange: 0.06, // the published 0.02 is for far wider models
};

const SEED = 123;
/** Sequences per batch, and tokens per sequence. */
const BATCH_SIZE = 8;
const LENGTH = 160;
const WARM_UP_STEPS = 60;
/** Steps on the whole vocabulary, after those on the tokens that the corpus has. */
const WHOLE_STEPS = 100;

/** Linear warm-up, then a cosine down to a tenth of the peak. */
function scheduled(peak: number, step: number, steps: number): number {
  if (step <= WARM_UP_STEPS) return peak * step / WARM_UP_STEPS;
  const done = (step - WARM_UP_STEPS) / (steps - WARM_UP_STEPS);
  return peak * (0.1 + 0.45 * (1 + Math.cos(Math.PI * done)));
}

/** The first tokens of the corpus, its documents closed by the end-of-text token. */
function corpusTokens(count: number): number[] {
  const tokenizer = gpt2Tokenizer();
  const tokens: number[] = [];
  for (const document of documents(CORPUS_SEED)) {
    tokens.push(...tokenizer.encode(document), tokenizer.eosId);
    if (tokens.length >= count) break;
  }
  return tokens.slice(0, count);
}

/** Sequences side by side, each token predicting the next. */
function batchAt(corpus: Int32Array, step: number): ForestBatch {
  const count = BATCH_SIZE * LENGTH;
  const tokens = corpus.slice((step - 1) * count, step * count);
  const targets = corpus.slice((step - 1) * count + 1, step * count + 1);
  return {
    tokens,
    positions: tokens.map((_, i) => i % LENGTH),
    end: tokens.map((_, i) => i - i % LENGTH + LENGTH),
    edges: { rows: tokens.map((_, i) => i), targets, counts: new Float32Array(count).fill(1) },
  };
}

/** Trains on the corpus from some step to another; returns the last loss, smoothed. */
async function train(
  model: Gpt2,
  corpus: Int32Array,
  [first, last]: [number, number],
  learningRateAt: (step: number) => number,
  bar: Progress,
): Promise<number> {
  using optimizer = new AdamW(model.parameters, { beta2: 0.98 });
  let smooth = NaN;
  for (let step = first; step <= last; step++) {
    using lossTensor = scope(() => {
      const loss = lossOf(model, batchAt(corpus, step));
      backward(loss);
      return loss;
    });
    const gradients = [...model.parameters.values()].map(({ grad }) => grad as Tensor);
    const [loss, norm] = await Promise.all([lossTensor.item(), globalNorm(gradients)]);
    optimizer.step(learningRateAt(step), Math.min(1, 1 / norm));
    smooth = Number.isNaN(smooth) ? loss : 0.97 * smooth + 0.03 * loss;
    bar.update(step, `loss ${smooth.toFixed(3)}`);
  }
  return smooth;
}

/**
 * Gives a model that knows some tokens the whole vocabulary: tokens it does not know begin as the mean of those it
 * does, and a little noise.
 */
async function widen(model: Gpt2, known: readonly number[]): Promise<Gpt2> {
  const { width } = CONFIG;
  const narrow = await model.head.data();
  const mean = new Float32Array(width);
  narrow.forEach((value, i) => mean[i % width] += value / known.length);
  const random = new Random([SEED, 1]);
  const table = Float32Array.from(
    { length: CONFIG.vocabularySize * width },
    (_, i) => mean[i % width] + 0.02 * random.normal(),
  );
  known.forEach((id, i) => table.set(narrow.subarray(i * width, (i + 1) * width), id * width));
  const wte = Tensor.from(model.device, table, [CONFIG.vocabularySize, width]).keep();
  return new Gpt2(CONFIG, new Map([...model.parameters, ["wte.weight", wte]]));
}

if (import.meta.main) {
  const args = parseArgs(Deno.args, { string: ["steps", "out"] });
  const steps = Number(args.steps ?? 8000);
  const directory = args.out ?? fromFileUrl(new URL(".", import.meta.url));
  const device = await pick();
  const bar = progress(`nano on ${device.name}`, steps + WHOLE_STEPS);

  // Nine tenths of GPT-2's tokens never occur in the corpus, and the vocabulary is most of the arithmetic: so most
  // steps know only the tokens that do occur, and the last ones teach the whole that the others are unlikely.
  const ids = corpusTokens((steps + WHOLE_STEPS) * BATCH_SIZE * LENGTH + 1);
  const known = [...new Set(ids)].sort((a, b) => a - b);
  const indices = new Map(known.map((id, i) => [id, i]));
  const narrow = Gpt2.create(device, { ...CONFIG, vocabularySize: known.length }, { seed: SEED });
  const narrowCorpus = Int32Array.from(ids, (id) => indices.get(id)!);
  await train(narrow, narrowCorpus, [1, steps], (step) => scheduled(6e-3, step, steps), bar);

  const model = await widen(narrow, known);
  const last = steps + WHOLE_STEPS;
  const loss = await train(model, Int32Array.from(ids), [steps + 1, last], () => 2e-4, bar);
  const { bytes, sha256 } = await saveNetwork(model, directory, { dtype: "F16" });
  bar.finish(`loss ${loss.toFixed(3)}; wrote ${bytes} bytes, SHA-256 ${sha256}`);
  device.close();
}
