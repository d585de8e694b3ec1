/**
 * Conversations as tokens, with the assistant's answers marked: by construction, not by searching for words.
 *
 * A template's text for the messages before an answer, with the generation prompt, is a prefix of its text for the messages
 * up to the answer; the rest is what the model has to learn. This holds for templates that write messages one after the
 * other; `chat_turns.ts` has what is done about the others.
 */
import type { ChatMessage, ChatTemplate } from "./chat_template.ts";
import { type AnswerSpan, findTurns, specialFinder } from "./chat_turns.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** A conversation as tokens. */
export interface EncodedChat {
  /** The tokens. */
  ids: number[];
  /** The assistant's answers, in order. */
  answers: AnswerSpan[];
}

/**
 * Encodes a conversation and locates the assistant's answers. Prompts and answers are encoded
 * separately, so that no token spans both. Special tokens in messages are ordinary text.
 *
 * @param messages The messages.
 * @param tokenizer The model's tokenizer.
 * @param template The model's template.
 * @returns Tokens, and the position of each answer, including its end token.
 * @throws {TypeError} If there is no answer to learn, if the template refuses the messages, or if
 * the answers cannot be told apart in what it writes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { encodeChat } from "./chat.ts";
 * import { ChatTemplate } from "tunebook/text";
 * import { gpt2Tokenizer } from "tunebook";
 *
 * const template = new ChatTemplate(
 *   "{% for m in messages %}{{ m.role + ': ' + m.content + '<|endoftext|>' }}{% endfor %}" +
 *     "{% if add_generation_prompt %}assistant: {% endif %}",
 * );
 * const { ids, answers } = encodeChat(
 *   [{ role: "user", content: "Hi" }, { role: "assistant", content: "Hello" }],
 *   gpt2Tokenizer(),
 *   template,
 * );
 * const [{ start, end }] = answers;
 * assertEquals(gpt2Tokenizer().decode(ids.slice(start, end)), "Hello<|endoftext|>");
 * ```
 */
export function encodeChat(
  messages: readonly ChatMessage[],
  tokenizer: Tokenizer,
  template: ChatTemplate,
): EncodedChat {
  if (!messages.some(({ role }) => role === "assistant")) {
    throw new TypeError("Cannot learn from the conversation: it has no assistant message");
  }
  const shield = findShield(messages, template);
  const shielded = shieldNames(messages, tokenizer, shield);
  const { text, turns } = findTurns(shielded, template, tokenizer);
  // split at every bound, encode each part separately, and count the tokens up to each bound
  const bounds = [...new Set([0, ...turns.flatMap((turn) => Object.values(turn)), text.length])]
    .sort((a, b) => a - b);
  const parts = bounds.slice(1).map((end, i) => text.slice(bounds[i], end));
  const encoded = tokenizer.encodeParts(parts, { allowedSpecial: "all", shield });
  const at = new Map<number, number>([[0, 0]]);
  let count = 0;
  for (const [i, ids] of encoded.entries()) at.set(bounds[i + 1]!, count += ids.length);
  const answers = turns.map(({ marker, start, end }) => ({
    marker: at.get(marker)!,
    start: at.get(start)!,
    end: at.get(end)!,
  }));
  const empty = answers.findIndex(({ start, end }) => start >= end);
  if (empty >= 0) {
    throw new TypeError(
      `Cannot mask answer ${empty + 1} of the conversation: the template "${template.name}" ` +
        "writes nothing for it",
    );
  }
  return { ids: encoded.flat(), answers };
}

/**
 * The tokens of a prompt for the next message of a conversation.
 *
 * @param messages The messages so far.
 * @param tokenizer The model's tokenizer.
 * @param template The model's template.
 * @returns The tokens. Special tokens in messages are ordinary text.
 * @throws {TypeError} If the template refuses the messages.
 */
export function encodeChatPrompt(
  messages: readonly ChatMessage[],
  tokenizer: Tokenizer,
  template: ChatTemplate,
): number[] {
  const shield = findShield(messages, template);
  const text = template.render(shieldNames(messages, tokenizer, shield), { prompt: true });
  return tokenizer.encode(text, { allowedSpecial: "all", shield });
}

/**
 * The token that ends an answer under a template. It may differ from the token that ends a text:
 * Gemma's is `<end_of_turn>`.
 *
 * @param tokenizer The model's tokenizer.
 * @param template The model's template.
 * @returns Its id: the first special token after an answer's text, or the tokenizer's `eosId`.
 */
export function closingToken(tokenizer: Tokenizer, template: ChatTemplate): number {
  const messages = [{ role: "user", content: "a" }, { role: "assistant", content: "b" }];
  const { ids, answers } = encodeChat(messages, tokenizer, template);
  const special = new Set(tokenizer.specialTokens.values());
  return ids.slice(answers[0]!.start, answers[0]!.end).find((id) => special.has(id)) ??
    tokenizer.eosId;
}

/** A character that neither template nor messages contain: one of Unicode's noncharacters. */
function findShield(messages: readonly ChatMessage[], template: ChatTemplate): string {
  const all = template.source + JSON.stringify(messages);
  for (let code = 0xfdd0; code <= 0xfdef; code++) {
    const shield = String.fromCharCode(code);
    if (!all.includes(shield)) return shield;
  }
  throw new TypeError("Cannot encode the conversation: it holds all of Unicode's noncharacters");
}

/**
 * Messages in which the names of special tokens are broken up, to distinguish them from the
 * template's own.
 */
function shieldNames(
  messages: readonly ChatMessage[],
  tokenizer: Tokenizer,
  shield: string,
): ChatMessage[] {
  const finder = specialFinder(tokenizer);
  const break_ = (text: string) =>
    finder.split(text, () => true).map((part) => {
      if (typeof part === "string") return part;
      const [first] = part.content;
      return first + shield + part.content.slice(first!.length);
    }).join("");
  return messages.map((message) => ({ ...message, content: break_(message.content) }));
}
