/** What the benchmarks need besides programs: weights, made once in `.cache/bench/`. */

import { dirname, fromFileUrl, join } from "@std/path";
import type { InstructionEntry } from "../../lib/dataset/mod.ts";
import { loadNetwork, saveNetwork } from "../../lib/model/mod.ts";
import { pick } from "../../lib/tensor/pick.ts";
import { Random } from "../../lib/random.ts";
import { openTokenizer, saveTokenizer, type Tokenizer } from "../../lib/text/mod.ts";
import { resolveModel } from "../../lib/weights/mod.ts";

/** The sizes of GPT-2 that peer.py makes. TinyLlama's is made by {@linkcode randomTinyLlama}. */
export type Size = "tiny" | "small" | "medium";

const SEED = 123;
const TEXTS = 52_000;

/** Takes the place of MKL's own function, and counts how often it is asked. */
const INTEL = `static int asked;
int mkl_serv_intel_cpu_true(void) { asked++; return 1; }
int tunebook_asked(void) { return asked; }
`;

const cache = join(dirname(fromFileUrl(import.meta.url)), "..", "..", ".cache", "bench");

/**
 * The folder of a GPT-2 with random weights, as Hugging Face writes it.
 *
 * @param size The model's size
 * @param python The Python with PyTorch and transformers, for the first time
 * @returns A folder with `config.json` and `model.safetensors`
 * @throws {Error} If there are no weights yet and no Python to make them
 */
export async function randomWeights(size: Size, python: string | undefined): Promise<string> {
  return await randomModel(`gpt2-${size}-${SEED}`, size, python);
}

/**
 * The folder of a Llama with TinyLlama's 1.1 billion weights, at random, in bfloat16.
 *
 * @param python The Python with PyTorch and transformers, for the first time
 * @returns A folder with `config.json` and `model.safetensors`
 * @throws {Error} If there are no weights yet and no Python to make them
 */
export async function randomTinyLlama(python: string | undefined): Promise<string> {
  return await randomModel(`tinyllama-${SEED}`, "tinyllama", python);
}

function randomModel(name: string, size: string, python: string | undefined): Promise<string> {
  return madeOnce(name, "model.safetensors", async (folder) => {
    if (python === undefined) {
      throw new Error(`Cannot make weights in "${folder}": TUNEBOOK_PYTHON names no PyTorch`);
    }
    const script = fromFileUrl(import.meta.resolve("./peer.py"));
    await run(python, [script, "make", folder, size, `${SEED}`]);
  });
}

/**
 * 52,000 texts as long as Alpaca's, for encoding, and a tokenizer in Hugging Face's form.
 *
 * @param path SmolLM2's GGUF file, which holds the tokenizer
 * @param entries What the texts are made from: each is taken in turn, with one word of 20 misspelt, so that they differ
 * @returns The paths of a file of texts and of the folder with `tokenizer.json`; undefined without the GGUF file
 */
export async function textsToEncode(
  path: string | undefined,
  entries: readonly InstructionEntry[],
): Promise<{ texts: string; folder: string } | undefined> {
  if (!path) return undefined;
  const folder = await madeOnce("encode", "texts.json", async (part) => {
    await saveTokenizer(await openTokenizer(await resolveModel(path)), part);
    const random = new Random(SEED);
    const misspell = (word: string) => {
      if (random.float() >= 0.05) return word;
      const at = random.integer(word.length - 1);
      return word.slice(0, at) + word[at + 1] + word[at] + word.slice(at + 2);
    };
    const texts = Array.from({ length: TEXTS }, (_, i) => {
      const { instruction, input, output } = entries[i % entries.length];
      return `${instruction}\n${input}\n${output}`.replaceAll(/[a-z]{4,}/g, misspell);
    });
    await Deno.writeTextFile(join(part, "texts.json"), JSON.stringify(texts));
  });
  return { texts: join(folder, "texts.json"), folder };
}

/**
 * SmolLM2 in Hugging Face's layout with its weights widened, so that both sides compute on the same.
 *
 * @param path Its GGUF file, if there is one
 * @returns Folder and tokenizer; undefined without a file
 */
export async function openSmolLm2(
  path: string | undefined,
): Promise<{ folder: string; tokenizer: Tokenizer } | undefined> {
  if (!path) return undefined;
  const folder = await madeOnce("smollm2-135m", "model.safetensors", async (part) => {
    const { network: model } = await loadNetwork(path, { device: await pick({ device: "cpu" }) });
    await saveNetwork(model, part);
    for (const tensor of model.parameters.values()) tensor.dispose();
  });
  return { folder, tokenizer: await openTokenizer(await resolveModel(path)) };
}

/**
 * The environment in which MKL takes the kernels that it has for Intel's processors on AMD's too: a library that says
 * so in its place.
 *
 * @param python The Python whose PyTorch is to be asked whether it does
 * @returns Environment variables; undefined without PyTorch or a C compiler, or where it would change nothing
 */
export async function intelKernels(
  python: string | undefined,
): Promise<Record<string, string> | undefined> {
  if (python === undefined) return undefined;
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") return undefined;
  if (!(await Deno.readTextFile("/proc/cpuinfo")).includes("AuthenticAMD")) return undefined;
  try {
    const folder = await madeOnce("intel-kernels-counted", "intel.so", async (part) => {
      const source = join(part, "intel.c");
      await Deno.writeTextFile(source, INTEL);
      await run("cc", ["-shared", "-fPIC", "-o", join(part, "intel.so"), source]);
    });
    const env = { LD_PRELOAD: join(folder, "intel.so") };
    return await asksForIntel(python, env) ? env : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Whether a PyTorch's MKL asks a preloaded library for the processor's maker. A library that cannot be preloaded, or that
 * nobody asks, is otherwise silently ignored.
 *
 * @param python The Python with PyTorch
 * @param env The environment that preloads the library, as {@link intelKernels} gives it
 */
export async function asksForIntel(python: string, env: Record<string, string>): Promise<boolean> {
  const script = fromFileUrl(import.meta.resolve("./peer.py"));
  return (await run(python, [script, "intel"], env)).trim() === "True";
}

async function madeOnce(
  name: string,
  file: string,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(cache, name);
  try {
    await Deno.stat(join(folder, file));
    return folder;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const part = `${folder}.part`;
  await Deno.mkdir(part, { recursive: true });
  await make(part);
  await Deno.rename(part, folder);
  return folder;
}

async function run(program: string, args: string[], env?: Record<string, string>): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, env }).output();
  if (!success) throw new Error(`"${program}" failed: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
