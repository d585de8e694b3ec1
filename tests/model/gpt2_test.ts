// A tiny GPT-2 against Hugging Face's: logits, loss, every gradient, weights after AdamW steps, greedy text.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import {
  attendWithin,
  generate,
  generateTokens,
  Gpt2,
  loadNetwork,
  logitsOf,
  lossOf,
  saveNetwork,
} from "../../lib/model/mod.ts";
import { gpt2Shapes } from "../../lib/model/families/gpt2.ts";
import { parseGpt2Config } from "../../lib/model/families/gpt2.ts";
import { type Device, globalNorm, noGrad, scope } from "../../lib/tensor/mod.ts";
import { AdamW } from "../../lib/train/mod.ts";
import { openSafetensors } from "../../lib/weights/mod.ts";
import { loadGolden } from "../golden/golden.ts";
import { onEveryDevice } from "../devices.ts";
import { assertClose } from "../support.ts";
import { onOneThread } from "../train/small.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";
import { lossWithGradients } from "./backward.ts";

const golden = loadGolden("gpt2_tiny");
const directory = fromFileUrl(new URL("../golden/gpt2_tiny", import.meta.url));
const [forward] = golden.cases("forward");
const batchSize = 4;

async function loadTiny(device: Device): Promise<Gpt2> {
  return (await loadNetwork(directory, { device })).network as Gpt2;
}

/** The padded batch as a forest of plain sequences. */
function paddedInput() {
  const { data, shape: [, length] } = forward.tensors.tokens;
  return {
    tokens: data as Int32Array,
    positions: Int32Array.from(data, (_, row) => row % length),
    end: Int32Array.from(data, (_, row) => row - row % length + length),
    length,
  };
}

function forestInput() {
  return {
    tokens: forward.tensors["forest/tokens"].data as Int32Array,
    positions: forward.tensors["forest/positions"].data as Int32Array,
    end: forward.tensors["forest/end"].data as Int32Array,
  };
}

onEveryDevice("Gpt2 gives Hugging Face's logits for a padded batch", async (device) => {
  const model = await loadTiny(device);
  const { tokens, positions, end, length } = paddedInput();
  using logits = scope(() =>
    noGrad(() =>
      logitsOf(
        model,
        model.hidden({ tokens, positions, attend: attendWithin({ end, positions }) }),
      )
    )
  );
  const actual = await logits.data();
  const expected = forward.tensors.logits.data as Float32Array;
  const lengths = forward.attributes.lengths as number[];
  for (let row = 0; row < batchSize; row++) {
    const first = row * length * 211;
    const last = first + lengths[row] * 211;
    assertClose(actual.subarray(first, last), expected.subarray(first, last), { relative: 1e-5 });
  }
});

for (const { name, tensors } of golden.cases("loss")) {
  onEveryDevice(`lossOf() equals Hugging Face's, every gradient too: ${name}`, async (device) => {
    const model = await loadTiny(device);
    const { tokens, positions, end } = paddedInput();
    const targets = tensors.targets.data as Int32Array;
    const rows = Int32Array.from(targets.keys()).filter((row) => targets[row] !== -100);
    const padded = {
      tokens,
      positions,
      end,
      edges: {
        rows,
        targets: rows.map((row) => targets[row]),
        counts: new Float32Array(rows.length).fill(1),
      },
    };
    const forest = {
      ...forestInput(),
      edges: {
        rows: tensors["forest/rows"].data as Int32Array,
        targets: tensors["forest/targets"].data as Int32Array,
        counts: tensors["forest/counts"].data as Float32Array,
      },
    };
    for (const batch of [padded, forest]) {
      using loss = lossWithGradients(model, batch);
      assertClose([await loss.item()], tensors.output.data as Float32Array, { relative: 1e-6 });
      for (const [parameter, { grad }] of model.parameters) {
        const expected = tensors[`grad/transformer.${parameter}`].data as Float32Array;
        assertClose(await grad!.data(), expected, { relative: 1e-4 }, parameter);
      }
      for (const parameter of model.parameters.values()) {
        parameter.grad!.dispose();
        parameter.grad = undefined;
      }
    }
  });
}

onEveryDevice("AdamW gives PyTorch's weights after each of three steps", async (device) => {
  const model = await loadTiny(device);
  const cases = golden.cases("adamw");
  const { lr, beta1, beta2, eps, weightDecay } = cases[0].attributes as Record<string, number>;
  using optimizer = new AdamW(model.parameters, { beta1, beta2, epsilon: eps, weightDecay });
  const { tensors: edges } = golden.cases("loss").find(({ name }) => name === "loss/prompt")!;
  const batch = {
    ...forestInput(),
    edges: {
      rows: edges["forest/rows"].data as Int32Array,
      targets: edges["forest/targets"].data as Int32Array,
      counts: edges["forest/counts"].data as Float32Array,
    },
  };
  for (const { tensors } of cases) {
    using loss = lossWithGradients(model, batch);
    assertClose([await loss.item()], tensors.loss.data as Float32Array, { relative: 1e-5 });
    const norm = await globalNorm([...model.parameters.values()].map(({ grad }) => grad!));
    assertClose([norm], tensors.gradNorm.data as Float32Array, { relative: 1e-4 });
    optimizer.step(lr);
    for (const [parameter, tensor] of model.parameters) {
      const expected = tensors[`weight/transformer.${parameter}`].data as Float32Array;
      const actual = await tensor.data();
      if (parameter.endsWith("c_attn.bias")) {
        // A bias of all keys adds the same to all of a query's scores, which softmax takes out again: its gradient is
        // zero but for rounding, of which Adam makes steps of a full learning rate in a random direction.
        const width = expected.length / 3;
        actual.copyWithin(width, 0, width);
        expected.copyWithin(width, 0, width);
      }
      assertClose(actual, expected, { relative: 1e-4 }, parameter);
    }
  }
});

onEveryDevice(
  "generate() gives Hugging Face's greedy tokens, alone and in a batch",
  async (device) => {
    const model = await loadTiny(device);
    const cases = golden.cases("generate");
    const prompts = cases.map(({ tensors }) => [...tensors.prompt.data]);
    const expected = cases.map(({ tensors }) => [...tensors.output.data]);
    const options = { maxNewTokens: 20 };
    const together = await generate(model, prompts, options);
    assertEquals(together.map(({ tokens }) => tokens), expected);
    for (const [i, prompt] of prompts.entries()) {
      const [{ tokens, finish }] = await generate(model, [prompt], options);
      assertEquals(tokens, expected[i]);
      assertEquals(finish, "length");
    }
  },
);

onEveryDevice("generate() draws the same for a prompt in any batch", async (device) => {
  const model = await loadTiny(device);
  const prompts = [[1, 2, 3], [1, 2, 3], [1, 2, 9, 10], [7]];
  const options = { maxNewTokens: 12, temperature: 1.2, topK: 50, topP: 0.95, seed: 5 };
  const wide = await generate(model, prompts, options);
  const narrow = await generate(model, prompts, { ...options, batchSize: 2 });
  assertEquals(narrow, wide);
  assertEquals(wide[0].tokens.join() === wide[1].tokens.join(), false);
});

onEveryDevice("generate() ends at the closing token and at the context's end", async (device) => {
  const model = await loadTiny(device);
  const prompt = [...golden.cases("generate")[0].tensors.prompt.data];
  const expected = [...golden.cases("generate")[0].tensors.output.data];
  const eosId = expected[6];
  const [ended] = await generate(model, [prompt], { eosId });
  assertEquals(ended, { tokens: expected.slice(0, expected.indexOf(eosId)), finish: "eos" });
  const [either] = await generate(model, [prompt], { eosId: [eosId, expected[3]] });
  assertEquals(either, { tokens: expected.slice(0, expected.indexOf(expected[3])), finish: "eos" });
  const [full] = await generate(model, [prompt], { maxNewTokens: 1000 });
  assertEquals(full.finish, "context");
  assertEquals(full.tokens.length, model.contextLength - prompt.length + 1);
});

onEveryDevice("generateTokens() stops on a signal", async (device) => {
  const model = await loadTiny(device);
  const controller = new AbortController();
  let count = 0;
  await assertRejects(
    async () => {
      for await (const _ of generateTokens(model, [[1, 2]], { signal: controller.signal })) {
        if (++count === 3) controller.abort(new Error("enough"));
      }
    },
    Error,
    "enough",
  );
  assertEquals(count, 3);
});

onEveryDevice("generate() refuses empty and too long prompts", async (device) => {
  const model = await loadTiny(device);
  await assertRejects(() => generate(model, [[]]), RangeError, "it has no tokens");
  await assertRejects(
    () => generate(model, [new Array(65).fill(1)]),
    RangeError,
    "the model's context holds 64",
  );
});

onEveryDevice(
  "saveNetwork() writes what loadNetwork() and safetensors read, bit for bit",
  async (device) => {
    const model = await loadTiny(device);
    using temporary = new TemporaryDirectory();
    const folder = temporary.path;
    await saveNetwork(model, folder);
    const again = (await loadNetwork(folder, { device })).network;
    for (const [name, tensor] of model.parameters) {
      assertEquals(await again.parameters.get(name)!.data(), await tensor.data());
    }
    using file = await openSafetensors(folder);
    assertEquals(file.tensors.has("transformer.wte.weight"), true);
    assertEquals(file.tensors.has("lm_head.weight"), false);
    await saveNetwork(model, folder, { dtype: "F16" });
    const half = (await loadNetwork(folder, { device })).network;
    for (const [name, tensor] of model.parameters) {
      const halved = await half.parameters.get(name)!.data();
      assertClose(halved, await tensor.data(), { relative: 1e-3 }, name);
    }
  },
);

const SMALL = { vocabularySize: 50, contextLength: 16, width: 24, layers: 2, heads: 3 };

onEveryDevice("Gpt2.create() is decided by its seed, and may lack qkv biases", async (device) => {
  const config = {
    ...SMALL,
    qkvBias: false,
    tied: false,
  };
  const [a, b, c] = [1, 1, 2].map((seed) => Gpt2.create(device, config, { seed }));
  assertEquals(a.parameters.has("h.0.attn.c_attn.bias"), false);
  assertEquals([...a.parameters.keys()], [...gpt2Shapes(config).keys()]);
  const weight = async (model: Gpt2) => await model.head.data();
  assertEquals(await weight(a), await weight(b));
  assertEquals((await weight(a)).join() === (await weight(c)).join(), false);
  using temporary = new TemporaryDirectory();
  const folder = temporary.path;
  await saveNetwork(a, folder);
  const again = (await loadNetwork(folder, { device })).network;
  assertEquals(await weight(again as Gpt2), await weight(a));
  const [{ tokens }] = await generate(again, [[1, 2, 3]], { maxNewTokens: 5 });
  assertEquals(tokens, (await generate(a, [[1, 2, 3]], { maxNewTokens: 5 }))[0].tokens);
});

onEveryDevice("dropout changes a loss by its seed, and nothing without one", async (device) => {
  const config = {
    ...SMALL,
    dropout: 0.3,
  };
  const model = Gpt2.create(device, config);
  const batch = {
    tokens: Int32Array.of(1, 2, 3),
    positions: Int32Array.of(0, 1, 2),
    end: Int32Array.of(3, 3, 3),
    edges: { rows: Int32Array.of(2), targets: Int32Array.of(4), counts: Float32Array.of(1) },
  };
  const lossWith = async (dropoutSeed?: number) => {
    using loss = scope(() => noGrad(() => lossOf(model, batch, { dropoutSeed })));
    return await loss.item();
  };
  assertEquals(await lossWith(7), await lossWith(7));
  assertEquals(await lossWith(7) === await lossWith(8), false);
  assertEquals(await lossWith(), await lossWith());
});

Deno.test("loadNetwork() refuses other architectures and missing or misshapen tensors", async () => {
  assertThrows(
    () => parseGpt2Config({ model_type: "llama" }, "config.json"),
    TypeError,
    '"model_type" is "llama", expected "gpt2"',
  );
  assertThrows(
    () => parseGpt2Config({ model_type: "gpt2", vocab_size: "many" }, "config.json"),
    TypeError,
    '"vocab_size" is "many", expected a positive integer',
  );
  const json = JSON.parse(Deno.readTextFileSync(`${directory}/config.json`));
  for (
    const [key, value] of [
      ["scale_attn_weights", false],
      ["scale_attn_by_inverse_layer_idx", true],
    ] as const
  ) {
    parseGpt2Config({ ...json, [key]: !value }, "config.json");
    assertThrows(
      () => parseGpt2Config({ ...json, [key]: value }, "config.json"),
      TypeError,
      `"${key}" is ${value}, expected ${!value}`,
    );
  }
});

onOneThread("a GPT-2's special tokens are saved as its configuration names them", (device) => {
  const json = JSON.parse(Deno.readTextFileSync(`${directory}/config.json`));
  const idsOf = (changes: Record<string, unknown>) => {
    const model = Gpt2.create(device, parseGpt2Config({ ...json, ...changes }, "config.json"));
    const { bos_token_id: bos, eos_token_id: eos, pad_token_id: pad } = model.toConfig();
    for (const tensor of model.parameters.values()) tensor.dispose();
    return [bos, eos, pad];
  };
  assertEquals(idsOf({ bos_token_id: 1, eos_token_id: [2, 3], pad_token_id: 4 }), [1, [2, 3], 4]);
  const last = json.vocab_size - 1;
  const none = { bos_token_id: undefined, eos_token_id: undefined };
  assertEquals(idsOf(none), [last, last, null]);
  assertEquals(idsOf({ ...none, bos_token_id: 1, pad_token_id: 4 }), [1, last, 4]);
  return Promise.resolve();
});
