// The session's door: data from a kernel is untrusted and is checked before it is forwarded. A
// kernel can send anything, and cells can broadcast anything.

import { z } from "zod";
import { PROVENANCE_MIME } from "../manifest.ts";
import { bundle, describe, formatPath, MAX_DEPTH } from "../notebook_schema.ts";
import type { OutputMessage } from "../outputs.ts";
import type { PreludeMessage } from "../prelude.ts";

const record = z.record(z.string(), z.unknown());

/** The levels of a notebook above an output's data count too. */
const DEEPEST = MAX_DEPTH - 16;
/** The size of an output in a file besides its text, in bytes. */
const FRAME = 200;
/** The size of a line of text as an array's item in a file, besides the text itself. */
const LINE = 16;

const display = z.object({
  data: bundle.default({}).refine(
    (data) => !(PROVENANCE_MIME in data) || record.safeParse(data[PROVENANCE_MIME]).success,
    { error: "expected a record as an object" },
  ),
  metadata: record.nullish().transform((value) => value ?? {}),
  transient: z.object({ display_id: z.string().optional() }).nullish(),
});

const CONTENTS = {
  stream: z.object({ name: z.string(), text: z.string() }),
  display_data: display,
  update_display_data: display,
  execute_result: display,
  clear_output: z.object({ wait: z.boolean().optional() }),
  error: z.object({ ename: z.string(), evalue: z.string(), traceback: z.array(z.string()) }),
} satisfies Record<OutputMessage["type"], z.ZodType>;

const errorDescription = z.object({
  name: z.string(),
  message: z.string(),
  stack: z.string(),
  causes: z.array(z.string()),
  line: z.number().optional(),
});

const preludeMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready") }),
  z.object({ type: z.literal("output"), kind: z.string(), content: z.unknown() }),
  z.object({
    type: z.literal("uncaught"),
    error: errorDescription,
    cell: z.number().nullish().transform((cell) => cell ?? undefined),
  }),
  z.object({ type: z.literal("signal_taken") }),
  z.object({ type: z.literal("stopping"), cell: z.number() }),
  z.object({ type: z.literal("settled"), pending: z.number() }),
  z.object({ type: z.literal("package"), specifier: z.string(), version: z.string() }),
  z.object({ type: z.literal("exit"), code: z.number() }),
  z.object({
    type: z.literal("end"),
    token: z.string(),
    error: errorDescription.optional(),
    tests: z.array(z.object({
      name: z.string(),
      error: errorDescription.optional(),
      seconds: z.number(),
    })).optional(),
  }),
]);

/** Whether messages of a type are outputs. */
export function isOutputType(type: string): type is OutputMessage["type"] {
  return Object.hasOwn(CONTENTS, type);
}

/** An output that may be forwarded, and its size in a file. */
export interface ReadOutput {
  message: OutputMessage;
  /** Bytes, at most. */
  size: number;
}

/**
 * Checks an output.
 *
 * @param type Its type.
 * @param content The content from the kernel.
 * @returns The output, in the form of its type.
 * @throws {TypeError} If it has another form, saying where.
 */
export function readOutput(type: OutputMessage["type"], content: unknown): ReadOutput {
  const refuse = (reason: string) =>
    new TypeError(`Cannot show a message of type "${type}": ${reason}`);
  const { depth, size } = measure(content);
  if (depth > DEEPEST) throw refuse(`it is nested deeper than ${DEEPEST} levels`);
  const parsed = CONTENTS[type].safeParse(content);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    // deno-lint-ignore no-explicit-any
    const got = issue.path.reduce((value: any, key) => value?.[key], content);
    const expected = issue.message.replace(/^Invalid input: /, "").replace(/, received .*/, "");
    const where = issue.path.length === 0 ? "" : `${formatPath(issue.path)}: `;
    throw refuse(`${where}${expected}, got ${describe(got)}`);
  }
  return { message: { type, content: parsed.data }, size: size + FRAME };
}

/**
 * Checks a message of the prelude.
 *
 * @param message The content of a marked line.
 * @returns The message; undefined if it is not one of the prelude.
 */
export function readPreludeMessage(message: unknown): PreludeMessage | undefined {
  const parsed = preludeMessage.safeParse(message);
  return parsed.success ? parsed.data as PreludeMessage : undefined;
}

/**
 * Measures a value of JSON without recursion.
 *
 * @param value The value.
 * @returns Its depth of nesting, and its size in a file that is indented by one space per level.
 */
export function measure(value: unknown): { depth: number; size: number } {
  let size = 0;
  let level: unknown[] = [value];
  let depth = 0;
  for (; level.length > 0; depth++) {
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item === "string") size += sizeOfText(item);
      else if (typeof item !== "object" || item === null) size += 24;
      else if (Array.isArray(item)) {
        size += item.length * (depth + LINE);
        for (const part of item) next.push(part);
      } else {
        for (const [key, part] of Object.entries(item)) {
          size += 3 * key.length + depth + LINE;
          next.push(part);
        }
      }
    }
    level = next;
  }
  return { depth, size };
}

/** What a text takes in a file, in bytes, at most: quoted, and an item of an array for each line. */
function sizeOfText(text: string): number {
  let size = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20) size += LINE;
    else if (unit > 0x7f) size += unit >= 0xd800 && unit <= 0xdfff ? 5 : 2;
    else if (unit === 0x22 || unit === 0x5c) size++;
  }
  return size;
}
