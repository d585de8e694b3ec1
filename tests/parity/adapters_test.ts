// LoRA beyond this library: PEFT loads what is trained here; SmolLM2's own blocks stay packed while adapters learn.

import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import {
  addLora,
  attendWithin,
  loadNetwork,
  logitsOf,
  type Network,
  saveLora,
} from "../../lib/model/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { isPacked, noGrad, scope } from "../../lib/tensor/mod.ts";
import { sft } from "../../lib/train/mod.ts";
import { assertClose, findInEnvironment, findPython } from "../support.ts";
import { smallExamples, take } from "../train/small.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";

const python = findPython("torch", "transformers", "peft");
const smolLm2 = findInEnvironment("TUNEBOOK_SMOLLM2_GGUF", "SmolLM2-135M-Instruct as GGUF");
const path = (name: string) => fromFileUrl(new URL(name, import.meta.url));
const tokens = [1, 5, 9, 2, 30, 8];

async function logits(model: Network): Promise<Float32Array> {
  const ids = Int32Array.from(tokens);
  const positions = ids.map((_, i) => i);
  const attend = attendWithin({ positions, end: ids.map(() => ids.length) });
  using result = scope(() =>
    noGrad(() => logitsOf(model, model.hidden({ tokens: ids, positions, attend })))
  );
  return await result.data();
}

Deno.test({
  name: `PEFT loads adapters that were trained here, to the same logits${python.needs}`,
  ignore: !python.found,
  async fn() {
    using temporary = new TemporaryDirectory();
    const device = new CpuDevice({ threads: 2 });
    const base = path("../golden/gpt2_tiny");
    for (const [rsLora, targets] of [[false, /(?:)/], [true, "h.1.attn"]] as const) {
      const { network: model } = await loadNetwork(base, { device });
      const names = addLora(model, { rank: 3, alpha: 5, rsLora, targets, dropout: 0.1 });
      using training = sft(model, {
        examples: smallExamples(8),
        batchSize: 4,
        epochs: 2,
        learningRate: 1e-2,
        evalEvery: 0,
      });
      await take(training);
      await saveLora(model, temporary.path);
      const told = await python.run(
        path("peft_load.py"),
        base,
        temporary.path,
        ...tokens.map(String),
      );
      const theirs = JSON.parse(told.slice(told.indexOf("{")));
      assertEquals(theirs.layers, names.length);
      assertClose(await logits(model), theirs.logits, { relative: 1e-4 });
    }
    device.close();
  },
});

Deno.test({
  name:
    `SmolLM2's own blocks stay packed, answer as widened ones, and adapters learn beside them${smolLm2.needs}`,
  ignore: !smolLm2.found,
  async fn() {
    const device = new CpuDevice();
    const { network: model } = await loadNetwork(smolLm2.path, { device, quantize: "stored" });
    const bytes = [...model.parameters.values()].reduce((sum, one) => sum + one.byteLength, 0);
    assert(bytes < 100e6, `${bytes} bytes`); // of 538 million widened
    assert([...model.linears.values()].every(({ weight }) => isPacked(weight.dtype)));
    const packed = await logits(model);
    const { network: wide } = await loadNetwork(smolLm2.path, { device });
    assertClose(packed, await logits(wide), { relative: 1e-4 });
    for (const tensor of wide.parameters.values()) tensor.dispose();

    addLora(model, { rank: 4, targets: ["q_proj", "v_proj"] });
    assertEquals(await logits(model), packed);
    const examples = smallExamples(2);
    using training = sft(model, {
      examples,
      batchSize: 2,
      epochs: 4,
      learningRate: 1e-2,
      evalEvery: 0,
    });
    const losses = (await take(training)).map(({ loss }) => loss);
    assert(losses.at(-1)! < losses[0] - 1, `${losses}`);
    device.close();
  },
});
