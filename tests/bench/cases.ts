/** What the benchmarks measure. Each case has programs that take turns, and bars that its results must clear. */

import { fromFileUrl } from "@std/path";
import type { DeviceKind } from "../../lib/tensor/mod.ts";
import { answersCase, encodeCase, importCase, startCase } from "./cases/answers.ts";
import { decodeCase, gemma3DecodeCase } from "./cases/decode.ts";
import { gradingCase } from "./cases/grading.ts";
import { kernelCase, troublesCase } from "./cases/kernel.ts";
import { jaxMatmulCase, matmulCase, webGpuMatmulCase } from "./cases/matmul.ts";
import { adapterStepCase, gpt2StepCase, smolLm2StepCase } from "./cases/training.ts";
import type { Contestant, Measured } from "./harness.ts";
import type { Size } from "./weights.ts";

/** What a result must be, as in "≤ 0.5×". */
export interface Bar {
  /** What is compared. */
  readonly what: string;
  /** The result. */
  readonly value: number;
  /** Whether it must not be above or not be below `limit`. */
  readonly kind: "at most" | "at least";
  readonly limit: number;
  /** What the number is; a ratio unless told. */
  readonly unit?: "×" | "s" | "ms" | "%";
}

/** Whether the contestants computed the same. */
export interface Agreement {
  /** In words, for the table. */
  readonly text: string;
  readonly holds: boolean;
}

/** A case: a request to prepare, contestants, and how its results are told. */
export interface Case {
  /** What it is, for the table. */
  readonly title: string;
  /** Options that each contestant gets, besides its own. */
  readonly prepare: Record<string, unknown>;
  /** The program that runs it. */
  readonly contestants: readonly Contestant[];
  /** How often each runs, where not told otherwise: enough for a median, few enough to wait for. */
  readonly rounds: number;
  /** How often each runs uncounted before; once unless told. */
  readonly warmUps?: number;
  /** A rate for the table, as "300 GFLOP/s". */
  rate(measured: Measured): string;
  /** What must hold; of contestants by name. */
  bars(measured: (name: string) => Measured): Bar[];
  /** Whether the contestants computed the same; of contestants by name. */
  agreement?(measured: (name: string) => Measured): Agreement;
}

/** What the cases are made from. */
export interface CaseOptions {
  /** The device of training and answering. */
  readonly device: DeviceKind;
  /** The size of the GPT-2. */
  readonly size: Size;
  /** The Python with PyTorch; without it only this library runs. */
  readonly python?: string;
  /** The GGUF file of SmolLM2-135M-Instruct. */
  readonly smolLm2?: string;
  /** A GGUF file of Gemma 3 270M, Q4_K_M. */
  readonly gemma3?: string;
}

/** Cases by their names on the command line, in the table's order; undefined where something that one needs is missing. */
export const CASES: Readonly<Record<string, (options: CaseOptions) => Promise<Case | undefined>>> =
  {
    step: (options) => gpt2StepCase("forest", options),
    padded: (options) => gpt2StepCase("padded", options),
    unshared: (options) => gpt2StepCase("unshared", options),
    mkl: (options) => gpt2StepCase("mkl", options),
    bfloat16: (options) => gpt2StepCase("bfloat16", options),
    compiled: (options) => gpt2StepCase("compiled", options),
    smollm2: smolLm2StepCase,
    lora: (options) => adapterStepCase("lora", options),
    qlora: (options) => adapterStepCase("qlora", options),
    "qlora-bfloat16": (options) => adapterStepCase("qlora-bfloat16", options),
    encode: encodeCase,
    answers: answersCase,
    decode: (options) => decodeCase(1, options),
    decode8: (options) => decodeCase(8, options),
    gemma3: gemma3DecodeCase,
    import: importCase,
    start: startCase,
    blas: matmulCase,
    wasm: jaxMatmulCase,
    webgpu: webGpuMatmulCase,
    kernel: kernelCase,
    troubles: troublesCase,
    grading: gradingCase,
  };

const script = (name: string) => fromFileUrl(import.meta.resolve(name));

/** The program that runs this library. */
export function ours(name = "Tunebook", more: Partial<Contestant> = {}): Contestant {
  return { name, command: [Deno.execPath(), "run", "-A", script("./ours.ts")], ...more };
}

/** The program that runs jax-js. */
export function jaxJs(backend: "wasm" | "webgpu"): Contestant {
  return {
    name: "jax-js",
    command: [Deno.execPath(), "run", "-A", script("./jax_js.ts")],
    prepare: { backend },
  };
}

/** The program that asks an Ollama of its own. */
export function ollamaServer(name: string, threads: number): Contestant {
  return {
    name,
    command: [Deno.execPath(), "run", "-A", script("./ollama.ts")],
    prepare: { threads },
  };
}

/** The program that starts Jupyter kernels and measures them as a client. */
export function kernel(name: string, which: "ours" | "stock"): Contestant {
  return {
    name,
    command: [Deno.execPath(), "run", "-A", script("./kernel.ts")],
    prepare: { kernel: which },
  };
}

/** The program that does nothing but fused multiply-adds. */
export function peak(): Contestant {
  return {
    name: "Multiply-adds only",
    command: [Deno.execPath(), "run", "-A", script("./fma_peak.ts")],
  };
}

/** The program that runs PyTorch; none without a Python. */
export function pyTorch(
  python: string | undefined,
  name = "PyTorch",
  more: Partial<Contestant> = {},
): Contestant[] {
  if (python === undefined) return [];
  return [{ name, command: [python, script("./peer.py"), "serve"], ...more }];
}
