/**
 * Ends a text at the first of several strings, while it is generated.
 *
 * @module
 */

/**
 * The part of a text before the first stop string.
 *
 * @param text The text.
 * @param strings The strings.
 * @returns All of it if it contains none.
 */
export function beforeStop(text: string, strings: readonly string[]): string {
  const stop = new StopStrings(strings);
  return stop.push(text) + stop.end();
}

/**
 * Passes text on up to the first stop string. What may become the beginning of one is held back until it is known.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { StopStrings } from "./stop_strings.ts";
 *
 * const stop = new StopStrings(["END"]);
 * assertEquals([stop.push("one E"), stop.push("G, ENDED")], ["one ", "EG, "]);
 * assertEquals(stop.stopped, true);
 * ```
 */
export class StopStrings {
  readonly #strings: readonly string[];
  #held = "";
  #stopped = false;

  /** @param strings The strings; empty ones end nothing. */
  constructor(strings: readonly string[]) {
    this.#strings = strings.filter((string) => string !== "");
  }

  /** Whether a stop string was found. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /**
   * Takes more text.
   *
   * @param text The text.
   * @returns The text that certainly precedes a stop string; possibly empty.
   */
  push(text: string): string {
    if (this.#stopped) return "";
    const all = this.#held + text;
    const found = this.#strings.map((string) => all.indexOf(string)).filter((at) => at >= 0);
    if (found.length > 0) {
      this.#stopped = true;
      this.#held = "";
      return all.slice(0, Math.min(...found));
    }
    const safe = all.length - this.#unsure(all);
    this.#held = all.slice(safe);
    return all.slice(0, safe);
  }

  /** Ends the text: gives what was held back. */
  end(): string {
    const rest = this.#held;
    this.#held = "";
    return rest;
  }

  /** Length of the longest end of a text that begins a stop string. */
  #unsure(text: string): number {
    const longest = Math.max(0, ...this.#strings.map(({ length }) => length - 1));
    for (let length = Math.min(longest, text.length); length > 0; length--) {
      const end = text.slice(-length);
      if (this.#strings.some((string) => string.startsWith(end))) return length;
    }
    return 0;
  }
}
