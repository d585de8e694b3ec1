import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { parseDataset } from "../../lib/dataset/chat_entry.ts";
import { collate } from "../../lib/dataset/collate.ts";
import { encodeExample, encodeExamples, encodePrompt } from "../../lib/dataset/encode.ts";
import { forest } from "../../lib/dataset/forest.ts";
import { chatTemplateOf } from "../../lib/text/chat_formats.ts";
import { gpt2Tokenizer } from "../../lib/text/gpt2.ts";
import { MASKS } from "../../lib/text/mask.ts";

const tokenizer = gpt2Tokenizer();
const chatml = chatTemplateOf(tokenizer, "chatml");
const zephyr = chatTemplateOf(tokenizer, "zephyr");

const TWO_TURNS = {
  messages: [
    { role: "user", content: "Name a fruit." },
    { role: "assistant", content: "An apple." },
    { role: "user", content: "Another?" },
    { role: "assistant", content: "A pear." },
  ],
};
const INSTRUCTION = { instruction: "Give the plural.", input: "mouse", output: "mice" };

Deno.test("parseDataset() reads instructions, messages and ShareGPT's conversations together", () => {
  const text = JSON.stringify([
    { instruction: "Hi", output: "Hello", extra: 1 },
    { ...TWO_TURNS, weight: 2, id: "x" },
    {
      conversations: [
        { from: "system", value: "Be brief." },
        { from: "human", value: "Hi", more: true },
        { from: "gpt", value: "Hello" },
      ],
    },
  ]);
  assertEquals(parseDataset(text), [
    { instruction: "Hi", input: "", output: "Hello" },
    { ...TWO_TURNS, weight: 2 },
    {
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Hi" },
        { role: "assistant", content: "Hello" },
      ],
    },
  ]);
});

Deno.test("parseDataset() names the entry and the field that is wrong", () => {
  const cases: [unknown, string][] = [
    [{ messages: [] }, '"messages" must be an array of at least one message, got an array'],
    [{ messages: "Hi" }, '"messages" must be an array, got a string'],
    [{ messages: [{ role: "user" }] }, '"messages.0.content" is missing'],
    [{ messages: [{ role: 1, content: "" }] }, '"messages.0.role" must be a string, got a number'],
    [
      { conversations: [{ from: "alien", value: "" }] },
      '"conversations.0.from" must be one of "human"',
    ],
    [
      { conversations: [{ from: "gpt", value: null }] },
      '"conversations.0.value" must be a string, got null',
    ],
    [{}, '"instruction" is missing'],
    [7, "it must be an object, got a number"],
  ];
  for (const [entry, reason] of cases) {
    assertThrows(
      () => parseDataset(JSON.stringify([INSTRUCTION, entry]), "x.json"),
      TypeError,
      `Cannot read "x.json": entry 2 of 2: ${reason}`,
    );
  }
});

Deno.test("parseDataset() gives entries or a sentence for any JSON", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      try {
        assert(parseDataset(text).length > 0);
      } catch (error) {
        assert(/^Cannot read "data"/.test((error as Error).message), `${error}`);
      }
    }),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("encodeExample() writes instructions by a chat template too", () => {
  const { promptIds, responseIds, answers } = encodeExample(INSTRUCTION, tokenizer, zephyr);
  assertEquals(
    tokenizer.decode(promptIds),
    "<|user|>\nGive the plural.\n\nmouse<|endoftext|>\n<|assistant|>\n",
  );
  assertEquals(tokenizer.decode(responseIds), "mice<|endoftext|>\n");
  assertEquals(answers!.map(({ end }) => end), [promptIds.length + responseIds.length - 1]);
  assertEquals(encodePrompt(INSTRUCTION, tokenizer, zephyr), promptIds);
});

Deno.test("encodePrompt() asks for the last answer", () => {
  const text = tokenizer.decode(encodePrompt(TWO_TURNS, tokenizer, chatml));
  assert(text.endsWith("Another?<|im_end|>\n<|im_start|>assistant\n"), text);
});

Deno.test("encodeExamples() says which conversation cannot be written", () => {
  assertThrows(
    () => encodeExamples([INSTRUCTION, TWO_TURNS], tokenizer),
    TypeError,
    'Cannot encode entry 2 of 2: Cannot write a conversation in the format "alpaca", expected a chat template',
  );
  const silent = { messages: TWO_TURNS.messages.slice(0, 1) };
  assertThrows(
    () => encodeExamples([TWO_TURNS, silent], tokenizer, chatml),
    TypeError,
    "Cannot encode entry 2 of 2: Cannot learn from the conversation: it has no assistant message",
  );
});

Deno.test("collate() and forest() count every answer of a conversation, and only these", () => {
  const example = encodeExample(TWO_TURNS, tokenizer, chatml);
  const counted = (mask: (typeof MASKS)[number]) => {
    const { targets } = collate([example], { mask });
    return tokenizer.decode([...targets].filter((target) => target >= 0));
  };
  assertEquals(counted("prompt"), "An apple.<|im_end|>\nA pear.<|im_end|>\n");
  assertEquals(
    counted("none"),
    tokenizer.decode([...example.promptIds, ...example.responseIds].slice(1)),
  );
  const other = encodeExample(
    { messages: [...TWO_TURNS.messages.slice(0, 3), { role: "assistant", content: "A plum." }] },
    tokenizer,
    chatml,
  );
  for (const mask of MASKS) {
    for (const layout of ["forest", "packed", "padded"] as const) {
      const grown = forest([example, other], { mask, layout });
      const padded = collate([example, other], { mask });
      const targets = [...padded.targets].filter((target) => target >= 0).sort();
      const repeated = [...grown.edges.targets].flatMap((target, k) =>
        new Array<number>(grown.edges.counts[k]!).fill(target)
      );
      assertEquals(repeated.sort(), targets);
      assertEquals(grown.tokensCounted, padded.tokensCounted);
    }
  }
});

Deno.test("forest() does not compute what follows the last answer", () => {
  const example = { promptIds: [1, 2], responseIds: [3, 4, 5, 6], instructionLength: 1 };
  const answers = [{ marker: 2, start: 2, end: 4 }];
  assertEquals([...forest([{ ...example, answers }]).tokens], [1, 2, 3]);
  assertEquals([...forest([example]).tokens], [1, 2, 3, 4, 5]);
});
