/**
 * What sums over ranks cost a training step: bytes, seconds, and how many of these the backward pass hides.
 *
 *     mpirun -n 2 deno run -A tests/bench/ranks.ts --shape gpt2-medium
 *
 * Weights and examples are random, which costs as much as real ones. Rank 0 prints a row for the table of README.md. Run it with
 * a node per rank: ranks of one machine divide its cores, and their sums go through its memory.
 */

import { Command, Option } from "commander";
import type { EncodedExample } from "../../lib/dataset/mod.ts";
import { addLora, Gpt2, GPT2_SIZES, Llama, type Network } from "../../lib/model/mod.ts";
import { Random } from "../../lib/random.ts";
import { type Device, pick } from "../../lib/tensor/mod.ts";
import { type Communicator, joinRanks, sft } from "../../lib/train/mod.ts";

const SHAPES = ["gpt2-medium", "tinyllama-lora"] as const;
/** Steps measured; one more before them allocates. */
const STEPS = 6;
const BATCH_SIZE = 8;
const TINY_LLAMA = {
  ...{ vocabularySize: 32_000, contextLength: 2048, width: 2048, layers: 22 },
  ...{ heads: 32, kvHeads: 4, feedForwardWidth: 5632 },
};
const TOKENS = 60;

/**
 * A model of the shape, with random weights. A narrower one has fewer heads and a smaller vocabulary in proportion, so that
 * all parts keep their shares of the weights and the backward pass its order.
 */
function modelOf(device: Device, shape: typeof SHAPES[number], given?: number): Network {
  const full = shape === "gpt2-medium" ? GPT2_SIZES[shape] : TINY_LLAMA;
  const width = given ?? full.width;
  const narrow = (value: number) => Math.round(value * width / full.width);
  const sizes = {
    ...{ contextLength: full.contextLength, layers: full.layers, width },
    ...{ heads: narrow(full.heads), vocabularySize: narrow(full.vocabularySize) },
  };
  if (shape === "gpt2-medium") return Gpt2.create(device, sizes, { seed: 1 });
  const { kvHeads, feedForwardWidth } = TINY_LLAMA;
  const more = { kvHeads: narrow(kvHeads), feedForwardWidth: narrow(feedForwardWidth) };
  const model = Llama.create(device, { ...sizes, ...more }, { seed: 1 });
  addLora(model, { rank: 8 });
  return model;
}

function randomExamples(): EncodedExample[] {
  const random = new Random(1);
  const words = (count: number) => Array.from({ length: count }, () => random.integer(1000));
  return Array.from({ length: BATCH_SIZE * (STEPS + 1) }, () => ({
    promptIds: words(TOKENS / 2),
    responseIds: words(TOKENS / 2),
    instructionLength: 1,
  }));
}

/** The same ranks, with other sums. */
function withSums(communicator: Communicator, sum: Communicator["sum"]): Communicator {
  return {
    rank: communicator.rank,
    size: communicator.size,
    hosts: communicator.hosts,
    spent: communicator.spent,
    sum,
    gather: (values) => communicator.gather(values),
    gatherText: (text) => communicator.gatherText(text),
    broadcastText: (text) => communicator.broadcastText(text),
    broadcast: (values) => communicator.broadcast(values),
  };
}

/** The same ranks, whose sums wait for the backward pass. */
function withoutOverlap(communicator: Communicator, device: Device): Communicator {
  return withSums(communicator, async (values) => {
    await device.sync();
    await communicator.sum(values);
  });
}

/** Tells how much of the time of a step's sums the backward pass hides. */
class Overlap {
  readonly communicator: Communicator;
  #sums: [from: number, to: number][] = [];
  #backwardEnd: Promise<number> | undefined;

  constructor(communicator: Communicator, device: Device) {
    this.communicator = withSums(communicator, async (values) => {
      // All of the backward pass has been enqueued by now.
      this.#backwardEnd ??= device.sync().then(() => performance.now());
      const from = performance.now();
      await communicator.sum(values);
      this.#sums.push([from, performance.now()]);
    });
  }

  /** The share of the sums that have passed when the backward pass ends; begins again with the next step. */
  async take(): Promise<number> {
    const end = await this.#backwardEnd!;
    const all = this.#sums.reduce((sum, [from, to]) => sum + to - from, 0);
    const hidden = this.#sums.reduce(
      (sum, [from, to]) => sum + Math.max(0, Math.min(to, end) - from),
      0,
    );
    this.#sums = [];
    this.#backwardEnd = undefined;
    return hidden / all;
  }
}

/** The fastest step's measurements: on a shared machine, those with the least of other work in them. */
async function measure(model: Network, communicator: Communicator, overlap?: Overlap) {
  using training = sft(model, {
    ...{ examples: randomExamples(), batchSize: BATCH_SIZE, evalEvery: 0, communicator },
  });
  let fastest = { bytes: 0, step: Infinity, sums: 0, waiting: 0, hidden: 0 };
  let before = { ...communicator.spent };
  for await (const step of training) {
    const { spent } = communicator;
    const hidden = await overlap?.take() ?? 0;
    if (step.step > 1 && step.seconds < fastest.step) {
      fastest = {
        bytes: spent.bytes - before.bytes,
        step: step.seconds,
        sums: spent.seconds - before.seconds,
        waiting: spent.waiting - before.waiting,
        hidden,
      };
    }
    before = { ...spent };
  }
  return fastest;
}

if (import.meta.main) {
  const { shape, width } = new Command("ranks")
    .addOption(new Option("--shape <name>", "the model").choices(SHAPES).default(SHAPES[0]))
    .option("--width <n>", "a narrower model, for a machine with less memory", Number)
    .parse(["deno", "ranks", ...Deno.args]).opts();
  await using communicator = await joinRanks();
  if (!communicator) throw new Error("Cannot measure one process: start it by mpirun");
  const device = await pick({ device: "cpu" });
  const model = modelOf(device, shape, width);
  const apart = await measure(model, withoutOverlap(communicator, device));
  const overlap = new Overlap(communicator, device);
  const overlapped = await measure(model, overlap.communicator, overlap);
  if (communicator.rank === 0) {
    const s = (value: number) => `${value.toFixed(2)} s`;
    const name = width ? `${shape}, ${width} wide` : shape;
    console.log(
      `| ${name} | ${communicator.size} | ${(overlapped.bytes / 1e6).toFixed(1)} MB | ` +
        `${s(apart.sums - apart.waiting)} | ${s(apart.step)} | ${s(overlapped.step)} | ` +
        `${Math.round(100 * overlapped.hidden)} % |`,
    );
    console.error(`load ${Deno.loadavg().map((load) => load.toFixed(1)).join(" ")}`);
  }
}
