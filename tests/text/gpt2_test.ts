import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { gpt2Tokenizer } from "../../lib/text/gpt2.ts";
import { printableToken, TokenDecoder } from "../../lib/text/tokenizer.ts";
import golden from "../golden/text.json" with { type: "json" };

const tokenizer = gpt2Tokenizer();

Deno.test("gpt2Tokenizer() encodes as tiktoken does, hostile strings too", () => {
  assert(golden.encode.length > 400);
  for (const { text, ordinary, special } of golden.encode) {
    assertEquals(tokenizer.encode(text), ordinary, JSON.stringify(text));
    const all = tokenizer.encode(text, { allowedSpecial: "all" });
    assertEquals(all, special, `special tokens in ${JSON.stringify(text)}`);
  }
});

Deno.test("gpt2Tokenizer() decodes as tiktoken does, broken characters too", () => {
  for (const { ids, text } of golden.decode) assertEquals(tokenizer.decode(ids), text);
});

Deno.test("gpt2Tokenizer() has GPT-2's vocabulary", () => {
  assertEquals(tokenizer.vocabSize, 50257);
  assertEquals(tokenizer.eosId, 50256);
  assertEquals(tokenizer.decode([50256]), "<|endoftext|>");
});

Deno.test("gpt2Tokenizer() takes special tokens only where allowed", () => {
  assertEquals(tokenizer.encode("<|endoftext|>").length, 7);
  assertEquals(tokenizer.encode("<|endoftext|>", { allowedSpecial: ["<|endoftext|>"] }), [50256]);
  assertEquals(tokenizer.encode("a<|endoftext|>", { allowedSpecial: "all" }), [64, 50256]);
  const error = assertThrows(
    () => tokenizer.encode("x", { allowedSpecial: ["<|im_start|>"] }),
    RangeError,
  );
  assertEquals(
    error.message,
    'Cannot allow the special token "<|im_start|>": "gpt2" has "<|endoftext|>"',
  );
});

const wellFormed = fc.array(
  fc.oneof(
    fc.nat(0x7f),
    fc.nat(0x2fff),
    fc.nat(0xd7ff),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
  ),
  { maxLength: 80 },
).map((codePoints) => String.fromCodePoint(...codePoints));

Deno.test("gpt2Tokenizer() gives back every well-formed string", () => {
  fc.assert(
    fc.property(wellFormed, (text) => {
      assertEquals(tokenizer.decode(tokenizer.encode(text)), text);
    }),
    { seed: 1, numRuns: 100 },
  );
});

Deno.test("gpt2Tokenizer() shows ids without a token, and refuses other values", () => {
  assertEquals(tokenizer.decode([50257, 31373, 60000]), "⟨50257⟩hello⟨60000⟩");
  for (const id of [-1, 1.5, NaN]) {
    const error = assertThrows(() => tokenizer.decode([id]), RangeError);
    assertEquals(
      error.message,
      `Cannot decode token ${id} of "gpt2": expected a whole number from 0 on`,
    );
  }
});

Deno.test("gpt2Tokenizer() encodes a long run without a break in little time", () => {
  const start = performance.now();
  assertEquals(tokenizer.encode("a".repeat(200_000)).length, 50_000);
  // quadratic merging takes a minute here; the bound leaves room for a busy machine
  assert(performance.now() - start < 15_000);
});

Deno.test("gpt2Tokenizer() refuses in one sentence what the matcher cannot hold", () => {
  const error = assertThrows(() => tokenizer.encode("😀".repeat(5_000_000)), RangeError);
  assertEquals(
    error.message,
    "Cannot encode a text of 10000000 characters: it has a run without a break that is too long",
  );
});

Deno.test("TokenDecoder prints a character once, when it is whole", () => {
  const ids = tokenizer.encode("I 👩‍👧 é\n");
  const decoder = new TokenDecoder(tokenizer);
  const parts = ids.map((id) => decoder.push(id));
  assertEquals(decoder.end(), "");
  assertEquals(parts.join(""), "I 👩‍👧 é\n");
  assert(parts.every((part) => !part.includes("\ufffd")));
  assert(parts.includes(""), "some token ends inside a character");
});

Deno.test("TokenDecoder shows a character cut short as U+FFFD, and starts afresh", () => {
  const decoder = new TokenDecoder(tokenizer);
  const [first] = tokenizer.encode("👩");
  assertEquals(decoder.push(first!), "");
  assertEquals(decoder.end(), "\ufffd");
  assertEquals(decoder.push(64), "a");
});

Deno.test("printableToken() makes white space and broken bytes visible", () => {
  const shown = (text: string) =>
    tokenizer.encode(text).map((id) => printableToken(tokenizer, id)).join("|");
  assertEquals(shown(" a\n\tb"), "␣a|⏎|⇥|b");
  assertEquals(shown("👩"), "\\xF0\\x9F\\x91|\\xA9");
  assertEquals(shown("\u0000"), "\\u{0}");
  assertEquals(printableToken(tokenizer, 50256), "<|endoftext|>");
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    const text = printableToken(tokenizer, id);
    assert(text.length > 0 && !/[\p{White_Space}\p{C}]/u.test(text), `token ${id}`);
  }
});
