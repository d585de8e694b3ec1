/** Text: tokenizers, prompt formats, chat templates, and what is masked and why. */

export { alpaca, formatAlpaca, type Instruction, type PromptFormat } from "./alpaca.ts";
export type { AnswerSpan } from "./chat_turns.ts";
export { CHAT_STYLES, CHAT_TEMPLATES, type ChatStyle, chatTemplateOf } from "./chat_formats.ts";
export {
  type ChatMessage,
  ChatTemplate,
  type ChatTemplateOptions,
  type ChatTool,
  type RenderOptions,
} from "./chat_template.ts";
export { openTokenizer, saveTokenizer } from "./files.ts";
export { END_OF_TEXT, gpt2Tokenizer } from "./gpt2.ts";
export { type Mask, MASKS, parseMask } from "./mask.ts";
export { chatToOllama, formatToOllama, type OllamaPrompt } from "./ollama_template.ts";
export { type EncodeOptions, TokenDecoder, type Tokenizer } from "./tokenizer.ts";
export { tokenizerToGguf } from "./tokenizer_to_gguf.ts";
