// Options of the commands that run notebooks, and the paths of their results.

import { basename } from "@std/path/basename";
import { join } from "@std/path/join";
import type { Command } from "commander";
import type { Notebook } from "../runtime/notebook.ts";
import { readParameterFile } from "../runtime/parameter_files.ts";
import { readParameters } from "../runtime/parameters.ts";
import { readSeconds } from "./arguments.ts";

/** Adds the options that set parameters. */
export function parameterOptions(command: Command): Command {
  return command
    .option(
      "-p, --parameter <name=value>",
      'set a parameter that the cell tagged "parameters" declares; may be repeated',
      collect,
      [] as string[],
    )
    .option(
      "--parameters <file>",
      "set parameters from a JSON or YAML file with values by name; -p takes precedence; may be repeated",
      collect,
      [] as string[],
    );
}

/** Adds the options that limit time. */
export function limitOptions(command: Command): Command {
  return command
    .option("--timeout <seconds>", "stop a cell that runs longer", readSeconds)
    .option("--total-timeout <seconds>", "stop a notebook that runs longer", readSeconds);
}

/** A notebook's parameters from the options of {@linkcode parameterOptions}. */
export async function parametersFor(
  notebook: Notebook,
  options: { parameter: string[]; parameters: string[] },
): Promise<Record<string, unknown>> {
  const files = await Promise.all(options.parameters.map(readParameterFile));
  return Object.assign({}, ...files, readParameters(notebook, options.parameter));
}

/**
 * The path of a notebook's result.
 *
 * @param option The option's value; undefined if it is not given.
 * @param notebook The notebook's path.
 * @param ending The result's extension, such as `".html"`.
 * @param several Whether there are several notebooks; the option is then a folder.
 */
export async function placeFor(
  option: string | undefined,
  notebook: string,
  ending: string,
  several: boolean,
): Promise<string | undefined> {
  if (option === undefined) return undefined;
  const folder = several || /[/\\]$/.test(option) || await isFolder(option);
  return folder ? join(option, basename(notebook).replace(/\.ipynb$/i, "") + ending) : option;
}

/** Collects a repeatable option. */
export function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}
