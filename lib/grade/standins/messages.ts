/**
 * What crosses between the student's process, the grader and the examiner. All that the student's
 * process sends is checked here before it is used.
 *
 * @module
 */

import { z } from "zod";

/** The type under which both processes broadcast their messages. */
export const MESSAGE_TYPE = "tunebook_standins";

/** How a prompt begins that is a call of the examiner's, which the grader answers. */
export const CALL = "tunebook call: ";

/** What is asked of the student's process: a call, a new instance, or a property to read or set. */
export interface Call {
  readonly call: number;
  /** The number of the function, class or instance. */
  readonly id: number;
  /** The method or property, if one of an instance is meant. */
  readonly member?: string | typeof NEXT;
  readonly action: "call" | "new" | "get" | "set";
  /** The arguments as one list, encoded. */
  readonly args: string;
}

/** Stands for the member that gives an instance's items. */
export const NEXT = "@@iterator";

const named = z.object({
  /** The value, encoded. */
  text: z.string().optional(),
  /** Whether it is a promise: of the value or, if it was rejected, of an error. */
  promised: z.enum(["kept", "broken"]).optional(),
  /** Why the value cannot cross. */
  fault: z.string().optional(),
});

/** A top-level name's value; without anything if there is no such name. */
export type Named = z.infer<typeof named>;

const reply = z.object({
  type: z.literal("reply"),
  token: z.string(),
  call: z.number(),
  /** Whether a promise was returned: then another reply comes when it is settled. */
  promised: z.boolean().optional(),
  /** What was returned, encoded. */
  value: z.string().optional(),
  /** What was thrown, encoded. */
  thrown: z.string().optional(),
  /** Why neither can cross. */
  fault: z.string().optional(),
  /** The places of arguments that were changed, from 0. */
  mutated: z.array(z.number()).optional(),
});

/** The answer to a {@linkcode Call}. */
export type Reply = Omit<z.infer<typeof reply>, "type" | "token">;

const fromStudent = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("names"),
    token: z.string(),
    names: z.record(z.string(), named),
  }),
  reply,
]);

/** What the student's process says. */
export type FromStudent = z.infer<typeof fromStudent>;

/**
 * Reads a message of the student's process, which may be anything.
 *
 * @param content The message.
 * @returns The message; undefined if it has another form.
 */
export function readFromStudent(content: unknown): FromStudent | undefined {
  const parsed = fromStudent.safeParse(content);
  return parsed.success ? parsed.data : undefined;
}

/**
 * Says that arguments were changed.
 *
 * @param what What was called.
 * @param places Which arguments, from 1.
 */
export function mutationOf(what: string, places: string): string {
  return `${what} changed its argument ${places} in place, which no test can see`;
}
