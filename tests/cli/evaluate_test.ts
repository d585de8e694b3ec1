// `tunebook evaluate`: two models' answers, compared on one page.

import { assert, assertEquals } from "@std/assert";
import { loadModel, readRecord } from "../../lib/pipeline/mod.ts";
import { tunebook, Workshop } from "./tunebook.ts";

const ENTRIES = ["colour", "fruit", "animal"].map((thing, i) => ({
  instruction: `Name a ${thing}.`,
  input: "",
  output: ["Blue.", "An <apple> & a pear.", "A dog."][i],
  category: i === 0 ? "art" : "nature",
}));

/** A judge that scores everything 70 and prefers neither. */
const replies = (prompt: string) => prompt.includes("which response is better") ? '"tie"' : "70";

Deno.test("tunebook evaluate compares a model with its base, by metrics and a judge, on a page", async () => {
  const folder = await Deno.makeTempDir();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      if (request.method === "GET") return Response.json({ models: [] });
      const content = replies((await request.json()).messages[0].content);
      const message = { role: "assistant", content };
      return Response.json({ message, done: true, done_reason: "stop", prompt_eval_count: 9 });
    },
  );
  try {
    const data = `${folder}/data.json`;
    const page = `${folder}/page.html`;
    await Deno.writeTextFile(data, JSON.stringify(ENTRIES));
    const args = ["evaluate", "--base", "nano", "--model", "nano", "--data", data];
    args.push(
      "--metric",
      "rougeL,bleu:char,perplexity",
      "--max-new-tokens",
      "5",
      "--repetition-penalty",
      "3",
    );
    args.push("--judge", "ollama:tiny", "--html", page, "--json");
    args.push("--instruction", "Name <b>one</b> tree.", "--instruction", "Say hello.");
    const { code, stdout, stderr } = await tunebook(args, {
      OLLAMA_HOST: `127.0.0.1:${server.addr.port}`,
    });
    assertEquals(code, 0, stderr);
    const report = JSON.parse(stdout);
    assertEquals([report.examples, report.answers.length], [3, 3]);
    assertEquals(report.comparisons.map((one: any) => one.winner), ["tied", "tied", "tied"]);
    assert(report.model.perplexity.corpus > 1, stdout);
    assertEquals(
      report.categories.map((one: any) => [one.category, one.examples]),
      [["art", 1], ["nature", 2]],
    );
    assertEquals(report.unscored.map((one: any) => [one.instruction, one.base === one.model]), [
      ["Name <b>one</b> tree.", true],
      ["Say hello.", true],
    ]);
    using nano = await loadModel("nano", { device: "cpu" });
    const answering = { maxNewTokens: 5, repetitionPenalty: 3 };
    const expected = await nano.answer("Say hello.", answering);
    assertEquals(report.unscored[1].model, expected);
    assert(expected !== await nano.answer("Say hello.", { maxNewTokens: 5 }), "it matters");
    const { judged } = report;
    assertEquals([judged.base.average, judged.model.average, judged.difference.difference], [
      70,
      70,
      0,
    ]);
    assertEquals([judged.pairs.ties, judged.pairs.winner], [3, "tied"]);
    const html = await Deno.readTextFile(page);
    for (
      const part of [
        "Answers without a reference",
        "Name &lt;b&gt;one&lt;/b&gt; tree.",
        "ROUGE-L",
        "BLEU (char)",
        "By category",
        "nature",
        "ollama:tiny",
        "tok:char",
      ]
    ) {
      assert(html.includes(part), part);
    }
    assert(html.includes("An &lt;apple&gt; &amp; a pear.") || !html.includes("<apple>"));
    assert(!/<script/i.test(html), "the page runs nothing");
  } finally {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("tunebook evaluate --record keeps scores in the model's record and card", async () => {
  await using workshop = await Workshop.open();
  using model = await loadModel(workshop.file("model"), { device: "cpu" });
  const folder = workshop.file("mine");
  await model.save(folder);
  const data = await workshop.write("few.json", ENTRIES);
  const args = ["evaluate", "--base", workshop.file("model"), "--model", folder, "--data", data];
  args.push("--metric", "chrf", "--max-new-tokens", "2", "--record", "--json");
  const { code, stdout, stderr } = await tunebook(args);
  assertEquals(code, 0, stderr);
  const { corpus, interval, signature } = JSON.parse(stdout).model.chrf;
  const [evaluation] = (await readRecord(folder))!.evaluations!;
  assertEquals(evaluation.metrics, { chrf: { corpus, interval, signature } });
  assertEquals(evaluation.files?.map(({ name }) => name), ["few.json"]);
  const card = await Deno.readTextFile(workshop.file("mine", "README.md"));
  assert(card.includes("few.json") && card.includes("chrf"), card);
});

Deno.test("tunebook evaluate says what is wrong before anything is loaded", async () => {
  const args = ["evaluate", "--base", "nowhere", "--model", "nowhere", "--data", "nowhere.json"];
  const metric = await tunebook([...args, "--metric", "blue"]);
  assertEquals(metric.code, 1);
  assert(metric.stderr.includes('did you mean "bleu"?'), metric.stderr);
  const judge = await tunebook([...args, "--judge", "llama3"]);
  assert(judge.stderr.includes('Cannot use the judge "llama3"'), judge.stderr);
  const record = await tunebook([...args, "--record"]);
  assert(record.stderr.includes('Cannot record scores of "nowhere"'), record.stderr);
});
