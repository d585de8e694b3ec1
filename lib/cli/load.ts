// Loading a model for a subcommand, with progress.

import type { Quantization } from "../model/mod.ts";
import { findModel, type FoundModel } from "../pipeline/find_model.ts";
import {
  loadModel,
  type LoadModelOptions,
  type LoadProgress,
  type Model,
} from "../pipeline/mod.ts";
import type { DeviceKind } from "../tensor/mod.ts";
import { progress } from "./progress.ts";

/** The options of subcommands for a model. */
interface LoadOptions extends Pick<LoadModelOptions, "lora" | "matmulPrecision" | "signal"> {
  device?: "auto" | DeviceKind;
  adapter?: string;
  quantize?: Quantization;
  dropout?: number;
}

/**
 * Loads a model and shows the progress.
 *
 * @param name A model's name, as `resolveModel` reads it, or a LoRA adapter's directory.
 * @param options Device and its precision, adapters, storage of weights, dropout in training, and stop signal.
 * @returns The model.
 */
export async function loadForCommand(name: string, options: LoadOptions = {}): Promise<Model> {
  const { device, matmulPrecision, adapter, quantize, dropout, lora, signal } = options;
  const bars = loadingBars(name);
  try {
    const model = await loadModel(name, {
      device,
      matmulPrecision,
      adapter,
      quantize,
      dropout,
      lora,
      signal,
      onProgress: bars.update,
    });
    if (model.source.notice) console.error(model.source.notice);
    return model;
  } finally {
    bars.finish();
  }
}

/**
 * Finds a model for a subcommand, and shows the progress of downloads.
 *
 * @param name A model's name, as `resolveModel` reads it, or a LoRA adapter's directory.
 * @param options An adapter's directory, stop signal, and whether the weights are needed.
 * @returns The model's description, without its weights.
 */
export async function findForCommand(
  name: string,
  options: { adapter?: string; weights?: boolean; signal: AbortSignal },
): Promise<FoundModel> {
  const bars = loadingBars(name);
  try {
    const found = await findModel(name, {
      ...options,
      onProgress: ({ file, received, total }) =>
        bars.update({ phase: "downloading", file, done: received, total }),
    });
    if (found.source.notice) console.error(found.source.notice);
    return found;
  } finally {
    bars.finish();
  }
}

/** Shows the progress of downloads, if any, and of reading. */
function loadingBars(name: string) {
  const downloading = progress("Downloading");
  const reading = progress(`Loading ${name}`, 100);
  return {
    update({ phase, file = "", done, total }: LoadProgress) {
      const percent = total ? Math.floor(100 * done / total) : undefined;
      if (phase === "reading") reading.update(percent ?? 0);
      else downloading.update(done, percent === undefined ? file : `${file} ${percent} %`);
    },
    finish() {
      downloading.finish();
      reading.finish();
    },
  };
}
