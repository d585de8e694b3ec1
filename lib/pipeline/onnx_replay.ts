/**
 * Replaying prompts through an ONNX file in onnxruntime, where this machine has it.
 *
 * @module
 */

import { join } from "@std/path/join";
import { makeOwnTempDir } from "../own_temp.ts";
import program from "./onnx_replay.js" with { type: "text" };

/** What onnxruntime computed. */
export interface Replayed {
  /** Of each prompt the logits of all tokens, then those of its second half. */
  readonly logits: Float32Array;
  /** onnxruntime's version. */
  readonly version: string;
}

/** Whichever version Deno's cache holds. */
const RUNTIME = "npm:onnxruntime-node";

/** The exit code of the program where onnxruntime is not there. */
const ABSENT = 3;

/**
 * Runs prompts through an ONNX file: each at once, then again in two halves, of which the second has the first one's keys
 * and values.
 *
 * It runs in a process of its own, with the `onnxruntime-node` that Deno's cache holds: nothing is downloaded.
 *
 * @param path The file.
 * @param prompts Tokens, at least two of each.
 * @param heads Heads of keys, and elements of each.
 * @returns The logits; undefined where there is no onnxruntime, or no process may be started.
 * @throws {Error} If it cannot run the file; the message is onnxruntime's.
 */
export async function replayOnnx(
  path: string,
  prompts: readonly (readonly number[])[],
  { heads, width }: { heads: number; width: number },
): Promise<Replayed | undefined> {
  const folder = await makeOwnTempDir("tunebook-onnx-");
  try {
    const out = join(folder, "logits");
    await Deno.writeFile(out, new Uint8Array());
    const description = JSON.stringify({ prompts, shape: [1, heads, 0, width] });
    const args = ["eval", "--no-config", "--no-lock", "--cached-only", "--quiet"];
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...args, program, RUNTIME, path, out, description],
      stdin: "null",
    }).output();
    if (code === ABSENT) return;
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
    if (code !== 0) throw new Error(`onnxruntime does not run it: ${text(stderr)}`);
    const { buffer } = await Deno.readFile(out);
    return { logits: new Float32Array(buffer), version: text(stdout) };
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return;
    throw error;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
