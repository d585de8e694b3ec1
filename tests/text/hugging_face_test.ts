import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { HuggingFaceTokenizer } from "../../lib/text/hugging_face.ts";
import { parseTokenizerJson, writeTokenizerJson } from "../../lib/text/tokenizer_json.ts";
import { Random } from "../../lib/random.ts";
import golden from "../golden/text.json" with { type: "json" };
import { findPython } from "../support.ts";
import { byteLevelTokenizers, sentencePieceTokenizers } from "./small_tokenizers.ts";

const python = findPython("tokenizers");
const peer = fromFileUrl(import.meta.resolve("./peer.py"));

/** Hostile texts: those of GPT-2's golden file, with these vocabularies' own tokens strewn in. */
const TEXTS = golden.encode.map(({ text }, i) =>
  i % 3 === 0 ? text : text.replaceAll("<|endoftext|>", ["<|im_end|>", "<|en", " <mask> "][i % 3]!)
).concat([
  "<|im_start|>user\nHi<|im_end|>\n",
  " <mask> ",
  "a<mask>b",
  "<mask><mask>",
  "word words wordword a word. word_ <|end|>word",
  "<|en<|end|>d|>",
  "<|end|>",
  "<0x0A>",
  "▁▁ ▁",
  "\u0130\u00df\ufb01",
  "中中\u{1F9FF}\u{2F804}",
]).map((text) => text.toWellFormed());

for (const definition of [...byteLevelTokenizers(), ...sentencePieceTokenizers()]) {
  const title = `HuggingFaceTokenizer gives the crate's own tokens: ${definition.name}`;
  Deno.test({
    name: title + python.needs,
    ignore: !python.found,
    async fn() {
      const folder = await Deno.makeTempDir({ prefix: "tunebook-text-" });
      try {
        const random = new Random(7);
        const tokenizer = new HuggingFaceTokenizer(definition);
        const ids = Array.from(
          { length: 100 },
          () => Array.from({ length: 12 }, () => random.integer(tokenizer.vocabSize)),
        );
        const { json, config } = writeTokenizerJson(definition);
        await Deno.writeTextFile(join(folder, "tokenizer.json"), JSON.stringify(json));
        await Deno.writeTextFile(join(folder, "texts.json"), JSON.stringify({ texts: TEXTS, ids }));
        const answer = JSON.parse(await python.run(peer, "tokens", folder));
        // what was written must also read back as the same tokenizer
        const again = new HuggingFaceTokenizer(
          parseTokenizerJson(JSON.parse(JSON.stringify(json)), config, {
            name: "again",
            path: folder,
          }),
        );
        assertEquals(again.beginIds, tokenizer.beginIds);
        for (const one of [tokenizer, again]) {
          for (const [i, text] of TEXTS.entries()) {
            const shown = JSON.stringify(text);
            assertEquals(one.encode(text), answer.ordinary[i], shown);
            assertEquals(
              one.encode(text, { allowedSpecial: "all" }),
              answer.special[i],
              `special tokens in ${shown}`,
            );
          }
          for (const [i, row] of ids.entries()) {
            assertEquals(one.decode(row), answer.decoded[i], JSON.stringify(row));
          }
        }
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
