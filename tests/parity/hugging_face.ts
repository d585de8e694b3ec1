// Hugging Face's transformers as a peer: what it computes with models that were saved here, and with GGUF files.

import { fromFileUrl } from "@std/path";
import { findPython } from "../support.ts";

/** A Python with transformers, where there is one. */
export const transformers = findPython("torch", "transformers");

/** What is asked of a model. */
export interface PeerRequest {
  /** Its directory, or a GGUF file, which transformers reads itself. */
  readonly model: string;
  /** A sequence for the logits. */
  readonly long: readonly number[];
  /** How many of its last rows are wanted. */
  readonly rows: number;
  /** What to continue greedily. */
  readonly prompt: readonly number[];
  /** By how many tokens. */
  readonly newTokens: number;
}

/** What it answers. */
export interface PeerAnswer {
  /** The class that it made of the model. */
  readonly kind: string;
  /** Logits of the last rows, (rows, V). */
  readonly logits: Float32Array;
  /** The greedy tokens. */
  readonly tokens: number[];
  /** The two best tokens at each, and their logits. */
  readonly best: { readonly tokens: number[][]; readonly logits: number[][] };
}

/** Asks Hugging Face's transformers. */
export async function askTransformers(requests: readonly PeerRequest[]): Promise<PeerAnswer[]> {
  const script = fromFileUrl(import.meta.resolve("./hugging_face.py"));
  const folder = await Deno.makeTempDir({ prefix: "tunebook-peer-" });
  try {
    const files = requests.map((_, i) => `${folder}/${i}.f32`);
    const asked = requests.map((request, i) => ({ ...request, logits: files[i] }));
    const answers = JSON.parse(await transformers.run(script, JSON.stringify(asked)));
    return answers.map((answer: Omit<PeerAnswer, "logits">, i: number) => ({
      ...answer,
      logits: new Float32Array(Deno.readFileSync(files[i]).buffer),
    }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
