import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { exampleTokens } from "../../lib/show/token_view.ts";
import {
  maskView,
  type TokenSequence,
  tokenText,
  tokenView,
  visibleText,
} from "../../lib/show/mod.ts";
import { gpt2Tokenizer } from "../../lib/text/gpt2.ts";
import { hostile, hostileText } from "./hostile.ts";
import { assertSoundHtml, unescapeHtml } from "./markup.ts";

const tokenizer = gpt2Tokenizer();

const sequence = (tokens: readonly string[]): TokenSequence => ({
  tokens,
  roles: tokens.map((_, i) => (["prompt", "response", "end", "padding"] as const)[i % 4]),
  counted: tokens.map((_, i) => i % 3 === 0),
});

Deno.test("tokenView() lets no token out of its chip, and hides none", () => {
  const check = (tokens: string[]) => {
    const { html } = tokenView(sequence(tokens), { title: tokens.join("") });
    assertSoundHtml(html);
    const chips = [
      ...html.matchAll(/<span class="tb-t" style="[^"]*" title="[^"]*">([^<]*)<\/span>/g),
    ];
    assertEquals(
      chips.map(([, text]) => unescapeHtml(text)),
      tokens.map((token) => visibleText(token).replace(/\p{Surrogate}/gu, "\ufffd")),
    );
  };
  check([...hostile]);
  fc.assert(fc.property(fc.array(hostileText, { minLength: 1, maxLength: 20 }), check));
});

Deno.test("visibleText() shows blanks, and no character that reverses or hides text", () => {
  assertEquals(visibleText(" a\tb\n"), "·a⇥b↵");
  assertEquals(visibleText("\u202Ex\u200B\u00A0\u0000\u007f"), "⟨U+202E⟩x⟨U+200B⟩⟨U+00A0⟩␀␡");
  assertEquals(visibleText(""), "∅");
  assertEquals(visibleText("\u0301"), "◌\u0301");
  fc.assert(fc.property(hostileText, (text) => {
    assert(!/[\p{Cf}\p{Cc}\p{Z}]/u.test(visibleText(text)));
  }));
});

Deno.test("tokenText() shows bytes where a token is part of a character", () => {
  const texts = tokenizer.encode("😀").map((id) => tokenText(id, tokenizer));
  assertEquals(texts, ["⟨F0 9F 98⟩", "⟨80⟩"]);
  assertEquals(tokenText(tokenizer.encode(" there")[0], tokenizer), " there");
  assertEquals(tokenText(5, { decode: (ids) => `<${ids}>` }), "<5>");
});

Deno.test("tokenView() says by more than colour what counts", () => {
  const view = tokenView({
    tokens: ["a", "b", "c"],
    roles: ["prompt", "response", "end"],
    counted: [false, true, true],
    ids: [1, 2, 3],
  });
  assertStringIncludes(view.html, 'title="position 1, id 2, response, counts"');
  assertStringIncludes(view.html, 'aria-label="1 response token that counts"');
  assertStringIncludes(view.html, "border-bottom:3px solid");
  assertEquals(
    view.text,
    "2 of 3 tokens count\n  1 prompt token: a\n  1 response token that counts: b\n  1 end token that counts: c",
  );
});

Deno.test("tokenView() folds long sequences and says what it leaves out", () => {
  const long = sequence(Array.from({ length: 10_000 }, (_, i) => `t${i} `));
  const view = tokenView(Array.from({ length: 12 }, () => long), {
    maxTokens: 50,
    maxSequences: 2,
  });
  const text = assertSoundHtml(view.html);
  assertEquals(view.html.match(/<details>/g)!.length, 2);
  assertStringIncludes(text, "3,950 more tokens");
  assertStringIncludes(text, "and 6,000 tokens that are not shown");
  assertStringIncludes(text, "and 10 more sequences");
});

Deno.test("tokenView() refuses lists of different lengths", () => {
  assertThrows(
    () => tokenView({ tokens: ["a", "b"], roles: ["prompt"], counted: [true, false] }),
    RangeError,
    "Cannot show sequence 1: it has 2 tokens, 1 roles, 2 flags, expected equal numbers",
  );
});

Deno.test("exampleTokens() marks what each mask counts", () => {
  const example = {
    promptIds: tokenizer.encode("Ask\n\n### Response:\n"),
    instructionLength: tokenizer.encode("Ask").length,
    responseIds: [...tokenizer.encode("Yes"), tokenizer.eosId],
  };
  const counted = (mask: "none" | "instruction" | "prompt") =>
    exampleTokens(example, tokenizer, mask).counted.indexOf(true);
  assertEquals(counted("none"), 1);
  assertEquals(counted("instruction"), example.instructionLength);
  assertEquals(counted("prompt"), example.promptIds.length);
  const { roles, tokens } = exampleTokens(example, tokenizer);
  assertEquals([roles.at(-1), tokens.at(-1)], ["end", "<|endoftext|>"]);
  const view = maskView(example, tokenizer, ["none", "prompt"]);
  assertStringIncludes(view.text, 'mask "prompt" · 2 of');
});
