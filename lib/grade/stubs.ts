/**
 * What replaces an answer in a released notebook, by the language of its kernel.
 *
 * @module
 */

import type { Notebook } from "../runtime/notebook.ts";

/** What stands in a released notebook in place of an answer. */
export interface Stubs {
  /** In code, a statement that fails when it runs. */
  readonly code: string;
  /** In text. */
  readonly text: string;
}

/** The stubs of a Deno notebook; the text is nbgrader's. */
export const STUBS: Stubs = {
  code: '// YOUR CODE HERE\nthrow new Error("Not implemented");',
  text: "YOUR ANSWER HERE",
};

/** nbgrader's stubs of code by language, and this library's for TypeScript, of which nbgrader has none. */
export const CODE_STUBS: Readonly<Record<string, string>> = {
  typescript: STUBS.code,
  python: "# YOUR CODE HERE\nraise NotImplementedError()",
  R: "# YOUR CODE HERE\nfail()",
  matlab: "% YOUR CODE HERE\nerror('No Answer Given!')",
  octave: "% YOUR CODE HERE\nerror('No Answer Given!')",
  sas: "/* YOUR CODE HERE */\n %notImplemented;",
  java: "// YOUR CODE HERE",
};

/**
 * Chooses the stubs of a notebook.
 *
 * @param notebook The notebook.
 * @param own The course's own stubs: of text, and of code by language.
 * @returns The stubs of the notebook's language.
 * @throws {RangeError} If there is none for it.
 */
export function stubsFor(
  notebook: Notebook,
  own: { readonly code?: Readonly<Record<string, string>>; readonly text?: string } = {},
): Stubs {
  const stubs = { ...CODE_STUBS, ...own.code };
  const language = languageOf(notebook);
  const code = Object.hasOwn(stubs, language) ? stubs[language] : undefined;
  if (code === undefined) {
    throw new RangeError(
      `Cannot release a notebook in "${language}": there is no stub for it; ` +
        `expected one of ${Object.keys(stubs).map((name) => `"${name}"`).join(", ")}`,
    );
  }
  return { code, text: own.text ?? STUBS.text };
}

/** The notebook's language, also where its kernelspec does not name it. */
function languageOf({ metadata: { kernelspec, language_info } }: Notebook): string {
  const named = kernelspec?.language ?? language_info?.name;
  if (typeof named === "string") return named === "javascript" ? "typescript" : named;
  return /^(?:python|ipython)/i.test(kernelspec?.name ?? "") ? "python" : "typescript";
}
