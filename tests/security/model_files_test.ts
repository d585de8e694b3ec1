// Model files of strangers: configurations that promise more than the tensors hold, and templates that
// never end, are refused in a sentence before they take memory or time.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { loadNetwork, planModel } from "../../lib/model/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { compileTemplate } from "../../lib/text/jinja/mod.ts";

const MISTRAL = fromFileUrl(new URL("../golden/llama_family/mistral/", import.meta.url));

/** Attacks by `config.json`: what is changed, and what the refusal names. */
const CONFIGS: [Record<string, unknown>, string][] = [
  [{ num_hidden_layers: 2 ** 31 - 1 }, "num_hidden_layers is 2147483647, more than"],
  [{ num_hidden_layers: 1000 }, "more than the file's"],
  [{ vocab_size: 2 ** 31 }, "shape"],
  [{ intermediate_size: 2 ** 40 }, "shape"],
  [{ hidden_size: 2 ** 50 }, ""],
  [{ num_hidden_layers: "12" }, "num_hidden_layers"],
  [{ text_config: { num_hidden_layers: 1e9 } }, "more than"],
];

Deno.test("loadNetwork() refuses a configuration that its tensors do not bear out", async () => {
  const folder = await Deno.makeTempDir();
  const device = new CpuDevice({ threads: 1 });
  try {
    for (const { name } of Deno.readDirSync(MISTRAL)) {
      await Deno.copyFile(join(MISTRAL, name), join(folder, name));
    }
    const config = JSON.parse(await Deno.readTextFile(join(MISTRAL, "config.json")));
    for (const [change, named] of CONFIGS) {
      await Deno.writeTextFile(
        join(folder, "config.json"),
        JSON.stringify({ ...config, ...change }),
      );
      const before = Deno.memoryUsage().rss;
      const { message } = await assertRejects(() => loadNetwork(folder, { device }), Error, named);
      assertEquals(message.includes("\n"), false, message);
      assert(Deno.memoryUsage().rss - before < 256 * 2 ** 20, message);
    }
  } finally {
    device.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("planModel() refuses more layers than any model has", () => {
  const config = { model_type: "gpt2", n_layer: 1e8, n_embd: 8, n_head: 2, vocab_size: 9 };
  assertThrows(() => planModel(config, "config.json"), RangeError, "n_layer is 100000000");
});

/** Templates that take for ever, or all memory. */
const TEMPLATES = [
  "{% for a in many %}{% for b in many %}{% endfor %}{% endfor %}",
  "{% set ns = namespace(a=[1]) %}{% for i in many %}{% set ns.a = ns.a + ns.a %}{% endfor %}",
  '{% set ns = namespace(a="x") %}{% for i in many %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}',
  "{{ 'x' * 1000000000000 }}",
  "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
  "{% for i in many %}{{ 'x' * 100000 }}{% endfor %}",
];

Deno.test("chat templates count their steps and what they write", () => {
  const many = Array.from({ length: 100_000 }, (_, i) => i);
  for (const source of TEMPLATES) {
    const before = Deno.memoryUsage().rss;
    const error = assertThrows(() => compileTemplate(source).render({ many })) as Error;
    assert(!/Maximum call stack|Invalid (string|array) length/.test(error.message), error.message);
    assert(Deno.memoryUsage().rss - before < 1024 * 2 ** 20, source);
  }
});
