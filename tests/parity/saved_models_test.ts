// Every architecture as it is saved here, read by Hugging Face's transformers: the same class, logits and greedy text.

import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { loadNetwork, saveNetwork } from "../../lib/model/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { loadGolden } from "../golden/golden.ts";
import { assertClose } from "../support.ts";
import { askTransformers, transformers } from "./hugging_face.ts";

const kinds = {
  llama: "LlamaForCausalLM",
  mistral: "MistralForCausalLM",
  gemma: "GemmaForCausalLM",
  gemma3: "Gemma3ForCausalLM",
};

Deno.test({
  name: `Hugging Face's transformers reads every architecture as saved${transformers.needs}`,
  ignore: !transformers.found,
  async fn() {
    const golden = loadGolden("llama_family");
    const [{ tensors: { tokens }, attributes: { lengths } }] = golden.cases("batch");
    const long = [...tokens.data.subarray(0, lengths[0])];
    const device = new CpuDevice({ threads: 1 });
    const folder = await Deno.makeTempDir({ prefix: "tunebook-parity-" });
    try {
      const requests = [];
      for (const name of Object.keys(kinds)) {
        const directory = fromFileUrl(new URL(`../golden/llama_family/${name}`, import.meta.url));
        const model = `${folder}/${name}`;
        await saveNetwork((await loadNetwork(directory, { device })).network, model);
        const [{ tensors: { prompt } }] = golden.cases(`${name}/generate`);
        requests.push({ model, long, rows: long.length, prompt: [...prompt.data], newTokens: 16 });
      }
      const answers = await askTransformers(requests);
      for (const [i, [name, kind]] of Object.entries(kinds).entries()) {
        assertEquals(answers[i].kind, kind);
        const [{ tensors: { output } }] = golden.cases(`${name}/generate`);
        assertEquals(answers[i].tokens, [...output.data]);
        const [{ tensors: { logits } }] = golden.cases(`${name}/forward`);
        const expected = logits.data.subarray(0, answers[i].logits.length);
        assertClose(answers[i].logits, expected, { relative: 1e-5 }, name);
      }
    } finally {
      device.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});
