// The recipes, run from top to bottom on stand-ins, without a network: every cell works, and what was trained has the
// settings of the write-up.

import { assert, assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { Gemma, Llama } from "../../lib/model/mod.ts";
import { parseSheet } from "../../lib/eval/mod.ts";
import { loadModel, type Model } from "../../lib/pipeline/mod.ts";
import { type CodeCell, type Notebook, runNotebook } from "../../lib/runtime/mod.ts";
import { renderReport } from "../../lib/runtime/report/mod.ts";
import { openSafetensors } from "../../lib/weights/mod.ts";
import { makeStandIn, type StandInKind } from "../../notebooks/recipes/stand_in.ts";
import instructionData from "../../data/instructions/instruction-data.json" with { type: "json" };

// Stand-ins are so small that threads would mostly wait for each other.
Deno.env.set("TUNEBOOK_THREADS", "1");

const root = fromFileUrl(new URL("../../", import.meta.url));
const folder = join(root, "notebooks/recipes");

/** What a recipe is run with, and how each model that it saves must have been trained. */
interface Recipe {
  readonly parameters: Record<string, string | number>;
  /** How many of the 1,100 pairs it is run on; all of its data by default. */
  readonly pairs?: number;
  readonly adapters: Readonly<Record<string, Record<string, unknown>>>;
  /** What else it must have written. */
  readonly check?: (output: string) => Promise<void>;
}

const qlora = {
  examples: 144,
  steps: 36, // one epoch
  batchSize: 4,
  learningRate: 2e-4,
  schedule: "linear",
  weightDecay: 0,
  adapter: { rank: 64, alpha: 16, dropout: 0, rsLora: false },
};
const gpt2Medium = {
  examples: 81,
  steps: 10, // one epoch, without an incomplete batch
  batchSize: 8,
  learningRate: 5e-5,
  schedule: undefined, // a constant rate is not written down
  weightDecay: 0.1,
  mask: "instruction",
};
const adapted = {
  ...gpt2Medium,
  steps: 3,
  mask: "prompt",
  learningRate: 2e-4,
  weightDecay: 0,
  adapter: { rank: 8, alpha: 16, dropout: 0, rsLora: false },
};
const RECIPES: Record<string, Recipe> = {
  "01_e_commerce_assistant.ipynb": {
    parameters: { maxNewTokens: 16, generalEntries: 8 },
    adapters: {
      adapter: { ...qlora, mask: "none" },
      adapter_on_answers: { ...qlora, mask: "prompt" },
    },
  },
  "02_support_assistant.ipynb": {
    parameters: { maxNewTokens: 8, generalEntries: 4, epochs: 3 }, // of 3 to 5
    adapters: {
      adapter: {
        examples: 140, // 94 and what is oversampled
        steps: 15, // in each epoch 5, of 18 batches, 4 at a time
        batchSize: 8,
        accumulate: 4,
        learningRate: 2e-5,
        schedule: "cosine",
        maxLength: 512,
        mask: "prompt",
        patience: 2,
        restoreBest: true,
        adapter: { rank: 64, alpha: 16, dropout: 0.1, rsLora: false },
      },
    },
    async check(output) {
      using file = await openSafetensors(join(output, "adapter/adapter_model.safetensors"));
      const layers = [...file.tensors.keys()].map((name) => /layers\.\d/.exec(name)?.[0]);
      assertEquals([...new Set(layers)], ["layers.2"]); // the first two are frozen
      const sheet = parseSheet(await Deno.readTextFile(join(output, "blind.csv")));
      assertEquals([sheet.length, sheet[0].better], [11, ""]);
    },
  },
  "03_intent_and_reply.ipynb": {
    parameters: { maxNewTokens: 8 },
    adapters: {
      adapter: {
        steps: 40, // 10 epochs
        learningRate: 2e-4,
        maxLength: 512,
        adapter: { rank: 8, alpha: 16, dropout: 0.05, rsLora: false },
      },
    },
    async check(output) {
      const read = async (name: string) =>
        (await Deno.readTextFile(join(output, name))).trimEnd().split("\n")
          .map((line) => JSON.parse(line));
      const [entry] = await read("alpaca.jsonl");
      assertEquals(Object.keys(entry).slice(0, 3), ["instruction", "input", "output"]);
      const test = await read("test.jsonl");
      const log = await read("log/hasil.jsonl");
      const inputs = (rows: { input: string }[]) => rows.map(({ input }) => input).sort();
      assertEquals(inputs(log), inputs(test));
      const after: { input: string; model_response: string }[] = JSON.parse(
        await Deno.readTextFile(join(output, "after.json")),
      );
      for (const { input, model_response } of log) {
        assertEquals(model_response, after.find((row) => row.input === input)?.model_response);
      }
    },
  },
  "04_gpt2_medium.ipynb": {
    pairs: 96,
    parameters: { maxNewTokens: 4, depthSteps: 2, judge: "" },
    adapters: { "gpt2-medium355M-sft": gpt2Medium },
  },
  "05_full_against_peft.ipynb": {
    pairs: 96,
    parameters: { maxNewTokens: 4, maxSteps: 3, shapeSteps: 1, paragraphs: 4, judge: "" },
    adapters: {
      full: { ...gpt2Medium, steps: 3, mask: "prompt" },
      lora: adapted,
      qlora: adapted,
      lora_dropout_0_05: { ...adapted, adapter: { ...adapted.adapter, dropout: 0.05 } },
    },
  },
};

const notebooks = [...Deno.readDirSync(folder)].map(({ name }) => name)
  .filter((name) => name.endsWith(".ipynb") && !name.startsWith(".")).sort();

Deno.test("every recipe is run by these tests", () => {
  assertEquals(notebooks, Object.keys(RECIPES).sort());
});

/** Writes some of the instruction pairs to a file. */
async function writePairs(directory: string, count: number): Promise<string> {
  const path = join(directory, "pairs.json");
  await Deno.writeTextFile(path, JSON.stringify(instructionData.slice(0, count)));
  return path;
}

/** What a cell printed. */
function printed(notebook: Notebook, id: string): string {
  const cell = notebook.cells.find((one): one is CodeCell =>
    one.cell_type === "code" && one.id === id
  );
  if (!cell) throw new Error(`no code cell "${id}"`);
  return cell.outputs.map((output) => output.output_type === "stream" ? output.text : "").join("");
}

for (const name of notebooks) {
  Deno.test(`${name} runs on a stand-in with the settings of its write-up`, async () => {
    const { parameters, pairs, adapters } = RECIPES[name];
    const output = await Deno.makeTempDir({ prefix: "tunebook-recipes-" });
    try {
      const data = pairs === undefined ? {} : { dataSource: await writePairs(output, pairs) };
      const { ok, failure, notebook, manifest } = await runNotebook(join(folder, name), {
        parameters: { ...parameters, ...data, output, device: "cpu" },
        timeout: 240,
      });
      assert(ok, failure?.summary);
      const [title] = notebook.cells;
      assertMatch(title.source.split("\n").slice(0, 4).join("\n"), /stand-in/);
      assertMatch(printed(notebook, "model"), /^A stand-in of /);
      assertMatch(printed(notebook, "what-ran"), /^Model: a stand-in of /);
      for (const cell of notebook.cells) {
        if (cell.cell_type !== "code" || !/^show\./m.test(cell.source)) continue;
        const isShown = cell.outputs.some(({ output_type }) => output_type !== "stream");
        assert(
          isShown,
          `cell "${cell.id}" makes a view that is not its last value, so nobody sees it`,
        );
      }
      for (const [directory, expected] of Object.entries(adapters)) {
        const path = join(output, directory, "taught.json");
        const [{ settings, ...facts }] = JSON.parse(await Deno.readTextFile(path)).trainings;
        const training = { ...facts, ...settings };
        for (const [key, value] of Object.entries(expected)) {
          assertEquals(training[key], value, `${directory}: ${key}`);
        }
      }
      await RECIPES[name].check?.(output);
      const html = await renderReport(notebook, { manifest });
      assertGreater(html.length, 100_000);
      assertLess(html.length, 3_000_000);
    } finally {
      await Deno.remove(output, { recursive: true });
    }
  });
}

const texts = ["How do I return a parcel? Tap 3 times.", "1. Open the app.\n2. Return it."];

async function withStandIn(kind: StandInKind, body: (model: Model) => Promise<void> | void) {
  const directory = await Deno.makeTempDir({ prefix: "tunebook-stand-in-" });
  try {
    await makeStandIn(kind, { texts, directory, seed: 1 });
    await body(await loadModel(directory, { device: "cpu" }));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("a stand-in of Gemma reads the chat string of the write-up", async () => {
  await withStandIn("gemma", (model) => {
    assert(model.network instanceof Gemma);
    const entry = { instruction: texts[0], input: "", output: texts[1] };
    const [{ promptIds, responseIds }] = model.encodeExamples([entry], { format: "chat" });
    assertEquals(
      model.tokenizer.decode([...promptIds, ...responseIds]),
      `<bos><start_of_turn>user\n${entry.instruction}<end_of_turn>\n<start_of_turn>model\n` +
        `${entry.output}<end_of_turn>\n`,
    );
  });
});

Deno.test("a stand-in of TinyLlama answers in the style of Zephyr, whatever characters it is asked in", async () => {
  await withStandIn("llama", async (model) => {
    assert(model.network instanceof Llama);
    const asked = "Ça va? 中文 \u{1F600}";
    const ids = model.encodePrompt(asked, { format: "chat" });
    // As with TinyLlama's own tokenizer, a text after a special token begins with a space.
    assertEquals(model.tokenizer.decode(ids), `<|user|>\n${asked}</s> \n<|assistant|>\n`);
    const [first, second] = await model.answer([asked, asked], { maxNewTokens: 4 });
    assertEquals(first, second);
  });
});
