/** Random weights of real sizes, as Hugging Face writes them; PyTorch makes each once, in `.cache/bench/`. */

import { dirname, fromFileUrl, join } from "@std/path";
import type { Size } from "./cases.ts";

const SEED = 123;

/**
 * The folder of a size's random weights.
 *
 * @param size The model's size
 * @param python The Python with PyTorch and transformers, for the first time
 * @returns A folder with `config.json` and `model.safetensors`
 * @throws {Error} If there are no weights yet and no Python to make them
 */
export async function randomWeights(size: Size, python: string | undefined): Promise<string> {
  const root = join(dirname(fromFileUrl(import.meta.url)), "..", "..");
  const folder = join(root, ".cache", "bench", `gpt2-${size}-${SEED}`);
  try {
    await Deno.stat(join(folder, "model.safetensors"));
    return folder;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  if (python === undefined) {
    throw new Error(`Cannot make weights in "${folder}": TUNEBOOK_PYTHON names no PyTorch`);
  }
  const part = `${folder}.part`;
  await Deno.mkdir(part, { recursive: true });
  const script = fromFileUrl(import.meta.resolve("./peer.py"));
  const { success, stderr } = await new Deno.Command(python, {
    args: [script, "make", part, size, `${SEED}`],
  }).output();
  if (!success) throw new Error(`Cannot make weights: ${new TextDecoder().decode(stderr)}`);
  await Deno.rename(part, folder);
  return folder;
}
