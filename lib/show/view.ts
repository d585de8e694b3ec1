// The result of the functions in this room: a value that Jupyter shows as the last value of a cell.

/** The method that the Deno kernel calls to show a value. */
export const jupyterDisplay: unique symbol = Symbol.for("Jupyter.display") as never;

const customInspect: unique symbol = Symbol.for("Deno.customInspect") as never;

/** The same content in several formats, by MIME type. JSON types have objects, others text. */
export interface MimeBundle {
  /** Text for terminals and screen readers. */
  "text/plain": string;
  /** HTML for notebooks and reports. */
  "text/html"?: string;
  /** Markdown, if there is no HTML. */
  "text/markdown"?: string;
  /** Any other MIME type. */
  [mimeType: string]: string | object | undefined;
}

/**
 * A picture, table or other view. The last value of a cell is shown automatically; elsewhere,
 * `await Deno.jupyter.display(view)` shows it. On a console its text alternative is printed.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { View } from "tunebook/show";
 *
 * const view = new View(() => ({ "text/html": "<b>Done</b>", "text/plain": "Done" }));
 * assertEquals(view.text, "Done");
 * ```
 */
export class View {
  readonly #make: () => MimeBundle;
  #bundle: MimeBundle | undefined;

  /**
   * Creates a view.
   *
   * @param make Creates the bundle; called at most once, when the view is shown.
   */
  constructor(make: () => MimeBundle) {
    this.#make = make;
  }

  /** All formats of this view. */
  get bundle(): MimeBundle {
    return this.#bundle ??= this.#make();
  }

  /** The HTML of this view: self-contained, and complete without scripts. */
  get html(): string {
    return this.bundle["text/html"] ?? "";
  }

  /** The text alternative. */
  get text(): string {
    return this.bundle["text/plain"];
  }

  /** Called by the Deno kernel. @returns All formats of this view. */
  [jupyterDisplay](): MimeBundle {
    return this.bundle;
  }

  /** Called by `console.log`. @returns The text alternative. */
  [customInspect](): string {
    return this.text;
  }

  /**
   * Returns the view as text.
   *
   * @returns The text alternative.
   */
  toString(): string {
    return this.text;
  }
}
