/**
 * Proof of size: real training steps of models that would not fit as they are, with random weights of the right shapes.
 *
 *     deno run -A tests/bench/lora.ts 1.1b --steps 3
 *     deno run -A tests/bench/lora.ts 7b --steps 2
 *
 * `1.1b` has TinyLlama's shapes in float32 and LoRA; `7b` has Mistral's, NF4 with doubly quantised scales, bfloat16 tables
 * and LoRA: QLoRA. Each step is `sft`'s own: forward, backward and AdamW of a batch of 64-token examples. It prints the
 * seconds of each step, the arithmetic a second, and the most memory that the process had.
 */

import { Command } from "commander";
import { addLora, Llama, type LlamaConfig, trainableParameters } from "../../lib/model/mod.ts";
import { llamaShapes } from "../../lib/model/families/llama.ts";
import { Random } from "../../lib/random.ts";
import { DOUBLE_HEAD, packedBytes } from "../../lib/tensor/packed.ts";
import { type Device, sizeOf, Tensor } from "../../lib/tensor/mod.ts";
import { pick } from "../../lib/tensor/pick.ts";
import { sft } from "../../lib/train/mod.ts";
import { describeDevice, takeOwnBlasSettings } from "./machine.ts";

const EXAMPLE_TOKENS = 64;

const SHAPES: Record<string, { config: LlamaConfig; batchSize: number; packed: boolean }> = {
  "1.1b": {
    config: {
      vocabularySize: 32_000,
      contextLength: 2048,
      width: 2048,
      layers: 22,
      heads: 32,
      kvHeads: 4,
      feedForwardWidth: 5632,
    },
    batchSize: 4,
    packed: false,
  },
  "7b": {
    config: {
      vocabularySize: 32_000,
      contextLength: 4096,
      width: 4096,
      layers: 32,
      heads: 32,
      kvHeads: 8,
      feedForwardWidth: 14_336,
    },
    batchSize: 4,
    packed: true,
  },
};

/** Random bits, fast: their quality does not matter. */
function randomWords(bytes: number, seed: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(bytes / 4));
  let state = seed | 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, bytes);
}

/** NF4 codes and magnitude codes at random; magnitudes around 0.04, so that weights deviate by about 0.02. */
function randomNf4(device: Device, shape: readonly number[], seed: number): Tensor {
  const { total, scalesAt } = packedBytes("nf4_double", shape[0], shape[1]);
  const bytes = randomWords(total, seed);
  const floats = new Float32Array(bytes.buffer, scalesAt, (total - scalesAt) / 4);
  floats.fill(0.01, DOUBLE_HEAD);
  floats[0] = 0.04;
  for (let code = 0; code < 256; code++) floats[1 + code] = (code - 127.5) / 127.5;
  return Tensor.pack(device, bytes, shape, "nf4_double");
}

function randomTable(device: Device, shape: readonly number[], seed: number): Tensor {
  const bytes = randomWords(sizeOf(shape) * 2, seed);
  // bfloat16 with the exponent of 2⁻⁶ and a random sign and mantissa.
  for (let i = 1; i < bytes.length; i += 2) bytes[i] = (bytes[i] & 0x80) | 0x3c;
  return Tensor.pack(device, bytes, shape, "bf16");
}

function randomFloats(device: Device, shape: readonly number[], seed: number): Tensor {
  const words = new Int32Array(randomWords(sizeOf(shape) * 4, seed).buffer);
  const values = new Float32Array(words.length);
  for (let i = 0; i < words.length; i++) values[i] = words[i] * (0.035 / 2 ** 31);
  return Tensor.from(device, values, shape);
}

async function build(device: Device, config: LlamaConfig, packed: boolean): Promise<Llama> {
  const parameters = new Map<string, Tensor>();
  let seed = 1;
  for (const [name, shape] of llamaShapes(config)) {
    seed += 2;
    const isTable = /embed_tokens|lm_head/.test(name);
    const tensor = shape.length === 1
      ? Tensor.from(device, new Float32Array(sizeOf(shape)).fill(1), shape)
      : !packed
      ? randomFloats(device, shape, seed)
      : isTable
      ? randomTable(device, shape, seed)
      : randomNf4(device, shape, seed);
    parameters.set(name, tensor.keep());
    await device.sync(); // so that copies on their way do not pile up
  }
  return new Llama(config, parameters);
}

/** The most memory that this process had so far, in bytes; of Linux's own counting where there is one. */
function peakMemory(): number {
  try {
    const kilobytes = Deno.readTextFileSync("/proc/self/status").match(/VmHWM:\s*(\d+)/)?.[1];
    if (kilobytes) return Number(kilobytes) * 1024;
  } catch {
    // not Linux
  }
  return Deno.memoryUsage().rss;
}

if (import.meta.main) {
  const program = new Command("lora")
    .argument("<shape>", Object.keys(SHAPES).join(" or "))
    .option("--steps <n>", "training steps", Number, 2)
    .option("--batch-size <n>", "examples per step", Number)
    .option("--device <name>", "cpu or webgpu", "cpu")
    .parse(["deno", "lora", ...Deno.args]);
  const options = program.opts<
    { steps: number; batchSize?: number; device: "cpu" | "webgpu" }
  >();
  const { config, packed, ...usual } = SHAPES[program.args[0]] ?? program.error("unknown shape");
  const { steps, device: kind, batchSize = usual.batchSize } = options;

  takeOwnBlasSettings();
  const device = await pick({ device: kind });
  const began = performance.now();
  const model = await build(device, config, packed);
  const adapted = addLora(model, { rank: 8 });
  const sizes = [...model.parameters.values()];
  const weights = sizes.reduce((sum, { size }) => sum + size, 0);
  const bytes = sizes.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const learns = [...trainableParameters(model).values()].reduce((sum, { size }) => sum + size, 0);
  const gib = (count: number) => `${(count / 2 ** 30).toFixed(2)} GiB`;
  console.log(
    `${(weights / 1e9).toFixed(2)} billion weights in ${
      gib(bytes)
    }, ${adapted.length} layers adapted, ` +
      `${(learns / 1e6).toFixed(1)} million learn; built in ${
        ((performance.now() - began) / 1000).toFixed(1)
      } s; ${describeDevice(device)}`,
  );

  const random = new Random(5);
  const ids = (count: number) => Array.from({ length: count }, () => random.integer(32_000));
  const half = EXAMPLE_TOKENS / 2;
  const examples = Array.from({ length: batchSize * steps }, () => ({
    promptIds: ids(half),
    responseIds: ids(half + 1), // the last is a target only
    instructionLength: half,
  }));
  using training = sft(model, { examples, batchSize, evalEvery: 0, learningRate: 1e-3 });
  for await (const { step, loss, seconds, tokensComputed, tokensCounted } of training) {
    const inLinears = [...model.linears.values()].reduce((sum, { weight }) => sum + weight.size, 0);
    // Forward and the inputs' gradients: frozen weights have none of their own.
    const flops = 4 * (inLinears * tokensComputed + model.head.size * tokensCounted);
    console.log(
      `step ${step}: loss ${loss.toFixed(4)}, ${tokensComputed} tokens, ${seconds.toFixed(2)} s, ` +
        `${(flops / 1e9 / seconds).toFixed(0)} GFLOP/s, peak memory ${gib(peakMemory())}, ` +
        `device memory ${gib(device.allocatedBytes)}`,
    );
  }
  device.close();
}
