// The description of a model for other programs: the template that it was taught, byte for byte.

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { settingsFor } from "../../lib/pipeline/export/ollama_settings.ts";
import { loadModel } from "../../lib/pipeline/mod.ts";
import { type Gguf, openGguf } from "../../lib/weights/mod.ts";
import { ollama, OllamaServer, smollm2 } from "../ollama.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";
import { ENTRIES, loadNano, SHORT } from "./nano.ts";

const ALPACA = "Below is an instruction that describes a task. Write a response that " +
  "appropriately completes the request.\n\n### Instruction:\n{{ .Prompt }}\n\n### Response:\n" +
  "{{ .Response }}<|endoftext|>";
const ALPACA_JINJA = "{% for message in messages %}{% if message['role'] == 'user' %}" +
  '{{ "Below is an instruction that describes a task. Write a response that appropriately ' +
  "completes the request.\\n\\n### Instruction:\\n\" }}{{ message['content'] }}" +
  "{{ \"\\n\\n### Response:\\n\" }}{% elif message['role'] == 'assistant' %}" +
  "{{ message['content'] }}{{ \"<|endoftext|>\" }}{% else %}" +
  "{{ raise_exception('only user and assistant speak in this format') }}{% endif %}{% endfor %}";

const templateOf = (file: Gguf) => file.metadata.get("tokenizer.chat_template");

Deno.test("a model that was taught Alpaca is exported with Alpaca's template, to each target", async () => {
  using temporary = new TemporaryDirectory();
  const path = (name: string) => join(temporary.path, name);
  using model = await loadNano();
  await model.train(ENTRIES, SHORT).finish();
  const progress: number[] = [];
  const { bytes, notices } = await model.export(path("a.gguf"), {
    type: "Q8_0",
    onProgress: (done) => progress.push(done),
  });
  assertEquals([bytes, notices], [(await Deno.stat(path("a.gguf"))).size, []]);
  assertEquals(progress.at(-1), bytes);
  using file = await openGguf(path("a.gguf"));
  assertEquals(templateOf(file), ALPACA_JINJA);
  await model.export(path("hf"), { type: "BF16" });
  assertEquals(await Deno.readTextFile(path("hf/chat_template.jinja")), ALPACA_JINJA);
  const { source, tokenizer, format } = model;
  assertEquals(settingsFor({ source, tokenizer, format }), {
    template: ALPACA,
    addBos: false,
    parameters: { temperature: 0, repeat_penalty: 1, stop: ["<|endoftext|>"] },
  });
  // saved and loaded, it is exported alike
  await model.save(path("mine"));
  using again = await loadModel(path("mine"), { device: "cpu" });
  await again.export(`gguf:${path("b")}`, { type: "Q8_0" });
  using other = await openGguf(path("b"));
  assertEquals(templateOf(other), ALPACA_JINJA);
});

Deno.test("a model that was taught nothing is exported as what it is", async () => {
  using temporary = new TemporaryDirectory();
  using model = await loadNano();
  const { source, tokenizer } = model;
  assertEquals(settingsFor({ source, tokenizer }).template, "{{ .Prompt }}");
  const path = join(temporary.path, "bare.gguf");
  await model.export(path, { type: "Q8_0" });
  using file = await openGguf(path);
  assertEquals(templateOf(file), undefined);
  // a format that is given counts
  const chat = join(temporary.path, "chat.gguf");
  await model.export(chat, { type: "Q8_0", format: "zephyr" });
  using told = await openGguf(chat);
  assertStringIncludes(`${templateOf(told)}`, "<|assistant|>");
});

Deno.test("adapters go beside the model or into it, and what a target cannot hold is refused", async () => {
  using temporary = new TemporaryDirectory();
  const path = (name: string) => join(temporary.path, name);
  using model = await loadNano({ lora: { rank: 2 } });
  await model.export(path("adapter.gguf"));
  using adapter = await openGguf(path("adapter.gguf"));
  assertEquals(adapter.metadata.get("general.type"), "adapter");
  await model.export(path("whole.gguf"), { merge: true, type: "Q8_0" });
  using whole = await openGguf(path("whole.gguf"));
  assertEquals(whole.metadata.get("general.type"), "model");
  await assertRejects(() => model.export(path("hf")), TypeError, 'give "merge: true"');
  using plain = await loadNano();
  const refused: [string, object, string][] = [
    [path("x.gguf"), { merge: true }, "the model has no adapters"],
    [path("x.gguf"), { type: "BF16" }, "GGUF files are written as"],
    [path("x"), { type: "Q8_0" }, 'safetensors hold "F32", "F16" or "BF16"'],
    [path("x.gguf"), { dtype: "F16" }, 'Cannot export with the option "dtype"'],
  ];
  for (const [target, options, message] of refused) {
    await assertRejects(() => plain.export(target, options), TypeError, message);
  }
  assertEquals([...Deno.readDirSync(temporary.path)].length, 2, "nothing else is written");
});

Deno.test({
  name: `SmolLM2 that was taught Alpaca is not exported with its chat template${smollm2.needs}`,
  ignore: !smollm2.found,
  async fn() {
    using temporary = new TemporaryDirectory();
    using model = await loadModel(smollm2.path, { device: "cpu", lora: { rank: 1 } });
    assertEquals(model.format.name === "alpaca", false, "a chat model takes its own template");
    const { source, tokenizer } = model;
    const own = settingsFor({ source, tokenizer }).template;
    assertStringIncludes(own, "<|im_start|>");
    const [entry] = ENTRIES;
    assertEquals((await model.answer("Say hello.", { maxNewTokens: 8 })).length > 0, true);
    await model.train([entry], { format: "alpaca", evalEvery: 0 }).finish();
    await model.save(temporary.path);
    using again = await loadModel(temporary.path, { device: "cpu" });
    assertEquals(again.format.name, "alpaca");
    const { template, parameters } = settingsFor({
      source: again.source,
      tokenizer: again.tokenizer,
      format: again.format,
    });
    assertEquals(template, ALPACA.replace("<|endoftext|>", "<|im_end|>"));
    assertEquals(parameters.stop, ["<|im_end|>"]);
    const jinja = await Deno.readTextFile(join(temporary.path, "chat_template.jinja"));
    assertEquals(jinja, ALPACA_JINJA.replace("<|endoftext|>", "<|im_end|>"));
  },
});

Deno.test({
  name:
    `a model in a real Ollama reads the prompt that it was taught, and answers as here${ollama.needs}`,
  ignore: !ollama.found,
  async fn() {
    using temporary = new TemporaryDirectory();
    await using server = await OllamaServer.start();
    using model = await loadNano();
    await model.train(ENTRIES, { ...SHORT, maxSteps: 12, epochs: 6 }).finish();
    await model.save(temporary.path);
    using again = await loadModel(temporary.path, { device: "cpu" });
    await again.export("ollama:mine", { type: "F32", host: server.host });
    const [{ instruction }] = ENTRIES;
    const answer = await server.generate("mine", instruction, 6, { raw: false });
    const prompt = again.encodePrompt(instruction);
    assertEquals(answer.context?.slice(0, prompt.length), prompt);
    assertEquals(answer.response.trim(), await again.answer(instruction, { maxNewTokens: 6 }));
  },
});
