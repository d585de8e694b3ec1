// The option that chooses the format of entries.

import { Option } from "commander";
import type { EntryFormat } from "../dataset/mod.ts";
import { FORMAT_NAMES, type FormatName } from "../pipeline/mod.ts";
import { CHAT_STYLES, ChatTemplate } from "../text/mod.ts";

/** The option. */
export function formatOption(): Option {
  return new Option(
    "--format <name|file>",
    `the format of entries: alpaca; chat, by the model's own template; ${
      CHAT_STYLES.join(", ")
    }; or a file with a Jinja template (default: the format of the model's training, its chat template, or alpaca)`,
  );
}

/**
 * Resolves the option.
 *
 * @param name The option's value, if given.
 * @returns The format's name, or the template in a file.
 */
export async function readFormatOption(
  name: string | undefined,
): Promise<FormatName | EntryFormat | undefined> {
  if (name === undefined) return undefined;
  if ((FORMAT_NAMES as readonly string[]).includes(name)) return name as FormatName;
  let text: string;
  try {
    text = await Deno.readTextFile(name);
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? `there is no such file or format: formats are ${FORMAT_NAMES.join(", ")}`
      : (error as Error).message;
    throw new Error(`Cannot read the template "${name}": ${reason}`, { cause: error });
  }
  return new ChatTemplate(text, { name: "given" });
}
