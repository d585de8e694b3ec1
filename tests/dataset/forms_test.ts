// The forms in which people have data: what each becomes, and that nothing is lost silently.

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { DatasetEntry } from "../../lib/dataset/mod.ts";
import {
  describeReport,
  EntryReader,
  type FieldOptions,
  FORMS,
} from "../../lib/dataset/forms/mod.ts";
import { parseDataset, parsePreferences } from "../../lib/dataset/parse.ts";

const parse = (rows: unknown[], options: FieldOptions = {}) =>
  parseDataset(JSON.stringify(rows), "data", options);
const one = (row: unknown, options: FieldOptions = {}) => parse([row], options)[0];
const user = (content: string) => ({ role: "user", content });
const assistant = (content: string) => ({ role: "assistant", content });
const system = (content: string) => ({ role: "system", content });

const CALL = { type: "function", function: { name: "weather", arguments: { city: "Oslo" } } };
const TOOL = { type: "function", function: { name: "weather", parameters: { type: "object" } } };

/** What stands in a file, and the entry that it is. */
const READ: Record<string, [row: unknown, entry: DatasetEntry]> = {
  "Alpaca's form": [
    { instruction: "a", input: "b", output: "c" },
    { instruction: "a", input: "b", output: "c" },
  ],
  "Alpaca's form with a null input and a number": [
    { instruction: "a", input: null, output: 42, weight: "0.5" },
    { instruction: "a", input: "", output: "42", weight: 0.5 },
  ],
  "Alpaca's form with a null output, which is an empty one": [
    { instruction: "a", output: null },
    { instruction: "a", input: "", output: "" },
  ],
  "Alpaca's form with system and history": [
    { instruction: "a", input: "b", output: "c", system: "s", history: [["q", "r"]] },
    { messages: [system("s"), user("q"), assistant("r"), user("a\n\nb"), assistant("c")] },
  ],
  "Alpaca's form with empty system and history": [
    { instruction: "a", output: "c", system: "", history: [], id: 7, weight: null },
    { instruction: "a", input: "", output: "c", id: 7 },
  ],
  "Alpaca's form with a context": [
    { instruction: "a", context: "b", output: "c" },
    { instruction: "a", input: "b", output: "c" },
  ],
  "Dolly's form": [
    { instruction: "a", context: "b", response: "c", category: "closed_qa" },
    { instruction: "a", input: "b", output: "c", category: "closed_qa" },
  ],
  "prompt and completion": [
    { prompt: "a", completion: "b" },
    { instruction: "a", input: "", output: "b" },
  ],
  "prompt and completion as messages, of which only the completion is learnt": [
    { prompt: [user("a"), assistant("b"), user("c")], completion: [assistant("d")] },
    { messages: [user("a"), { ...assistant("b"), weight: 0 }, user("c"), assistant("d")] },
  ],
  "messages with weights and nulls of other messages' fields": [
    {
      messages: [
        { ...user("a"), tool_calls: null, weight: null },
        { ...assistant("b"), weight: 0 },
        user("c"),
        { ...assistant("d"), weight: 1 },
      ],
    },
    {
      messages: [
        user("a"),
        { ...assistant("b"), weight: 0 },
        user("c"),
        { ...assistant("d"), weight: 1 },
      ],
    },
  ],
  "prompt and completion as JSON text of messages, as tables hold them": [
    { prompt: JSON.stringify([user("a")]), completion: JSON.stringify([assistant("b")]) },
    { messages: [user("a"), assistant("b")] },
  ],
  "prompts and completions that are other JSON, as text": [
    { prompt: '["a"]', completion: '[{"name": "b"}]' },
    { instruction: '["a"]', input: "", output: '[{"name": "b"}]' },
  ],
  "content in parts": [
    { messages: [{ role: "user", content: [{ type: "text", text: "a" }, "b"] }, assistant("c")] },
    { messages: [user("ab"), assistant("c")] },
  ],
  "calls of tools": [
    {
      messages: [
        user("a"),
        { role: "assistant", content: null, tool_calls: [CALL] },
        { role: "tool", tool_call_id: "1", name: "weather", content: 4 },
        assistant("b"),
      ],
      tools: [TOOL],
    },
    {
      messages: [
        user("a"),
        { role: "assistant", content: "", tool_calls: [CALL] },
        { role: "tool", content: "4", tool_call_id: "1", name: "weather" },
        assistant("b"),
      ],
      tools: [TOOL],
    },
  ],
  "tools as JSON text, as tables hold them": [
    { messages: JSON.stringify([user("a"), assistant("b")]), tools: JSON.stringify([TOOL]) },
    { messages: [user("a"), assistant("b")], tools: [TOOL] },
  ],
  "thinking": [
    { messages: [user("a"), { ...assistant("b"), reasoning_content: "hm" }] },
    { messages: [user("a"), { ...assistant("b"), reasoning_content: "hm" }] },
  ],
  "ShareGPT's form": [
    {
      conversations: [{ from: "human", value: "a" }, { from: "gpt", value: "b" }],
      system: "s",
      source: "web",
    },
    { messages: [system("s"), user("a"), assistant("b")], source: "web" },
  ],
  "ShareGPT's calls of tools": [
    {
      conversations: [
        { from: "human", value: "a" },
        { from: "function_call", value: '{"name": "weather", "arguments": {"city": "Oslo"}}' },
        { from: "observation", value: "4" },
        { from: "gpt", value: "b" },
      ],
    },
    {
      messages: [
        user("a"),
        { role: "assistant", content: "", tool_calls: [CALL] },
        { role: "tool", content: "4" },
        assistant("b"),
      ],
    },
  ],
  "conversations with roles": [
    { conversations: [user("a"), assistant("b")] },
    { messages: [user("a"), assistant("b")] },
  ],
  "text": [{ text: "Once." }, { text: "Once." }],
};

for (const [name, [row, entry]] of Object.entries(READ)) {
  Deno.test(`parseDataset() reads ${name}, and what it made of it`, () => {
    assertEquals(one(row), entry);
    assertEquals(one(entry), entry);
  });
}

Deno.test("parseDataset() refuses what it cannot learn as it stands, and names it", () => {
  const chat = (...messages: unknown[]) => ({ messages });
  const cases: [unknown, string][] = [
    [7, "it must be an object, got a number"],
    [{}, "its fields are none, expected those of a form"],
    [{ question: "a" }, 'its fields are "question", expected those of a form'],
    [{ output: "a" }, '"instruction" is missing'],
    [{ instruction: "a" }, '"output" is missing'],
    [{ instruction: "a", output: ["b"] }, '"output" must be a string, got an array'],
    [{ instruction: "a", output: true }, '"output" must be a string, got a boolean'],
    [
      { prompt: "[{'role': 'user', 'content': 'a'}]", completion: "b" },
      '"prompt" must be messages as JSON text, not as Python prints a list, got a string',
    ],
    [
      { conversations: [{ from: "function_call", value: '{"name": "f", "name": "g"}' }] },
      '"conversations.0.value" must be a call whose fields have different names',
    ],
    [{ instruction: "a", input: "b", context: "c", output: "d" }, '"context" must be empty beside'],
    [{ instruction: "a", output: "b", history: ["q"] }, '"history.0" must be a pair of strings'],
    [{ instruction: "a", output: "b", weight: 0 }, '"weight" must be a number above 0'],
    [{ prompt: "a" }, '"completion" is missing'],
    [{ prompt: "a", completion: "b", tools: [TOOL] }, '"tools" must be absent where "prompt" is a'],
    [chat(), '"messages" must be an array of at least one message, got an array'],
    [{ messages: "Hi" }, '"messages" must be an array, got a string'],
    [chat({ role: "user" }), '"messages.0.content" is missing'],
    [chat({ role: 1, content: "" }), '"messages.0.role" must be a string, got a number'],
    [chat({ role: "user", content: null }), '"messages.0.content" must be a string, got null'],
    [chat({ ...user("a"), weight: 1 }), '"messages.0.weight" must be absent, for only'],
    [chat({ ...assistant("a"), weight: -1 }), '"messages.0.weight" must be a number of 0 or more'],
    [
      chat({ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }),
      '"messages.0.content.0" must be a part of type "text"',
    ],
    [
      chat({ ...assistant(""), tool_calls: [{ function: {} }] }),
      '"messages.0.tool_calls.0.function.name" is missing',
    ],
    [{ conversations: [{ from: "alien", value: "" }] }, '"conversations.0.from" must be one of'],
    [
      { messages: [system("a"), user("b")], system: "c" },
      '"system" must be absent where the first',
    ],
  ];
  for (const [entry, reason] of cases) {
    assertThrows(
      () => parse([{ text: "a" }, entry]),
      TypeError,
      `Cannot read "data": entry 2 of 2: ${reason}`,
    );
  }
});

Deno.test("parseDataset() refuses fields that would be lost, unless it is told what to do with them", () => {
  const row = { instruction: "a", output: "b", score: 3, hint: "c" };
  assertThrows(
    () => parse([row, { ...row, hint: null }]),
    TypeError,
    'Cannot read "data": the fields "score" (2 of 2), "hint" (1 of 2) would be lost: map says',
  );
  assertEquals(one(row, { ignore: ["hint"], keep: ["score"] }), {
    ...{ instruction: "a", input: "", output: "b" },
    score: 3,
  } as DatasetEntry);
  assertEquals(one(row, { ignore: ["score"], map: { input: "hint" } }), {
    ...{ instruction: "a", input: "c", output: "b" },
  });
  const message = { messages: [{ ...user("a"), mood: "glad" }, assistant("b")] };
  assertThrows(() => one(message), TypeError, 'the field "mood" (1 of 1) would be lost');
  assertEquals(one(message, { ignore: ["mood"] }), { messages: [user("a"), assistant("b")] });
  const part = { type: "text", text: "a", image_url: null, weight: 0 };
  const parts = { messages: [{ role: "user", content: [part] }, assistant("b")] };
  assertThrows(() => one(parts), TypeError, 'the field "weight" (1 of 1) would be lost');
  assertEquals(one(parts, { ignore: ["weight"] }), { messages: [user("a"), assistant("b")] });
  const calls = { messages: [user("a"), { ...assistant("b"), tool_calls: [CALL] }] };
  assertEquals(one(calls, { ignore: ["tool_calls"] }), { messages: [user("a"), assistant("b")] });
});

Deno.test("parseDataset() reads columns of other names, and says which are not there", () => {
  const row = { question: "a", answer: "b" };
  const map = { instruction: "question", output: "answer" };
  assertEquals(one(row, { map }), { instruction: "a", input: "", output: "b" });
  assertThrows(
    () => one(row, { map: { ...map, input: "context" } }),
    TypeError,
    'Cannot read "data": no entry has the field "context"',
  );
  assertThrows(() => one(row, { map, ignore: ["id"] }), TypeError, 'no entry has the field "id"');
  assertThrows(
    () => one({ ...row, output: "c" }, { map }),
    TypeError,
    '"output" is there beside the column that is mapped to it',
  );
});

Deno.test("a report says forms, what is carried along or left out, and what is empty", () => {
  const reader = new EntryReader("data", { ignore: ["n"], keep: ["mood"] }, FORMS);
  const rows = [
    { instruction: "a", output: " ", n: 1 },
    { instruction: "", context: "b", response: "c", category: "qa", mood: "glad" },
    { messages: [user("a"), { ...assistant(""), tool_calls: [{ name: "f", arguments: "{}" }] }] },
    { messages: [user("a"), assistant("")] },
    { messages: [user("a"), { role: "model", content: "b" }] },
  ];
  for (const row of rows) reader.read(row);
  const report = reader.finish();
  assertEquals(report.forms, { alpaca: 1, dolly: 1, messages: 3 });
  assertEquals(report.kept, { category: 1, mood: 1 });
  assertEquals([report.emptyOutputs, report.emptyInstructions], [[0, 3], [1]]);
  assertEquals(describeReport(report), [
    "5 entries in the forms messages (3), Dolly (1), Alpaca (1)",
    'carried along and not learnt: "mood" (1 of 5)',
    'left out: "n" (1 of 5)',
    "2 of 5 outputs are empty (the first is entry 1), which teaches the model to stop at once",
    "1 of 5 instructions is empty (the first is entry 2)",
    "the arguments of 1 call of tools are JSON text, which most templates write as a quoted string",
  ]);
});

Deno.test("parseDataset() keeps the digits of what is carried along", () => {
  const id = "12345678901234567890";
  assertEquals(
    parseDataset(`[{"text": "a", "id": ${id}, "score": 2.0}]`, "data", { keep: ["score"] }),
    [{ text: "a", id, score: 2 } as DatasetEntry],
  );
});

Deno.test("a report counts fields that are called as what every object has", () => {
  const reader = new EntryReader("data", { ignore: ["toString"], keep: ["constructor"] }, FORMS);
  reader.read({ text: "a", constructor: "b", toString: "c" });
  const { kept, ignored } = reader.finish();
  assertEquals([Object.entries(kept), Object.entries(ignored)], [[["constructor", 1]], [[
    "toString",
    1,
  ]]]);
});

Deno.test("parseDataset() says each fault once, lists three, and counts the rest", () => {
  const fault = (rows: unknown[]) => assertThrows(() => parse(rows), TypeError).message;
  assertEquals(
    fault(new Array(50).fill({ output: "" })),
    'Cannot read "data": entry 1 and 49 more of 50: "instruction" is missing',
  );
  assertEquals(
    fault([{ output: "" }, 1, { output: "" }, "a", null, [], []]),
    'Cannot read "data": entry 1 and 1 more of 7: "instruction" is missing; entry 2 of 7: it must be an object, got ' +
      "a number; entry 4 of 7: it must be an object, got a string; 3 entries have other faults",
  );
});

Deno.test("parseDataset() gives entries or a sentence for any JSON", () => {
  const field = fc.constantFrom(
    ...["instruction", "input", "output", "context", "response", "prompt", "completion", "text"],
    ...["messages", "conversations", "system", "history", "tools", "weight", "id", "topic"],
  );
  const message = fc.dictionary(
    fc.constantFrom("role", "content", "from", "value", "weight", "tool_calls", "name"),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const row = fc.dictionary(field, fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.array(message)));
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.array(row).map((rows) => JSON.stringify(rows))), (text) => {
      try {
        assert(parseDataset(text).length > 0);
      } catch (error) {
        assert(/^Cannot read "data"/.test((error as Error).message), `${error}`);
      }
    }),
    { seed: 1, numRuns: 1000 },
  );
});

/** What stands in a file, and the preference that it is; TRL's forms. */
const PREFERENCES: Record<string, [row: unknown, entry: unknown]> = {
  "texts": [
    { prompt: "a", chosen: "b", rejected: "c", id: 7 },
    { prompt: "a", chosen: "b", rejected: "c", id: 7 },
  ],
  "texts that begin with their prompt": [
    { chosen: "The sky is blue.", rejected: "The sky is black." },
    { prompt: "The sky is bl", chosen: "ue.", rejected: "ack." },
  ],
  "texts that begin with their prompt, up to a space": [
    { chosen: "The sky is blue.", rejected: "The sky is green." },
    { prompt: "The sky is", chosen: " blue.", rejected: " green." },
  ],
  "messages": [
    { prompt: [user("a")], chosen: [assistant("b")], rejected: [assistant("c")], tools: [TOOL] },
    { prompt: [user("a")], chosen: [assistant("b")], rejected: [assistant("c")], tools: [TOOL] },
  ],
  "conversations that begin alike": [
    {
      chosen: [system("s"), user("a"), assistant("b")],
      rejected: [system("s"), user("a"), assistant("c")],
    },
    { prompt: [system("s"), user("a")], chosen: [assistant("b")], rejected: [assistant("c")] },
  ],
  "messages as JSON text, as tables hold them": [
    {
      prompt: JSON.stringify([user("a")]),
      chosen: JSON.stringify([assistant("b")]),
      rejected: JSON.stringify([assistant("c")]),
    },
    { prompt: [user("a")], chosen: [assistant("b")], rejected: [assistant("c")] },
  ],
  "conversations beside the question as a text": [
    { prompt: "a", chosen: [user("a"), assistant("b")], rejected: [user("a"), assistant("c")] },
    { prompt: [user("a")], chosen: [assistant("b")], rejected: [assistant("c")] },
  ],
};

for (const [form, [row, entry]] of Object.entries(PREFERENCES)) {
  Deno.test(`parsePreferences() reads ${form}`, () => {
    assertEquals(parsePreferences(JSON.stringify([row])), [entry as never]);
  });
}

const NO_PREFERENCES: Record<string, [row: unknown, message: string]> = {
  "two equal answers without a prompt": [{ chosen: "a b", rejected: "a b" }, '"prompt" is missing'],
  "answers that share nothing, without a prompt": [
    { chosen: "a", rejected: "b" },
    '"prompt" is missing',
  ],
  "conversations that do not begin with the question beside them": [
    { prompt: "z", chosen: [user("a"), assistant("b")], rejected: [user("a"), assistant("c")] },
    '"prompt" must be a message that both conversations begin with',
  ],
  "a conversation without an answer": [
    { prompt: [user("a")], chosen: [user("b")], rejected: [assistant("c")] },
    '"chosen" must be messages with one of the assistant\'s',
  ],
  "a field that would be lost": [
    { prompt: "a", chosen: "b", rejected: "c", score: 1 },
    'the field "score" (1 of 1) would be lost',
  ],
  "an instruction": [
    { instruction: "a", output: "b" },
    'expected those of a form: "prompt", "chosen"',
  ],
};

for (const [what, [row, message]] of Object.entries(NO_PREFERENCES)) {
  Deno.test(`parsePreferences() refuses ${what}`, () => {
    assertThrows(() => parsePreferences(JSON.stringify([row])), TypeError, message);
  });
}

Deno.test("parseDataset() names the reader of preferences", () => {
  assertThrows(
    () => one({ prompt: "a", chosen: "b", rejected: "c" }),
    TypeError,
    "loadPreferences()",
  );
});
