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
const baseOf = (name: string) =>
  fromFileUrl(new URL(`../golden/llama_family/${name}`, import.meta.url));
/** A base with a head of its own, and one without. */
const BASES = ["llama", "gemma"];

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
    assertEquals(Object.keys(theirs).length, 9);
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
    await loadLora(network, temporary.file("llama.modules"));
    await assertRejects(
      () => exportLoraGguf(network, temporary.file("a.gguf")),
      TypeError,
      "which only a merged model can hold",
    );
    device.close();
  },
});
