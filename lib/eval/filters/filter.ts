/**
 * What a filter is: it reads a text and reports the places that it objects to. What becomes of the text is decided elsewhere.
 *
 * @module
 */

/** What a text is: what a person asks, before the model sees it, or what the model answers, before a person sees it. */
export type FilteredSide = "prompt" | "answer";

/** A place in a text that a filter objects to. */
export interface FilterFinding {
  /** The filter's name, such as `blockList`. */
  readonly filter: string;
  /** The index of its first UTF-16 code unit. */
  readonly start: number;
  /** One past the index of its last. */
  readonly end: number;
  /** Why, after "the prompt" or "the answer": `has an e-mail address`. It does not repeat what was found. */
  readonly reason: string;
  /** What is written in its place if it is masked, such as `[EMAIL]`. */
  readonly mask: string;
}

/** A filter, ready to read texts. */
export interface TextFilter {
  /** Its name in findings. */
  readonly name: string;
  /** All that its findings depend on, such as `personalData|kinds:email`. */
  readonly signature: string;
  /** What it reads. */
  readonly reads: readonly FilteredSide[];
  /** Whether its findings are parts of a text, which can be masked; otherwise they are the whole text. */
  readonly masks: boolean;
  /**
   * Reads a text.
   *
   * @param text The text.
   * @returns What it objects to, in the text's order, without overlaps.
   */
  find(text: string): FilterFinding[];
}

/** A row of the table of filters. */
export interface FilterKind {
  /** The name of its filters. */
  readonly name: string;
  /** What it objects to, in one line. */
  readonly summary: string;
  /** What it reads. */
  readonly reads: readonly FilteredSide[];
}
