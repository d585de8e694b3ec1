// Models exported by the command; tests/parity has them in a real Ollama.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { main } from "../../lib/cli.ts";
import { attachLora } from "../../lib/model/lora.ts";
import {
  Llama,
  loadLora,
  loadNetwork,
  mergeLora,
  saveLora,
  saveNetwork,
} from "../../lib/model/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { Tensor } from "../../lib/tensor/mod.ts";
import { HuggingFaceTokenizer } from "../../lib/text/hugging_face.ts";
import { openGguf } from "../../lib/weights/mod.ts";
import { assertClose } from "../support.ts";
import { byteLevelTokenizers, writtenFiles } from "../text/small_tokenizers.ts";
import { Store } from "../weights/ollama_store.ts";
import { runHere } from "./in_process.ts";
import { tunebook, Workshop } from "./tunebook.ts";

Deno.test("tunebook export writes a model as GGUF and as a directory, and a directory from GGUF", async () => {
  await using workshop = await Workshop.open();
  const device = new CpuDevice({ threads: 1, blas: false });
  const [gguf, hf] = [workshop.file("tiny.gguf"), workshop.file("again")];
  const first = await tunebook(["export", workshop.file("model"), "--gguf", gguf, "--type", "f32"]);
  assertEquals([first.code, first.stdout], [0, ""], first.stderr);
  assertStringIncludes(first.stderr, `Wrote ${gguf} (`);
  const second = await tunebook(["export", gguf, "--hf", hf]);
  assertEquals(second.code, 0, second.stderr);
  const { parameters } = (await loadNetwork(workshop.file("model"), { device })).network;
  const { parameters: read } = (await loadNetwork(hf, { device })).network;
  for (const [name, tensor] of parameters) {
    assertEquals(await read.get(name)!.data(), await tensor.data(), name);
  }
  const half = workshop.file("half");
  const third = await tunebook(["export", gguf, "--hf", half, "--type", "bf16"]);
  assertEquals(third.code, 0, third.stderr);
  const config = JSON.parse(await Deno.readTextFile(join(half, "config.json")));
  const bytes = async (folder: string) => (await Deno.stat(join(folder, "model.safetensors"))).size;
  assertEquals(config.torch_dtype, "bfloat16");
  assert(await bytes(half) < 0.7 * await bytes(hf));
  // the tokenizer came along
  const again = await tunebook([
    "generate",
    "--model",
    hf,
    "--prompt",
    "Hi",
    "--max-new-tokens",
    "3",
  ]);
  const same = await tunebook(
    ["generate", "--model", workshop.file("model"), "--prompt", "Hi", "--max-new-tokens", "3"],
  );
  assertEquals([again.code, again.stdout], [0, same.stdout], again.stderr);
  device.close();
});

Deno.test("tunebook export writes an adapter as one, or merged", async () => {
  await using workshop = await Workshop.open();
  const device = new CpuDevice({ threads: 1, blas: false });
  const base = workshop.file("model");
  const { network: model } = await loadNetwork(base, { device });
  const settings = { rank: 2, alpha: 6, dropout: 0, rsLora: true };
  const ones = new Float32Array(48 * 2).fill(0.5);
  for (const linear of model.linears.values()) {
    if (!linear.name.endsWith("c_attn")) continue;
    const tensor = (shape: number[]) =>
      Tensor.from(device, new Float32Array(shape[0] * shape[1]).fill(0.5), shape).keep();
    attachLora(model, linear, settings, tensor([2, 16]), tensor([48, 2]));
  }
  const adapter = workshop.file("adapter");
  await saveLora(model, adapter, { base });

  const file = workshop.file("adapter.gguf");
  const alone = await tunebook(["export", adapter, "--gguf", file]);
  assertEquals(alone.code, 0, alone.stderr);
  using gguf = await openGguf(file);
  assertEquals(Object.fromEntries(gguf.metadata), {
    "general.architecture": "gpt2",
    "general.type": "adapter",
    "adapter.type": "lora",
    "adapter.lora.alpha": Math.fround(6 * Math.SQRT2), // readers divide by the rank, not by its root
  });
  assertEquals(
    [...gguf.tensors.values()].map(({ name, shape }) => [name, shape]),
    [0, 1].flatMap((layer) => [
      [`blk.${layer}.attn_qkv.weight.lora_a`, [2, 16]],
      [`blk.${layer}.attn_qkv.weight.lora_b`, [48, 2]],
    ]),
  );
  assertEquals(await gguf.read("blk.0.attn_qkv.weight.lora_b"), ones);

  const whole = workshop.file("whole.gguf");
  const merged = await tunebook(
    ["export", base, "--adapter", adapter, "--merge", "--gguf", whole, "--type", "f32"],
  );
  assertEquals(merged.code, 0, merged.stderr);
  const { network: expected } = await loadNetwork(base, { device });
  const before = await expected.parameters.get("h.0.attn.c_attn.weight")!.data();
  await loadLora(expected, adapter);
  mergeLora(expected);
  const { network: read } = await loadNetwork(whole, { device });
  for (const [name, tensor] of expected.parameters) {
    assertEquals(await read.parameters.get(name)!.data(), await tensor.data(), name);
  }
  const after = await read.parameters.get("h.0.attn.c_attn.weight")!.data();
  assert(before.some((value, i) => value !== after[i]), "the adapter counts");

  // An Ollama model of both is exported with both.
  using store = new Store();
  const plain = workshop.file("plain.gguf");
  await tunebook(["export", base, "--gguf", plain, "--type", "f32"]);
  const layers = [["model", plain], ["adapter", file]]
    .map(([kind, path]) => store.layer(kind, Deno.readFileSync(path)));
  store.manifest("registry.ollama.ai/library/tiny/latest", { layers });
  const from = await tunebook(["export", "ollama:tiny", "--gguf", whole, "--type", "f32"], {
    OLLAMA_MODELS: store.path,
  });
  assertEquals(from.code, 0, from.stderr);
  const { network: both } = await loadNetwork(whole, { device });
  for (const [name, tensor] of expected.parameters) {
    const exact = await tensor.data(); // alpha went through another file
    assertClose(
      await both.parameters.get(name)!.data(),
      exact,
      { relative: 1e-6, absolute: 1e-7 },
      name,
    );
  }
  device.close();
});

Deno.test("tunebook export says where readers of GGUF files know no window", async () => {
  await using workshop = await Workshop.open();
  const definition = byteLevelTokenizers()[0]!;
  const device = new CpuDevice({ threads: 1, blas: false });
  const shape = { contextLength: 64, width: 16, layers: 1, heads: 2, kvHeads: 1 };
  const vocabularySize = new HuggingFaceTokenizer(definition).vocabSize;
  const { json, config } = writtenFiles(definition);
  for (const window of [undefined, 16]) {
    const folder = workshop.file(`window-${window}`);
    const size = {
      modelType: "mistral" as const,
      vocabularySize,
      ...shape,
      feedForwardWidth: 32,
      window,
    };
    await saveNetwork(Llama.create(device, size, { seed: 1 }), folder);
    await Deno.writeTextFile(join(folder, "tokenizer.json"), JSON.stringify(json));
    await Deno.writeTextFile(join(folder, "tokenizer_config.json"), JSON.stringify(config));
    const { code, stderr } = await tunebook(["export", folder, "--gguf", `${folder}.gguf`]);
    assertEquals(code, 0, stderr);
    const note = "Ollama let a Mistral see the whole text, here each token sees 16: longer";
    assertEquals(stderr.includes(note), window !== undefined, stderr);
  }
  device.close();
});

Deno.test("tunebook export says what makes no sense for a model", async () => {
  await using workshop = await Workshop.open();
  const model = workshop.file("model");
  const out = workshop.file("x.gguf");
  const cases: [args: string[], code: number, message?: string][] = [
    [[model], 2],
    [[model, "--gguf", out, "--html", "x.html"], 2],
    [[model, "--gguf", out, "--type", "q4_0"], 2],
    [["book.ipynb", "--gguf", out], 1, "it is a notebook or a report of one"],
    [[model, "--hf", out, "--type", "q8_0"], 1, "safetensors have --type f32, f16 or bf16"],
    [
      [model, "--gguf", out, "--type", "bf16"],
      1,
      "into a GGUF file: expected --type f32, f16 or q8_0",
    ],
    [[model, "--gguf", out, "--merge"], 1, "is not an adapter, and --adapter is not given"],
    [["nothing-here", "--gguf", out], 1, 'Cannot find model "nothing-here"'],
  ];
  const { error } = console;
  try {
    for (const [args, code, message] of cases) {
      const said: string[] = [];
      console.error = (...parts: unknown[]) => said.push(parts.join(" "));
      assertEquals(await main(["export", ...args]), code, `${args}`);
      if (message) assertStringIncludes(said.join("\n"), message);
    }
  } finally {
    console.error = error;
  }
  const names = [...Deno.readDirSync(workshop.path)].map(({ name }) => name).sort();
  assertEquals(names, ["data.json", "model"], "nothing is written");
});

Deno.test("tunebook export refuses weights that were changed, and says how another run's model is replaced", async () => {
  await using workshop = await Workshop.open();
  const [hf, gguf] = [workshop.file("hf"), workshop.file("x.gguf")];
  assertEquals((await runHere(["export", workshop.file("model"), "--hf", hf])).code, 0);
  const whole = await runHere(["export", hf, "--gguf", gguf, "--type", "F16"]);
  assertEquals(whole.code, 0, whole.stderr);

  const again = await runHere(["export", gguf, "--hf", hf]);
  assertEquals(again.code, 1);
  assertStringIncludes(again.stderr, "give another folder, or --overwrite");

  const weights = join(hf, "model.safetensors");
  const bytes = await Deno.readFile(weights);
  bytes[bytes.length - 1] ^= 1;
  await Deno.writeFile(weights, bytes);
  const [other, pth] = [workshop.file("other.gguf"), workshop.file("x.pth")];
  for (const target of [["--gguf", other], ["--pth", pth]]) {
    const { code, stderr } = await runHere(["export", hf, ...target]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, `Cannot load "${weights}": it is not what was saved`);
  }
  const names = [...Deno.readDirSync(workshop.path)].map(({ name }) => name).sort();
  assertEquals(names, ["data.json", "hf", "model", "x.gguf"], "nothing else is written");
});
