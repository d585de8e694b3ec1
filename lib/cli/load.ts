// Loading a model for a subcommand, with progress, and its tokenizer.

import { loadLora, loadNetwork, type Network, type Quantization } from "../model/mod.ts";
import type { DeviceKind } from "../tensor/mod.ts";
import { pick } from "../tensor/pick.ts";
import { openTokenizer, type Tokenizer } from "../text/mod.ts";
import { type DownloadProgress, type ResolvedModel, resolveModel } from "../weights/mod.ts";
import { findBase } from "./adapter_options.ts";
import { progress } from "./progress.ts";

/** A model that is ready, and what reads its text. */
export interface ReadyModel {
  /** The network. */
  readonly model: Network;
  /** Its files. */
  readonly source: ResolvedModel;
  /** Turns text into its tokens. */
  readonly tokenizer: Tokenizer;
  /** The directory of the adapter that was put on it, if one was. */
  readonly adapter?: string;
}

/**
 * Opens the device and loads a model onto it.
 *
 * @param name A model's name, as `resolveModel` reads it, or a LoRA adapter's directory.
 * @param options Device, adapter, how weights are kept, dropout in training, and stop signal.
 * @returns The model, its files and its tokenizer.
 */
export async function loadForCommand(
  name: string,
  options: {
    device?: "auto" | DeviceKind;
    adapter?: string;
    quantize?: Quantization;
    dropout?: number;
    signal?: AbortSignal;
  } = {},
): Promise<ReadyModel> {
  const { dropout, quantize, signal } = options;
  const { base, adapter } = await findBase(name, options.adapter);
  const device = await pick({ device: options.device });
  const download = downloadBar();
  const reading = progress(`Loading ${base}`, 100);
  try {
    const { network: model, source } = await loadNetwork(base, {
      device,
      dropout,
      quantize,
      signal,
      onProgress: download.onProgress,
      onRead: (done, total) => reading.update(Math.floor(100 * done / total)),
    });
    if (adapter) await loadLora(model, adapter);
    if (source.notice) console.error(source.notice);
    return { model, source, adapter, tokenizer: await tokenizerOf(model, source) };
  } finally {
    download.finish();
    reading.finish();
  }
}

/**
 * Finds a model's files for a subcommand, with progress where they are downloaded.
 *
 * @param name A model's name, as `resolveModel` reads it.
 * @param options Stop signal, and whether the weights are needed.
 * @returns Its files.
 */
export async function resolveForCommand(
  name: string,
  options: { weights?: boolean; signal: AbortSignal },
): Promise<ResolvedModel> {
  const download = downloadBar();
  try {
    const source = await resolveModel(name, { ...options, onProgress: download.onProgress });
    if (source.notice) console.error(source.notice);
    return source;
  } finally {
    download.finish();
  }
}

/** Shows the progress of downloads, of which there may be none. */
function downloadBar() {
  const bar = progress("Downloading");
  return {
    onProgress({ file, received, total }: DownloadProgress) {
      bar.update(received, total ? `${file} ${Math.floor(100 * received / total)} %` : file);
    },
    finish: () => bar.finish(),
  };
}

async function tokenizerOf(model: Network, source: ResolvedModel): Promise<Tokenizer> {
  const tokenizer = await openTokenizer(source);
  // some models have rows for tokens that never were
  if (tokenizer.vocabSize > model.vocabularySize) {
    throw new RangeError(
      `Cannot read text for a model with ${model.vocabularySize} tokens: ` +
        `the tokenizer "${tokenizer.name}" has ${tokenizer.vocabSize}`,
    );
  }
  return tokenizer;
}
