// `--config file.yaml`: options in a file, as if they were written on the command line before the others.

import { parse } from "@std/yaml/parse";
import { type Command, Option } from "commander";
import { similarName } from "../similar_name.ts";

/** The option of commands that have many. */
export function configOption(): Option {
  return new Option(
    "--config <file>",
    "a YAML file of options by name, such as batch-size: 4; options on the command line take precedence",
  );
}

/**
 * Replaces `--config FILE` by the options in the file. Options that are given directly come later and so
 * take precedence; paths in the file are relative to the working directory, as on the command line.
 *
 * @param command The command, whose options the file may have.
 * @param args The arguments after its name.
 * @returns The arguments, with the file's before them.
 * @throws {TypeError} If the file has no map of options, or one that the command does not have.
 * @throws {SyntaxError} If the file is not YAML.
 * @throws {Deno.errors.NotFound} If there is no such file.
 */
export async function withConfigFile(command: Command, args: readonly string[]): Promise<string[]> {
  const at = args.findIndex((arg) => arg === "--config" || arg.startsWith("--config="));
  const takesFile = command.options.some(({ long }) => long === "--config");
  if (at < 0 || !takesFile) return [...args];
  const inline = args[at].startsWith("--config=");
  const path = inline ? args[at].slice("--config=".length) : args[at + 1];
  if (path === undefined) return [...args]; // commander says that the argument is missing
  const rest = [...args.slice(0, at), ...args.slice(at + (inline ? 1 : 2))];
  return [...toArguments(command, path, await readMap(path)), ...rest];
}

async function readMap(path: string): Promise<Record<string, unknown>> {
  const text = await readText(path);
  let value: unknown;
  try {
    value = parse(text, { schema: "core" }) ?? {};
  } catch (error) {
    const [reason] = (error as Error).message.split("\n");
    throw new SyntaxError(`Cannot read "${path}": ${reason.replace(/:$/, "")}`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new TypeError(`Cannot read options from "${path}": expected lines such as "batch-size: 4"`);
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new Deno.errors.NotFound(`Cannot read options from "${path}": there is no such file`, {
      cause,
    });
  }
}

function toArguments(
  command: Command,
  path: string,
  values: Record<string, unknown>,
): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const long = `--${name.replaceAll("_", "-")}`;
    const option = command.options.find((option) =>
      option.long === long || option.attributeName() === name
    );
    const cannot = `Cannot take "${name}" from "${path}"`;
    if (option === undefined || option.long === "--config") {
      const meant = similarName(name, command.options.map(({ long }) => long!.slice(2)));
      const question = meant === undefined ? "" : `; did you mean "${meant}"?`;
      throw new TypeError(`${cannot}: "${command.name()}" has no such option${question}`);
    }
    if (option.isBoolean() || option.negate) {
      if (typeof value !== "boolean") throw new TypeError(`${cannot}: expected true or false`);
      return value === !option.negate ? [option.long!] : [];
    }
    const given = Array.isArray(value) ? value : [value];
    return given.flatMap((one) => {
      if (typeof one === "string" || typeof one === "number") return [`${option.long}=${one}`];
      throw new TypeError(`${cannot}: expected a text or a number, or a list of these`);
    });
  });
}
