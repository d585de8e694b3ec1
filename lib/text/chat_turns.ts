/**
 * Where a conversation's text holds the assistant's answers.
 *
 * | Templates that | For example | The text that is learnt |
 * |---|---|---|
 * | write messages one after the other | most | the template's; an answer is what follows the prompt for it |
 * | write past answers in another way than the last one, which they show whole | Qwen3 | the template's for the whole conversation |
 * | leave out the thinking of all answers, for which their prompts ask | R1's distilled models | prompts and answers in turn, as TRL's training template has it |
 *
 * A template that marks answers by `{% generation %}` says itself what is learnt: exactly that, as in the masks of transformers'
 * `apply_chat_template()` with `return_assistant_tokens_mask`.
 *
 * Other templates are refused: what the model is to learn could not be told apart.
 */
import { AddedTokenFinder } from "./added_tokens.ts";
import type { ChatMessage, ChatTemplate, ChatTool } from "./chat_template.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** The position of an answer in a conversation's tokens. */
export interface AnswerSpan {
  /** The first token of the generation prompt, such as `<|im_start|>assistant`. */
  marker: number;
  /** Its first token. */
  start: number;
  /** One past its end token. */
  end: number;
  /** The weight of its tokens in losses, 0 or more; 1 by default. */
  weight?: number;
}

/** What a conversation is written with. */
export interface ChatContext {
  /** The tools that the assistant may call. */
  tools?: readonly ChatTool[];
}

/** A conversation's text, and its answers. */
export interface FoundTurns {
  /** The text. */
  text: string;
  /** The positions of answers in it. */
  turns: AnswerSpan[];
  /**
   * What the text is: the template's, of which answers are what follows their prompts; the template's; the template's, which
   * marks its answers; or our own.
   */
  form: "appended" | "whole" | "marked" | "thinking kept";
}

/**
 * Finds the answers that are learnt: those that the template marks or, if it marks none, those that {@linkcode findTurns} finds.
 *
 * @param messages The messages, at least one of them the assistant's.
 * @param template The template.
 * @param tokenizer The model's tokenizer, for its special tokens.
 * @param tools The tools that the assistant may call.
 * @returns The text to learn from, and the position of each answer.
 * @throws {TypeError} If the template refuses the messages, or the answers cannot be told apart.
 */
export function findLearnt(
  messages: readonly ChatMessage[],
  template: ChatTemplate,
  tokenizer: Tokenizer,
  tools: ChatContext = {},
): FoundTurns {
  return template.isMarked
    ? markedTurns(messages, template, tools, specialFinder(tokenizer))
    : findTurns(messages, template, tokenizer, tools);
}

/** What a template marks. The weights of messages are those of the marks in turn, so that there must be one for each. */
function markedTurns(
  messages: readonly ChatMessage[],
  template: ChatTemplate,
  tools: ChatContext,
  finder: AddedTokenFinder,
): FoundTurns {
  const { text, marks } = template.renderMarked(messages, tools);
  const cannot = "Cannot mask the answers of the conversation: ";
  const by = `the template "${template.name}"`;
  if (marks === undefined) {
    throw new TypeError(
      `${cannot}${by} has "{% generation %}" in a macro or a captured block, so that its place in the text is not known`,
    );
  }
  if (marks.length === 0) {
    throw new TypeError(`${cannot}${by} marks none of them by "{% generation %}"`);
  }
  const spoken = [...messages.entries()].filter(([, { role }]) => role === "assistant");
  const isEach = marks.length === spoken.length;
  const weighted = spoken.find(([, { weight }]) => weight !== undefined);
  if (!isEach && weighted !== undefined) {
    throw new TypeError(
      `${cannot}message ${
        weighted[0] + 1
      } has a weight, and ${by} marks ${marks.length} parts of ${spoken.length} answers`,
    );
  }
  const turns = marks.map(([start, end], i): AnswerSpan => {
    const asks = isEach ? generationPrompt(messages.slice(0, spoken[i]![0]), template, tools) : "";
    const isAsked = asks !== undefined && asks !== "" && text.slice(0, start).endsWith(asks) &&
      typeof finder.split(asks, () => true)[0] === "object";
    return { marker: isAsked ? start - asks.length : start, start, end };
  });
  return { text, turns, form: "marked" };
}

/**
 * Finds the answers, whatever the template marks.
 *
 * @param messages The messages, at least one of them the assistant's.
 * @param template The template.
 * @param tokenizer The model's tokenizer, for its special tokens.
 * @param tools The tools that the assistant may call.
 * @returns The text to learn from, and the position of each answer.
 * @throws {TypeError} If the template refuses the messages, or the answers cannot be told apart.
 */
export function findTurns(
  messages: readonly ChatMessage[],
  template: ChatTemplate,
  tokenizer: Tokenizer,
  tools: ChatContext = {},
): FoundTurns {
  const text = template.render(messages, tools);
  const finder = specialFinder(tokenizer);
  const turns: AnswerSpan[] = [];
  for (const [k, { role }] of messages.entries()) {
    if (role !== "assistant") continue;
    const before = template.render(messages.slice(0, k), { ...tools, prompt: true });
    const after = template.render(messages.slice(0, k + 1), tools);
    const differs = !text.startsWith(before)
      ? { prefix: before, what: "the words before it" }
      : !text.startsWith(after)
      ? { prefix: after, what: "it" }
      : !after.startsWith(before)
      ? { prefix: before, what: "the words before it" }
      : undefined;
    if (differs !== undefined) {
      return turnsOfWhole(messages, template, tools, text, finder) ??
        keepThinking(messages, template, tools, finder) ??
        refuse(differs.prefix, text, k, template, differs.what);
    }
    const bare = k === 0 ? "" : template.render(messages.slice(0, k), tools);
    const start = before.length;
    const end = start + lengthToClosing(text.slice(start, after.length), finder);
    // the generation prompt is recognized if it begins with a special token
    const asks = text.slice(bare.length, start);
    const marked = before.startsWith(bare) && typeof finder.split(asks, () => true)[0] === "object";
    turns.push({ marker: marked ? bare.length : start, start, end });
  }
  return { text, turns, form: "appended" };
}

/**
 * What a user should know of how answers are learnt by a template.
 *
 * @param template The template.
 * @param tokenizer The model's tokenizer.
 * @returns A sentence; undefined if the template writes messages one after the other.
 */
export function noteOnTurns(template: ChatTemplate, tokenizer: Tokenizer): string | undefined {
  if (template.isMarked) {
    return `the template "${template.name}" marks what is learnt of answers by "{% generation %}"`;
  }
  const user = { role: "user", content: "a" };
  const thought = { role: "assistant", content: "<think>\nb\n</think>\n\nc" };
  const plain = { role: "assistant", content: "d" };
  for (const messages of [[user, thought], [user, plain, user, plain]]) {
    let form: FoundTurns["form"];
    try {
      ({ form } = findTurns(messages, template, tokenizer));
    } catch {
      continue; // the messages that are learnt are refused with their own reason
    }
    if (form === "whole") {
      return `the template "${template.name}" writes past answers in another way than the last one: they are learnt as the ` +
        "text of the whole conversation shows them";
    }
    if (form === "thinking kept") {
      return `the template "${template.name}" leaves the thinking out of answers: they are learnt with it, each after ` +
        "the prompt that asks for it";
    }
  }
}

/** A character that no message has, to see where a template writes one. */
const PROBE = "\u{10ffff}";

/**
 * The answers as the text of the whole conversation shows them. An answer's content is where the text changes with it, and
 * the answer begins behind the generation prompt before that.
 */
function turnsOfWhole(
  messages: readonly ChatMessage[],
  template: ChatTemplate,
  tools: ChatContext,
  text: string,
  finder: AddedTokenFinder,
): FoundTurns | undefined {
  const last = messages.at(-1)!;
  const isShown = last.role !== "assistant" || text.includes(last.content.trim());
  if (!isShown) return undefined;
  const turns: AnswerSpan[] = [];
  let from = 0;
  for (const [k, { role }] of messages.entries()) {
    if (role !== "assistant") continue;
    const asks = generationPrompt(messages.slice(0, k), template, tools);
    const probed = template.render(messages.with(k, { role, content: PROBE }), tools);
    if (probed === text) return undefined; // it is not shown
    const content = changed(text, probed);
    const marker = asks === undefined ? -1 : text.lastIndexOf(asks, content.start - asks.length);
    if (asks === undefined || asks === "" || marker < from) return undefined;
    const end = endOfAnswer(text, content.end, finder);
    turns.push({ marker, start: marker + asks.length, end });
    from = end;
  }
  return { text, turns, form: "whole" };
}

/** What a template adds to ask for an answer; undefined if it also changes what is before. */
function generationPrompt(
  before: readonly ChatMessage[],
  template: ChatTemplate,
  tools: ChatContext,
): string | undefined {
  const bare = before.length === 0 ? "" : template.render(before, tools);
  const asking = template.render(before, { ...tools, prompt: true });
  return asking.startsWith(bare) ? asking.slice(bare.length) : undefined;
}

/** The part of a text that differs from another. */
function changed(text: string, other: string): { start: number; end: number } {
  let start = 0;
  const shorter = Math.min(text.length, other.length);
  while (start < shorter && text[start] === other[start]) start++;
  let tail = 0;
  while (tail < shorter - start && text.at(-1 - tail) === other.at(-1 - tail)) tail++;
  return { start, end: text.length - tail };
}

/** One past the special token that follows an answer's content at once, or its end. */
function endOfAnswer(text: string, end: number, finder: AddedTokenFinder): number {
  const [first, second] = finder.split(text.slice(end, end + 1000), () => true);
  if (typeof first === "object") return end + first.content.length;
  const isBlank = first !== undefined && first.trim() === "" && typeof second === "object";
  return isBlank ? end + first.length + second.content.length : end;
}

/** How prompts ask for thinking, and how it ends. */
const OPENS = "<think>", CLOSES = "</think>";

/**
 * Prompts and whole answers in turn, for a template whose prompts end with `<think>` and which leaves out the thinking of
 * every answer. Each answer follows the prompt that the model will be asked by.
 */
function keepThinking(
  messages: readonly ChatMessage[],
  template: ChatTemplate,
  tools: ChatContext,
  finder: AddedTokenFinder,
): FoundTurns | undefined {
  const turns: AnswerSpan[] = [];
  let text = "";
  let written = ""; // what the template itself writes up to here
  for (const [k, { role, content }] of messages.entries()) {
    if (role !== "assistant") continue;
    const bare = k === 0 ? "" : template.render(messages.slice(0, k), tools);
    const asking = template.render(messages.slice(0, k), { ...tools, prompt: true });
    const shown = template.render(messages.slice(0, k + 1), tools);
    const thinks = asking.trimEnd().endsWith(OPENS);
    if (!asking.startsWith(written) || !asking.startsWith(bare) || !thinks) return undefined;
    text += bare.slice(written.length);
    const marker = text.length;
    text += asking.slice(bare.length);
    const start = text.length;
    const parts = content.split(CLOSES);
    const answer = parts.at(-1)!;
    const at = shown.lastIndexOf(answer.trim());
    // The closing is what the template writes behind the answer that it shows.
    const closing = at < bare.length ? undefined : shown.slice(at + answer.trim().length);
    if (closing === undefined || answer.trim() === "") return undefined;
    const own = content.trimStart().replace(OPENS, "").replace(/^\n/, "");
    // An answer without thinking ends at once what the prompt has begun.
    text += (parts.length > 1 ? own : `\n${CLOSES}\n\n${own}`).trimEnd() + closing;
    turns.push({ marker, start, end: start + lengthToClosing(text.slice(start), finder) });
    written = shown;
  }
  const whole = template.render(messages, tools);
  if (!whole.startsWith(written)) return undefined;
  return { text: text + whole.slice(written.length), turns, form: "thinking kept" };
}

/**
 * Up to the last special token, if only white space follows: the template writes that, not the
 * model.
 */
function lengthToClosing(answer: string, finder: AddedTokenFinder): number {
  const parts = finder.split(answer, () => true);
  const last = parts.at(-1);
  const isBlank = typeof last === "string" && last.trim() === "" && parts.length > 1;
  return isBlank ? answer.length - last.length : answer.length;
}

/**
 * Finds special tokens by name only, without the white space around them.
 *
 * @param tokenizer The tokenizer.
 * @returns What finds them.
 */
export function specialFinder(tokenizer: Tokenizer): AddedTokenFinder {
  return new AddedTokenFinder(
    Array.from(tokenizer.specialTokens, ([content, id]) => ({ content, id, special: true })),
  );
}

function refuse(
  prefix: string,
  text: string,
  k: number,
  template: ChatTemplate,
  what: string,
): never {
  let at = 0;
  while (prefix[at] === text[at]) at++;
  const excerpt = (whole: string) => JSON.stringify(whole.slice(Math.max(0, at - 10), at + 30));
  throw new TypeError(
    `Cannot mask message ${
      k + 1
    }: the template "${template.name}" writes ${what} differently once ` +
      `more follows, ${excerpt(prefix)} and then ${
        excerpt(text)
      }, so that what the assistant said ` +
      "cannot be told apart; take a template that writes messages one after the other",
  );
}
