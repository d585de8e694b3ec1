// The model card beside saved models: what is on record, for huggingface_hub, for renderers of Markdown, and for people who
// run what it says.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { parse } from "@std/yaml/parse";
import MarkdownIt from "markdown-it";
import { loadDataset } from "../../lib/dataset/mod.ts";
import { type CardFacts, modelCard } from "../../lib/pipeline/card/model_card.ts";
import { findLineage } from "../../lib/pipeline/card/lineage.ts";
import { loadModel, readRecord } from "../../lib/pipeline/mod.ts";
import { recordEvaluations } from "../../lib/pipeline/save.ts";
import { resolveModel, writeGguf } from "../../lib/weights/mod.ts";
import { findPython } from "../support.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";
import { ENTRIES, loadNano, SHORT } from "./nano.ts";

const hub = findPython("huggingface_hub");
const transformers = findPython("torch", "transformers", "peft");

const readCard = (folder: string) => Deno.readTextFile(join(folder, "README.md"));

// deno-lint-ignore no-explicit-any
const metadata = (card: string): any => parse(/^---\n(.*?)\n---\n/s.exec(card)![1]);

Deno.test("a saved model has a card with data, settings, losses, and scores of the weights as they are", async () => {
  using temporary = new TemporaryDirectory();
  const [data, folder] = [join(temporary.path, "pairs.json"), join(temporary.path, "mine")];
  await Deno.writeTextFile(data, JSON.stringify(ENTRIES));
  const entries = await loadDataset(data);
  using model = await loadNano();
  const answering = { maxNewTokens: 2, metrics: ["rougeL"] };
  await model.evaluate(entries.slice(0, 2), answering); // of weights that are not saved
  await model.train([...entries, ENTRIES[0]], SHORT).finish();
  await model.evaluate(entries, answering);
  const { metrics: { rougeL } } = await model.evaluate(entries.slice(0, 4), answering);
  await model.save(folder);
  const card = await readCard(folder);
  const { "model-index": [{ name, results }], library_name, pipeline_tag } = metadata(card);
  assertEquals([name, library_name, pipeline_tag], ["mine", "transformers", "text-generation"]);
  assertEquals(results.map(({ dataset }: any) => [dataset.name, dataset.args.examples]), [
    ["pairs.json", 16],
    ["pairs.json", 4],
  ]);
  const [score] = results[1].metrics;
  assertEquals(score.value, Number(rougeL.corpus.toFixed(6)));
  assertEquals(score.args.interval, rougeL.interval.map((end) => Number(end.toFixed(6))));
  const [training] = model.taught.trainings;
  for (const fact of [training.data, "| Examples | 17 |", "16 entries, SHA-256", "1 others"]) {
    assert(card.includes(fact), fact);
  }
  assert(!card.includes(temporary.path), "no folders of this machine");
  // Scores belong to weights: they come back with them, and go when these learn more.
  using again = await loadModel(folder, { device: "cpu" });
  assertEquals(again.taught.evaluations, model.taught.evaluations);
  await again.train(ENTRIES, SHORT).finish();
  await again.save(join(temporary.path, "more"));
  const more = await readCard(join(temporary.path, "more"));
  assert(more.includes("Scores: not recorded.") && more.includes("## Training 2"), more);
  assertEquals((await readRecord(join(temporary.path, "more")))?.evaluations, undefined);
});

Deno.test("a card that a person wrote or edited is kept, with a notice", async () => {
  using temporary = new TemporaryDirectory();
  const folder = temporary.path;
  const path = join(folder, "README.md");
  using model = await loadNano({ lora: { rank: 2 } });
  await Deno.writeTextFile(path, "# Mine\n");
  assertEquals((await model.save(folder)).notices.map((notice) => notice.includes(path)), [true]);
  assertEquals(await Deno.readTextFile(path), "# Mine\n");
  await Deno.remove(path);
  assertEquals((await model.save(folder)).notices, []);
  const written = await Deno.readTextFile(path);
  assertEquals(metadata(written).library_name, "peft");
  assertEquals((await model.save(folder)).notices, [], "its own is replaced");
  const edited = written.replace("## Licence", "## Licence and thanks");
  await Deno.writeTextFile(path, edited);
  const { notices } = await model.export(folder, { merge: true, overwrite: true });
  assertEquals(notices.length, 1);
  assertEquals(await Deno.readTextFile(path), edited);
});

Deno.test("scores are added to a folder's record and card", async () => {
  using temporary = new TemporaryDirectory();
  const folder = join(temporary.path, "adapter");
  using model = await loadNano({ lora: { rank: 2 } });
  await model.train(ENTRIES, SHORT).finish();
  const { sha256 } = await model.save(folder);
  using again = await loadModel(folder, { device: "cpu" });
  await again.evaluate(ENTRIES, { maxNewTokens: 2, metrics: ["chrf"] });
  assertEquals(await recordEvaluations(again, folder), []);
  const record = await readRecord(folder);
  assertEquals([record?.sha256, record?.evaluations?.length], [sha256, 1]);
  const [{ results }] = metadata(await readCard(folder))["model-index"];
  assertEquals(results[0].metrics.map(({ type }: any) => type), ["chrf", "loss"]);
  await assertRejects(() => recordEvaluations(again, temporary.path), TypeError, "taught.json");
});

Deno.test("the first model and its licence are found through folders, and in GGUF files", async () => {
  using temporary = new TemporaryDirectory();
  const [first, second] = [join(temporary.path, "first"), join(temporary.path, "second")];
  using model = await loadNano();
  await model.save(first);
  await Deno.writeTextFile(
    join(first, "README.md"),
    "---\nlicense: mit\nlanguage: en\n---\n# Nano\n",
  );
  using again = await loadModel(first, { device: "cpu" });
  await again.save(second);
  const { license, language, base_model } = metadata(await readCard(second));
  assertEquals([license, language, base_model], ["mit", ["en"], undefined]);
  assertEquals(await findLineage(await resolveModel(second)), {
    base: "nano",
    isOnHub: false,
    isFromFolder: true,
    license: "mit",
    languages: ["en"],
  });
  const path = join(temporary.path, "some.gguf");
  const said = { "general.license": "apache-2.0", "general.languages": ["id", "en"] };
  await writeGguf(path, [], { metadata: said });
  assertEquals(
    await findLineage({ kind: "gguf", spec: path, source: "file", name: "some", weights: path }),
    {
      base: "some.gguf",
      isOnHub: false,
      isFromFolder: false,
      license: "apache-2.0",
      languages: ["id", "en"],
    },
  );
});

/** What people may call folders, files and models. */
const NAMES = [
  ...[
    "a: b",
    "- a",
    "yes",
    "null",
    "1:30",
    "=",
    "2026-01-01",
    "#a",
    "*a",
    "!!python/object:os.system x",
  ],
  ...[
    "`a`",
    "a|b|c",
    "<b>a</b><script>alert(1)</script>",
    "[a](javascript:alert(1))",
    "--> <i>",
    "$x$",
  ],
  ...[
    "a\n---\nlicense: mit",
    "a\r\n\r\n# b",
    "\u2028x\u0085y\x7f",
    "\"a\" 'b' \\",
    "``` a",
    "\ud800",
    "🦊 é",
  ],
];

/** A card in which every text that people choose is the given one. */
function hostileCard(text: string): string {
  const files = [{ name: text, sha256: "0", entries: 1 }];
  const record: CardFacts["record"] = {
    version: 1,
    base: text,
    revision: text,
    format: { kind: "chat", name: text, template: "" },
    trainings: [{
      ...{
        mask: "prompt",
        maxLength: 8,
        seed: 1,
        examples: 1,
        data: text,
        steps: 1,
        totalSteps: 1,
      },
      ...{ files, device: text, settings: { [text]: text } },
    }],
    evaluations: [{
      ...{ examples: 1, data: text, files, loss: 1.5, settings: { [text]: text } },
      metrics: { [text]: { corpus: 0.25, interval: [0, 1e-7], signature: text } },
    }],
    program: { kind: "notebook", name: text },
  };
  const lineage = { base: text, isOnHub: false, isFromFolder: true };
  return modelCard({
    ...{ name: text, holds: "weights", architecture: "gpt2", parameters: 1, hasTemplate: true },
    ...{ record, lineage },
  });
}

Deno.test("a card names programs and folders without where they are", () => {
  const cardOf = (kind: "command" | "notebook", name: string, base = "nano") =>
    modelCard({
      ...{ name: "mine", holds: "weights", architecture: "gpt2", parameters: 1, hasTemplate: true },
      lineage: { base: "nano", isOnHub: false, isFromFolder: base !== "nano" },
      record: { version: 1, base, trainings: [], program: { kind, name } },
    });
  const command = cardOf(
    "command",
    "tunebook train --model /home/me/base --data /home/me/a b.json",
  );
  assert(command.includes("| command `tunebook train` |") && !command.includes("/home"), command);
  assert(cardOf("notebook", "../../me/book.ipynb").includes("| notebook `book.ipynb` |"));
  const folder = cardOf("notebook", "book.ipynb", "../../me/models/first");
  assert(folder.includes("| Through the folder | `first` |") && !folder.includes("../"), folder);
});

Deno.test("no name breaks the YAML or the Markdown of a card", () => {
  const markdown = new MarkdownIt({ html: true });
  const render = (card: string) => {
    const text = card.replace(/^---\n.*?\n---\n/s, "");
    const html = markdown.render(text);
    return {
      tags: [...html.matchAll(/<\/?(\w+)/g)].map(([, tag]) => tag).filter((tag) => tag !== "code"),
      html,
    };
  };
  const plain = render(hostileCard("plain"));
  for (const name of NAMES) {
    const card = hostileCard(name);
    const { license, "model-index": [{ results }] } = metadata(card);
    assertEquals([license, results.length], [undefined, 1], name);
    assertEquals(render(card).tags, plain.tags, `${name}\n${card}`);
  }
  assert(render(hostileCard("<b>")).html.includes("<code>&lt;b&gt;</code>"));
});

Deno.test({
  name: `huggingface_hub reads cards, their results too, whatever the names${hub.needs}`,
  ignore: !hub.found,
  async fn() {
    using temporary = new TemporaryDirectory();
    for (const [i, name] of NAMES.entries()) {
      await Deno.mkdir(join(temporary.path, String(i)));
      await Deno.writeTextFile(join(temporary.path, String(i), "README.md"), hostileCard(name));
    }
    const script = join(temporary.path, "cards.py");
    await Deno.writeTextFile(script, CARDS);
    const read = JSON.parse(await hub.run(script, temporary.path, String(NAMES.length)));
    for (const [i, { name, scores, tags, license }] of read.entries()) {
      const [index] = metadata(hostileCard(NAMES[i]))["model-index"];
      assertEquals(name, index.name, NAMES[i]);
      const dataset = NAMES[i].toWellFormed().replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
      assertEquals(scores.map(({ value }: any) => value), [0.25, 1.5]);
      assertEquals(scores[0].interval, [0, 0]);
      assertEquals(scores[0].dataset, dataset);
      assertEquals([tags, license], [["tunebook", "sft"], null]);
    }
  },
});

const CARDS = `
import json, sys
from huggingface_hub import ModelCard
read = []
for i in range(int(sys.argv[2])):
    data = ModelCard.load(f"{sys.argv[1]}/{i}/README.md").data
    scores = [{"value": r.metric_value, "dataset": r.dataset_name,
               "interval": (r.metric_args or {}).get("interval")} for r in data.eval_results]
    read.append({"name": data.model_name, "scores": scores, "tags": data.tags, "license": data.license})
print(json.dumps(read))
`;

Deno.test({
  name:
    `the Python of a card answers as the model does here, of weights and of an adapter${transformers.needs}`,
  ignore: !transformers.found,
  async fn() {
    using temporary = new TemporaryDirectory();
    const [whole, adapter] = [join(temporary.path, "whole `one`"), join(temporary.path, "adapter")];
    const steps = { ...SHORT, maxSteps: 4, learningRate: 1e-2 };
    using model = await loadNano();
    await model.train(ENTRIES, SHORT).finish();
    await model.save(whole);
    using adapted = await loadModel(whole, { device: "cpu", lora: { rank: 4 } });
    await adapted.train(ENTRIES, steps).finish();
    await adapted.save(adapter);
    const script = join(temporary.path, "run.py");
    await Deno.writeTextFile(script, RUN);
    const answers = JSON.parse(await transformers.run(script, whole, adapter));
    const asked = "Name a colour.";
    const expected = [
      await model.answer(asked, { maxNewTokens: 64 }),
      await adapted.answer(asked, { maxNewTokens: 64 }),
    ];
    assertEquals(answers.map((answer: string) => answer.trim()), expected);
    assert(expected[0] !== expected[1] && expected[0] !== "", "they answer differently");
  },
});

const RUN = `
import contextlib, io, json, os, re, sys
answers = []
for folder in sys.argv[1:]:
    os.chdir(os.path.dirname(folder))
    code = re.search("\`\`\`python\\n(.*?)\\n\`\`\`", open(folder + "/README.md").read(), re.S)[1]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code, {})
    answers.append(out.getvalue())
print(json.dumps(answers))
`;
