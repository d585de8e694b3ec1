/** Data sets to files. */
import { stringify } from "@std/csv/stringify";
import { stringifyJson } from "../json_source.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { writeFileBeside } from "../write_beside.ts";
import { type ChatEntry, type DatasetEntry, isChatEntry, isTextEntry } from "./chat_entry.ts";
import type { InstructionEntry } from "./entry.ts";

/** A form in which entries are written: Alpaca's fields, or messages. */
export type WrittenForm = "alpaca" | "chat";

/** The values of {@linkcode WrittenForm}. */
export const WRITTEN_FORMS: readonly WrittenForm[] = ["alpaca", "chat"];

/** Options of {@linkcode writeDataset}. */
export interface WriteOptions {
  /** The form that all entries are written in; by default each has its own. */
  form?: WrittenForm;
}

const NAMES: OptionNames<WriteOptions> = { form: true };

type Row = Readonly<Record<string, unknown>>;

/** Kinds of files by the endings of their names. */
const WRITERS: Readonly<Record<string, (rows: readonly Row[]) => string>> = {
  ".json": (rows) => `${stringifyJson(rows, 2)}\n`,
  ".jsonl": (rows) => rows.map((row) => `${stringifyJson(row)}\n`).join(""),
  ".csv": toCsv,
};

/** The endings of files that {@linkcode writeDataset} writes. */
export const WRITTEN_ENDINGS: readonly string[] = [
  ...Object.keys(WRITERS),
  ...Object.keys(WRITERS).map((ending) => `${ending}.gz`),
];

/**
 * Says which kind of file a name asks for.
 *
 * @param path The file.
 * @returns Its ending, without `.gz`.
 * @throws {RangeError} If files of that ending cannot be written.
 */
export function writtenEnding(path: string): string {
  const ending = /\.[^./\\]*$/.exec(path.replace(/\.gz$/i, ""))?.[0].toLowerCase() ?? "";
  if (Object.hasOwn(WRITERS, ending)) return ending;
  throw new RangeError(
    `Cannot write "${path}": expected a name that ends with ${
      WRITTEN_ENDINGS.map((name) => `"${name}"`).join(", ")
    }`,
  );
}

/**
 * Writes entries to a file, of the kind that its name's ending says: `.json`, one array; `.jsonl`, one entry a line; `.csv`,
 * with lists as JSON text; each also with `.gz` after it. {@linkcode loadDataset} reads the same entries from it. The file is
 * complete or absent.
 *
 * @param path The file.
 * @param entries The entries.
 * @param options The form of the entries.
 * @throws {RangeError} If the name has another ending, or there is no such form.
 * @throws {TypeError} If an entry cannot be written in the form without losing something; the message names it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { loadDataset, writeDataset } from "tunebook/data";
 *
 * const entries = [{ instruction: "Name a colour.", input: "", output: "Blue." }];
 * const folder = await Deno.makeTempDir();
 * await writeDataset(`${folder}/colours.csv`, entries);
 * assertEquals(await loadDataset(`${folder}/colours.csv`), entries);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function writeDataset(
  path: string,
  entries: readonly DatasetEntry[],
  options: WriteOptions = {},
): Promise<void> {
  assertKnownOptions("write entries", options, NAMES);
  const { form } = options;
  if (form !== undefined && !WRITTEN_FORMS.includes(form)) {
    throw new RangeError(
      `Cannot write entries in the form "${form}": expected "${WRITTEN_FORMS.join('" or "')}"`,
    );
  }
  const zipped = /\.gz$/i.test(path);
  const ending = writtenEnding(path);
  const rows = form === undefined ? entries : entries.map((entry, i) => {
    try {
      return form === "alpaca" ? toInstruction(entry) : toConversation(entry);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      const where = `entry ${i + 1} of ${entries.length}`;
      throw new TypeError(`Cannot write ${where} in the form "${form}": ${error.message}`, {
        cause: error,
      });
    }
  });
  const text = WRITERS[ending]!(rows as readonly object[] as readonly Row[]);
  await writeFileBeside(path, zipped ? await zip(text) : text);
}

async function zip(text: string): Promise<Uint8Array> {
  const zipped = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return await new Response(zipped).bytes();
}

/** A table with a column for each field, in the order in which entries first have them. */
function toCsv(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cell = (value: unknown) =>
    value === undefined || value === null
      ? ""
      : typeof value === "object"
      ? stringifyJson(value)
      : `${value}`;
  const cells = rows.map((row) => columns.map((column) => cell(row[column])));
  return stringify([columns, ...cells]);
}

/** An instruction as Alpaca's form has it, with `system` and `history` where it has more than one round. */
interface AlpacaRow extends InstructionEntry {
  system?: string;
  history?: [question: string, answer: string][];
}

/** An entry in Alpaca's form. */
function toInstruction(entry: DatasetEntry): AlpacaRow {
  if (isTextEntry(entry)) throw new TypeError("a text has no instruction");
  if (!isChatEntry(entry)) return entry;
  const { messages, tools, ...carried } = entry;
  if (tools) throw new TypeError('"tools" have no field there');
  const [first, ...others] = messages;
  const system = first!.role === "system" ? first!.content : undefined;
  const rounds = system === undefined ? messages : others;
  const wrong = rounds.findIndex(({ role }, i) => role !== (i % 2 === 0 ? "user" : "assistant"));
  if (wrong >= 0 || rounds.length % 2 !== 0 || rounds.length === 0) {
    throw new TypeError("its messages are not a user's and an assistant's in turn");
  }
  for (const message of messages) {
    const { role: _, content: __, ...rest } = message;
    const [field] = Object.keys(rest);
    if (field !== undefined) throw new TypeError(`"${field}" of a message has no field there`);
  }
  const pairs = Array.from({ length: rounds.length / 2 }, (_, i): [string, string] => [
    rounds[2 * i]!.content,
    rounds[2 * i + 1]!.content,
  ]);
  const [instruction, output] = pairs.pop()!;
  return {
    instruction,
    input: "",
    output,
    ...(system !== undefined && { system }),
    ...(pairs.length > 0 && { history: pairs }),
    ...carried,
  };
}

/** An entry as messages: what a chat template writes of it. */
function toConversation(entry: DatasetEntry): ChatEntry {
  if (isTextEntry(entry)) throw new TypeError("a text has no messages");
  if (isChatEntry(entry)) return entry;
  const { instruction, input, output, ...carried } = entry;
  return {
    messages: [
      { role: "user", content: input ? `${instruction}\n\n${input}` : instruction },
      { role: "assistant", content: output },
    ],
    ...carried,
  };
}
