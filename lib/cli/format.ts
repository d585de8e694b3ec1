// The option that says how entries are written for a model.

import { Option } from "commander";
import type { EntryFormat } from "../dataset/mod.ts";
import { FORMAT_NAMES, type FormatName } from "../pipeline/mod.ts";
import { CHAT_STYLES, ChatTemplate } from "../text/mod.ts";

/** The option. */
export function formatOption(): Option {
  return new Option(
    "--format <name|file>",
    `how entries are written: alpaca; chat, by the model's own template; ${
      CHAT_STYLES.join(", ")
    }; or a file with a template in Jinja (default: as the model was taught, else by its chat template, else alpaca)`,
  );
}

/**
 * What the option means.
 *
 * @param name What was given, if anything.
 * @returns The format's name, or the template that a file holds.
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
      ? `there is no such file, nor a format of that name: these are ${FORMAT_NAMES.join(", ")}`
      : (error as Error).message;
    throw new Error(`Cannot read the template "${name}": ${reason}`, { cause: error });
  }
  return new ChatTemplate(text, { name: "given" });
}
