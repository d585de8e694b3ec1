/**
 * A prompt and its completion, as texts or as messages.
 *
 * @module
 */

import type { ChatEntry, DatasetEntry } from "../chat_entry.ts";
import { holdsMessages, readMessages, readTools } from "./conversation.ts";
import { Fault, type Form, type Notices, readLearnt, readWeight, type Row } from "./form.ts";

/** Prompt and completion. */
export const promptCompletion: Form = {
  name: "prompt-completion",
  title: "prompt and completion",
  fields: {
    prompt: "the instruction; of messages, the conversation so far, which is not learnt",
    completion:
      "the response that is learnt; null is an empty one; of messages, the conversation's rest",
    tools: "of messages: the tools that the template writes",
    weight: "the weight of the entry's tokens in losses, above 0",
  },
  example: { prompt: "Name a fruit.", completion: "An apple." },
  recognises: (has) => has("prompt") || has("completion"),
  read(row: Row, notices: Notices): DatasetEntry {
    if (holdsMessages(row, "prompt") || holdsMessages(row, "completion")) {
      return readMessagePair(row, notices);
    }
    const instruction = readLearnt(row, "prompt");
    const output = readLearnt(row, "completion");
    if (row.tools !== undefined && row.tools !== null) {
      throw new Fault("tools", 'absent where "prompt" is a text', row.tools);
    }
    return { instruction, input: "", output, ...readWeight(row) };
  },
};

/** Only the completion is learnt. */
function readMessagePair(row: Row, notices: Notices): ChatEntry {
  const asked = readMessages(row, "prompt", notices).map((message) =>
    message.role === "assistant" ? { ...message, weight: 0 } : message
  );
  const answered = readMessages(row, "completion", notices);
  return { messages: [...asked, ...answered], ...readTools(row), ...readWeight(row) };
}
