/**
 * The running program. A model's record names it, so that a notebook that runs again may replace its own output.
 *
 * @module
 */

import { dirname } from "@std/path/dirname";
import { fromFileUrl } from "@std/path/from-file-url";
import { isAbsolute } from "@std/path/is-absolute";
import { relative } from "@std/path/relative";
import { resolve } from "@std/path/resolve";

/**
 * A program that makes models.
 *
 * @internal
 */
export interface Program {
  /** A notebook, a script, or a command with what it was given. */
  readonly kind: "notebook" | "script" | "command";
  /** The absolute path of the file, the URL of a remote script, or the command line. */
  readonly name: string;
}

let command: string | undefined;

/**
 * Sets the running command, which the main module does not tell.
 *
 * @param name The command with the arguments that distinguish its output; undefined to unset it.
 */
export function setCommand(name: string | undefined): void {
  command = name;
}

/**
 * Finds the running program.
 *
 * @param env The environment; the process's by default.
 * @param main The URL of the module that runs; the process's by default.
 * @returns The program; undefined in a kernel whose client does not name the notebook.
 */
export function currentProgram(
  env: { get(name: string): string | undefined } = Deno.env,
  main: string = Deno.mainModule,
): Program | undefined {
  if (command !== undefined) return { kind: "command", name: command };
  const notebook = env.get("TUNEBOOK_NOTEBOOK") ?? fromJupyter(env.get("JPY_SESSION_NAME"));
  if (notebook !== undefined) return { kind: "notebook", name: resolve(notebook) };
  // The modules that Deno generates for its kernel are not files.
  if (main.includes("$deno$")) return undefined;
  return { kind: "script", name: main.startsWith("file:") ? fromFileUrl(main) : main };
}

/** A Jupyter server names the notebook by its path from the server's folder, or by an id. */
function fromJupyter(name: string | undefined): string | undefined {
  if (name === undefined || !name.endsWith(".ipynb")) return undefined;
  const path = resolve(name);
  if (exists(path) || !exists(dirname(path))) {
    const beside = resolve(name.replace(/.*[/\\]/, ""));
    return exists(path) ? path : beside;
  }
  return path;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * Describes a program for a folder's record. Files are relative to the folder, so that a project can be moved.
 *
 * @param program The program.
 * @param directory The folder that holds the record.
 */
export function describeProgram(program: Program, directory: string): Program {
  if (program.kind === "command" || !isAbsolute(program.name)) return program;
  return { ...program, name: relative(resolve(directory), program.name).replaceAll("\\", "/") };
}
