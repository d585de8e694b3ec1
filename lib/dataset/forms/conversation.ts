/**
 * Conversations: messages with roles, and ShareGPT's form.
 *
 * @module
 */

import type { ChatMessage, ChatTool } from "../../text/chat_template.ts";
import type { ChatEntry } from "../chat_entry.ts";
import { parseExactly } from "../files/json.ts";
import {
  asWritten,
  Fault,
  type Form,
  isObject,
  type Notices,
  readList,
  readNumber,
  readWeight,
  type Row,
  toText,
} from "./form.ts";
import { readSystem } from "./instruction.ts";

/** ShareGPT's names of the roles. */
const SPEAKERS: Readonly<Record<string, string>> = {
  human: "user",
  user: "user",
  gpt: "assistant",
  chatgpt: "assistant",
  assistant: "assistant",
  bing: "assistant",
  bard: "assistant",
  system: "system",
  function_call: "assistant",
  tool: "tool",
  function: "tool",
  observation: "tool",
};

const SHARED = {
  system: "a system message before the first message",
  tools: "the tools that the template writes, an array or one as JSON text",
  weight: "the weight of the entry's tokens in losses, above 0",
};

/** What the fields of a message become. */
export const MESSAGE_FIELDS: Readonly<Record<string, string>> = {
  role: "who speaks, a name that the template knows",
  from:
    "the same in ShareGPT's names: `human` and `user`; `gpt`, `chatgpt`, `bing`, `bard` and `assistant`; `system`; `tool`, `function` and `observation`; `function_call`, an assistant's call of a tool",
  content: "the text; of content in parts, the texts one after the other",
  value: "the same in ShareGPT's name",
  weight: "of an assistant's message: its weight in losses; 0 leaves it out of what is learnt",
  tool_calls: "what the template writes as calls of tools",
  reasoning_content: "thinking, for a template that writes it",
  thinking: "the same, for a template that has this name",
  tool_call_id: "for the template, which may not write it",
  name: "for the template, which may not write it",
};

/** Messages with roles. */
export const messages: Form = {
  name: "messages",
  title: "messages",
  fields: {
    messages: "the conversation; the assistant's messages are learnt",
    ...SHARED,
  },
  example: {
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Name a fruit." },
      { role: "assistant", content: "An apple." },
    ],
  },
  recognises: (has) => has("messages"),
  read: (row, notices) => readConversation(row, "messages", notices),
};

/** ShareGPT's form. */
export const shareGpt: Form = {
  name: "sharegpt",
  title: "ShareGPT",
  fields: {
    conversations: "the conversation; the assistant's messages are learnt",
    ...SHARED,
  },
  example: {
    conversations: [{ from: "human", value: "Name a fruit." }, { from: "gpt", value: "An apple." }],
    system: "Be brief.",
  },
  recognises: (has) => has("conversations"),
  read: (row, notices) => readConversation(row, "conversations", notices),
};

function readConversation(
  row: Row,
  field: "messages" | "conversations",
  notices: Notices,
): ChatEntry {
  const spoken = readMessages(row, field, notices);
  const system = readSystem(row);
  if (system.length > 0 && spoken[0]!.role === "system") {
    throw new Fault("system", "absent where the first message is a system message", row.system);
  }
  return { messages: [...system, ...spoken], ...readTools(row), ...readWeight(row) };
}

/**
 * Reads the tools of a conversation.
 *
 * @param row The entry.
 * @returns An object with the tools, or with nothing.
 */
export function readTools(row: Row): { tools?: ChatTool[] } {
  const tools = readList(row, "tools");
  if (tools === undefined) return {};
  const wrong = tools.findIndex((tool) => !isObject(tool));
  if (wrong >= 0) throw new Fault(`tools.${wrong}`, "an object", tools[wrong]);
  return { tools: tools as ChatTool[] };
}

/**
 * Whether a field holds messages, also as JSON text, as tables hold lists.
 *
 * @param row The entry.
 * @param field The field.
 * @returns Whether it does.
 * @throws {Fault} If it holds messages as Python prints them, which would be learnt as a text.
 */
export function holdsMessages(row: Row, field: string): boolean {
  const value = row[field];
  if (typeof value !== "string") return Array.isArray(value);
  if (/^\s*\[\s*\{\s*'(role|content)'/.test(value)) {
    throw new Fault(field, "messages as JSON text, not as Python prints a list", value);
  }
  if (!/^\s*\[\s*\{/.test(value)) return false;
  try {
    const list: unknown = JSON.parse(value);
    return Array.isArray(list) &&
      list.every((one) => isObject(one) && typeof one.role === "string");
  } catch {
    return false;
  }
}

/**
 * Reads messages.
 *
 * @param row The entry.
 * @param field The field that holds them.
 * @param notices Takes what is to be said.
 * @returns At least one message.
 */
export function readMessages(row: Row, field: string, notices: Notices): ChatMessage[] {
  const list = readList(row, field);
  if (list === undefined) {
    throw new Fault(field, "an array of at least one message", row[field]);
  }
  return list.map((message, i) => readMessage(message, `${field}.${i}`, notices));
}

function readMessage(message: unknown, at: string, notices: Notices): ChatMessage {
  if (!isObject(message)) throw new Fault(at, "an object", message);
  const given: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(message)) {
    if (notices.isIgnored(field)) continue;
    // Tables that hold other messages' fields have null for those that a message lacks.
    if (value === null && field !== "content" && field !== "value") continue;
    if (!Object.hasOwn(MESSAGE_FIELDS, field)) notices.unknown(field);
    else given[field] = asWritten(message, field);
  }
  const role = readRole(given, at);
  const calls = readCalls(given, at, notices);
  const weight = readNumber(given.weight, `${at}.weight`);
  if (weight !== undefined && !(weight >= 0)) {
    throw new Fault(`${at}.weight`, "a number of 0 or more", given.weight);
  }
  if (weight !== undefined && role !== "assistant") {
    throw new Fault(`${at}.weight`, "absent, for only an assistant's message is learnt", weight);
  }
  const text = (field: string) =>
    given[field] !== undefined && given[field] !== "" &&
    { [field]: toText(given[field], `${at}.${field}`) };
  return {
    role,
    ...readContent(given, at, role, notices),
    ...text("reasoning_content"),
    ...text("thinking"),
    ...(calls && { tool_calls: calls }),
    ...text("tool_call_id"),
    ...text("name"),
    ...(weight !== undefined && { weight }),
  };
}

function readRole({ role, from }: Row, at: string): string {
  if (from !== undefined && role === undefined) {
    if (typeof from === "string" && Object.hasOwn(SPEAKERS, from)) return SPEAKERS[from]!;
    const names = Object.keys(SPEAKERS).map((name) => `"${name}"`).join(", ");
    throw new Fault(`${at}.from`, `one of ${names}`, from);
  }
  if (from !== undefined) throw new Fault(`${at}.from`, 'absent beside "role"', from);
  if (typeof role !== "string") throw new Fault(`${at}.role`, "a string", role);
  if (role === "") throw new Fault(`${at}.role`, "a name", role);
  return role;
}

/** The text of a message, and the calls of tools that ShareGPT writes as text. */
function readContent(
  given: Row,
  at: string,
  role: string,
  notices: Notices,
): Pick<ChatMessage, "content" | "tool_calls"> {
  const field = given.content === undefined && given.value !== undefined ? "value" : "content";
  if (field === "content" && given.value !== undefined) {
    throw new Fault(`${at}.value`, 'absent beside "content"', given.value);
  }
  const value = given[field];
  if (Array.isArray(value)) return { content: joinParts(value, `${at}.${field}`, notices) };
  // An assistant that calls tools, and one that was cut off, may say nothing.
  const content = toText(
    value,
    `${at}.${field}`,
    role === "assistant" ? silence(given, value) : undefined,
  );
  if (given.from !== "function_call") return { content };
  const calls = parseCalls(content, `${at}.${field}`);
  return calls === undefined ? { content } : { content: "", tool_calls: calls };
}

function silence(given: Row, value: unknown): string | undefined {
  return value === null || given.tool_calls !== undefined ? "" : undefined;
}

/** The texts of content in parts, one after the other. */
function joinParts(parts: readonly unknown[], at: string, notices: Notices): string {
  return parts.map((part, i) => {
    if (typeof part === "string") return part;
    if (!isObject(part)) throw new Fault(`${at}.${i}`, "a part with a text", part);
    const { type = "text", text, ...others } = part;
    if (type !== "text") {
      throw new Fault(`${at}.${i}`, `a part of type "text", for only texts are learnt`, part);
    }
    for (const [field, value] of Object.entries(others)) {
      if (!notices.isIgnored(field) && value !== null) notices.unknown(field);
    }
    return toText(text === undefined ? text : asWritten(part, "text"), `${at}.${i}.text`);
  }).join("");
}

function readCalls(given: Row, at: string, notices: Notices): ChatMessage["tool_calls"] {
  const calls = readList(
    { [`${at}.tool_calls`]: given.tool_calls },
    `${at}.tool_calls`,
  );
  for (const [i, call] of calls?.entries() ?? []) {
    if (!isObject(call)) throw new Fault(`${at}.tool_calls.${i}`, "an object", call);
    const called = isObject(call.function) ? call.function : call;
    if (typeof called.name !== "string") {
      throw new Fault(`${at}.tool_calls.${i}.function.name`, "a string", called.name);
    }
    if (typeof called.arguments === "string") notices.textArguments();
  }
  return calls as ChatMessage["tool_calls"];
}

/** ShareGPT's call of one tool or several, as JSON text; undefined if the text is something else. */
function parseCalls(text: string, at: string): ChatMessage["tool_calls"] {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  let value: unknown;
  try {
    value = parseExactly(text);
  } catch {
    throw new Fault(at, "a call whose fields have different names and whole characters", text);
  }
  const calls = Array.isArray(value) ? value : [value];
  const isCall = (call: unknown) => isObject(call) && typeof call.name === "string";
  if (calls.length === 0 || !calls.every(isCall)) return undefined;
  return calls.map((call) => ({ type: "function", function: call }));
}
