// Steps of decoding that the CPU has recorded give the same bits as steps that are enqueued operation by operation.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { type Continuation, Decoding } from "../../lib/model/decoding.ts";
import { planModel } from "../../lib/model/architectures.ts";
import { createParameters } from "../../lib/model/parameters.ts";
import { addLora, generate, Gpt2, Llama, type Network, quantize } from "../../lib/model/mod.ts";
import { Random } from "../../lib/random.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { type Device, Tensor } from "../../lib/tensor/mod.ts";

const SHAPE = { vocabularySize: 50, contextLength: 256, width: 64, layers: 2, heads: 4 };

const MODELS: Record<string, (device: Device) => Network> = {
  "GPT-2": (device) => Gpt2.create(device, SHAPE, { seed: 1 }),
  "Llama": (device) =>
    Llama.create(device, { ...SHAPE, kvHeads: 2, feedForwardWidth: 128 }, { seed: 2 }),
  "a window": (device) =>
    Llama.create(
      device,
      { ...SHAPE, kvHeads: 2, feedForwardWidth: 128, modelType: "mistral", window: 9 },
      { seed: 3 },
    ),
  // Attention with soft caps is told its rows once, so that such steps are not repeated.
  "soft caps": (device) => {
    const plan = planModel(GEMMA2, "a tiny Gemma 2");
    const parameters = createParameters(device, plan.shapes, { seed: 4 }, () => ({
      deviation: 0.3,
    }));
    return plan.build(parameters);
  },
};

const GEMMA2 = {
  model_type: "gemma2",
  vocab_size: SHAPE.vocabularySize,
  max_position_embeddings: SHAPE.contextLength,
  hidden_size: SHAPE.width,
  num_hidden_layers: SHAPE.layers,
  num_attention_heads: SHAPE.heads,
  num_key_value_heads: 2,
  intermediate_size: 128,
  head_dim: 16,
  query_pre_attn_scalar: 16,
  sliding_window: 5,
};

/** A device that records nothing, of one thread: bits do not depend on how many there are. */
function withoutRecording(): Device {
  return Object.assign(new CpuDevice({ threads: 1, blas: false }), { record: undefined });
}

/** Tokens and the logits that each was chosen from. */
async function answers(model: Network): Promise<{ tokens: number[][]; logits: number[] }> {
  const logits: number[] = [];
  const random = new Random(9);
  // They end at different times, and grow beyond the cache and what a recording has room for.
  const prompts = [3, 5, 80].map((length) =>
    Array.from({ length }, () => random.integer(SHAPE.vocabularySize))
  );
  const results = await generate(model, prompts, {
    maxNewTokens: 80,
    temperature: 1,
    eosId: [7, 11],
    processLogits: (all) => void logits.push(...all),
  });
  return { tokens: results.map(({ tokens }) => tokens), logits };
}

for (const [name, make] of Object.entries(MODELS)) {
  Deno.test(`recorded steps give the bits of others: ${name}`, async () => {
    const device = new CpuDevice({ threads: 2, blas: false });
    const plain = withoutRecording();
    let recordings = 0;
    const record = device.record.bind(device);
    device.record = (body) => (recordings++, record(body));
    for (const type of [undefined, "nf4", "bf16"] as const) {
      const models = [make(device), make(plain)];
      for (const model of models) if (type) await quantize(model, type);
      const [recorded, other] = [await answers(models[0]), await answers(models[1])];
      assertEquals(recorded, other);
    }
    assert(recordings >= 3 && recordings < 40, `${recordings} recordings`);
    device.close();
    plain.close();
  });
}

Deno.test("an adapter that comes between two steps, and weights that are replaced, have their effect", async () => {
  const device = new CpuDevice({ threads: 1, blas: false });
  const plain = withoutRecording();
  const all: number[][] = [];
  for (const one of [device, plain]) {
    const model = MODELS.Llama(one);
    const seen: number[] = [];
    const continuation: Continuation = {
      prompt: [1, 2, 3],
      sampling: { processLogits: (logits) => void seen.push(logits[4]) },
      random: new Random(1),
      maxNewTokens: 20,
      ends: new Set(),
    };
    using decoding = new Decoding<Continuation>(model);
    const step = async () => {
      for await (const _ of decoding.step());
    };
    for await (const _ of decoding.add([continuation]));
    await step();
    await step();
    addLora(model, { rank: 2 });
    for (const { adapter } of model.linears.values()) {
      for (const tensor of adapter!.parameters.values()) {
        tensor.assign(new Float32Array(tensor.size).fill(0.1));
      }
    }
    await step();
    const head = model.parameters.get("lm_head.weight")!;
    const values = await head.data();
    model.parameters.set(
      "lm_head.weight",
      Tensor.from(one, values.map((x) => -x), head.shape).keep(),
    );
    head.dispose();
    // It would take the memory of the old head, if that were free.
    Tensor.from(one, new Float32Array(values.length), head.shape);
    await step();
    assertNotEquals(seen.at(-1), seen.at(-2));
    all.push(seen);
  }
  assertEquals(all[0], all[1]);
  device.close();
  plain.close();
});

Deno.test("a recording keeps memory that its tensors gave back, and returns it when it is disposed of", async () => {
  const device = new CpuDevice({ threads: 2, blas: false });
  const input = Tensor.from(device, [1, 2, 3, 4]);
  let doubled: Tensor | undefined;
  const work = device.record(() => {
    using once = input.mul(input).keep();
    doubled = once.add(once).keep();
  });
  work.run();
  assertEquals([...await doubled!.data()], [2, 8, 18, 32]);
  input.dispose();
  const others = Array.from({ length: 4 }, () => Tensor.from(device, [9, 9, 9, 9]));
  work.run();
  assertEquals([...await doubled!.data()], [2, 8, 18, 32]);
  for (const other of others) assertEquals([...await other.data()], [9, 9, 9, 9]);
  assertEquals(work.repeatable, true);
  const before = device.allocatedBytes;
  work[Symbol.dispose]();
  for (let i = 0; i < 2; i++) Tensor.from(device, [5, 5, 5, 5]);
  assertEquals(device.allocatedBytes, before);
  device.close();
});
