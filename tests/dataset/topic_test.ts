// A topic is kept from the file to the encoded example, and changes nothing that is learnt.

import { assertEquals, assertThrows } from "@std/assert";
import { parseDataset } from "../../lib/dataset/parse.ts";
import { strataOf, weighByTopic } from "../../lib/dataset/mod.ts";
import { encodeExample } from "../../lib/dataset/encode.ts";
import { gpt2Tokenizer } from "../../lib/text/mod.ts";

Deno.test("a topic is read with entries of every form", () => {
  const topic = "greeting";
  const messages = [{ role: "user", content: "Hi" }, { role: "assistant", content: "Hello" }];
  const conversations = [{ from: "human", value: "Hi" }, { from: "gpt", value: "Hello" }];
  assertEquals(
    parseDataset(JSON.stringify([
      { instruction: "Hi", output: "Hello", topic },
      { messages, topic },
      { conversations, topic },
    ])),
    [{ instruction: "Hi", input: "", output: "Hello", topic }, { messages, topic }, {
      messages,
      topic,
    }],
  );
  const wrong = JSON.stringify([{ messages, topic: ["greeting"] }]);
  assertThrows(() => parseDataset(wrong), TypeError, '"topic" must be a string, got an array');
  // Tables have numbers and empty cells.
  assertEquals(parseDataset(JSON.stringify([{ messages, topic: "" }, { messages, topic: 3 }])), [
    { messages },
    { messages, topic: "3" },
  ]);
});

Deno.test("encodeExample() keeps the topic beside the same tokens", () => {
  const entry = { instruction: "Hi", input: "", output: "Hello" };
  const tokenizer = gpt2Tokenizer();
  assertEquals(encodeExample({ ...entry, topic: "greeting" }, tokenizer), {
    ...encodeExample(entry, tokenizer),
    topic: "greeting",
  });
});

Deno.test("Dolly's category is the topic of an entry that has no other", () => {
  const entry = { instruction: "Hi", input: "", output: "Hello", category: "open_qa" };
  assertEquals(encodeExample(entry, gpt2Tokenizer()).topic, "open_qa");
  assertEquals(encodeExample({ ...entry, topic: "greeting" }, gpt2Tokenizer()).topic, "greeting");
  assertEquals(strataOf([entry], ["topic"]), ["open_qa"]);
  assertEquals(weighByTopic([entry])[0]!.weight, 1);
});
