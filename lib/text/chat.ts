/**
 * Conversations as tokens, with the assistant's answers marked: by construction, not by searching for words.
 *
 * A template's text for the messages before an answer, with the generation prompt, is a prefix of its text for the messages
 * up to the answer; the rest is what the model has to learn. This holds for templates that write messages one after the
 * other; `chat_turns.ts` has what is done about the others.
 */
import type { ChatMessage, ChatTemplate } from "./chat_template.ts";
import {
  type AnswerSpan,
  type ChatContext,
  findLearnt,
  findTurns,
  specialFinder,
} from "./chat_turns.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { assertWritten } from "./written.ts";

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
 * @param context The tools.
 * @returns Tokens, and the position of each answer, including its end token.
 * @throws {TypeError} If there is no answer to learn, if the template refuses the messages or leaves out thinking, tools
 * or calls of tools, or if the answers cannot be told apart in what it writes.
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
  context: ChatContext = {},
): EncodedChat {
  return encodeFound(messages, tokenizer, template, context, findLearnt);
}

function encodeFound(
  messages: readonly ChatMessage[],
  tokenizer: Tokenizer,
  template: ChatTemplate,
  context: ChatContext,
  find: typeof findTurns,
): EncodedChat {
  if (!messages.some(({ role }) => role === "assistant")) {
    throw new TypeError("Cannot learn from the conversation: it has no assistant message");
  }
  assertWritten(messages, template, context);
  const { shield, shielded, tools } = shieldChat(messages, tokenizer, template, context);
  const { text, turns } = find(shielded, template, tokenizer, tools);
  // split at every bound, encode each part separately, and count the tokens up to each bound
  const bounds = [...new Set([0, ...turns.flatMap((turn) => Object.values(turn)), text.length])]
    .sort((a, b) => a - b);
  const parts = bounds.slice(1).map((end, i) => text.slice(bounds[i], end));
  const encoded = tokenizer.encodeParts(parts, { allowedSpecial: "all", shield });
  const at = new Map<number, number>([[0, 0]]);
  let count = 0;
  for (const [i, ids] of encoded.entries()) at.set(bounds[i + 1]!, count += ids.length);
  const spoken = messages.filter(({ role }) => role === "assistant");
  const answers = turns.map(({ marker, start, end }, i): AnswerSpan => ({
    marker: at.get(marker)!,
    start: at.get(start)!,
    end: at.get(end)!,
    ...(spoken[i]?.weight !== undefined && { weight: spoken[i]!.weight }),
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
 * @param context The tools.
 * @returns The tokens. Special tokens in messages are ordinary text.
 * @throws {TypeError} If the template refuses the messages, or leaves out thinking, tools or calls of tools.
 */
export function encodeChatPrompt(
  messages: readonly ChatMessage[],
  tokenizer: Tokenizer,
  template: ChatTemplate,
  context: ChatContext = {},
): number[] {
  assertWritten(messages, template, context);
  const { shield, shielded, tools } = shieldChat(messages, tokenizer, template, context);
  const text = template.render(shielded, { ...tools, prompt: true });
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
  // Also where the template does not mark it as learnt.
  const { ids, answers } = encodeFound(messages, tokenizer, template, {}, findTurns);
  const special = new Set(tokenizer.specialTokens.values());
  return ids.slice(answers[0]!.start, answers[0]!.end).find((id) => special.has(id)) ??
    tokenizer.eosId;
}

/** A conversation in which the names of special tokens are broken up by a character that stands nowhere else. */
interface ShieldedChat {
  /** The character: one of Unicode's noncharacters, which neither template nor messages contain. */
  shield: string;
  /** The messages, in which only the template's own special tokens can be meant. */
  shielded: ChatMessage[];
  /** The tools, in the same way. */
  tools: ChatContext;
}

function shieldChat(
  messages: readonly ChatMessage[],
  tokenizer: Tokenizer,
  template: ChatTemplate,
  { tools }: ChatContext,
): ShieldedChat {
  const shield = findShield(template.source + JSON.stringify([messages, tools ?? []]));
  const finder = specialFinder(tokenizer);
  const breakUp = (text: string) =>
    finder.split(text, () => true).map((part) => {
      if (typeof part === "string") return part;
      const [first] = part.content;
      return first + shield + part.content.slice(first!.length);
    }).join("");
  return {
    shield,
    // The role is the template's to judge.
    shielded: messages.map(({ role, ...message }) => ({ role, ...mapStrings(message, breakUp) })),
    tools: tools === undefined ? {} : { tools: mapStrings(tools, breakUp) },
  };
}

/** A value of JSON with all strings in it changed, names of fields excepted. */
function mapStrings<T>(value: T, change: (text: string) => string): T {
  if (typeof value === "string") return change(value) as T;
  if (Array.isArray(value)) return value.map((one) => mapStrings(one, change)) as T;
  if (typeof value !== "object" || value === null) return value;
  const changed = Object.entries(value).map(([key, one]) => [key, mapStrings(one, change)]);
  return Object.fromEntries(changed) as T;
}

function findShield(all: string): string {
  for (let code = 0xfdd0; code <= 0xfdef; code++) {
    const shield = String.fromCharCode(code);
    if (!all.includes(shield)) return shield;
  }
  throw new TypeError("Cannot encode the conversation: it holds all of Unicode's noncharacters");
}
