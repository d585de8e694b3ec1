// The same conversation in the chat templates of several families, for chapter 9.

import { escape } from "@std/html/entities";
import type { ChatMessage } from "tunebook";
import { frames, View } from "tunebook/show";
import { CHAT_STYLES, CHAT_TEMPLATES, ChatTemplate } from "tunebook/text";

const STYLE =
  "font-size:13px;margin:0;padding:8px;border:1px solid rgba(128,128,128,0.5);overflow:auto";

/** What every model names otherwise. */
const variables = { bos_token: "<s>", eos_token: "</s>" };

/**
 * Shows a conversation as families of models write it.
 *
 * @param messages The conversation, to be continued by the assistant.
 * @returns Buttons for the style.
 */
export function chatStyles(messages: readonly ChatMessage[]): View {
  return frames({ style: CHAT_STYLES }, ({ style }) => {
    const template = new ChatTemplate(CHAT_TEMPLATES[style], { name: style, variables });
    const text = template.render(messages, { prompt: true });
    return new View(() => ({
      "text/html": `<pre style="${STYLE}">${escape(text)}</pre>`,
      "text/plain": text,
    }));
  }, { title: "One conversation in six styles" });
}
