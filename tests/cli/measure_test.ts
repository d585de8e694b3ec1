// The commands that look and change nothing: loss, plan, doctor.

import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { encodeExamples } from "../../lib/dataset/mod.ts";
import { loadNetwork } from "../../lib/model/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { gpt2Tokenizer } from "../../lib/text/mod.ts";
import { measureLoss } from "../../lib/train/mod.ts";
import { listCachedModels } from "../../lib/weights/hub.ts";
import { webGpuNeed } from "../devices.ts";
import { denoDir } from "../support.ts";
import { FakeHub } from "../weights/hub/fake_hub.ts";
import { entries, tunebook, Workshop } from "./tunebook.ts";

Deno.test("tunebook loss --json is the mean over all counted tokens of the file", async () => {
  await using workshop = await Workshop.open();
  const args = ["loss", "--model", workshop.file("model"), "--data", workshop.file("data.json")];
  const [json, none, text, cut, some] = await Promise.all([
    tunebook([...args, "--json"]),
    tunebook([...args, "--json", "--mask", "none", "--batch-size", "5"]),
    tunebook(args),
    tunebook([...args, "--json", "--max-length", "20"]),
    tunebook([...args, "--json", "--limit", "5"]),
  ]);
  const device = new CpuDevice({ threads: 1, blas: false });
  const { network: model } = await loadNetwork(workshop.file("model"), { device });
  const examples = encodeExamples(entries(24), gpt2Tokenizer());
  for (const [{ code, stdout, stderr }, mask] of [[json, "prompt"], [none, "none"]] as const) {
    assertEquals(code, 0, stderr);
    const { loss, tokens, ...rest } = JSON.parse(stdout);
    const expected = await measureLoss(model, examples, { mask });
    assertAlmostEquals(loss, expected.loss, 1e-5);
    assertEquals([tokens, rest], [expected.tokens, { examples: 24 }]);
  }
  const { loss, ...rest } = JSON.parse(some.stdout);
  const { loss: expected, tokens } = await measureLoss(model, examples.slice(0, 5));
  assertAlmostEquals(loss, expected, 1e-5);
  assertEquals(rest, { tokens, examples: 5 });
  device.close();
  assert(/^Loss \d+\.\d{4} over \d+ tokens of 24 examples\n$/.test(text.stdout), text.stdout);
  assertEquals([cut.code, cut.stdout], [1, ""]);
  assertStringIncludes(
    cut.stderr,
    "Note: 24 of 24 examples are cut to 20 tokens; 24 of 24 have no",
  );
  assertStringIncludes(
    cut.stderr,
    "error: Cannot measure the loss of 24 examples: no token counts",
  );
});

Deno.test({
  name: `tunebook loss --device webgpu takes a software adapter too${
    webGpuNeed ? `; ${webGpuNeed}` : ""
  }`,
  ignore: webGpuNeed !== undefined,
  async fn() {
    await using workshop = await Workshop.open();
    const args = ["loss", "--model", workshop.file("model"), "--data", workshop.file("data.json")];
    const [cpu, gpu] = await Promise.all(
      ["cpu", "webgpu"].map((device) => tunebook([...args, "--json", "--device", device])),
    );
    assertEquals([cpu.code, gpu.code], [0, 0], gpu.stderr);
    assertAlmostEquals(JSON.parse(gpu.stdout).loss, JSON.parse(cpu.stdout).loss, 1e-4);
  },
});

Deno.test("tunebook plan says what a training takes before anything is loaded", async () => {
  await using workshop = await Workshop.open();
  const data = ["--data", workshop.file("data.json"), "--batch-size", "8"];
  // No weights are read: there are none.
  await Deno.remove(workshop.file("model", "model.safetensors"));
  await Deno.writeTextFile(workshop.file("model", "model.safetensors"), "");
  const [medium, own, broken] = await Promise.all([
    tunebook(["plan", "--model", "gpt2-medium", ...data, "--epochs", "2", "--json"]),
    tunebook(["plan", "--model", workshop.file("model"), ...data]),
    (async () => {
      await Deno.mkdir(workshop.file("broken"));
      await Deno.writeTextFile(workshop.file("broken", "model.safetensors"), "");
      await Deno.writeTextFile(workshop.file("broken", "config.json"), "{");
      return await tunebook(["plan", "--model", workshop.file("broken"), ...data]);
    })(),
  ]);
  assertEquals(medium.code, 0, medium.stderr);
  const plan = JSON.parse(medium.stdout);
  assertEquals(plan.weights, 354823168);
  assertEquals([plan.examples, plan.steps, plan.epochs], [20, 3, 2]); // the last step has four
  assert(plan.deviceBytes > 16 * plan.weights && plan.deviceBytes < 18 * plan.weights);
  assert(plan.memoryBytes > plan.deviceBytes);
  assert(plan.measuredFlopsPerSecond > 0 && plan.speedSpread >= 0);
  assert(plan.processorShare > 0 && plan.processorShare <= 1);
  assert(plan.tokensComputed < plan.tokensPadded && plan.tokensCounted < plan.tokensComputed);
  // 6 arithmetic operations a weight and token, the head apart
  const perToken = 6 * (plan.weights - 50257 * 1024 - 1024 * 1024);
  assert(
    plan.flops > perToken * plan.tokensComputed && plan.flops < 2 * perToken * plan.tokensComputed,
  );
  assertEquals(plan.totalSteps, 6);
  assertAlmostEquals(plan.seconds, 6 * plan.secondsPerStep + plan.evaluationSeconds, 1e-6);

  assertEquals(own.code, 0, own.stderr);
  for (const name of ["Model", "Data", "Tokens", "Arithmetic", "Memory", "Device", "Time"]) {
    assert(new RegExp(`^${name} +\\S`, "m").test(own.stdout), name);
  }
  assertEquals(broken.code, 1);
  assertStringIncludes(
    broken.stderr,
    `error: Cannot read "${workshop.file("broken", "config.json")}" as JSON`,
  );
});

Deno.test("tunebook plan downloads a hub's model's description, and never its weights", async () => {
  await using workshop = await Workshop.open();
  await using hub = new FakeHub();
  hub.repository = "HuggingFaceTB/SmolLM2-135M-Instruct";
  hub.files.set("config.json", await Deno.readFile(workshop.file("model", "config.json")));
  hub.files.set("model.safetensors", new Uint8Array(1 << 20));
  hub.files.set("tiny.gguf", new Uint8Array(1 << 20));
  const env = {
    HF_ENDPOINT: hub.endpoint,
    HF_HUB_CACHE: workshop.file("cache"),
    HF_HUB_OFFLINE: "0",
  };
  const plan = (model: string) =>
    tunebook(["plan", "--model", model, "--data", workshop.file("data.json"), "--json"], env);
  const [own, short, named, file] = await Promise.all([
    plan(workshop.file("model")),
    plan("smollm2-135m-instruct"),
    plan(`hf:${hub.repository}@main`),
    plan(`hf:${hub.repository}/tiny.gguf`),
  ]);
  for (const { code, stdout, stderr } of [short, named]) {
    assertEquals(code, 0, stderr);
    assertEquals(JSON.parse(stdout).weights, JSON.parse(own.stdout).weights);
  }
  assertEquals(file.code, 1);
  assertStringIncludes(
    file.stderr,
    `error: Cannot describe model "hf:${hub.repository}/tiny.gguf" without downloading it`,
  );
  assertEquals(hub.count("GET", /config\.json$/) > 0, true);
  assertEquals(hub.asked.filter(({ path }) => /safetensors|gguf/.test(path)), []);
  // A description alone is not a model: the cache does not offer it as one.
  assertEquals(await listCachedModels(env.HF_HUB_CACHE), []);
});

Deno.test("tunebook doctor says what the machine has, whatever it lacks", async () => {
  await using workshop = await Workshop.open();
  const store = workshop.file("store");
  await Deno.mkdir(`${store}/manifests/registry.ollama.ai/library/tiny`, { recursive: true });
  await Deno.writeTextFile(`${store}/manifests/registry.ollama.ai/library/tiny/1b`, "{}");
  const [json, text, broken] = await Promise.all([
    tunebook(["doctor", "--json"], {
      ...{ HF_HUB_CACHE: "/nowhere", OLLAMA_MODELS: store },
      // It chooses a BLAS, which must not concern other tests.
      ...{ XDG_CACHE_HOME: workshop.file("cache"), DENO_DIR: denoDir() },
    }),
    tunebook(["doctor"], { TUNEBOOK_BLAS: "none" }),
    tunebook(["doctor", "--json"], { TUNEBOOK_BLAS: "/nowhere/libblas.so" }),
  ]);
  assertEquals(json.code, 0, json.stderr);
  const found = JSON.parse(json.stdout) as { name: string; ok: boolean; found: string }[];
  const names = ["Machine", "WebGPU", "BLAS", "Computes", "Kernel", "Sandbox", "Jupyter"]
    .concat("Ollama", "Models");
  assertEquals(found.map(({ name }) => name), names);
  const of = (name: string) => found.find((finding) => finding.name === name)!;
  assertStringIncludes(of("Machine").found, `Deno ${Deno.version.deno} on `);
  assertStringIncludes(of("Computes").found, "CPU, 2 threads");
  assertEquals([of("Kernel").ok, of("Ollama").ok], [true, false]);
  assertEquals(of("Ollama").found, "no server at http://127.0.0.1:9");
  assertEquals(of("Models").found, "nano, ollama:tiny:1b");

  assertEquals(text.code, 0, text.stderr);
  assertStringIncludes(
    text.stdout,
    "– BLAS      none, as TUNEBOOK_BLAS says; WebAssembly SIMD computes\n",
  );
  assertStringIncludes(text.stdout, "→ several times faster on the CPU: ");

  assertEquals(broken.code, 0, broken.stderr);
  const blas = JSON.parse(broken.stdout).find(({ name }: { name: string }) => name === "BLAS");
  assertEquals([blas.ok, blas.found.includes('Cannot load the BLAS "/nowhere/libblas.so"')], [
    false,
    true,
  ]);
});
