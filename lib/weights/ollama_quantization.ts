/** The types into which Ollama quantises F32 and F16. */
export type OllamaQuantization = "q4_K_M" | "q4_K_S" | "q8_0";

/** Ollama's types by name. */
export const OLLAMA_QUANTIZATIONS: readonly OllamaQuantization[] = ["q4_K_M", "q4_K_S", "q8_0"];
