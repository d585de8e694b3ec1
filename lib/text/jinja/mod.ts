/**
 * Jinja as chat templates use it, rendered as Python's jinja2 renders it in transformers. `@huggingface/jinja` reads the
 * syntax; this room closes the gaps between its results and jinja2's.
 *
 * @module
 */

import { parse } from "@huggingface/jinja";
import { evaluate, type Node, type Written } from "./evaluate.ts";
import { GENERATION_VARIABLE, type Token, tokensOf } from "./source.ts";
import { fromJavaScript, type Value } from "./values.ts";

export { BudgetError, type Written } from "./evaluate.ts";
export { type Arguments, rangeOf, TemplateError, text } from "./values.ts";

/** A template that was read. */
export interface CompiledTemplate {
  /** Whether it has `{% generation %}`, which marks what an assistant said. */
  readonly isMarked: boolean;
  /**
   * Renders it.
   *
   * @param variables What it may use: JSON-like data, and functions of {@linkcode Arguments}.
   * @returns The text.
   * @throws {TemplateError} Where jinja2 or Python would throw.
   * @throws {BudgetError} Where it takes too many steps or writes too much.
   */
  render(variables: Readonly<Record<string, unknown>>): string;
  /** The same, with what of the text is marked. */
  renderMarked(variables: Readonly<Record<string, unknown>>): Written;
}

/**
 * Reads a template, with `trim_blocks` and `lstrip_blocks` as transformers has them.
 *
 * @param source Its text.
 * @returns What renders it.
 * @throws {SyntaxError} If the template cannot be parsed.
 */
export function compileTemplate(source: string): CompiledTemplate {
  const tokens = tokensOf(source);
  const program = parsed(tokens);
  return {
    isMarked: tokens.some(({ value }) => value === GENERATION_VARIABLE),
    render: (variables) => renderMarked(variables).text,
    renderMarked,
  };

  function renderMarked(variables: Readonly<Record<string, unknown>>): Written {
    const globals = new Map<string, Value>([
      ...Object.entries({
        true: true,
        false: false,
        none: null,
        True: true,
        False: false,
        None: null,
      }),
      ...Object.entries(variables).map(([name, value]): [string, Value] => [
        name,
        fromJavaScript(value),
      ]),
    ]);
    return evaluate(program, globals);
  }
}

function parsed(tokens: Token[]): Node {
  try {
    // The parser's tokens are plain records; their class is not exported.
    return parse(tokens as Parameters<typeof parse>[0]) as unknown as Node;
  } catch (cause) {
    // where the tokens end too early the parser reads one that is not there
    const message = cause instanceof TypeError ? "it ends too early" : (cause as Error).message;
    throw new SyntaxError(message, { cause });
  }
}
