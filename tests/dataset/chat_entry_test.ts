import { assert, assertEquals, assertThrows } from "@std/assert";
import { collate } from "../../lib/dataset/collate.ts";
import { encodeExample, encodeExamples, encodePrompt } from "../../lib/dataset/encode.ts";
import { forest } from "../../lib/dataset/forest.ts";
import { chatTemplateOf } from "../../lib/text/chat_formats.ts";
import { gpt2Tokenizer } from "../../lib/text/gpt2.ts";
import { ChatTemplate } from "../../lib/text/chat_template.ts";
import { type Mask, MASKS } from "../../lib/text/mask.ts";
import type { ChatEntry, DatasetEntry } from "../../lib/dataset/mod.ts";
import { reportLengths } from "../../lib/dataset/sequences.ts";

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

Deno.test("an answer's weight counts in losses, under every mask; 0 leaves it out", () => {
  const weighted = (first: number, second: number) => ({
    messages: TWO_TURNS.messages.map((message, i) => ({
      ...message,
      ...(i === 1 && { weight: first }),
      ...(i === 3 && { weight: second }),
    })),
  });
  const weights = (entry: DatasetEntry, mask: Mask) => {
    const batch = collate([encodeExample(entry, tokenizer, chatml)], { mask });
    const text = (weight: number) =>
      tokenizer.decode([...batch.targets].filter((_, i) => batch.weights[i] === weight));
    return { half: text(0.5), one: text(1) };
  };
  assertEquals(weights(weighted(0, 1), "prompt").one, "A pear.<|im_end|>\n");
  const { half, one } = weights(weighted(0.5, 1), "prompt");
  assertEquals([half, one], ["An apple.<|im_end|>\n", "A pear.<|im_end|>\n"]);
  const all = weights(TWO_TURNS, "none").one;
  assertEquals(weights(weighted(0, 0.5), "none"), {
    half: "A pear.<|im_end|>\n",
    one: all.replace("An apple.<|im_end|>\n", "").replace("A pear.<|im_end|>\n", ""),
  });
  // An example that is masked whole is found.
  const silent = encodeExample(weighted(0, 0), tokenizer, chatml);
  assertEquals(reportLengths([silent]).uncounted, [0]);
  // The forest that is trained on has the padded batch's weights.
  for (const mask of MASKS) {
    const example = { ...encodeExample(weighted(0.5, 1), tokenizer, chatml), weight: 3 };
    const { edges } = forest([example], { mask });
    const sum = edges.counts.reduce((a, b) => a + b, 0);
    assertEquals(sum, collate([example], { mask }).weights.reduce((a, b) => a + b, 0));
  }
});

Deno.test("encodeExample() writes tools, calls and thinking, or refuses a template that does not", () => {
  const template = new ChatTemplate(
    "{% if tools %}Tools: {{ tools | tojson }}\n{% endif %}{% for m in messages %}" +
      "<|endoftext|>{{ m.role }}: {{ m.content }}" +
      "{% for c in m.tool_calls or [] %}CALL {{ c.function | tojson }}{% endfor %}" +
      "<|endoftext|>{% endfor %}{% if add_generation_prompt %}<|endoftext|>assistant: {% endif %}",
    { name: "tools" },
  );
  // The name of a special token in a message or a call is ordinary text.
  const call = { function: { name: "weather", arguments: { city: "<|endoftext|>" } } };
  const entry: DatasetEntry = {
    messages: [
      { role: "user", content: "Is it warm?" },
      { role: "assistant", content: "", tool_calls: [call] },
      { role: "tool", content: "4" },
      { role: "assistant", content: "No." },
    ],
    tools: [{ type: "function", function: { name: "weather" } }],
  };
  const { promptIds, responseIds, answers } = encodeExample(entry, tokenizer, template);
  const ids = [...promptIds, ...responseIds];
  assertEquals(answers!.map(({ start, end }) => tokenizer.decode(ids.slice(start, end))), [
    'CALL {"name": "weather", "arguments": {"city": "<|endoftext|>"}}<|endoftext|>',
    "No.<|endoftext|>",
  ]);
  assertEquals(ids.filter((id) => id === tokenizer.eosId).length, 8);
  assert(tokenizer.decode(encodePrompt(entry, tokenizer, template)).startsWith("Tools: [{"));
  assertThrows(
    () => encodeExample(entry, tokenizer, chatml),
    TypeError,
    'Cannot write "tools": the template "chatml" leaves it out; take one that writes it, or ignore',
  );
  const { tools: _, ...without } = entry as ChatEntry;
  assertThrows(
    () => encodeExample(without, tokenizer, chatml),
    TypeError,
    'Cannot write "tool_calls" of message 2: the template "chatml" leaves it out',
  );
  const thoughtful = { ...TWO_TURNS.messages[1], reasoning_content: "Hm." };
  assertThrows(
    () => encodeExample({ messages: [thoughtful] }, tokenizer, chatml),
    TypeError,
    'Cannot write "reasoning_content" of message 1',
  );
});

Deno.test("a text is learnt whole and closed once, in every format", () => {
  for (const format of [undefined, chatml]) {
    for (const text of ["Once upon a time.", "Once upon a time.<|endoftext|>"]) {
      const example = encodeExample({ text }, tokenizer, format);
      const { targets } = collate([example]);
      assertEquals(tokenizer.decode([...targets]), " upon a time.<|endoftext|>");
    }
  }
  assertThrows(() => encodePrompt({ text: "Once" }, tokenizer), TypeError, "Cannot ask a text");
});
