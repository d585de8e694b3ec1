/**
 * Prompt formats and chat templates by name, and their description in a model's record.
 *
 * @module
 */

import { kindOf } from "../kind_of.ts";
import { type DatasetEntry, isChatEntry } from "../dataset/chat_entry.ts";
import type { EntryFormat } from "../dataset/mod.ts";
import { templateVariables } from "../text/chat_formats.ts";
import { alpaca, type Instruction, type PromptFormat } from "../text/alpaca.ts";
import { CHAT_STYLES, type ChatStyle, chatTemplateOf } from "../text/chat_formats.ts";
import { ChatTemplate } from "../text/chat_template.ts";
import type { Tokenizer } from "../text/tokenizer.ts";

/** A format by name: Alpaca's prompt, the model's own chat template, or a style of chat template. */
export type FormatName = "alpaca" | "chat" | ChatStyle;

/** The names of formats. */
export const FORMAT_NAMES: readonly FormatName[] = ["alpaca", "chat", ...CHAT_STYLES];

/**
 * A prompt in pieces: literal text, and slots for the instruction and the input.
 *
 * @internal
 */
export type PromptPieces = (string | { slot: "instruction" | "input" })[];

/** A format written down. */
export type FormatRecord =
  | {
    kind: "prompt";
    name: string;
    /** The prompt up to the marker, of an instruction alone. */
    withoutInput: PromptPieces;
    /** The same of one with an input. */
    withInput: PromptPieces;
    /** What comes right before the response. */
    responseMarker: string;
  }
  | { kind: "chat"; name: string; template: string };

/** Words that do not occur in formats and that trimming does not change. */
const PROBE = { instruction: "Xinstruction1X", input: "Xinput2X" } as const;
/** Instructions that reveal whether a format changes them. */
const CHECKS: readonly Instruction[] = [
  { instruction: " {{ a }}\n\nb\t", input: "" },
  { instruction: "C.", input: " d\n<e> " },
];

/**
 * Reads a format's name.
 *
 * @param format A name, or a format.
 * @param tokenizer The model's tokenizer.
 * @param own The template that `"chat"` means; by default the one that came with the tokenizer.
 * @returns The format.
 * @throws {RangeError} If there is no format of that name.
 * @throws {TypeError} If it is `"chat"` and the model has no template.
 */
export function readFormat(
  format: FormatName | EntryFormat,
  tokenizer: Tokenizer,
  own?: ChatTemplate,
): EntryFormat {
  if (typeof format !== "string") {
    if (format instanceof ChatTemplate) return format.with(templateVariables(tokenizer));
    if (typeof format?.instruction === "function") return format;
    throw new TypeError(
      `Cannot write prompts in the format ${kindOf(format)}: expected a name or a format`,
    );
  }
  if (format === "alpaca") return alpaca;
  if (format === "chat") return own ?? chatTemplateOf(tokenizer);
  if (FORMAT_NAMES.includes(format)) return chatTemplateOf(tokenizer, format);
  throw new RangeError(
    `Cannot write prompts in the format "${format}": expected one of ` +
      FORMAT_NAMES.map((name) => `"${name}"`).join(", "),
  );
}

/** What decides how entries are written for a model. */
export interface FormatChoice {
  /** The model's tokenizer. */
  readonly tokenizer: Tokenizer;
  /** Its format. */
  readonly format: EntryFormat;
  /** Whether the format was taught or set, rather than suggested by the files. */
  readonly isTaught: boolean;
  /** The chat template that it came with, if any. */
  readonly chatTemplate?: ChatTemplate;
}

/**
 * Chooses the format of entries: the named one, otherwise the model's. Conversations need a chat template; if the model was
 * taught no format, that is the one that its files or its special tokens suggest.
 *
 * @param model The model's format and template.
 * @param entries The entries.
 * @param named A name, or a format.
 * @returns The format.
 * @throws {RangeError} If there is no format of that name.
 * @throws {TypeError} If a template is needed and the model has none.
 */
export function formatFor(
  { tokenizer, format, isTaught, chatTemplate }: FormatChoice,
  entries: readonly DatasetEntry[],
  named?: FormatName | EntryFormat,
): EntryFormat {
  if (named !== undefined) {
    const own = isTaught && format instanceof ChatTemplate ? format : chatTemplate;
    return readFormat(named, tokenizer, own);
  }
  if (isTaught || format instanceof ChatTemplate || !entries.some(isChatEntry)) return format;
  return chatTemplate ?? chatTemplateOf(tokenizer);
}

/**
 * Describes a format as plain data, for a record.
 *
 * @param format The format.
 * @returns Plain data for {@linkcode parseFormat}.
 * @throws {TypeError} If it changes the instruction or the input.
 */
export function describeFormat(format: EntryFormat): FormatRecord {
  if (format instanceof ChatTemplate) {
    return { kind: "chat", name: format.name, template: format.source };
  }
  const { name, responseMarker } = format;
  const withoutInput = cut(format.instruction({ instruction: PROBE.instruction, input: "" }));
  const withInput = cut(format.instruction(PROBE));
  const written = { kind: "prompt", name, withoutInput, withInput, responseMarker } as const;
  const again = parsePrompt(written);
  if (CHECKS.some((check) => again.instruction(check) !== format.instruction(check))) {
    throw new TypeError(
      `Cannot write down the format "${name}": it changes instructions or inputs, and a model's ` +
        "record can hold only text around them",
    );
  }
  return written;
}

/**
 * Makes a format from its description.
 *
 * @param written What {@linkcode describeFormat} returned.
 * @param tokenizer The model's tokenizer.
 * @returns The format.
 * @throws {SyntaxError} If its template cannot be parsed.
 */
export function parseFormat(written: FormatRecord, tokenizer: Tokenizer): EntryFormat {
  if (written.kind === "prompt") return parsePrompt(written);
  const { template, name } = written;
  return new ChatTemplate(template, { name, variables: templateVariables(tokenizer) });
}

function parsePrompt(written: FormatRecord & { kind: "prompt" }): PromptFormat {
  const { name, withoutInput, withInput, responseMarker } = written;
  const format: PromptFormat = {
    name,
    instruction: (entry) => fill(entry.input ? withInput : withoutInput, entry),
    responseMarker,
  };
  return isSame(format, alpaca) ? alpaca : format;
}

function isSame(a: PromptFormat, b: PromptFormat): boolean {
  return a.name === b.name && a.responseMarker === b.responseMarker &&
    CHECKS.every((check) => a.instruction(check) === b.instruction(check));
}

function cut(text: string): PromptPieces {
  return text.split(new RegExp(`(${PROBE.instruction}|${PROBE.input})`))
    .filter((part) => part !== "")
    .map((part) => {
      if (part === PROBE.instruction) return { slot: "instruction" };
      return part === PROBE.input ? { slot: "input" } : part;
    });
}

function fill(pieces: PromptPieces, { instruction, input = "" }: Instruction): string {
  return pieces.map((piece) =>
    typeof piece === "string" ? piece : piece.slot === "input" ? input : instruction
  ).join("");
}

/**
 * Converts a format to a chat template for other programs. The user's message is the instruction.
 *
 * @param format The format.
 * @param tokenizer The model's tokenizer.
 * @returns The template's text, in Jinja.
 */
export function toChatTemplate(format: EntryFormat, tokenizer: Tokenizer): string {
  if (format instanceof ChatTemplate) return format.source;
  const described = describeFormat(format) as FormatRecord & { kind: "prompt" };
  const { withoutInput, responseMarker } = described;
  const { bos_token: begin = "", eos_token: end = "" } = templateVariables(tokenizer);
  const text = (value: string) => value === "" ? "" : `{{ ${JSON.stringify(value)} }}`;
  const user = withoutInput.map((piece) =>
    typeof piece === "string" ? text(piece) : "{{ message['content'] }}"
  ).join("");
  return (tokenizer.beginIds.length > 0 ? text(begin) : "") +
    "{% for message in messages %}" +
    `{% if message['role'] == 'user' %}${user}${text(responseMarker)}` +
    `{% elif message['role'] == 'assistant' %}{{ message['content'] }}${text(end)}` +
    "{% else %}{{ raise_exception('only user and assistant speak in this format') }}{% endif %}" +
    "{% endfor %}";
}
