/** One prompt at a time, and eight: how fast tokens come, beside Ollama with the same file. */

import { ollama } from "../../ollama.ts";
import { type Bar, type Case, type CaseOptions, ollamaServer, ours } from "../cases.ts";
import { type Measured, ratio } from "../harness.ts";

const NEW_TOKENS = 128;
const PROMPT = "Once upon a time";
const STORED = "Tunebook, as stored";
const F16 = "Tunebook, float16";
const F32 = "Tunebook, float32";

/** How much of a rate must be reached: as the file stores weights, and as float16. */
const SHARES = { [STORED]: 0.7, [F16]: 0.5 };

/**
 * Decoding with SmolLM2-135M's Q4_1 file, greedy; undefined without the file or Ollama. Ollama runs with one thread and
 * with one per core, and the faster counts.
 *
 * @param sequences How many texts are continued together
 * @param options The device and the file
 */
export function decodeCase(sequences: number, options: CaseOptions): Promise<Case | undefined> {
  const forms = { [STORED]: "stored", [F16]: "f16", [F32]: undefined };
  return decodeFileCase(sequences, "SmolLM2-135M Q4_1", options.smolLm2, forms, options);
}

/**
 * The same with Gemma 3 270M's Q4_K_M file, whose matrices are of four types, as it is stored.
 *
 * @param options The device and the file
 */
export function gemma3DecodeCase(options: CaseOptions): Promise<Case | undefined> {
  const forms = { [STORED]: "stored" };
  return decodeFileCase(1, "Gemma 3 270M Q4_K_M", options.gemma3, forms, options);
}

function decodeFileCase(
  sequences: number,
  model: string,
  file: string | undefined,
  forms: Readonly<Record<string, string | undefined>>,
  { device }: CaseOptions,
): Promise<Case | undefined> {
  if (!file || !ollama.found) return Promise.resolve(undefined);
  const cores = navigator.hardwareConcurrency;
  const peers = [1, ...cores > 1 ? [cores] : []].map((threads) => ({
    name: `Ollama, ${threads} thread${threads === 1 ? "" : "s"}`,
    threads,
  }));
  const mine = (name: string, quantize?: string) =>
    ours(name, { prepare: { device, ...(quantize && { quantize }) } });
  const what = sequences === 1 ? "one prompt" : `${sequences} prompts together`;
  return Promise.resolve({
    title: `Decoding ${NEW_TOKENS} tokens, ${what}, ${model}`,
    prepare: {
      case: "decode",
      file,
      prompts: Array.from({ length: sequences }, () => PROMPT),
      newTokens: NEW_TOKENS,
    },
    contestants: [
      ...Object.entries(forms).map(([name, quantize]) => mine(name, quantize)),
      ...peers.map(({ name, threads }) => ollamaServer(name, threads)),
    ],
    rounds: 5,
    rate: ({ median }: Measured) => `${(sequences * NEW_TOKENS / median).toFixed(0)} tokens/s`,
    bars: (of) => {
      const best = peers.map(({ name }) => of(name)).reduce((a, b) => a.median < b.median ? a : b);
      const limited = Object.entries(SHARES).filter(([name]) => name in forms);
      return limited.map(([name, limit]): Bar => ({
        what: `Decoding ${what}, ${model}, ${name.split(", ")[1]}, speed against Ollama's`,
        value: ratio(best, of(name)),
        kind: "at least",
        limit,
      }));
    },
  });
}
