/**
 * What a model's name stands for on this machine.
 *
 * @module
 */

/** A model's files on this machine: a directory in Hugging Face's layout, or one GGUF file. */
export type ResolvedModel = ResolvedDirectory | ResolvedGguf;

/** Where a model's files come from. */
export type ModelSource = "embedded" | "directory" | "file" | "hub" | "ollama";

/**
 * What is known of every model that was found.
 *
 * @internal
 */
export interface ResolvedCommon {
  /** What was asked for. */
  spec: string;
  /** Where it comes from. */
  source: ModelSource;
  /** A short name for people, and for naming checkpoints: `gpt2-medium`. */
  name: string;
  /** The hub's commit, for a record of what was used. */
  commit?: string;
  /** Set where something should be told: an earlier download is used because the hub is away. */
  notice?: string;
}

/** A directory in Hugging Face's layout: `config.json`, safetensors, and what a tokenizer needs. */
export interface ResolvedDirectory extends ResolvedCommon {
  /** Tells it from a GGUF file. */
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
  /** Tells it from a directory. */
  kind: "gguf";
  /** Path of the file, for `openGguf()`. */
  weights: string;
  /** What the manifest of a local Ollama store says beside the weights. */
  ollama?: OllamaLayers;
}

/** What an Ollama model is beside its weights. */
export interface OllamaLayers {
  /** The prompt's template in Go's template language, where the model has one. */
  template?: string;
  /** The system message that it begins with, where it has one. */
  system?: string;
  /** Default parameters, such as `stop` and `temperature`. */
  parameters: Record<string, unknown>;
  /** Paths of LoRA adapters that it puts on its weights. */
  adapters: string[];
}

/**
 * The adapters of an Ollama model.
 *
 * @param source Any model's files.
 * @returns Their paths; none where it is no Ollama model, or a whole one
 */
export function ollamaAdapters(source: ResolvedModel): readonly string[] {
  return source.kind === "gguf" ? source.ollama?.adapters ?? [] : [];
}
