/**
 * Names of files as students and course systems write them: how they are shown, compared, and made safe to write.
 *
 * @module
 */

/** The longest name that is written, in UTF-8 bytes; file systems allow 255. */
const MAX_BYTES = 120;

/** Names that Windows keeps for devices, with any extension. */
const DEVICES = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i;

/**
 * Makes a name that is one path component on Linux, macOS and Windows, and that reads as what it is.
 *
 * @param name Any text; separators are not interpreted.
 * @returns Letters, digits, spaces and `_ . - ( ) @ + ,`, in Unicode's composed form; safe names stay as they are.
 */
export function safeFileName(name: string): string {
  const plain = name.toWellFormed().normalize("NFC")
    .replace(/[^\p{L}\p{M}\p{N} _.()@+,-]+/gu, "_")
    .replace(/^[. ]+|[. ]+$/g, "_");
  const named = plain === "" ? "_" : DEVICES.test(plain) ? `_${plain}` : plain;
  const extension = /\.[A-Za-z0-9]{1,10}$/.exec(named)?.[0] ?? "";
  let stem = named.slice(0, named.length - extension.length);
  const bytes = (text: string) => new TextEncoder().encode(text).length;
  if (bytes(stem) + extension.length > MAX_BYTES) {
    const letters = [...stem];
    while (bytes(letters.join("")) + extension.length > MAX_BYTES) letters.pop();
    stem = letters.join("").replace(/[. ]+$/, "_");
  }
  return stem + extension;
}

/**
 * What two names have in common that are one file on some system: without case, in one Unicode form.
 *
 * @param name A name.
 * @returns The text to compare.
 */
export function nameKey(name: string): string {
  return name.normalize("NFKC").toLowerCase().normalize("NFC");
}

/**
 * Splits a path as it stands in an archive, where Windows' separators occur too.
 *
 * @param path The path.
 * @returns Its components, and why it must not be used: it is absolute, or leads out of its folder.
 */
export function splitPath(path: string): { components: string[]; fault?: string } {
  const parts = path.split(/[/\\]/);
  const components = parts.filter((part) => part !== "" && part !== ".");
  if (parts[0] === "" || /^[A-Za-z]:/.test(path)) {
    return { components, fault: "its path is absolute" };
  }
  if (components.some((part) => /^\.\.[. ]*$/.test(part))) {
    return { components, fault: "its path leads out of the folder" };
  }
  return { components };
}

/**
 * Writes somebody else's name for a person to read: in quotation marks, without control characters, and not too long.
 *
 * @param name The name.
 * @returns Such as `"week1.ipynb"`.
 */
export function quoted(name: string): string {
  const short = name.length > 160 ? `${name.slice(0, 159)}…` : name;
  return JSON.stringify(short.toWellFormed()).replace(
    /[\x7f-\x9f]|\p{Cf}|[\u2028\u2029]/gu,
    (letter) => `\\u{${letter.codePointAt(0)!.toString(16)}}`,
  );
}

/** Whether a file was put there by a program that nobody asked: it is not part of a submission. */
export function isDropping(components: readonly string[]): boolean {
  return components.some((part) =>
    /^(?:__MACOSX|\.DS_Store|\._.*|Thumbs\.db|desktop\.ini|\.ipynb_checkpoints|\.virtual_documents|\.git|\.gitignore|\.gitattributes|\.github|\.vscode|\.idea|__pycache__|node_modules|~\$.*)$/i
      .test(part)
  );
}
