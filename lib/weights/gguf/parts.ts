/**
 * GGUF files in parts, as llama.cpp's `llama-gguf-split` writes them: `NAME-00001-of-00003.gguf` and so on. The first has
 * the metadata, and each has its own table of tensors.
 *
 * @module
 */

const PART = /-(\d{5})-of-(\d{5})(\.gguf)$/i;

/**
 * The parts that a file's name says it has.
 *
 * @param path A file's path or name.
 * @returns All parts in order, the file itself among them; only the file if its name is not that of a part.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { partsOf } from "./parts.ts";
 *
 * assertEquals(partsOf("a-00002-of-00002.gguf"), ["a-00001-of-00002.gguf", "a-00002-of-00002.gguf"]);
 * ```
 */
export function partsOf(path: string): string[] {
  const [suffix, number, count, extension] = PART.exec(path) ?? [];
  if (suffix === undefined || Number(number) < 1 || Number(number) > Number(count)) return [path];
  const prefix = path.slice(0, -suffix.length);
  return Array.from(
    { length: Number(count) },
    (_, i) => `${prefix}-${String(i + 1).padStart(5, "0")}-of-${count}${extension}`,
  );
}

/**
 * A file's name without its part's number and its extension.
 *
 * @param name Such as `a-00001-of-00002.gguf`.
 * @returns Such as `a`.
 */
export function withoutPart(name: string): string {
  return name.replace(partsOf(name).length > 1 ? PART : /\.gguf$/i, "");
}
