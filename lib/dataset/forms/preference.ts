/**
 * Preferences: a prompt with a better and a worse answer, as texts or as messages. The prompt may be left out where both
 * answers begin with it, as in TRL.
 *
 * @module
 */

import { stringifyJson } from "../../json_source.ts";
import type { ChatMessage } from "../../text/chat_template.ts";
import type { PreferenceEntry } from "../preferences.ts";
import { holdsMessages, readMessages, readTools } from "./conversation.ts";
import { Fault, type Form, type Notices, readLearnt, readText, type Row } from "./form.ts";

/** A prompt and two answers. */
export const preference: Form<PreferenceEntry> = {
  name: "preference",
  title: "preferences",
  fields: {
    prompt:
      "the instruction; of messages, the conversation so far; without it, what both answers begin with",
    chosen: "the better answer; of messages, the messages that continue the conversation",
    rejected: "the worse answer",
    tools: "of messages: the tools that the template writes",
  },
  example: { prompt: "Name a fruit.", chosen: "An apple.", rejected: "A fruit is an apple." },
  recognises: (has) => has("chosen") && has("rejected"),
  read: (row, notices) =>
    holdsMessages(row, "chosen") || holdsMessages(row, "rejected")
      ? readConversations(row, notices)
      : readTexts(row),
};

function readTexts(row: Row): PreferenceEntry {
  if (row.tools !== undefined && row.tools !== null) {
    throw new Fault("tools", 'absent where "chosen" is a text', row.tools);
  }
  const [chosen, rejected] = [readLearnt(row, "chosen"), readLearnt(row, "rejected")];
  if (isThere(row.prompt)) return { prompt: readText(row, "prompt"), chosen, rejected };
  const length = commonLength([...chosen], [...rejected]);
  // A space before the answers belongs to them.
  const start = chosen[length - 1] === " " ? length - 1 : length;
  const prompt = chosen.slice(0, start);
  if (prompt.trim() === "" || chosen === rejected) throw withoutPrompt(row);
  return { prompt, chosen: chosen.slice(start), rejected: rejected.slice(start) };
}

function readConversations(row: Row, notices: Notices): PreferenceEntry {
  const chosen = readMessages(row, "chosen", notices);
  const rejected = readMessages(row, "rejected", notices);
  const tools = readTools(row);
  if (holdsMessages(row, "prompt")) {
    const prompt = readMessages(row, "prompt", notices);
    return assertAnswers(row, { prompt, chosen, rejected, ...tools });
  }
  const start = commonLength(chosen, rejected);
  if (start === 0 || start === chosen.length) throw withoutPrompt(row);
  const prompt = chosen.slice(0, start);
  // Some data sets name the question beside conversations that have it.
  if (isThere(row.prompt) && !prompt.some(({ content }) => content === row.prompt)) {
    throw new Fault("prompt", "a message that both conversations begin with", row.prompt);
  }
  return assertAnswers(row, {
    prompt,
    chosen: chosen.slice(start),
    rejected: rejected.slice(start),
    ...tools,
  });
}

function assertAnswers(row: Row, entry: PreferenceEntry): PreferenceEntry {
  for (const which of ["chosen", "rejected"] as const) {
    if ((entry[which] as ChatMessage[]).some(({ role }) => role === "assistant")) continue;
    throw new Fault(which, "messages with one of the assistant's after the prompt", row[which]);
  }
  return entry;
}

const isThere = (value: unknown) => value !== undefined && value !== null && value !== "";

function withoutPrompt(row: Row): Fault {
  return new Fault("prompt", "there, or the same beginning of two different answers", row.prompt);
}

/** How many first characters or messages are equal. */
function commonLength(
  a: readonly (string | ChatMessage)[],
  b: readonly (string | ChatMessage)[],
): number {
  const isEqual = (at: number) => stringifyJson(a[at]) === stringifyJson(b[at]);
  let length = 0;
  while (length < Math.min(a.length, b.length) && isEqual(length)) length++;
  return length;
}
