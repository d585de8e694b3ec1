// `tunebook data inspect` and `convert`: what they print, write and refuse.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { TemporaryDirectory } from "../weights/temporary.ts";
import { runHere } from "./in_process.ts";
import { tunebook } from "./tunebook.ts";

const rows = [
  { instruction: "Name a fruit.", context: "", response: "An apple.", mood: "glad" },
  { instruction: "Name two.", context: "Fruits.", response: "", mood: "sad" },
];

Deno.test("tunebook data inspect shows forms, lengths and the tokens that count", async () => {
  using folder = new TemporaryDirectory();
  const data = folder.file("data.jsonl", rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const refused = await tunebook(["data", "inspect", data]);
  assertEquals([refused.code, refused.stdout], [1, ""]);
  assertStringIncludes(refused.stderr, 'the field "mood" (2 of 2) would be lost');

  const { code, stdout, stderr } = await tunebook(["data", "inspect", data, "--ignore", "mood"]);
  assertEquals([code, stderr], [0, ""]);
  for (
    const line of [
      "2 entries in the form Dolly",
      'left out: "mood" (2 of 2)',
      "1 of 2 outputs is empty (the first is entry 2), which teaches the model to stop at once",
      "written in the format alpaca, mask prompt",
      "that count  1 to 4, median 2.5, mean 2.5",
      "⟦An·apple.<|endoftext|>⟧",
    ]
  ) assertStringIncludes(stdout, line);

  const page = folder.file("page.html", "");
  const json = await runHere(
    ["data", "inspect", data, "--ignore", "mood", "--json", "--html", page],
  );
  const written = await Deno.readTextFile(page);
  for (const part of ["2 entries in the form Dolly", "<h2>Vocabulary</h2>", "Entry 2", "<svg"]) {
    assertStringIncludes(written, part);
  }
  assert(!written.includes("<script"), "the page runs nothing");
  const { forms, emptyOutputs, tokens, uncounted, vocabulary } = JSON.parse(json.stdout);
  assertEquals(vocabulary.prompt, {
    ...{ words: 6, distinct: 5, once: 4 },
    growth: [{ words: 3, distinct: 3 }, { words: 6, distinct: 5 }],
  });
  assertEquals([forms, emptyOutputs, tokens.counted.max, uncounted], [{ dolly: 2 }, [1], 4, []]);
});

Deno.test("tunebook data inspect fails if answers never teach the model to stop", async () => {
  using folder = new TemporaryDirectory();
  const data = folder.file(
    "data.json",
    JSON.stringify([{ prompt: "Hi", completion: "Hello you" }]),
  );
  const whole = JSON.parse((await tunebook(["data", "inspect", data, "--json"])).stdout);
  const most = `${whole.tokens.total.max - 2}`;
  const cut = await tunebook(["data", "inspect", data, "--max-length", most]);
  assertEquals(cut.code, 1);
  assertStringIncludes(cut.stdout, "1 of 1 examples are cut (the first is entry 1)");
  assertStringIncludes(cut.stderr, 'its closing token "<|endoftext|>" is never a target');
  // A template that closes answers with nothing.
  const template = folder.file(
    "open.jinja",
    "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}" +
      "{% if add_generation_prompt %}assistant: {% endif %}",
  );
  const open = await tunebook(["data", "inspect", data, "--format", template]);
  assertEquals(open.code, 1);
  assertStringIncludes(open.stderr, "Cannot teach the model to stop");
});

Deno.test("tunebook data convert writes another form and kind, and refuses what has no place", async () => {
  using folder = new TemporaryDirectory();
  const data = folder.file("data.json", JSON.stringify(rows));
  const out = folder.file("chat.csv");
  const to = ["--out", out, "--to", "chat"];
  const { code, stdout, stderr } = await tunebook([
    ...["data", "convert", data, "--keep", "mood"],
    ...to,
  ]);
  assertEquals([code, stdout], [0, `2 entries written to "${out}"\n`]);
  assertStringIncludes(stderr, "Data: 2 entries in the form Dolly\n");
  assertStringIncludes(stderr, 'Note: carried along and not learnt: "mood" (2 of 2)\n');
  const text = await Deno.readTextFile(out);
  assert(text.startsWith("messages,mood\r\n"), text);

  const texts = folder.file("texts.jsonl", '{"text": "Once"}\n');
  const none = await tunebook(["data", "convert", texts, ...to]);
  assertEquals(none.code, 1);
  assertStringIncludes(none.stderr, 'Cannot write entry 1 of 1 in the form "chat": a text has no');
});

Deno.test("tunebook data inspect asks for a model if conversations have no template", async () => {
  using folder = new TemporaryDirectory();
  const messages = [{ role: "user", content: "Hi" }, { role: "assistant", content: "Hello" }];
  const data = folder.file("chats.json", JSON.stringify([{ messages }]));
  const { code, stderr } = await runHere(["data", "inspect", data]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "--model NAME says which model should learn them, or --format NAME");
  // What the error advises does work.
  assertEquals((await runHere(["data", "inspect", data, "--format", "zephyr"])).code, 0);
});

Deno.test("tunebook data refuses the ending of a file that cannot be written before it reads", async () => {
  for (const command of ["clean", "dedupe", "augment", "balance", "convert"]) {
    const { code, stderr } = await tunebook([
      "data",
      command,
      "missing.json",
      "--out",
      "x.parquet",
    ]);
    assertEquals(code, 2);
    assertStringIncludes(
      stderr,
      'Cannot write "x.parquet": expected a name that ends with ".json"',
    );
  }
});
