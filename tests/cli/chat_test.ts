import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { RECORD_FILE } from "../../lib/pipeline/record.ts";
import { join } from "@std/path";
import { converse } from "../../lib/cli/chat.ts";
import { loadNano } from "../pipeline/nano.ts";
import { tunebook, Workshop } from "./tunebook.ts";

const CHATS = Array.from({ length: 8 }, (_, i) => ({
  messages: [
    { role: "user", content: `Name fruit ${i}.` },
    { role: "assistant", content: i % 2 === 0 ? "Apple." : "Pear." },
    { role: "user", content: "Again." },
    { role: "assistant", content: "Plum." },
  ],
}));

Deno.test("tunebook trains on conversations, keeps their template, and chats by it", async () => {
  await using workshop = await Workshop.open();
  const data = workshop.file("chats.json");
  await Deno.writeTextFile(data, JSON.stringify(CHATS));
  const model = ["--model", workshop.file("model")];
  const bare = await tunebook(["loss", ...model, "--data", data]);
  assertEquals(bare.code, 1);
  assertStringIncludes(
    bare.stderr,
    'error: Cannot chat with "gpt2": it came without a chat template; give one of "chatml", ',
  );

  const out = workshop.file("out");
  const trained = await tunebook([
    ...["train", ...model, "--data", data, "--out", out, "--format", "zephyr"],
    ...[
      "--split",
      "0.5,0.25,0.25",
      "--split-order",
      "given",
      "--batch-size",
      "2",
      "--max-length",
      "64",
    ],
  ]);
  assertEquals(trained.code, 0, trained.stderr);
  assertStringIncludes(trained.stderr, "Sample after epoch 1:\n  Again.\n→");
  assertStringIncludes(await Deno.readTextFile(join(out, "chat_template.jinja")), "<|assistant|>");
  assertEquals(
    JSON.parse(await Deno.readTextFile(join(out, "test.json"))),
    CHATS.slice(4, 6),
  );

  const few = ["--max-new-tokens", "3"];
  const [loss, chat, instruction, alpaca, file] = await Promise.all([
    tunebook(["loss", "--model", out, "--data", data, "--json"]),
    tunebook(["generate", "--model", out, "--chat", "Name fruit 1.", ...few]),
    tunebook(["generate", "--model", out, "--instruction", "Name fruit 1.", ...few]),
    tunebook(["generate", "--model", out, "--instruction", "1.", "--format", "alpaca", ...few]),
    tunebook([
      ...["generate", "--model", out, "--data", data, "--max-new-tokens", "2"],
      ...["--out", workshop.file("answers.json")],
    ]),
  ]);
  assertEquals(loss.code, 0, loss.stderr);
  assertEquals(JSON.parse(loss.stdout).examples, 8);
  assertEquals(chat.code, 0, chat.stderr);
  assert(chat.stdout.length > 0);
  assertEquals(instruction.stdout, chat.stdout, "an instruction too is asked as it was taught");
  assertEquals(alpaca.code, 0, alpaca.stderr);
  assertEquals(file.code, 0, file.stderr);
  const [answer] = JSON.parse(await Deno.readTextFile(workshop.file("answers.json")));
  assertEquals(Object.keys(answer), [
    ...["instruction", "input", "output", "messages", "model_response"],
  ]);
  assertEquals([answer.instruction, answer.output], ["Again.", "Plum."]);
});

Deno.test("tunebook keeps the template that an adapter was taught, whatever its model has", async () => {
  await using workshop = await Workshop.open();
  const data = workshop.file("chats.json");
  await Deno.writeTextFile(data, JSON.stringify(CHATS));
  const base = workshop.file("model");
  await Deno.writeTextFile(join(base, "chat_template.jinja"), "{{ messages[0].content }}");
  const [out, merged] = [workshop.file("out"), workshop.file("merged")];
  const trained = await tunebook([
    ...["train", "--model", base, "--data", data, "--out", out, "--format", "zephyr"],
    ...[
      "--lora-rank",
      "2",
      "--split",
      "0.5,0.25,0.25",
      "--split-order",
      "given",
      "--batch-size",
      "2",
    ],
    ...["--max-length", "64", "--steps", "1"],
  ]);
  assertEquals(trained.code, 0, trained.stderr);
  const whole = await tunebook(["export", out, "--merge", "--hf", merged]);
  assertEquals(whole.code, 0, whole.stderr);

  const measure = (...model: string[]) =>
    tunebook(["loss", "--data", data, "--max-length", "64", "--json", "--model", ...model]);
  const [taught, named, beside, joined, bare] = await Promise.all([
    measure(out),
    measure(out, "--format", "zephyr"),
    measure(base, "--adapter", out),
    measure(merged),
    measure(base),
  ]);
  assertEquals(taught.code, 0, taught.stderr);
  assertEquals(taught.stdout, named.stdout);
  assertEquals(taught.stdout, beside.stdout);
  assertAlmostEquals(JSON.parse(joined.stdout).loss, JSON.parse(taught.stdout).loss, 1e-4);
  assertEquals(bare.code, 1, "the model's own template writes no answers");
  // What compares models is measured on the same words, whatever template came with one.
  await Deno.remove(join(merged, RECORD_FILE));
  const instructions = ["loss", "--model", merged, "--data", workshop.file("data.json"), "--json"];
  const [shared, alpaca] = await Promise.all([
    tunebook(instructions),
    tunebook([...instructions, "--format", "alpaca"]),
  ]);
  assertEquals([shared.code, shared.stdout], [0, alpaca.stdout], shared.stderr);
  assertStringIncludes(shared.stderr, "--format chat takes the model's chat template");
  assertEquals(alpaca.stderr.includes("--format chat"), false);
});

Deno.test("tunebook --format says what formats there are, and which template fails", async () => {
  await using workshop = await Workshop.open();
  const data = workshop.file("chats.json");
  const broken = workshop.file("broken.jinja");
  await Deno.writeTextFile(data, JSON.stringify(CHATS));
  await Deno.writeTextFile(broken, "{% for");
  const loss = ["loss", "--model", workshop.file("model"), "--data", data, "--format"];
  const [unknown, bad, alpaca] = await Promise.all([
    tunebook([...loss, "chatlm"]),
    tunebook([...loss, broken]),
    tunebook([...loss, "alpaca"]),
  ]);
  assertEquals([unknown.code, bad.code, alpaca.code], [1, 1, 1]);
  assertStringIncludes(
    unknown.stderr,
    'error: Cannot read the template "chatlm": there is no such file or format',
  );
  assertStringIncludes(bad.stderr, "error: Cannot read the template ");
  assertStringIncludes(
    alpaca.stderr,
    'error: Cannot encode entry 1 of 8: Cannot write a conversation in the format "alpaca"',
  );
});

Deno.test("tunebook chat answers with the conversation so far, and says what no longer fits", async () => {
  using model = await loadNano();
  model.format = "chatml";
  let written = "";
  const notes: string[] = [];
  const options = {
    maxNewTokens: 3,
    write: (text: string) => void (written += text),
    note: (text: string) => void notes.push(text),
  };
  await converse(model, ["Name a fruit.", "", "Again.", "/new", "Hi", "/exit", "never"], options);
  const answers = written.split("\n").slice(0, -1);
  const user = (content: string) => ({ role: "user", content });
  const history = [user("Name a fruit."), { role: "assistant", content: answers[0].trim() }];
  const few = { maxNewTokens: 3 };
  assertEquals(answers.map((answer) => answer.trim()), [
    await model.answer({ messages: [user("Name a fruit.")] }, few),
    await model.answer({ messages: [...history, user("Again.")] }, few),
    await model.answer({ messages: [user("Hi")] }, few),
  ]);
  assertEquals(notes, ["A new conversation"]);
  const long = "word ".repeat(75);
  await converse(model, [long, long, long, "/huh"], { ...options, system: "Be brief." });
  assertEquals(notes.slice(1, -1), [
    "Note: the first 2 messages no longer fit the context, and are left out",
  ]);
  assertStringIncludes(notes.at(-1)!, 'There is no command "/huh": /new begins');
});
