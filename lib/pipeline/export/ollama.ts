/**
 * A model in Ollama.
 *
 * @module
 */

import { join } from "@std/path/join";
import { exportLoraGguf } from "../../model/gguf_adapter.ts";
import { makeOwnTempDir } from "../../own_temp.ts";
import { createOllamaModel } from "../../weights/ollama_create.ts";
import type { ExportProof } from "../proof.ts";
import { describeTokenizer, writeWhole } from "./gguf.ts";
import { settingsFor } from "./ollama_settings.ts";
import type { Exporting, ExportOptions } from "./options.ts";
import { isAdapted } from "./refusals.ts";

/**
 * Makes a model in Ollama.
 *
 * @param exporting The model.
 * @param name Its name there.
 * @param options How.
 */
export async function toOllama(
  exporting: Exporting,
  name: string,
  options: ExportOptions,
): Promise<{ bytes: number; proof?: ExportProof }> {
  const { source, network } = exporting;
  const { merge, host, signal, onProgress } = options;
  const beside = isAdapted(exporting) && !merge;
  if (beside && network!.family.gguf.takesAdapters === false) {
    throw new TypeError(
      `Cannot give Ollama an adapter for a ${
        network!.family.title
      }, for which it has none: merge it`,
    );
  }
  const settings = settingsFor(exporting);
  const folder = await makeOwnTempDir("tunebook-export-");
  try {
    // If Ollama has the base, only the adapter is sent.
    const inOllama = beside && source.source === "ollama";
    const gguf = inOllama
      ? undefined
      : await writeWhole(exporting, join(folder, "model.gguf"), options, {
        ...describeTokenizer(exporting),
        "tokenizer.ggml.add_bos_token": settings.addBos,
      });
    const adapter = beside
      ? await exportLoraGguf(network!, join(folder, "adapter.gguf"), { signal })
      : undefined;
    const { template, system, parameters } = settings;
    await createOllamaModel(name, {
      ...(gguf ? { gguf } : { from: source.spec.slice("ollama:".length) }),
      adapter,
      template,
      system,
      parameters,
      ...(options.ollamaQuantize && { quantize: options.ollamaQuantize }),
      host,
      signal,
      onProgress,
    });
    return { bytes: (gguf ?? adapter)!.bytes, ...(gguf && { proof: gguf.proof }) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What was read back is what Ollama was sent, not what it made of it. */
export function quantizedNotice({ ollamaQuantize }: ExportOptions): string[] {
  if (ollamaQuantize === undefined) return [];
  return [
    `Ollama quantised the weights to ${ollamaQuantize}, so its answers differ from those here`,
  ];
}
