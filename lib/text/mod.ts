/** Text: tokenizers, prompt formats, chat templates, and what is masked and why. */
export * from "./alpaca.ts";
export * from "./bpe.ts";
export * from "./chat.ts";
export * from "./chat_formats.ts";
export * from "./chat_template.ts";
export * from "./files.ts";
export type { AddedToken } from "./added_tokens.ts";
export type { Component, Merges, PieceModel, TokenizerDefinition } from "./definition.ts";
export { ggufTokenizer } from "./gguf_tokenizer.ts";
export * from "./gpt2.ts";
export { HuggingFaceTokenizer } from "./hugging_face.ts";
export * from "./mask.ts";
export { chatToOllama, formatToOllama, type OllamaPrompt } from "./ollama_template.ts";
export * from "./tokenizer.ts";
export { parseTokenizerJson, writeTokenizerJson } from "./tokenizer_json.ts";
export { tokenizerToGguf } from "./tokenizer_to_gguf.ts";
