// Writes a file beside its place and renames it, so that it is never seen half-written.

import { basename, dirname, join } from "@std/path";

/**
 * Writes a file whole or not at all; its folder is made where it is missing.
 *
 * @param path The file's path.
 * @param content Text (as UTF-8) or bytes.
 */
export async function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  const folder = dirname(path);
  await Deno.mkdir(folder, { recursive: true });
  const beside = join(folder, `.${basename(path)}.${crypto.randomUUID().slice(0, 8)}.tmp`);
  try {
    await Deno.writeFile(
      beside,
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    );
    await Deno.rename(beside, path);
  } catch (error) {
    await Deno.remove(beside).catch(() => {});
    throw error;
  }
}
