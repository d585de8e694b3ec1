/**
 * Arguments of a call by name, as Python binds them.
 *
 * @module
 */

import { type Arguments, TemplateError, type Value } from "./values.ts";

/** What {@linkcode bind} gives. */
export type Bound<P> = { [name in keyof P]: Value };

/**
 * Binds arguments to parameters.
 *
 * @param name What is called, for the message.
 * @param args What it is called with.
 * @param parameters Its parameters in their order, each with what it is unless given; undefined where it must be given.
 * @returns A value for each.
 * @throws {TemplateError} If there are too many, one is missing, unknown or given twice.
 */
export function bind<const P extends Readonly<Record<string, Value | undefined>>>(
  name: string,
  { positional, named }: Arguments,
  parameters: P,
): Bound<P> {
  const names = Object.keys(parameters);
  if (positional.length > names.length) {
    throw new TemplateError(
      `${name}() takes at most ${names.length} arguments (${positional.length} given)`,
    );
  }
  for (const given of named.keys()) {
    const at = names.indexOf(given);
    if (at < 0) throw new TemplateError(`${name}() got an unexpected keyword argument '${given}'`);
    if (at < positional.length) {
      throw new TemplateError(`${name}() got multiple values for argument '${given}'`);
    }
  }
  const bound = {} as Record<string, Value>;
  for (const [i, parameter] of names.entries()) {
    const given = named.has(parameter) ? named.get(parameter) : parameters[parameter];
    const chosen = i < positional.length ? positional[i] : given;
    if (chosen === undefined) {
      throw new TemplateError(`${name}() missing the argument '${parameter}'`);
    }
    bound[parameter] = chosen;
  }
  return bound as Bound<P>;
}
