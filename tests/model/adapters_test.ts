// Adapters of every kind beside PEFT: what they compute, that they can be taken off, merged and saved.

import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import {
  attendWithin,
  exportLoraGguf,
  loadLora,
  loadNetwork,
  logitsOf,
  mergeLora,
  type Network,
  removeLora,
  saveLora,
  saveNetwork,
} from "../../lib/model/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { noGrad, scope } from "../../lib/tensor/mod.ts";
import { assertClose, findPython } from "../support.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";

const python = findPython("peft", "transformers");
const script = fromFileUrl(import.meta.resolve("./adapters.py"));
const baseOf = (name: string) => {
  const place = name === "gpt2" ? "gpt2_tiny" : `llama_family/${name}`;
  return fromFileUrl(new URL(`../golden/${place}`, import.meta.url));
};
/** A base with a head of its own, one without, and one with biases. */
const BASES = ["llama", "gemma", "gpt2"];

/** Changes of the configuration of DoRA's, after which an adapter of another kind would be computed. */
const REFUSED: readonly [Record<string, unknown>, string][] = [
  [{ use_dora: false }, 'has magnitudes for "layers.0.mlp.down_proj.weight"'],
  [{ use_other_lora: true }, '"use_other_lora" is true, which is not supported'],
  [{ peft_type: "IA3" }, '"peft_type" is "IA3", expected "LORA"; PEFT merges'],
  [{ trainable_token_indices: [1] }, '"trainable_token_indices" is [1], which is not supported'],
  ...Object.entries({
    lora_bias: true,
    target_parameters: ["mlp.experts.gate_up_proj"],
    alora_invocation_tokens: [3, 4],
    layer_replication: [[0, 2]],
    use_qalora: true,
    use_bdlora: { nblocks: 2 },
    arrow_config: { top_k: 3 },
    kasa_config: { beta: 1 },
  }).map(([key, value]): [Record<string, unknown>, string] => [
    { [key]: value },
    `"${key}" is ${JSON.stringify(value)}, which is not supported; PEFT merges`,
  ]),
  ...["pissa", "pissa_niter_4", "olora", "corda", "loftq", "lora_ga"]
    .map((init): [Record<string, unknown>, string] => [
      { init_lora_weights: init },
      `"init_lora_weights" is "${init}", for which PEFT changes the base's weights`,
    ]),
  [{ exclude_modules: ["q_proj"] }, 'or "exclude_modules" takes out'],
  [{ exclude_modules: 7 }, '"exclude_modules" is 7, expected names or a pattern'],
  [{ exclude_modules: "(" }, '"exclude_modules" has the pattern "(", which cannot be read'],
  [
    { modules_to_save: ["norm"] },
    '"modules_to_save" names "norm", of which the file has no weights',
  ],
];

async function logits(model: Network): Promise<Float32Array> {
  const tokens = Int32Array.of(3, 1, 4, 1, 5);
  const positions = tokens.map((_, i) => i);
  const end = new Int32Array(tokens.length).fill(tokens.length);
  const result = scope(() =>
    noGrad(() => {
      const attend = attendWithin({ end, positions });
      return logitsOf(model, model.hidden({ tokens, positions, attend }));
    })
  );
  return await result.data().finally(() => result.dispose());
}

Deno.test({
  name: `loadLora() honours every kind of adapter as PEFT does${python.needs}`,
  ignore: !python.found,
  async fn(context) {
    using temporary = new TemporaryDirectory();
    const device = new CpuDevice({ threads: 1, blas: false });
    const bases = BASES.map((name) => `${name}=${baseOf(name)}`);
    const theirs: Record<string, number[]> = JSON.parse(
      await python.run(script, temporary.path, ...bases),
    );
    assertEquals(Object.keys(theirs).length, 19);
    for (const [name, expected] of Object.entries(theirs)) {
      await context.step(name, async () => {
        const { network } = await loadNetwork(baseOf(name.split(".")[0]), { device });
        const bare = await logits(network);
        await loadLora(network, temporary.file(name));
        const ours = await logits(network);
        assertClose(ours, expected, { relative: 1e-4 });
        assertNotEquals(ours, bare);
        if (!name.endsWith("dora")) {
          const again = temporary.file(`${name}.again`);
          await saveLora(network, again);
          removeLora(network);
          assertEquals(await logits(network), bare);
          await loadLora(network, again);
          assertEquals(await logits(network), ours);
        }
        mergeLora(network);
        assertClose(await logits(network), expected, { relative: 1e-4 });
        const merged = temporary.file(`${name}.merged`);
        await saveNetwork(network, merged);
        const { network: loaded } = await loadNetwork(merged, { device });
        assertClose(await logits(loaded), expected, { relative: 1e-4 });
      });
    }
    const { network } = await loadNetwork(baseOf("llama"), { device });
    for (const [change, reason] of REFUSED) {
      await context.step(`refused: ${reason}`, async () => {
        const adapter = temporary.file("llama.dora");
        const path = `${adapter}/adapter_config.json`;
        const text = await Deno.readTextFile(path);
        await Deno.writeTextFile(path, JSON.stringify({ ...JSON.parse(text), ...change }));
        await assertRejects(() => loadLora(network, adapter), TypeError, reason);
        await Deno.writeTextFile(path, text);
      });
    }
    await loadLora(network, temporary.file("llama.modules"));
    await assertRejects(
      () => exportLoraGguf(network, temporary.file("a.gguf")),
      TypeError,
      "which only a merged model can hold",
    );
    device.close();
  },
});
