// Loading a model for a subcommand, with progress, and its tokenizer.

import { type LanguageModel, type LoadedModel, loadModel } from "../model/mod.ts";
import type { DeviceKind } from "../tensor/mod.ts";
import { pick } from "../tensor/pick.ts";
import { gpt2Tokenizer, type Tokenizer } from "../text/mod.ts";
import { progress } from "./progress.ts";

/** A model that is ready, and what reads its text. */
export interface ReadyModel extends LoadedModel {
  /** Turns text into its tokens. */
  readonly tokenizer: Tokenizer;
}

/**
 * Opens the device and loads a model onto it.
 *
 * @param name A directory, `hf:owner/name`, or a short name.
 * @param options Device and stop signal.
 * @returns The model, its files and its tokenizer.
 */
export async function loadForCommand(
  name: string,
  options: { device?: "auto" | DeviceKind; signal?: AbortSignal } = {},
): Promise<ReadyModel> {
  const { signal } = options;
  const device = await pick({ device: options.device });
  const download = progress("Downloading");
  const reading = progress(`Loading ${name}`, 100);
  try {
    const loaded = await loadModel(name, {
      device,
      signal,
      onProgress: ({ file, received, total }) =>
        download.update(received, total ? `${file} ${Math.floor(100 * received / total)} %` : file),
      onRead: (done, total) => reading.update(Math.floor(100 * done / total)),
    });
    if (loaded.source.notice) console.error(loaded.source.notice);
    return { ...loaded, tokenizer: tokenizerOf(loaded.model) };
  } finally {
    download.finish();
    reading.finish();
  }
}

function tokenizerOf(model: LanguageModel): Tokenizer {
  const tokenizer = gpt2Tokenizer();
  if (model.vocabularySize !== tokenizer.vocabSize) {
    throw new RangeError(
      `Cannot read text for a model with ${model.vocabularySize} tokens: ` +
        `GPT-2's tokenizer has ${tokenizer.vocabSize}`,
    );
  }
  return tokenizer;
}
