import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { closingTokensOf } from "../../lib/dataset/encode.ts";
import { alpaca } from "../../lib/text/alpaca.ts";
import { chatTemplateOf } from "../../lib/text/chat_formats.ts";
import { HuggingFaceTokenizer } from "../../lib/text/hugging_face.ts";
import { byteLevelTokenizers } from "../text/small_tokenizers.ts";
import { tunebook, Workshop } from "./tunebook.ts";

Deno.test("an answer ends at the token that was taught, and at each that the model's files name", () => {
  const [definition] = byteLevelTokenizers();
  const tokenizer = new HuggingFaceTokenizer({ ...definition, endIds: [5, 6] });
  const { eosId } = tokenizer;
  assertEquals(closingTokensOf(alpaca, tokenizer), [eosId, 5, 6]);
  const closing = tokenizer.specialTokens.get("<|im_end|>")!;
  const taught = closingTokensOf(chatTemplateOf(tokenizer, "chatml"), tokenizer);
  assertEquals(taught, [...new Set([closing, eosId, 5, 6])]);
});

Deno.test("tunebook generate continues a prompt on standard output", async () => {
  await using workshop = await Workshop.open();
  const model = ["generate", "--model", workshop.file("model"), "--max-new-tokens", "4"];
  const [greedy, again, drawn, same, other, answer] = await Promise.all([
    tunebook([...model, "--prompt", "Hello there"]),
    tunebook([...model, "--prompt", "Hello there"]),
    tunebook([...model, "--prompt", "Hello there", "--temperature", "1.5", "--seed", "1"]),
    tunebook([...model, "--prompt", "Hello there", "--temperature", "1.5", "--seed", "1"]),
    tunebook([...model, "--prompt", "Hello there", "--temperature", "1.5", "--seed", "2"]),
    tunebook([...model, "--instruction", "Name a fruit."]),
  ]);
  assertEquals([greedy.code, answer.code], [0, 0], greedy.stderr);
  assert(greedy.stdout.trim().length > 0 && greedy.stdout.endsWith("\n"));
  assertEquals(greedy.stdout, again.stdout);
  assertEquals(drawn.stdout, same.stdout);
  assert(drawn.stdout !== other.stdout);
  assertEquals(greedy.stdout.includes("Loading"), false); // that is progress, on standard error
});

Deno.test("tunebook generate answers a file, and tunebook score scores the answers", async () => {
  await using workshop = await Workshop.open();
  const out = workshop.file("answers", "responses.json");
  await Deno.mkdir(workshop.file("answers"));
  const generated = await tunebook([
    ...["generate", "--model", workshop.file("model"), "--data", workshop.file("data.json")],
    ...["--out", out, "--max-new-tokens", "3", "--batch-size", "7"],
  ]);
  assertEquals([generated.code, generated.stdout], [0, ""], generated.stderr);
  const responses = JSON.parse(await Deno.readTextFile(out));
  assertEquals(responses.length, 24);
  assertEquals(Object.keys(responses[0]), ["instruction", "input", "output", "model_response"]);
  assert(
    responses.every(({ model_response }: Record<string, unknown>) =>
      typeof model_response === "string"
    ),
  );
  const some = await tunebook([
    ...["generate", "--model", workshop.file("model"), "--data", workshop.file("data.json")],
    ...["--out", workshop.file("some.json"), "--max-new-tokens", "3", "--limit", "2"],
  ]);
  assertEquals(some.code, 0, some.stderr);
  const first = JSON.parse(await Deno.readTextFile(workshop.file("some.json")));
  assertEquals(first, responses.slice(0, 2));
  const two = await tunebook(["score", out, "--json", "--limit", "2"]);
  assertEquals(JSON.parse(two.stdout).examples, 2, two.stderr);
  const scored = await tunebook(["score", out, "--json"]);
  assertEquals(scored.code, 0, scored.stderr);
  const { examples, rougeL, exactMatch, judge } = JSON.parse(scored.stdout);
  assertEquals([examples, judge], [24, null]);
  for (const fraction of [rougeL, exactMatch]) assert(fraction >= 0 && fraction <= 1);
});

Deno.test("tunebook generate says what is missing, too long or too much", async () => {
  await using workshop = await Workshop.open();
  const model = ["generate", "--model", workshop.file("model")];
  const data = ["--data", workshop.file("data.json")];
  const wrong: [string[], string][] = [
    [model, "error: Cannot generate: give one of --prompt, --instruction, --chat and --data\n"],
    [[...model, ...data, "--prompt", "a"], "error: Cannot generate: give one of"],
    [[...model, ...data], "error: Cannot answer a file: --data and --out go together\n"],
    [[...model, "--prompt", "a", "--limit", "2"], "error: Cannot generate: --limit needs --data\n"],
    [[...model, "--prompt", ""], "error: Cannot answer prompt 0: it has no tokens\n"],
    [
      [...model, "--prompt", "word ".repeat(200)],
      "error: Cannot answer prompt 0 of 201 tokens: the model's context holds 128\n",
    ],
  ];
  const results = await Promise.all(wrong.map(([args]) => tunebook(args)));
  for (const [i, { code, stdout, stderr }] of results.entries()) {
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, wrong[i][1]);
  }
});
