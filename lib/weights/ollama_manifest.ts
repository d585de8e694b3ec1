/**
 * The manifest of a model in Ollama's store; loaded when one is read.
 *
 * @module
 */

import { z } from "zod";

const MANIFEST = z.object({
  layers: z.array(z.object({
    mediaType: z.string(),
    digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
    size: z.number().int().nonnegative(),
  })),
});

/** A file of a model: weights, template, parameters, … */
export type Layer = z.infer<typeof MANIFEST>["layers"][number];

/**
 * Reads a manifest.
 *
 * @param path The file.
 * @param cannot The start of an error's message.
 * @returns Its layers.
 * @throws {SyntaxError} If it is damaged.
 */
export async function readManifest(path: string, cannot: string): Promise<Layer[]> {
  let json: unknown;
  try {
    json = JSON.parse(await Deno.readTextFile(path));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new SyntaxError(`${cannot}: its manifest "${path}" is not JSON: ${cause.message}`);
  }
  const manifest = MANIFEST.safeParse(json);
  if (!manifest.success) {
    const { path: at, message } = manifest.error.issues[0];
    throw new SyntaxError(
      `${cannot}: its manifest "${path}" is damaged at "${at.join(".")}": ${message}`,
    );
  }
  return manifest.data.layers;
}
