/** Text: tokenizers, prompt formats, and what is masked and why. */
export * from "./alpaca.ts";
export * from "./bpe.ts";
export * from "./gpt2.ts";
export * from "./mask.ts";
export * from "./tokenizer.ts";
