// The golden files are what their scripts make, wherever the Python that makes them is present.

import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { assertClose, findPython } from "../support.ts";
import { loadGolden, readGoldenTensors } from "./golden.ts";

const python = findPython(
  "torch",
  "transformers",
  "peft",
  "bitsandbytes",
  "trl",
  "safetensors",
  "numpy",
);

/** What each script makes. */
const scripts: Readonly<Record<string, readonly string[]>> = {
  "ops.py": ["ops"],
  "operations.py": ["operations"],
  "llama_ops.py": ["llama_ops"],
  "gpt2.py": ["gpt2_tiny"],
  "llama_family.py": ["llama_family"],
  "lora.py": ["lora_gpt2", "lora_llama"],
  "nf4.py": ["nf4"],
  "training.py": ["training"],
  "dpo.py": ["dpo"],
};

/** Weights that a script writes beside its cases. */
const models: Readonly<Record<string, readonly string[]>> = {
  gpt2_tiny: ["gpt2_tiny"],
  llama_family: ["llama", "mistral", "gemma", "gemma3"].map((name) => `llama_family/${name}`),
};

/**
 * How much may differ. TRL computes in float32, whose sums depend on the processor, and AdamW makes whole steps of the noise
 * that is the gradient of a key bias; see README.md.
 */
function toleranceOf(name: string, key: string): { relative: number; absolute?: number } {
  if (name !== "dpo") return { relative: 1e-6 };
  return { relative: 1e-3, absolute: /^weight.*attn\.bias$/.test(key) ? 1e-2 : 1e-4 };
}

/** Compares a golden file with another that was made now. */
function assertSame(name: string, folder: string): void {
  const committed = loadGolden(name).cases();
  const made = loadGolden(name, folder).cases();
  assertEquals(made.map((one) => one.name), committed.map((one) => one.name));
  for (const [index, one] of committed.entries()) {
    assertEquals(made[index].attributes, one.attributes);
    assertEquals(Object.keys(made[index].tensors), Object.keys(one.tensors));
    for (const [key, { shape, dtype, data }] of Object.entries(one.tensors)) {
      const again = made[index].tensors[key];
      assertEquals([again.shape, again.dtype], [shape, dtype], `${one.name}/${key}`);
      // Rounded from float64, so another version may at most change the last bit.
      const what = `${one.name}/${key}`;
      if (data.every(Number.isFinite)) assertClose(again.data, data, toleranceOf(name, key), what);
      else assertEquals(again.data, data, what);
    }
  }
  for (const model of models[name] ?? []) {
    const path = `${model}/model.safetensors`;
    const weights = readGoldenTensors(join(folder, path));
    assertEquals(weights, readGoldenTensors(new URL(path, import.meta.url)));
  }
}

for (const [script, names] of Object.entries(scripts)) {
  Deno.test({
    name: `golden files are what ${script} makes again${python.needs}`,
    ignore: !python.found,
    async fn() {
      const folder = await Deno.makeTempDir({ prefix: "tunebook-golden-" });
      try {
        await python.run(fromFileUrl(import.meta.resolve(`./${script}`)), folder);
        for (const name of names) assertSame(name, folder);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

Deno.test("golden files hold only finite numbers but where these are tried, in the shapes told", () => {
  for (const name of Object.values(scripts).flat()) {
    for (const one of loadGolden(name).cases()) {
      for (const [key, { shape, data }] of Object.entries(one.tensors)) {
        assertEquals(data.length, shape.reduce((size, n) => size * n, 1), `${one.name}/${key}`);
        const finite = data.every(Number.isFinite) || one.name.includes("/special");
        assertEquals(finite, true, `${one.name}/${key}`);
      }
    }
  }
});
