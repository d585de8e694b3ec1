// Parameters from JSON or YAML files, as in papermill.

import { kindOf } from "../kind_of.ts";
import { extname } from "@std/path/extname";
import { parse } from "@std/yaml/parse";

/**
 * Reads parameters from a file.
 *
 * @param path A `.json`, `.yaml` or `.yml` file that holds one object: values by name.
 * @returns The values.
 * @throws {SyntaxError} If the file is neither JSON nor YAML, or holds something else.
 * @throws {Deno.errors.NotFound} If there is no such file.
 */
export async function readParameterFile(path: string): Promise<Record<string, unknown>> {
  const refuse = (reason: string) => new SyntaxError(`Cannot read parameters "${path}": ${reason}`);
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(`Cannot read parameters "${path}": there is no such file`);
  }
  let value: unknown;
  const kind = extname(path).toLowerCase();
  try {
    if (kind === ".json") value = JSON.parse(text);
    // YAML's core schema has no dates or other types that JSON lacks.
    else if (kind === ".yaml" || kind === ".yml") value = parse(text, { schema: "core" });
    else throw new SyntaxError('expected a name that ends in ".json", ".yaml" or ".yml"');
  } catch (error) {
    throw refuse((error as Error).message.split("\n")[0]);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw refuse(`expected one object with values by name, got ${kindOf(value)}`);
  }
  return { ...value as Record<string, unknown> };
}
