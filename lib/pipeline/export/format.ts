/**
 * The prompt format that an exported model carries.
 *
 * @module
 */

import type { EntryFormat } from "../../dataset/encode.ts";
import { alpaca } from "../../text/alpaca.ts";
import { chatTemplateOf } from "../../text/chat_formats.ts";
import type { Taught } from "../record.ts";
import type { Exporting } from "./options.ts";

/**
 * Chooses the format that an exported model carries: the one that it was taught. A model that was never trained keeps its
 * own.
 *
 * @param target Where the model goes.
 * @param format The format that it was taught, where one is known.
 * @param taught What it was taught.
 * @returns The format; undefined for a model that was taught nothing.
 * @throws {TypeError} If it was trained on examples whose format is not known.
 */
export function formatToExport(
  target: string,
  format: EntryFormat | undefined,
  taught: Pick<Taught, "trainings"> | undefined,
): EntryFormat | undefined {
  if (format !== undefined || !taught || taught.trainings.length === 0) return format;
  throw new TypeError(
    `Cannot export to "${target}": the model was trained on examples whose format is not known; ` +
      'set "model.format", or give a format',
  );
}

/** The format that a reader of the export finds. */
export function askedIn({ format, tokenizer }: Exporting): EntryFormat {
  if (format !== undefined) return format;
  return tokenizer.definition?.chatTemplate === undefined ? alpaca : chatTemplateOf(tokenizer);
}
