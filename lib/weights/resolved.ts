/**
 * What a model's name resolves to on this machine.
 *
 * @module
 */

/** A model's files on this machine: a directory in Hugging Face's layout, or one GGUF file. */
export type ResolvedModel = ResolvedDirectory | ResolvedGguf;

/** Where a model's files come from. */
export type ModelSource = "embedded" | "directory" | "file" | "hub" | "ollama";

/**
 * What is known about every resolved model.
 *
 * @internal
 */
export interface ResolvedCommon {
  /** The requested name. */
  spec: string;
  /** Where it comes from. */
  source: ModelSource;
  /** A short name for people, and for naming checkpoints: `gpt2-medium`. */
  name: string;
  /** The hub's commit, for provenance. */
  commit?: string;
  /** A message for the user, if an earlier download is used because the hub is down. */
  notice?: string;
}

/** A directory in Hugging Face's layout: `config.json`, safetensors, and the tokenizer's files. */
export interface ResolvedDirectory extends ResolvedCommon {
  /** Distinguishes it from a GGUF file. */
  kind: "directory";
  /** The directory that holds its files. */
  directory: string;
  /** Path of its `config.json`. */
  config: string;
  /** Path of its weights or their index, for `openSafetensors()`. */
  weights: string;
  /** Names of the files in the directory, tokenizer files included, sorted. */
  files: string[];
}

/** A GGUF file, which holds configuration, tokenizer and weights. */
export interface ResolvedGguf extends ResolvedCommon {
  /** Distinguishes it from a directory. */
  kind: "gguf";
  /** Path of the file, for `openGguf()`. */
  weights: string;
  /** The rest of the manifest, for a model of a local Ollama store. */
  ollama?: OllamaLayers;
}

/** The parts of an Ollama model besides its weights. */
export interface OllamaLayers {
  /** The prompt's template in Go's template language, if the model has one. */
  template?: string;
  /** The system message, if it has one. */
  system?: string;
  /** Default parameters, such as `stop` and `temperature`. */
  parameters: Record<string, unknown>;
  /** Paths of LoRA adapters that it adds to its weights. */
  adapters: string[];
}

/**
 * The adapters of an Ollama model.
 *
 * @param source Any model's files.
 * @returns Their paths; empty if it is not an Ollama model or has no adapters
 */
export function ollamaAdapters(source: ResolvedModel): readonly string[] {
  return source.kind === "gguf" ? source.ollama?.adapters ?? [] : [];
}
