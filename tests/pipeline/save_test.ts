import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { encodeExamples } from "../../lib/dataset/mod.ts";
import { saveLora } from "../../lib/model/mod.ts";
import { setCommand } from "../../lib/pipeline/program.ts";
import { loadModel, type Model, readRecord } from "../../lib/pipeline/mod.ts";
import { gpt2Tokenizer } from "../../lib/text/mod.ts";
import { sft } from "../../lib/train/mod.ts";
import { findPython } from "../support.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";
import { ENTRIES, loadNano, SHORT } from "./nano.ts";

const transformers = findPython("torch", "transformers");
const FEW = { maxNewTokens: 6 };
const QUESTIONS = ["Name a fruit.", ENTRIES[1], "What is 2 and 3?"];

const names = (path: string) => [...Deno.readDirSync(path)].map(({ name }) => name).sort();

async function sameWeights(a: Model, b: Model): Promise<void> {
  for (const [name, tensor] of a.network.parameters) {
    assertEquals(await b.network.parameters.get(name)!.data(), await tensor.data(), name);
  }
}

Deno.test("a model that is saved and loaded answers as before, and knows what it was taught", async () => {
  using temporary = new TemporaryDirectory();
  const folder = join(temporary.path, "mine");
  using model = await loadNano();
  await model.train(ENTRIES, { ...SHORT, format: "zephyr", maxLength: 64 }).finish();
  const saved = await model.save(folder);
  assertEquals(saved.directory, folder);
  assertEquals(names(folder), [
    ...["README.md", "chat_template.jinja", "config.json", "model.safetensors", "taught.json"],
    ...["tokenizer.json", "tokenizer_config.json"],
  ]);
  using again = await loadModel(folder, { device: "cpu" });
  await sameWeights(model, again);
  assertEquals(again.format.name, "zephyr");
  assertEquals(await again.answer(QUESTIONS, FEW), await model.answer(QUESTIONS, FEW));
  assertEquals(again.taught.trainings, model.taught.trainings);
  assertEquals(again.taught.trainings[0].maxLength, 64);
  assertEquals((await readRecord(folder))?.sha256, saved.sha256);
  // what it learns on top of it comes after
  await again.train(ENTRIES, { ...SHORT, maxSteps: 1 }).finish();
  await again.save(join(temporary.path, "next"));
  const record = await readRecord(join(temporary.path, "next"));
  assertEquals(record?.trainings.map(({ steps }) => steps), [2, 1]);
  assertEquals(record?.base, "../mine");
});

Deno.test("an adapter is saved alone, with its base, and found again by its folder", async () => {
  using temporary = new TemporaryDirectory();
  const [folder, whole] = [join(temporary.path, "adapter"), join(temporary.path, "whole")];
  using model = await loadNano({ lora: { rank: 2 } });
  await model.train(ENTRIES, { ...SHORT, format: "chatml" }).finish();
  await model.save(folder);
  const config = JSON.parse(await Deno.readTextFile(join(folder, "adapter_config.json")));
  assertEquals(config.base_model_name_or_path, "nano");
  using again = await loadModel(folder, { device: "cpu" });
  assertEquals([again.format.name, again.adapter?.settings.rank], ["chatml", 2]);
  assertEquals(again.adapter?.directory, folder);
  assertEquals(await again.answer(QUESTIONS, FEW), await model.answer(QUESTIONS, FEW));
  assertEquals(again.taught.trainings[0].adapter?.rank, 2);

  await model.save(whole, { merge: true });
  assertEquals(model.adapter?.settings.rank, 2, "the model itself keeps its adapters");
  assertEquals(names(whole).includes("adapter_config.json"), false);
  using merged = await loadModel(whole, { device: "cpu" });
  assertEquals(merged.adapter, undefined);
  assertEquals(merged.format.name, "chatml");
  assertEquals(await merged.answer(QUESTIONS, FEW), await model.answer(QUESTIONS, FEW));
  await assertRejects(
    () => merged.save(folder, { merge: true }),
    TypeError,
    "the model has no adapters",
  );

  // the lower layer knows the base too
  await saveLora(model.network, join(temporary.path, "bare"));
  using bare = await loadModel(join(temporary.path, "bare"), { device: "cpu" });
  assertEquals(bare.source.spec, "nano");
});

Deno.test("what sft() teaches a model is known when it is saved; unknown formats are not guessed", async () => {
  using temporary = new TemporaryDirectory();
  const folder = join(temporary.path, "lower");
  using model = await loadNano();
  const examples = encodeExamples(ENTRIES, model.tokenizer);
  for await (const _ of sft(model.network, { ...SHORT, examples, mask: "none" }));
  await model.save(folder);
  const record = await readRecord(folder);
  assertEquals([record?.format?.name, record?.trainings[0].mask], ["alpaca", "none"]);

  using other = await loadNano();
  const handmade = [{ promptIds: [1, 2, 3], responseIds: [4, 5], instructionLength: 2 }];
  for await (const _ of sft(other.network, { ...SHORT, examples: handmade }));
  const unknown = join(temporary.path, "unknown");
  await other.save(unknown);
  assertEquals((await readRecord(unknown))?.format, undefined);
  using loaded = await loadModel(unknown, { device: "cpu" });
  for (const target of [join(temporary.path, "x.gguf"), "ollama:x"]) {
    await assertRejects(
      () => loaded.export(target),
      TypeError,
      "the model was trained on examples whose format is not known",
    );
  }
  loaded.format = "alpaca";
  await loaded.export(join(temporary.path, "x.gguf"), { type: "Q8_0" });
});

/** Runs what a command of that name would do. */
async function as<T>(command: string, run: () => Promise<T>): Promise<T> {
  setCommand(command);
  try {
    return await run();
  } finally {
    setCommand(undefined);
  }
}

Deno.test("a run replaces its own output; another's is refused in one sentence", async () => {
  using temporary = new TemporaryDirectory();
  const folder = join(temporary.path, "out");
  using model = await loadNano();
  using adapted = await loadNano({ lora: true });
  await as("one", () => model.save(folder));
  await Deno.writeTextFile(join(folder, "answers.json"), "[]");
  await as("one", () => adapted.save(folder));
  assertEquals(names(folder).includes("model.safetensors"), false, "the former model is gone");
  assert(names(folder).includes("answers.json"), "what is not the model's stays");
  await assertRejects(
    () => as("two", () => model.save(folder)),
    Deno.errors.AlreadyExists,
    `Cannot save to "${folder}": it holds what the command "one" made; give another folder, or ` +
      '"overwrite: true"',
  );
  assert(names(folder).includes("adapter_config.json"), "nothing was touched");
  await as("two", () => model.save(folder, { overwrite: true }));
  assertEquals((await readRecord(folder))?.program, { kind: "command", name: "two" });

  await Deno.remove(join(folder, "taught.json"));
  await assertRejects(
    () => as("two", () => model.save(folder)),
    Deno.errors.AlreadyExists,
    'it holds a model without a "taught.json"',
  );
  // other files are not a reason to refuse
  const full = join(temporary.path, "full");
  await Deno.mkdir(full);
  await Deno.writeTextFile(join(full, "notes.txt"), "mine");
  await as("two", () => model.save(full));
  assert(names(full).includes("notes.txt"));
});

Deno.test("where nobody names the program, the model and its data tell a run from another", async () => {
  using temporary = new TemporaryDirectory();
  const folder = join(temporary.path, "out");
  const trained = async (from: number) => {
    const model = await loadNano();
    await model.train(ENTRIES.slice(from), SHORT).finish();
    return model;
  };
  using first = await trained(0);
  using same = await trained(0);
  using other = await trained(1);
  await first.save(folder);
  const record = JSON.parse(await Deno.readTextFile(join(folder, "taught.json")));
  delete record.program; // as in a client that does not name the notebook
  await Deno.writeTextFile(join(folder, "taught.json"), JSON.stringify(record));
  await assertRejects(
    () => other.save(folder),
    Deno.errors.AlreadyExists,
    'it holds a model made from "nano"',
  );
  await same.save(folder);
});

Deno.test("a save that fails leaves the folder as it was, and what a kill left is cleared", async () => {
  using temporary = new TemporaryDirectory();
  const folder = join(temporary.path, "out");
  using model = await loadNano();
  const stopped = { signal: AbortSignal.abort(new Error("enough")) };
  await assertRejects(() => model.save(folder, stopped), Error, "enough");
  assertEquals(names(temporary.path), []);
  await model.save(folder);
  const before = await readRecord(folder);
  await assertRejects(() => model.save(folder, stopped), Error, "enough");
  assertEquals(await readRecord(folder), before);
  await Deno.mkdir(join(folder, ".saving"));
  await Deno.writeTextFile(join(folder, ".saving", "model.safetensors"), "half");
  await model.save(folder);
  assertEquals(names(folder).includes(".saving"), false);
});

Deno.test("an adapter is not saved into the folder of its own base", async () => {
  using temporary = new TemporaryDirectory();
  using model = await loadNano();
  await model.save(temporary.path);
  using adapted = await loadModel(temporary.path, { device: "cpu", lora: { rank: 2 } });
  await assertRejects(
    () => adapted.save(temporary.path, { overwrite: true }),
    TypeError,
    "that is the folder of the model that it belongs to",
  );
});

Deno.test("a type can be chosen, and rounds", async () => {
  using temporary = new TemporaryDirectory();
  using model = await loadNano();
  const { bytes } = await model.save(join(temporary.path, "f32"));
  const half = await model.save(join(temporary.path, "f16"), { dtype: "F16" });
  assert(half.bytes < 0.51 * bytes);
  assertNotEquals(half.sha256, bytes);
  await assertRejects(
    () => model.save(temporary.path, { torchDtype: "float16" } as object),
    TypeError,
    'Cannot save with the option "torchDtype"',
  );
});

const TEXTS = ["hello world", " Ünïcode 🌊 <|endoftext|> 中文", "a\n\n\tb  c", "12,345.678", ""];

Deno.test({
  name:
    `transformers reads a saved GPT-2's tokenizer and template as they are here${transformers.needs}`,
  ignore: !transformers.found,
  async fn() {
    using temporary = new TemporaryDirectory();
    using model = await loadNano();
    await model.train(ENTRIES, SHORT).finish();
    await model.save(temporary.path);
    const script = join(temporary.path, "peer.py");
    await Deno.writeTextFile(script, PEER);
    const answer = JSON.parse(
      await transformers.run(script, temporary.path, JSON.stringify(TEXTS)),
    );
    assertEquals(answer.ids, TEXTS.map((text) => gpt2Tokenizer().encode(text)));
    assertEquals(answer.prompt, model.encodePrompt("Name a fruit."));
    assertEquals(answer.eos, 50256);
    using again = await loadModel(temporary.path, { device: "cpu" });
    assertEquals(TEXTS.map((text) => again.tokenizer.encode(text)), answer.ids);
  },
});

const PEER = `
import json, sys
from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
ids = [tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True) for text in json.loads(sys.argv[2])]
messages = [{"role": "user", "content": "Name a fruit."}]
prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)["input_ids"]
print(json.dumps({"ids": ids, "prompt": list(prompt), "eos": tokenizer.eos_token_id}))
`;

Deno.test("a checkpoint is a model that knows what it was taught so far", async () => {
  using temporary = new TemporaryDirectory();
  using model = await loadNano();
  const checkpoint = { directory: temporary.path, every: 1 };
  const training = model.train(ENTRIES, { ...SHORT, format: "zephyr", maxSteps: 2, checkpoint });
  for await (const { step } of training) if (step === 2) break;
  using half = await loadModel(join(temporary.path, "step-000002"), { device: "cpu" });
  await sameWeights(model, half);
  assertEquals(half.format.name, "zephyr");
  assertEquals(half.taught.trainings.map(({ steps }) => steps), [2]);

  using adapted = await loadNano({ lora: { rank: 2 } });
  const beside = { directory: join(temporary.path, "adapters"), every: 1 };
  await adapted.train(ENTRIES, { ...SHORT, maxSteps: 1, checkpoint: beside }).finish();
  const record = await readRecord(join(beside.directory, "step-000001"));
  assertEquals([record?.base, record?.trainings[0].adapter?.rank], ["nano", 2]);
});

Deno.test("weights that are not those of their record are refused, the base's and the adapter's each", async () => {
  using temporary = new TemporaryDirectory();
  const [base, adapter] = [join(temporary.path, "base"), join(temporary.path, "adapter")];
  using model = await loadNano();
  await model.save(base);
  using adapted = await loadModel(base, { device: "cpu", lora: { rank: 2 } });
  await adapted.save(adapter);
  const load = () => loadModel(adapter, { device: "cpu" });
  (await load())[Symbol.dispose]();
  // as PEFT saves an adapter: without a record of its own, which the base's does not stand for
  const record = await Deno.readTextFile(join(adapter, "taught.json"));
  await Deno.remove(join(adapter, "taught.json"));
  (await load())[Symbol.dispose]();
  await Deno.writeTextFile(join(adapter, "taught.json"), record);

  const turn = async (path: string) => {
    const bytes = await Deno.readFile(path);
    bytes[bytes.length - 1] ^= 1;
    await Deno.writeFile(path, bytes);
  };
  for (
    const path of [join(adapter, "adapter_model.safetensors"), join(base, "model.safetensors")]
  ) {
    await turn(path);
    await assertRejects(load, SyntaxError, `Cannot load "${path}": it is not what was saved`);
    await turn(path);
  }
});
