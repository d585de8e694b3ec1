/**
 * Which program is running: a model's record names it, so that running a notebook again may save over its own output.
 *
 * @module
 */

import { dirname, fromFileUrl, isAbsolute, relative, resolve } from "@std/path";

/**
 * A program that makes models.
 *
 * @internal
 */
export interface Program {
  /** A notebook, a script, or a command with what it was given. */
  readonly kind: "notebook" | "script" | "command";
  /** The file's path, in full; the command as it is written; a script's URL where it is on no disk. */
  readonly name: string;
}

let command: string | undefined;

/**
 * Names the command that runs, which is not told by the file that does.
 *
 * @param name The command, with what tells its output from another's; undefined if none runs any longer.
 */
export function setCommand(name: string | undefined): void {
  command = name;
}

/**
 * Says which program is running.
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
  // What Deno makes up for tests and for the kernel names no file.
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
 * A program as a folder's record names it: files by their path from the folder, so that a project may move.
 *
 * @param program The program.
 * @param directory The folder that holds the record.
 */
export function describeProgram(program: Program, directory: string): Program {
  if (program.kind === "command" || !isAbsolute(program.name)) return program;
  return { ...program, name: relative(resolve(directory), program.name).replaceAll("\\", "/") };
}
