/**
 * What a template leaves out. Templates that know nothing of tools or thinking write the rest of a message and drop these
 * without a word: a model would learn to answer with nothing where it should call a tool.
 */
import type { ChatMessage, ChatTemplate, ChatTool } from "./chat_template.ts";

/** Fields of a message that say what the assistant does, so that leaving them out changes what is learnt. */
const LEARNT = ["tool_calls", "reasoning_content", "thinking"] as const;

/**
 * Refuses a conversation of which a template would leave out thinking, tools or calls of tools: the text must differ with
 * and without them. Thinking that a template writes only in a conversation's last answer counts as written.
 *
 * @param messages The messages.
 * @param template The template.
 * @param context The tools.
 * @throws {TypeError} If something would be left out; the message names it.
 */
export function assertWritten(
  messages: readonly ChatMessage[],
  template: ChatTemplate,
  { tools }: { tools?: readonly ChatTool[] },
): void {
  const context = tools === undefined ? {} : { tools };
  const refuse = (field: string, where: string) =>
    new TypeError(
      `Cannot write "${field}"${where}: the template "${template.name}" leaves it out; take one that ` +
        `writes it, or ignore the field "${field}"`,
    );
  if (tools !== undefined && template.render(messages, context) === template.render(messages)) {
    throw refuse("tools", "");
  }
  for (const [k, message] of messages.entries()) {
    for (const field of LEARNT) {
      if (message[field] === undefined) continue;
      const { [field]: _, ...without } = message;
      const before = messages.slice(0, k);
      const text = template.render([...before, message], context);
      if (text === renderOrNothing(template, [...before, without], context)) {
        throw refuse(field, ` of message ${k + 1}`);
      }
    }
  }
}

/** The text of messages of which one is not whole, which a template may refuse. */
function renderOrNothing(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  context: { tools?: readonly ChatTool[] },
): string | undefined {
  try {
    return template.render(messages, context);
  } catch {
    return undefined;
  }
}
