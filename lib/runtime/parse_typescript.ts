// Parses TypeScript, with JSX if it does not parse without, as the kernel does.

import { parse, type ParserOptions } from "@babel/parser";

/** Options that all parsing of cells and their modules shares. */
const OPTIONS: ParserOptions = {
  sourceType: "module",
  // Cells export names that other cells declare.
  allowUndeclaredExports: true,
};

const PLUGINS: NonNullable<ParserOptions["plugins"]> = [
  "typescript",
  "decorators",
  "decoratorAutoAccessors",
];

/** What only JSX has: the end of an element. */
const ELEMENT_END = /<\/|\/>/;

/**
 * Parses TypeScript or TSX.
 *
 * @param source The text.
 * @param options Further options of Babel's parser.
 * @returns Babel's file.
 * @throws {SyntaxError} If the text is neither; the error is that of the language that it looks like.
 */
export function parseTypeScript(
  source: string,
  options: ParserOptions = {},
): ReturnType<typeof parse> {
  const all = { ...OPTIONS, ...options };
  const withJsx = () => parse(source, { ...all, plugins: [...PLUGINS, "jsx"] });
  // A parser that recovers from errors would not fail without JSX.
  if (all.errorRecovery && ELEMENT_END.test(source)) {
    try {
      return parse(source, { ...all, errorRecovery: false, plugins: PLUGINS });
    } catch {
      return withJsx();
    }
  }
  try {
    return parse(source, { ...all, plugins: PLUGINS });
  } catch (error) {
    if (error instanceof RangeError || !ELEMENT_END.test(source)) throw error;
    return withJsx();
  }
}

/**
 * Whether a text is TSX and not TypeScript.
 *
 * @param source The text.
 */
export function usesJsx(source: string): boolean {
  if (!ELEMENT_END.test(source)) return false;
  try {
    parse(source, { ...OPTIONS, plugins: PLUGINS });
    return false;
  } catch {
    return true;
  }
}
