/**
 * Converts a prompt format to Ollama's template, in Go's template language, which Ollama fills with
 * the messages of a conversation:
 * https://github.com/ollama/ollama/blob/main/docs/template.md
 *
 * A chat template is not translated but observed: it writes a conversation of known words, and the
 * text before, between and after these words is what Ollama has to write.
 */
import type { PromptFormat } from "./alpaca.ts";
import { closingToken } from "./chat.ts";
import { templateVariables } from "./chat_formats.ts";
import type { ChatMessage, ChatTemplate } from "./chat_template.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** How Ollama writes prompts. */
export interface OllamaPrompt {
  /** The template. */
  template: string;
  /** The stop words of an answer. */
  stop: string[];
  /** Whether texts begin with the beginning token: `tokenizer.ggml.add_bos_token`. */
  addBos: boolean;
}

/**
 * Converts a format for single instructions: the user's message is the instruction.
 *
 * @param format The format.
 * @param tokenizer The model's tokenizer.
 * @returns Template, stop words, and whether texts begin with the beginning token.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gpt2Tokenizer } from "tunebook";
 * import { alpaca, formatToOllama } from "tunebook/text";
 *
 * const { template } = formatToOllama(alpaca, gpt2Tokenizer());
 * assertEquals(template.includes("### Instruction:\n{{ .Prompt }}"), true);
 * ```
 */
export function formatToOllama(format: PromptFormat, tokenizer: Tokenizer): OllamaPrompt {
  const [before, after] = cut(
    format.instruction({ instruction: WORDS[0] }) + format.responseMarker,
    [WORDS[0]],
    `the format "${format.name}"`,
  );
  const close = nameOf(tokenizer.eosId, tokenizer);
  return {
    template: `${literal(before)}{{ .Prompt }}${literal(after)}{{ .Response }}${literal(close)}`,
    stop: close === "" ? [] : [close],
    addBos: tokenizer.beginIds.length > 0,
  };
}

/**
 * Converts a chat template.
 *
 * @param template The chat template.
 * @param tokenizer The model's tokenizer.
 * @returns Template, stop words, and whether texts begin with the beginning token.
 * @throws {TypeError} If the template does not write all messages unchanged, one after the other.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gpt2Tokenizer } from "tunebook";
 * import { ChatTemplate, chatToOllama } from "tunebook/text";
 *
 * const template = new ChatTemplate(
 *   "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}" +
 *     "{% if add_generation_prompt %}<assistant>{% endif %}",
 * );
 * const { template: go } = chatToOllama(template, gpt2Tokenizer());
 * assertEquals(go.includes('{{ if eq .Role "system" }}<system>{{ .Content }}'), true);
 * ```
 */
export function chatToOllama(template: ChatTemplate, tokenizer: Tokenizer): OllamaPrompt {
  const what = `the template "${template.name}"`;
  const [first, answer, second, system] = WORDS;
  const user = (content: string): ChatMessage => ({ role: "user", content });
  const assistant: ChatMessage = { role: "assistant", content: answer };
  const prompt = (...messages: ChatMessage[]) => template.render(messages, { prompt: true });
  const [begin, asks, between, end] = cut(
    prompt(user(first), assistant, user(second)),
    [first, answer, second],
    what,
  );
  const [bare] = cut(prompt(user(first)), [first], what);
  if (bare !== begin) throw refusal(what, "it begins differently if more follows");
  const withSystem = cutSystem(() => prompt({ role: "system", content: system }, user(first)));

  const bos = templateVariables(tokenizer).bos_token ?? "";
  const addBos = tokenizer.beginIds.length > 0 && bos !== "" && begin.startsWith(bos);
  // Ollama itself puts this token before a text
  const beginning = (text: string) =>
    addBos && text.startsWith(bos) ? text.slice(bos.length) : text;
  const messages = [
    ...(withSystem
      ? [`{{ if eq .Role "system" }}${literal(beginning(withSystem[0]))}{{ .Content }}{{ else if`]
      : ["{{ if"]),
    ` eq .Role "user" }}{{ if eq $i 0 }}${literal(beginning(begin))}`,
    withSystem
      ? `{{ else if and (eq $i 1) (eq (index $.Messages 0).Role "system") }}${
        literal(withSystem[1])
      }`
      : "",
    `{{ else }}${literal(between)}{{ end }}{{ .Content }}`,
    `{{ else if eq .Role "assistant" }}${literal(asks)}{{ .Content }}{{ end }}`,
  ].join("");
  return {
    template: '{{ $last := "" }}{{ range $i, $m := .Messages }}{{ $last = .Role }}' + messages +
      `{{ end }}{{ if ne $last "assistant" }}${literal(end)}{{ end }}`,
    stop: [nameOf(closingToken(tokenizer, template), tokenizer)].filter((name) => name !== ""),
    addBos,
  };
}

/** Words that no template contains and that trimming white space does not change. */
const WORDS = ["Xuser1X", "XanswerX", "Xuser2X", "XsystemX"] as const;

/** The texts around words, each of which must occur once, in this order. */
function cut(text: string, words: readonly string[], what: string): string[] {
  const parts: string[] = [];
  let rest = text;
  for (const word of words) {
    const pieces = rest.split(word);
    if (pieces.length !== 2) throw refusal(what, "it does not write each message once, in order");
    parts.push(pieces[0]);
    rest = pieces[1];
  }
  return [...parts, rest];
}

/**
 * The texts before a system message, and between it and the user's; undefined if a template has no
 * system messages.
 */
function cutSystem(render: () => string): string[] | undefined {
  const [first, , , system] = WORDS;
  try {
    return cut(render(), [system, first], "");
  } catch {
    return undefined; // the template refuses, drops or moves it
  }
}

function refusal(what: string, why: string): TypeError {
  return new TypeError(`Cannot write ${what} for Ollama: ${why}`);
}

/** A text as a literal in a Go template. */
function literal(text: string): string {
  return text.replaceAll(/\{\{|\}\}/g, (braces) => `{{ "${braces}" }}`);
}

function nameOf(id: number, tokenizer: Tokenizer): string {
  for (const [name, one] of tokenizer.specialTokens) if (one === id) return name;
  return "";
}
