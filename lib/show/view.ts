// What every function of this room returns: something that Jupyter can show as the last value of a cell.

/** The method by which the Deno kernel asks a value how it wants to be shown. */
export const jupyterDisplay: unique symbol = Symbol.for("Jupyter.display") as never;

const customInspect: unique symbol = Symbol.for("Deno.customInspect") as never;

/** The same content in several formats, keyed by MIME type. JSON types hold objects, others text. */
export interface MimeBundle {
  /** Text for terminals and screen readers. */
  "text/plain": string;
  /** HTML for notebooks and reports. */
  "text/html"?: string;
  /** Markdown, where there is no HTML. */
  "text/markdown"?: string;
  /** Any other MIME type. */
  [mimeType: string]: string | object | undefined;
}

/**
 * A picture, table or other view. As the last value of a cell it shows itself; earlier in a cell,
 * `await Deno.jupyter.display(view)` shows it; printed on a console it is its text alternative.
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
   * Makes a view.
   *
   * @param make Makes the bundle, called at most once and only when the view is looked at.
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
   * Gives the view as text.
   *
   * @returns The text alternative.
   */
  toString(): string {
    return this.text;
  }
}
