/** Evaluation: scores against references, and a language model as judge. */
export * from "./bootstrap.ts";
export * from "./judge.ts";
export * from "./ollama_judge.ts";
export * from "./responses.ts";
export * from "./rouge.ts";
export * from "./scores.ts";
export * from "./trust.ts";
