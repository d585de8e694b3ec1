// All output to a terminal passes through here: text from notebooks, models and servers is
// untrusted and may contain sequences that move the cursor, set the window's title, write to the
// clipboard or reverse text.

/** Sequences that colour text or move the cursor, which have no meaning as text. */
// deno-lint-ignore no-control-regex
const SEQUENCES = /\x1b\[[0-?]*[ -/]*[@-~]/g;
/**
 * Control characters other than tab and newline, including ISO 6429's second set, and characters
 * that reorder text.
 */
// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]|\p{Bidi_Control}/gu;

/**
 * Makes a text safe to print: removes colours and shows other control characters as JSON escapes,
 * so that a printed JSON document keeps its meaning.
 *
 * @param text Any text.
 * @returns The text, without control characters except tabs and newlines.
 */
export function printable(text: string): string {
  return text.replace(SEQUENCES, "").replaceAll("\r\n", "\n").replace(
    CONTROLS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Makes all logging of this process pass through {@linkcode printable}. */
export function filterConsole(): void {
  for (const name of ["log", "error", "warn", "info"] as const) {
    const native = console[name];
    console[name] = (...values: unknown[]) =>
      native(
        ...values.map((value) =>
          printable(typeof value === "string" ? value : Deno.inspect(value))
        ),
      );
  }
}
