/**
 * Conversations and texts as the prompts that the model was taught.
 *
 * @module
 */

import { closingTokensOf } from "../dataset/encode.ts";
import { toChatTemplate } from "../pipeline/format.ts";
import type { Model } from "../pipeline/mod.ts";
import { encodeChatPrompt } from "../text/chat.ts";
import { templateVariables } from "../text/chat_formats.ts";
import { type ChatMessage, ChatTemplate } from "../text/mod.ts";
import { RequestError } from "./errors.ts";

/** Writes prompts for a model. */
export class Prompts {
  readonly #model: Model;
  /** The template of conversations: the model's, or one that writes its prompt format. */
  readonly template: ChatTemplate;
  /** The tokens that end an answer. */
  readonly ends: readonly number[];

  /** @param model The model. */
  constructor(model: Model) {
    const { format, tokenizer } = model;
    this.#model = model;
    this.ends = closingTokensOf(format, tokenizer);
    this.template = format instanceof ChatTemplate
      ? format
      : new ChatTemplate(toChatTemplate(format, tokenizer), {
        name: format.name,
        variables: templateVariables(tokenizer),
      });
  }

  /**
   * Encodes a conversation.
   *
   * @param messages The messages; names of special tokens in them are ordinary text.
   * @returns The tokens up to the answer.
   * @throws {RequestError} If the template refuses them.
   */
  ofChat(messages: readonly ChatMessage[]): number[] {
    if (messages.at(-1)?.role === "assistant") {
      throw new RequestError(
        400,
        'Cannot answer: the last message is the assistant\'s, expected one of role "user"',
        { param: "messages" },
      );
    }
    try {
      return encodeChatPrompt(messages, this.#model.tokenizer, this.template);
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
      throw new RequestError(400, error.message, { param: "messages" });
    }
  }

  /**
   * Encodes a text to be continued as it is; names of special tokens in it are these tokens.
   *
   * @param text The text.
   * @returns Its tokens, after those that begin every text.
   */
  ofText(text: string): number[] {
    const { tokenizer } = this.#model;
    return [...tokenizer.beginIds, ...tokenizer.encode(text, { allowedSpecial: "all" })];
  }
}
