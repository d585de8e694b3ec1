// The tunebook command in this process, for subcommands that read and write files only: it starts at once.

import { main } from "../../lib/cli.ts";
import type { Finished } from "./tunebook.ts";

/** Runs the command to its end, and catches what it prints. */
export async function runHere(args: readonly string[]): Promise<Finished> {
  const [out, err]: [string[], string[]] = [[], []];
  const { log, error } = console;
  console.log = (...parts) => void out.push(`${parts.join(" ")}\n`);
  console.error = (...parts) => void err.push(`${parts.join(" ")}\n`);
  try {
    const code = await main([...args]);
    return { code, stdout: out.join(""), stderr: err.join("") };
  } finally {
    Object.assign(console, { log, error });
  }
}
