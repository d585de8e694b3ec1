/**
 * The parts of an export: the model, the options, the result.
 *
 * @module
 */

import type { EntryFormat } from "../../dataset/encode.ts";
import type { ExportType } from "../../model/gguf_export.ts";
import type { Network } from "../../model/model.ts";
import type { OptionNames } from "../../options.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { OllamaQuantization } from "../../weights/ollama_quantization.ts";
import type { ResolvedModel } from "../../weights/resolved.ts";
import type { FormatName } from "../format.ts";
import type { ExportProof } from "../proof.ts";
import type { GenerationDefaults } from "../generation_defaults.ts";
import type { SavedModel, SaveOptions, WriteNetwork } from "../save.ts";
import type { StateDictNames } from "../state_dict.ts";

/** Options of {@linkcode Model.export}. */
export interface ExportOptions {
  /**
   * How matrices are stored: BF16 only in a folder of safetensors or a `.pth` file, Q8_0 only in GGUF. F16 by default in
   * GGUF, F32 elsewhere.
   */
  readonly type?: ExportType | "BF16";
  /** Whether adapters become part of the weights. False by default: they go beside these, where the target can. */
  readonly merge?: boolean;
  /** How the target writes prompts; as the model was taught by default. */
  readonly format?: FormatName | EntryFormat;
  /** Whose names the weights of a `.pth` file have. `"transformers"` by default. */
  readonly names?: StateDictNames;
  /** How Ollama quantises a whole model as it makes it. Not by default. */
  readonly ollamaQuantize?: OllamaQuantization;
  /** Where Ollama runs; by default what `OLLAMA_HOST` says. */
  readonly host?: string;
  /** Whether another run's model may be replaced, in a folder. False by default. */
  readonly overwrite?: boolean;
  /** Stops it: the call rejects with the signal's reason. By default the stop button of a notebook. */
  readonly signal?: AbortSignal;
  /** Called as bytes are written or sent with those done so far and those in all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** The names of {@linkcode ExportOptions}. */
export const EXPORT_OPTIONS: OptionNames<ExportOptions> = {
  type: true,
  merge: true,
  format: true,
  names: true,
  ollamaQuantize: true,
  host: true,
  overwrite: true,
  signal: true,
  onProgress: true,
};

/** What is exported: a model in memory, or its files. */
export interface Exporting {
  /** The base's files. */
  readonly source: ResolvedModel;
  readonly tokenizer: Tokenizer;
  /** What its files say of its answers. */
  readonly generation: GenerationDefaults;
  /** The model in memory; without it the files are read one tensor at a time. */
  readonly network?: Network;
  /** How prompts are to be written, where that is known. */
  readonly format?: EntryFormat;
}

/** What was exported. */
export interface Exported {
  /** How what was written was found to be the model; undefined for an adapter by itself. */
  readonly proof?: ExportProof;
  /** Bytes of the file with the weights, or with the adapter where that goes by itself. */
  readonly bytes: number;
  /** Notices for the user, if the other program computes differently. */
  readonly notices: readonly string[];
}

/** How folders are written. */
export interface Folders {
  readonly save: (
    directory: string,
    options: SaveOptions,
    write?: WriteNetwork,
  ) => Promise<SavedModel>;
}
