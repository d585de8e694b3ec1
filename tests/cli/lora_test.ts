import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { findBase } from "../../lib/pipeline/base.ts";
import { nameBase } from "../../lib/weights/base.ts";
import type { ModelSource } from "../../lib/weights/mod.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";
import { tunebook, Workshop } from "./tunebook.ts";

const listed = async (path: string) =>
  (await Array.fromAsync(Deno.readDir(path), ({ name }) => name)).sort();

/** Runs a command that must succeed. */
async function succeed(args: string[]): Promise<string> {
  const { code, stdout, stderr } = await tunebook(args);
  assertEquals(code, 0, stderr);
  return stdout;
}

Deno.test("tunebook train --lora-rank makes an adapter that loss, generate and PEFT's layout know", async () => {
  await using workshop = await Workshop.open();
  const adapter = workshop.file("adapter");
  const quick = ["--batch-size", "4", "--lr", "1e-2", "--eval-every", "0"];
  const lora = ["--lora-rank", "2", "--lora-targets", "c_attn,mlp", "--seed", "5"];
  await succeed(workshop.training("--out", adapter, ...quick, ...lora));
  assertEquals((await listed(adapter)).filter((name) => name.includes("model")), [
    "adapter_model.safetensors",
  ]);
  const config = JSON.parse(await Deno.readTextFile(`${adapter}/adapter_config.json`));
  assertEquals([config.r, config.lora_alpha], [2, 4]);
  assertEquals(config.base_model_name_or_path, await Deno.realPath(workshop.file("model")));
  assertEquals(config.target_modules, ["attn.c_attn", "mlp.c_fc", "mlp.c_proj"]);

  // By its own directory, beside its base, and merged, it has the same loss, another than its base.
  const merged = workshop.file("merged");
  const lossOf = async (...model: string[]) =>
    JSON.parse(
      await succeed(["loss", "--data", workshop.file("data.json"), "--json", ...model]),
    ).loss;
  const base = workshop.file("model");
  const [alone, beside, before, silent] = await Promise.all([
    lossOf("--model", adapter),
    lossOf("--model", base, "--adapter", adapter),
    lossOf("--model", base),
    succeed(workshop.training("--out", merged, ...quick, ...lora, "--merge")),
  ]);
  assertEquals([alone, silent], [beside, ""]);
  assert(alone < before - 0.01, `${alone} ${before}`);
  assertAlmostEquals(await lossOf("--model", merged), alone, 1e-4);
  assert((await listed(merged)).includes("model.safetensors"));
  const text = ["generate", "--model", adapter, "--prompt", "A cat", "--max-new-tokens", "3"];
  assert((await succeed(text)).length > 0);
});

Deno.test("tunebook train refuses options of LoRA that do not go together", async () => {
  await using workshop = await Workshop.open();
  const refused = await Promise.all([
    ["--lora-dropout", "0.1"],
    ["--merge"],
    ["--lora-rank", "2", "--lora-targets", "q_proj"],
    ["--lora-rank", "2", "--lora-targets", "/(/"],
    ["--lora-rank", "2", "--lora-alpha", "0"],
    ["--quantize", "nf4"], // a width of 16 is not a whole block
  ].map((options, i) =>
    tunebook(workshop.training("--out", workshop.file(`out${i}`), ...options))
  ));
  const messages = [
    "LoRA options need --lora-rank",
    "Cannot merge: there is no adapter",
    'layers named "q_proj": the model has c_attn, c_proj, c_fc',
    "Invalid regular expression",
    "alpha",
    "expected a multiple of 64",
  ];
  for (const [i, { code, stderr }] of refused.entries()) {
    assertStringIncludes(stderr, messages[i]);
    assertEquals(code === 0, false);
  }
});

Deno.test("tunebook plan counts what adapters and packed weights take", async () => {
  await using workshop = await Workshop.open();
  const planOf = async (...options: string[]) =>
    JSON.parse(
      await succeed([
        ...["plan", "--model", "gpt2", "--data", workshop.file("data.json"), "--json"],
        ...options,
      ]),
    );
  const lora = ["--lora-rank", "8", "--lora-targets", "c_attn"];
  const [full, adapted, packed] = await Promise.all([
    planOf(),
    planOf(...lora),
    planOf(...lora, "--quantize", "nf4"),
  ]);
  assertEquals([full.learning, adapted.learning], [full.weights, 12 * 8 * (768 + 3 * 768)]);
  // Neither gradients nor moments of what is frozen; linear layers of 85 million weights in 4.5 bits of 32.
  const linears = 12 * 12 * 768 * 768;
  const near = (found: number, expected: number) => assertAlmostEquals(found / expected, 1, 0.1);
  near(full.deviceBytes - adapted.deviceBytes, 12 * full.weights - 12 * adapted.learning);
  near(adapted.deviceBytes - packed.deviceBytes, linears * (4 - 4.5 / 8));
  assert(adapted.flops < 0.7 * full.flops && adapted.flops > 0.66 * full.flops);
});

Deno.test("an adapter names its base as PEFT does, and finds it again", async () => {
  using temporary = new TemporaryDirectory();
  const cases: [spec: string, source: ModelSource, base: string, revision?: string][] = [
    ["tinyllama-1.1b", "hub", "TinyLlama/TinyLlama-1.1B-Chat-v1.0"],
    ["hf:owner/name", "hub", "owner/name"],
    ["hf:owner/name@refs/pr/1", "hub", "owner/name", "refs/pr/1"],
    ["hf:owner/name/file.gguf@v1", "hub", "hf:owner/name/file.gguf@v1"],
    ["ollama:name", "ollama", "ollama:name"],
    ["nano", "embedded", "nano"],
    ["models/tiny", "directory", `${Deno.cwd()}/models/tiny`],
  ];
  for (const [spec, source, base, revision] of cases) {
    const model = { kind: "gguf", spec, source, name: "", weights: "" } as const;
    const named = nameBase(model);
    assertEquals([named.base, named.revision], [base, revision]);
    const config = { peft_type: "LORA", r: 1, lora_alpha: 1, lora_dropout: 0 };
    temporary.file(
      "adapter_config.json",
      JSON.stringify({
        ...config,
        base_model_name_or_path: named.base,
        revision: named.revision ?? null,
      }),
    );
    const found = await findBase(temporary.path);
    const again = { "tinyllama-1.1b": `hf:${base}`, "models/tiny": base }[spec] ?? spec;
    assertEquals(found, { base: again, adapter: temporary.path });
  }
});
