/**
 * What a check of a GPU found: a part per question, each with rows of a table, and the messages by which a part's process
 * reports them.
 *
 * @module
 */

/** A value in a table. */
export type Cell = string | number;

/** What a part's process prints, a JSON line each. */
export type GpuMessage =
  /** What it begins with now, to be named if it does not return. */
  | { readonly kind: "doing"; readonly what: string }
  /** A row of its table. */
  | { readonly kind: "row"; readonly cells: Readonly<Record<string, Cell>> }
  /** A sentence about it. */
  | { readonly kind: "note"; readonly text: string }
  /** It ends with an error. */
  | { readonly kind: "failed"; readonly reason: string }
  /** It is complete. */
  | { readonly kind: "done" };

/** What a part found. */
export interface GpuPartResult {
  /** Its name, such as `"operations"`. */
  readonly name: string;
  /** Its heading. */
  readonly title: string;
  /** Its table. */
  readonly rows: readonly Readonly<Record<string, Cell>>[];
  /** Sentences about it. */
  readonly notes: readonly string[];
  /** Why it is not complete; undefined if it is. */
  readonly failure?: string;
  /** How long it took. */
  readonly seconds: number;
}

/** What a check of a GPU found. */
export interface GpuReport {
  /** The adapter's name. */
  readonly adapter: string;
  /** Whether it computes on the CPU. */
  readonly software: boolean;
  /** The version of Deno, and the system. */
  readonly system: string;
  /** The parts, in order. */
  readonly parts: readonly GpuPartResult[];
  /** How long all parts took. */
  readonly seconds: number;
}
