/**
 * The chat templates that come with Tunebook, in the styles of the model families that it trains.
 */
import { ChatTemplate } from "./chat_template.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** A style of chat template. */
export type ChatStyle = "chatml" | "llama2" | "llama3" | "mistral" | "gemma" | "zephyr";

const REFUSE_ORDER = "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}" +
  "{{ raise_exception('user and assistant must take turns, beginning with user') }}{% endif %}";

/** A system message at the beginning becomes part of the first user message. */
const SYSTEM_FIRST =
  "{% if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] %}" +
  "{% set turns = messages[1:] %}{% else %}{% set system = '' %}{% set turns = messages %}{% endif %}";

/** The templates by style. */
export const CHAT_TEMPLATES: Readonly<Record<ChatStyle, string>> = {
  /** `<|im_start|>user`, as OpenAI's Chat Markup Language, SmolLM2 and Qwen. */
  chatml: "{% for message in messages %}" +
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}" +
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
  /** `[INST]` with `<<SYS>>`, as Llama 2. */
  llama2: SYSTEM_FIRST + "{% for message in turns %}" + REFUSE_ORDER +
    "{% if message['role'] == 'user' %}{% if loop.first and system %}" +
    "{{ bos_token + '[INST] <<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' + message['content'] | trim + ' [/INST]' }}" +
    "{% else %}{{ bos_token + '[INST] ' + message['content'] | trim + ' [/INST]' }}{% endif %}" +
    "{% else %}{{ ' ' + message['content'] | trim + ' ' + eos_token }}{% endif %}{% endfor %}",
  /** `<|start_header_id|>`, as Llama 3. */
  llama3: "{{ bos_token }}{% for message in messages %}" +
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}" +
    "{% endfor %}{% if add_generation_prompt %}" +
    "{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}",
  /** `[INST]`, as Mistral 7B. */
  mistral: SYSTEM_FIRST + "{{ bos_token }}{% for message in turns %}" + REFUSE_ORDER +
    "{% if message['role'] == 'user' %}" +
    "{{ '[INST] ' + (system + '\\n\\n' if loop.first and system else '') + message['content'] + ' [/INST]' }}" +
    "{% else %}{{ ' ' + message['content'] + eos_token }}{% endif %}{% endfor %}",
  /** `<start_of_turn>`, as Gemma. */
  gemma: SYSTEM_FIRST + "{{ bos_token }}{% for message in turns %}" + REFUSE_ORDER +
    "{{ '<start_of_turn>' + ('model' if message['role'] == 'assistant' else message['role']) + '\\n' + " +
    "(system + '\\n\\n' if loop.first and system else '') + message['content'] | trim + '<end_of_turn>\\n' }}" +
    "{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}",
  /** `<|user|>` with the closing token after each message, as Zephyr and TinyLlama. */
  zephyr: "{% for message in messages %}" +
    "{{ '<|' + message['role'] + '|>\\n' + message['content'] + eos_token + '\\n' }}" +
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}",
};

/** The names of the styles. */
export const CHAT_STYLES = Object.keys(CHAT_TEMPLATES) as ChatStyle[];

/** A tokenizer's special tokens, under the names that templates use: those of its files. */
export function templateVariables(tokenizer: Tokenizer): Record<string, string> {
  const nameOf = (id: number | undefined) => {
    for (const [name, one] of tokenizer.specialTokens) if (one === id) return name;
  };
  const { bosId, padId, unknownId } = tokenizer.definition ?? {};
  const names = {
    eos_token: nameOf(tokenizer.eosId),
    bos_token: nameOf(bosId ?? tokenizer.beginIds[0]),
    pad_token: nameOf(padId),
    unk_token: nameOf(unknownId),
  };
  return {
    ...Object.fromEntries(Object.entries(names).filter(([, name]) => name !== undefined)),
    ...tokenizer.definition?.roles,
  } as Record<string, string>;
}

/**
 * The chat template of a tokenizer.
 *
 * @param tokenizer The tokenizer.
 * @param source A style's name, a template's text, or nothing for the template that came with the
 * tokenizer. Without one, ChatML's or Gemma's style is used if the vocabulary has its special
 * tokens.
 * @returns The template, with the tokenizer's special tokens as variables.
 * @throws {TypeError} If the tokenizer came without a template and none is given.
 * @throws {SyntaxError} If the template cannot be parsed.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gpt2Tokenizer } from "tunebook";
 * import { chatTemplateOf } from "tunebook/text";
 *
 * const template = chatTemplateOf(gpt2Tokenizer(), "chatml");
 * const text = template.render([{ role: "user", content: "Hi" }], { prompt: true });
 * assertEquals(text, "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
 * ```
 */
export function chatTemplateOf(tokenizer: Tokenizer, source?: ChatStyle | string): ChatTemplate {
  const variables = templateVariables(tokenizer);
  if (source !== undefined) {
    const known = Object.hasOwn(CHAT_TEMPLATES, source);
    const text = known ? CHAT_TEMPLATES[source as ChatStyle] : source;
    return new ChatTemplate(text, { name: known ? source : "given", variables });
  }
  const own = tokenizer.definition?.chatTemplate;
  if (own !== undefined) return new ChatTemplate(own, { name: tokenizer.name, variables });
  const marks: [string, ChatStyle][] = [["<|im_start|>", "chatml"], ["<start_of_turn>", "gemma"]];
  for (const [mark, style] of marks) {
    if (tokenizer.specialTokens.has(mark)) return chatTemplateOf(tokenizer, style);
  }
  throw new TypeError(
    `Cannot chat with "${tokenizer.name}": it came without a chat template; give one of ` +
      CHAT_STYLES.map((style) => `"${style}"`).join(", ") + ", or a template's file",
  );
}
