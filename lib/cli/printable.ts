// What reaches a terminal passes here: notebooks, models and servers are strangers' and may hold what
// moves the cursor, names the window, fills the clipboard or turns text around.

/** Sequences that colour text or move the cursor: they say nothing. */
// deno-lint-ignore no-control-regex
const SEQUENCES = /\x1b\[[0-?]*[ -/]*[@-~]/g;
/** Control characters other than tab and newline, those of ISO 6429's second set included, and those that reorder text. */
// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]|\p{Bidi_Control}/gu;

/**
 * Makes a text safe to print: colours are dropped, and other control characters are shown as JSON
 * escapes them, so that a printed JSON document keeps its meaning.
 *
 * @param text Any text.
 * @returns The text, without a control character but tabs and newlines.
 */
export function printable(text: string): string {
  return text.replace(SEQUENCES, "").replaceAll("\r\n", "\n").replace(
    CONTROLS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Lets all that this process logs pass {@linkcode printable}. */
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
