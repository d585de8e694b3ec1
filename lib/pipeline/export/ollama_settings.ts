/**
 * What Ollama is told beside the weights of a model.
 *
 * @module
 */

import type { EntryFormat } from "../../dataset/encode.ts";
import { chatTemplateOf } from "../../text/chat_formats.ts";
import { ChatTemplate } from "../../text/chat_template.ts";
import { chatToOllama, formatToOllama, type OllamaPrompt } from "../../text/ollama_template.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { Exporting } from "./options.ts";

/** What Ollama is told beside the weights. */
export interface OllamaSettings {
  /** How it writes prompts. */
  readonly template: string;
  /** Whether texts begin with the beginning token. */
  readonly addBos: boolean;
  /** The system message that it begins with, if any. */
  readonly system?: string;
  /** Defaults for generation. */
  readonly parameters: Record<string, unknown>;
}

/** Greedy, as answers are by default, so that Ollama's answers are the same as here. */
const GREEDY = { temperature: 0, repeat_penalty: 1 };

/**
 * Chooses Ollama's template and parameters: from the format that the model was taught, otherwise from Ollama's own model,
 * otherwise from the chat template. A model with none of these continues the text that it is given.
 *
 * @param exporting The model.
 * @returns Template, parameters, and whether texts begin with the beginning token.
 * @throws {TypeError} If the format cannot be written as Ollama's.
 */
export function settingsFor(
  { source, tokenizer, format }: Omit<Exporting, "generation">,
): OllamaSettings {
  const own = source.kind === "gguf" ? source.ollama : undefined;
  const addBos = tokenizer.beginIds.length > 0;
  if (format === undefined && own?.template !== undefined) {
    const { template, system, parameters } = own;
    return { template, ...(system !== undefined && { system }), parameters, addBos };
  }
  const hasTemplate = tokenizer.definition?.chatTemplate !== undefined;
  const written = format ?? (hasTemplate ? chatTemplateOf(tokenizer) : undefined);
  if (written === undefined) {
    return { template: "{{ .Prompt }}", addBos, parameters: GREEDY };
  }
  const { stop, ...prompt } = toOllamaPrompt(written, tokenizer);
  return { ...prompt, parameters: { ...GREEDY, ...(stop.length > 0 && { stop }) } };
}

function toOllamaPrompt(format: EntryFormat, tokenizer: Tokenizer): OllamaPrompt {
  return format instanceof ChatTemplate
    ? chatToOllama(format, tokenizer)
    : formatToOllama(format, tokenizer);
}
