// A chat with several models at once, for chapter 9: each message is answered by all of them, side by side.

import { escape } from "@std/html/entities";
import type { ChatMessage, Model } from "tunebook";
import { ChatTemplate } from "tunebook/text";
import { View } from "tunebook/show";
import { scrolling } from "./scrolling.ts";

/** A message, and what each model answered. */
interface Turn {
  readonly message: string;
  readonly answers: readonly string[];
}

/** How a chat is held. */
export interface ChatOptions {
  /** Messages that are sent where nobody can type: in a report, or under nbconvert. */
  readonly script: readonly string[];
  /** The most tokens of an answer, 48 by default. */
  readonly maxNewTokens?: number;
  /** Reads a message; null where nobody can type. The client's own input box by default. */
  readonly read?: (label: string) => string | null;
  /** Shows the chat so far. A notebook's output by default, which is replaced after each turn. */
  readonly display?: (view: View) => Promise<void>;
}

/**
 * Asks for messages until an empty one, and shows what every model answers. A model with a chat template reads its own
 * conversation so far; one with an instruction format reads each message alone, as it was trained to.
 *
 * @param models The models by the names that are shown.
 * @param options What is sent where nobody can type, and how long answers are.
 * @throws {RangeError} If there is no model.
 */
export async function chatBeside(
  models: Readonly<Record<string, Model>>,
  { script, maxNewTokens = 48, read = prompt, display = showInPlace() }: ChatOptions,
): Promise<void> {
  const names = Object.keys(models);
  if (names.length === 0) {
    throw new RangeError("Cannot chat without a model: expected at least one");
  }
  const talks = names.map((name) => ({ model: models[name], messages: [] as ChatMessage[] }));
  const turns: Turn[] = [];
  const scripted = script[Symbol.iterator]();
  while (true) {
    const typed = read(turns.length === 0 ? "You (empty to end):" : "You:");
    const message = (typed ?? scripted.next().value ?? "").trim();
    if (message === "") break;
    const answers: string[] = [];
    for (const { model, messages } of talks) {
      messages.push({ role: "user", content: message });
      const asked = model.format instanceof ChatTemplate ? { messages } : message;
      const answer = await model.answer(asked, { maxNewTokens });
      messages.push({ role: "assistant", content: answer });
      answers.push(answer);
    }
    turns.push({ message, answers });
    await display(drawChat(names, turns));
  }
}

/** Shows views in one output, each in the place of the one before. */
function showInPlace(): (view: View) => Promise<void> {
  const id = crypto.randomUUID();
  let update = false;
  return async (view) => {
    await Deno.jupyter.display(view, { display_id: id, update });
    update = true;
  };
}

function drawChat(names: readonly string[], turns: readonly Turn[]): View {
  const head = ["you", ...names].map((name) =>
    `<th scope="col" style="text-align:left;padding:4px 12px 4px 0">${escape(name)}</th>`
  );
  const cell = "vertical-align:top;text-align:left;padding:4px 12px 4px 0;white-space:pre-wrap";
  const rows = turns.map(({ message, answers }) =>
    `<tr><th scope="row" style="${cell};font-weight:600">${escape(message)}</th>${
      answers.map((answer) => `<td style="${cell}">${escape(answer)}</td>`).join("")
    }</tr>`
  );
  const text = turns.map(({ message, answers }) =>
    [`you: ${message}`, ...answers.map((answer, i) => `${names[i]}: ${answer}`)].join("\n")
  );
  return new View(() => ({
    "text/html": scrolling(
      `<table style="border-collapse:collapse"><thead><tr>${head.join("")}</tr></thead><tbody>${
        rows.join("")
      }</tbody></table>`,
    ),
    "text/plain": text.join("\n\n"),
  }));
}
