import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import fc from "fast-check";
import { loadModel } from "../../lib/pipeline/mod.ts";
import { textPieces } from "../../lib/pipeline/text_pieces.ts";
import { HuggingFaceTokenizer } from "../../lib/text/hugging_face.ts";
import { ChatTemplate, gpt2Tokenizer, type Tokenizer } from "../../lib/text/mod.ts";
import { byteLevelTokenizers, sentencePieceTokenizers } from "../text/small_tokenizers.ts";
import { ENTRIES, loadNano } from "./nano.ts";

const FEW = { maxNewTokens: 6 };

Deno.test("Model.answer() gives one answer for a question and an array for an array", async () => {
  using model = await loadNano();
  const one = await model.answer("Name a fruit.", FEW);
  const asEntry = await model.answer({ instruction: "Name a fruit." }, FEW);
  const several = await model.answer(["Name a fruit.", ...ENTRIES.slice(0, 3)], FEW);
  assertEquals(typeof one, "string");
  assertEquals(asEntry, one);
  assertEquals(several.length, 4);
  assertEquals(several[0], one);
  assertEquals(several[2], await model.answer(ENTRIES[1], FEW), "batches do not matter");
  assertEquals(await model.answer([], FEW), []);
  const draw = { ...FEW, temperature: 1.5, seed: 7 };
  assertEquals(await model.answer("Hi", draw), await model.answer("Hi", draw));
  assert(await model.answer("Hi", draw) !== await model.answer("Hi", { ...draw, seed: 8 }));
});

Deno.test("Model.answer() reports progress, and stops by its signal", async () => {
  using model = await loadNano();
  const done: [number, number][] = [];
  await model.answer(ENTRIES.slice(0, 3), { ...FEW, onProgress: (...at) => done.push(at) });
  assertEquals(done, [[1, 3], [2, 3], [3, 3]]);
  const reason = new Error("enough");
  const stopped = model.answer("Hi", { signal: AbortSignal.abort(reason) });
  assertEquals(await assertRejects(() => stopped), reason);
});

Deno.test("Model.stream() says what Model.answer() says", async () => {
  using model = await loadNano();
  for (const question of ["Name a fruit.", ENTRIES[1]]) {
    const pieces = await Array.fromAsync(model.stream(question, { maxNewTokens: 12 }));
    assert(pieces.length > 1 && pieces.every((piece) => piece !== ""));
    assertEquals(pieces.join("").trim(), await model.answer(question, { maxNewTokens: 12 }));
  }
});

Deno.test("answers end before stop texts, streamed or not", async () => {
  using model = await loadNano();
  const whole = await model.answer("Name a fruit.", { maxNewTokens: 24 });
  const stop = whole.slice(9, 12);
  const options = { maxNewTokens: 24, stop: ["\u0000", stop] };
  const expected = whole.slice(0, whole.indexOf(stop)).trim();
  assertEquals(await model.answer("Name a fruit.", options), expected);
  const pieces = await Array.fromAsync(model.stream("Name a fruit.", options));
  assertEquals(pieces.join("").trim(), expected);
  const [each] = await Array.fromAsync(model.answerEach(["Name a fruit."], options));
  assertEquals([each.answer, each.finish], [expected, "stop"]);
  assert(each.tokens < 24);
  await assertRejects(() => model.answer("Hi", { stop: [""] }), TypeError, 'Cannot stop at ""');
});

Deno.test("Model.answerEach() draws samples; the first is the answer without them", async () => {
  using model = await loadNano();
  const draw = { ...FEW, temperature: 2, seed: 4 };
  const samples: string[][] = [[], []];
  const each = model.answerEach(["Name a fruit.", "Hi"], { ...draw, samples: 3, batchSize: 2 });
  for await (const { index, sample, answer } of each) samples[index][sample] = answer;
  assertEquals(samples.map(([first]) => first), await model.answer(["Name a fruit.", "Hi"], draw));
  assertEquals(new Set(samples.flat()).size, 6);
  const cold = () => Array.fromAsync(model.answerEach(["Hi"], { samples: 2 }));
  await assertRejects(cold, RangeError, "Cannot draw 2 samples at temperature 0");
});

Deno.test("Model.answer() answers the others where a question fails", async () => {
  using model = await loadNano();
  const questions = ["Name a fruit.", "word ".repeat(500), "Hi"];
  const failures: [number, string][] = [];
  const answers = await model.answer(questions, {
    ...FEW,
    onFailure: (i, { message }) => failures.push([i, message]),
  });
  assertEquals(answers, [await model.answer(questions[0], FEW), "", answers[2]]);
  assert(answers[2] !== "");
  assertEquals(failures.map(([i]) => i), [1]);
  assertStringIncludes(failures[0][1], "the model's context holds 256");
  await assertRejects(() => model.answer(questions, FEW), RangeError, "Cannot answer prompt 1 of");
});

/** Whether a text ends or begins within a character. */
const isHalved = (piece: string) => /^[\udc00-\udfff]|[\ud800-\udbff]$/.test(piece);

const tokenizers: readonly [string, Tokenizer][] = [
  ["GPT-2", gpt2Tokenizer()],
  ...[...byteLevelTokenizers(), ...sentencePieceTokenizers()]
    .map((definition): [string, Tokenizer] => [
      definition.name,
      new HuggingFaceTokenizer(definition),
    ]),
];

for (const [name, tokenizer] of tokenizers) {
  Deno.test(`${name}: a stream never gives half a character`, async () => {
    const text = fc.string({ unit: "binary", maxLength: 40 });
    await fc.assert(fc.asyncProperty(text, async (written) => {
      const ids = tokenizer.encode(written);
      const pieces = await Array.fromAsync(textPieces(ids, tokenizer));
      const bytes = new Uint8Array(ids.flatMap((id) => [...tokenizer.bytes(id)]));
      assertEquals(pieces.join(""), new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
      assertEquals(pieces.filter(isHalved), []);
    }));
    // whatever tokens a model chooses, whole characters come out, and bytes that are not UTF-8 are
    // replaced
    const anyIds = fc.array(fc.integer({ min: 0, max: tokenizer.vocabSize - 1 }), {
      maxLength: 40,
    });
    await fc.assert(fc.asyncProperty(anyIds, async (ids) => {
      const bytes = new Uint8Array(ids.flatMap((id) => [...tokenizer.bytes(id)]));
      const pieces = await Array.fromAsync(textPieces(ids, tokenizer));
      assertEquals(pieces.join(""), new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
      assertEquals(pieces.filter(isHalved), []);
    }));
  });
}

Deno.test("a model is asked in its format, and conversations need a template", async () => {
  using model = await loadNano();
  assertEquals(model.format.name, "alpaca");
  const asked = (question: Parameters<typeof model.encodePrompt>[0]) =>
    model.tokenizer.decode(model.encodePrompt(question));
  assertStringIncludes(asked("Hi"), "### Instruction:\nHi\n\n### Response:\n");
  const messages = [
    { role: "user", content: "One?" },
    { role: "assistant", content: "Two." },
    { role: "user", content: "Three?" },
  ];
  await assertRejects(
    () => model.answer({ messages }, FEW),
    TypeError,
    'Cannot chat with "gpt2": it came without a chat template',
  );
  model.format = "zephyr";
  assertEquals(model.format.name, "zephyr");
  assertStringIncludes(asked({ messages }), "One?");
  assertStringIncludes(asked({ messages }), "Two."); // earlier answers are part of the question
  assert(asked({ messages }).endsWith("<|assistant|>\n"));
  // an entry with its answer is asked without it
  const entry = { messages: messages.slice(0, 2) };
  assertEquals(asked(entry).includes("Two."), false);
  assertEquals(typeof await model.answer({ messages }, FEW), "string");
  assertEquals(typeof await model.answer("Hi", { ...FEW, format: "alpaca" }), "string");
});

Deno.test("what is wrong with a question or an option is one sentence", async () => {
  using model = await loadNano();
  const wrong = { maxTokens: 3 } as object;
  for (
    const attempt of [
      () => model.answer("Hi", wrong),
      () => model.stream("Hi", wrong).next(),
      () => model.evaluate(ENTRIES, wrong),
    ]
  ) {
    await assertRejects(attempt, TypeError, 'did you mean "maxNewTokens"?');
  }
  for (const question of [null, 3, {}, { prompt: "Hi" }] as never[]) {
    const message = `Cannot ask ${JSON.stringify(question)}: expected a string`;
    await assertRejects(() => model.answer(question, FEW), TypeError, message);
  }
  await assertRejects(() => model.evaluate({} as never), TypeError, "Cannot evaluate on an object");
  await assertRejects(
    () => model.answer("word ".repeat(400), FEW),
    RangeError,
    "the model's context holds 256",
  );
  await assertRejects(
    () => model.answer("Hi", { format: "alpacca" as "alpaca" }),
    RangeError,
    'Cannot write prompts in the format "alpacca": expected one of "alpaca", "chat", "chatml"',
  );
  await assertRejects(() => model.evaluate([]), RangeError);
  await assertRejects(
    () => loadModel("nano", { devices: "cpu" } as object),
    TypeError,
    'Cannot load a model with the option "devices"',
  );
  await assertRejects(
    () => loadModel("nano", { device: "gpu" }),
    RangeError,
    'expected "auto", "cpu" or "webgpu"',
  );
});

Deno.test("a small GPT-2 without a tokenizer does not get GPT-2's own", async () => {
  const tiny = fromFileUrl(new URL("../golden/gpt2_tiny", import.meta.url));
  await assertRejects(
    () => loadModel(tiny, { device: "cpu" }),
    Deno.errors.NotFound,
    "and GPT-2's own has 50257 tokens where the model has",
  );
});

Deno.test("more tokens than rows, and more rows than tokens, do no harm unless they are used", async () => {
  const tiny = fromFileUrl(new URL("../golden/gpt2_tiny", import.meta.url));
  const folder = await Deno.makeTempDir({ prefix: "tunebook-answer-" });
  try {
    for (const { name } of Deno.readDirSync(tiny)) {
      await Deno.copyFile(join(tiny, name), join(folder, name));
    }
    const { vocab_size: rows } = JSON.parse(await Deno.readTextFile(join(folder, "config.json")));
    const write = async (count: number) => {
      const vocab = Object.fromEntries(Array.from({ length: count }, (_, id) => [`w${id}`, id]));
      const json = {
        model: { type: "WordLevel", vocab, unk_token: "w0" },
        pre_tokenizer: { type: "Whitespace" },
      };
      await Deno.writeTextFile(join(folder, "tokenizer.json"), JSON.stringify(json));
      await Deno.writeTextFile(join(folder, "tokenizer_config.json"), '{"eos_token":"w1"}');
    };
    const plain = new ChatTemplate("{% for m in messages %}{{ m.content }} {% endfor %}");
    await write(rows + 1);
    using more = await loadModel(folder, { device: "cpu" });
    assertEquals((await more.answer("w2", { ...FEW, format: plain })).split(" ").length, 6);
    await assertRejects(
      () => more.answer(`w${rows}`, { ...FEW, format: plain }),
      RangeError,
      `it has the token ${rows}, "w${rows}", and the model has ${rows}`,
    );
    await write(3);
    using fewer = await loadModel(folder, { device: "cpu" });
    const shown = await fewer.answer("w2", { ...FEW, format: plain });
    assert(/⟨\d+⟩/.test(shown), shown);
    const pieces = await Array.fromAsync(fewer.stream("w2", { ...FEW, format: plain }));
    assertEquals(pieces.join("").trim(), shown);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a model says what it is", async () => {
  using model = await loadNano({ lora: { rank: 2 } });
  assertStringIncludes(
    Deno.inspect(model),
    'Model "nano" (gpt2, 7.3 million weights, LoRA of rank 2, format "alpaca", CPU',
  );
  using packed = await loadNano({ quantize: "nf4", lora: { rank: 2 } });
  assertStringIncludes(Deno.inspect(packed), "million weights, matrices in nf4, LoRA of rank 2, ");
  assertEquals(model.adapter?.settings.rank, 2);
  assertEquals([model.source.spec, model.device.kind], ["nano", "cpu"]);
});
