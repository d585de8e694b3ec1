/** What the benchmarks measure: the cases, who runs them, and what is worth telling beside the seconds. */

import { fromFileUrl } from "@std/path";
import { collate } from "../../lib/dataset/collate.ts";
import { type EncodedExample, encodeExamples } from "../../lib/dataset/encode.ts";
import { loadEntries } from "../../lib/dataset/load.ts";
import { splitEntries } from "../../lib/dataset/split.ts";
import { gpt2Tokenizer } from "../../lib/text/gpt2.ts";
import { findTestData } from "../support.ts";
import type { Contestant, Measured } from "./harness.ts";

/** The sizes that peer.py makes. */
export type Size = "tiny" | "small" | "medium";

/** The names of the cases. */
export type CaseName = "gemm" | "step" | "generate";

/** A case: a request to prepare, contestants, and how its results are told. */
export interface Case {
  /** Its name on the command line. */
  readonly name: CaseName;
  /** What it is, for the table. */
  readonly title: string;
  /** Options that each contestant gets. */
  readonly prepare: Record<string, unknown>;
  /** Who runs it; PyTorch, where it is, comes last. */
  readonly contestants: readonly Contestant[];
  /** How often each runs, where not told otherwise: enough for a median, few enough to wait for. */
  readonly rounds: number;
  /** A rate for the table, as "300 GFLOP/s". */
  rate(measured: Measured): string;
  /** A sentence on whether the contestants computed the same. */
  agreement(ours: Measured, peer: Measured): string;
}

/** What the cases are made from. */
export interface CaseOptions {
  /** The model's size. */
  size: Size;
  /** The folder of that model's weights. */
  model: string;
  /** The Python with PyTorch; without it only ours runs. */
  python?: string;
}

const BATCHES = 3;
const BATCH_SIZE = 8;
const NEW_TOKENS = 64;
const GEMM_SIZE = 1024;

/** The program that runs this library. */
export function ours(name: string, env: Record<string, string> = {}): Contestant {
  const script = fromFileUrl(import.meta.resolve("./ours.ts"));
  return { name, command: [Deno.execPath(), "run", "-A", script], env };
}

/** The program that runs PyTorch. */
export function pyTorch(python: string): Contestant {
  return {
    name: "PyTorch",
    command: [python, fromFileUrl(import.meta.resolve("./peer.py")), "serve"],
  };
}

/** The training part of the instruction data for measuring, or of the embedded data without it. */
async function trainingExamples(): Promise<EncodedExample[]> {
  const outside = findTestData();
  const path = outside.found
    ? `${outside.path}/instruction-data.json`
    : fromFileUrl(import.meta.resolve("../../data/instructions/instruction-data.json"));
  return encodeExamples(splitEntries(await loadEntries(path)).train, gpt2Tokenizer());
}

/** Rows of a flat (B, T) array, as JSON holds them. */
function rowsOf(values: Int32Array, length: number): number[][] {
  const rows: number[][] = [];
  for (let i = 0; i < values.length; i += length) rows.push([...values.subarray(i, i + length)]);
  return rows;
}

/** Makes the cases asked for. */
export async function makeCases(
  names: readonly CaseName[],
  { size, model, python }: CaseOptions,
): Promise<Case[]> {
  const peers = python === undefined ? [] : [pyTorch(python)];
  const examples = names.some((name) => name !== "gemm") ? await trainingExamples() : [];
  const makers: Record<CaseName, () => Case> = {
    gemm: () => ({
      name: "gemm",
      title: `Matrix product, ${GEMM_SIZE}³`,
      prepare: { case: "gemm", n: GEMM_SIZE },
      contestants: [
        ours("Tunebook, BLAS"),
        ours("Tunebook, WASM", { TUNEBOOK_BLAS: "none" }),
        ...peers,
      ],
      rounds: 15,
      rate: ({ median }) => `${(2 * GEMM_SIZE ** 3 / median / 1e9).toFixed(0)} GFLOP/s`,
      agreement: () => "",
    }),
    step: () => {
      const batches = Array.from(
        { length: BATCHES },
        (_, i) => examples.slice(i * BATCH_SIZE, (i + 1) * BATCH_SIZE),
      );
      const padded = batches.map((batch) => collate(batch));
      const tokens = padded.reduce((sum, batch) => sum + batch.tokensPadded, 0) / BATCHES;
      return {
        name: "step",
        title: `Training step, GPT-2 ${size}, batch of ${BATCH_SIZE}`,
        prepare: {
          case: "step",
          model,
          examples: batches,
          batches: padded.map(({ inputs, targets, length }) => ({
            tokens: rowsOf(inputs, length),
            targets: rowsOf(targets, length),
          })),
          lr: 5e-5,
          weightDecay: 0.1,
        },
        contestants: [ours("Tunebook"), ...peers],
        rounds: 5,
        rate: ({ median }) => `${(tokens / median).toFixed(0)} padded tokens/s`,
        agreement: (ours, peer) => {
          const differences = ours.runs.map(({ loss }, i) =>
            Math.abs(Number(loss) / Number(peer.runs[i].loss) - 1)
          );
          return `losses differ by at most ${Math.max(...differences).toExponential(1)}, relative`;
        },
      };
    },
    generate: () => ({
      name: "generate",
      title: `Generation, GPT-2 ${size}, ${NEW_TOKENS} tokens, greedy`,
      prepare: { case: "generate", model, prompt: examples[0].promptIds, newTokens: NEW_TOKENS },
      contestants: [ours("Tunebook"), ...peers],
      rounds: 5,
      rate: ({ median }) => `${(NEW_TOKENS / median).toFixed(1)} tokens/s`,
      agreement: (ours, peer) => {
        const mine = ours.runs[0].ids as number[], theirs = peer.runs[0].ids as number[];
        const same = mine.findIndex((id, i) => id !== theirs[i]);
        return same === -1 ? "the same tokens" : `the first ${same} tokens are the same`;
      },
    }),
  };
  return names.map((name) => makers[name]());
}
